"""Two buttons at a lesson's end: one saves the answers as a file, to hand in; one ends the kernel.

The answers lie in a folder that JupyterLab does not show. Closing a tab does not end its kernel, and the memory of a
class's server is not endless.
"""

import re
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipykernel.connect import get_connection_file

from snnlab.explorers.lasting import Lasting
from snnlab.files import answers_file
from snnlab.files.language import said


class Ending(Lasting, anywidget.AnyWidget):
    """The buttons. Until one is pressed nothing happens.

    The first asks the kernel for the answers. The second asks the server that runs the kernel, as the menu does.
    """

    _esm = Path(__file__).with_name("ending.js").read_text(encoding="utf-8")
    kernel = traitlets.Unicode().tag(sync=True)
    texts = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._send_answers)

    def _send_answers(self, *_: Any) -> None:
        try:
            self.send({"answers": answers_file().read_text(encoding="utf-8")})
        except (OSError, UnicodeError):
            self.send({"answers": ""})

    def lasting(self) -> str:
        """Where the kernel is gone there is nothing to end."""
        return ""

    def __repr__(self) -> str:
        return str(self.texts["why"])


def end_kernel() -> Ending:
    """A button that ends this notebook's kernel, and gives its memory back; before it one that saves the answers."""
    texts = {
        "save": said("Save my answers as a file"),
        "none": said("No answer has been recorded yet."),
        "button": said("End this lesson's kernel"),
        "why": said(
            "A lesson holds its memory, up to 0.9 GB, until its kernel ends; closing the tab does not end it."
        ),
        "ended": said("The kernel has ended. What you see stays; to go on, choose Kernel, Restart Kernel."),
        "by_hand": said("That cannot be done from here: choose Kernel, Shut Down Kernel in the menu above."),
    }
    return Ending(kernel=_kernel(), texts=texts)


def _kernel() -> str:
    """The kernel's name on its server, from its connection file; empty where there is none."""
    try:
        found = re.search(r"kernel-(.+)\.json$", get_connection_file())
    except RuntimeError:  # no kernel
        return ""
    return found[1] if found else ""
