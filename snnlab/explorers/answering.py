"""What explorers on the kernel share: they answer in a picture and in words, whatever becomes of a setting."""

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any

import ipywidgets as widgets

from snnlab.explorers.lasting import Lasting
from snnlab.files.language import said
from snnlab.progress import shown_by


class Answering(Lasting, widgets.VBox):
    """Knobs above a progress bar, a picture and a text. Jupyter swallows what a callback raises: here it is said.

    Attributes:
        refused: why nothing is shown for this setting, in words; "" if all is well.
    """

    title = "This explorer"
    refusal = "This setting shows nothing."

    def __init__(self, knobs: list[widgets.Widget]) -> None:
        self.knobs, self.refused = knobs, ""
        self.bar, self.picture, self.says = widgets.HTML(), widgets.HTML(), widgets.HTML()
        super().__init__([*knobs, self.bar, self.picture, self.says])

    @property
    def words(self) -> str:
        """The text without its marks, to print."""
        return unescape(re.sub("<[^>]*>", "", self.says.value))

    def on_change(self, knob: widgets.Widget, work: str) -> None:
        """Let a method of this explorer, by its name, answer whenever the knob is turned."""
        knob.observe(lambda _: self.answer(getattr(self, work)), "value")

    def answer(self, work: Callable[[], Any]) -> None:
        """Do it with a progress bar; a refusal is said in words, a mistake of the kit's own is said and raised."""
        try:
            with shown_by(self._show_bar):
                work()
        except ValueError as error:
            self._refuse(str(error))
        except Exception as error:
            mistake = said("{error}. This is a mistake of snnlab, not yours: please report it.")
            self._refuse(mistake.format(error=f"{type(error).__name__}: {error}"))
            raise
        finally:
            self.bar.value = ""

    def _show_bar(self, text: str) -> None:
        self.bar.value = f"<pre style='margin: 0; overflow-x: auto'>{escape(text)}</pre>" if text else ""

    def _refuse(self, reason: str) -> None:
        """The numbers of the setting before must not stay beside the new one."""
        self.refused, self.picture.value = reason, ""
        self.says.value = f"<b>{said(self.refusal)}</b> {escape(reason)}"

    def lasting(self) -> str:
        """The picture and its text as they are now; the knobs need the kernel."""
        page = f"{self.picture.value}<div>{self.says.value}</div>"
        told = said("{title}, as saved. Run the cell to turn its knobs.").format(title=said(self.title))
        return f'<p class="snnlab-kernel">{escape(told)}</p>{page}'
