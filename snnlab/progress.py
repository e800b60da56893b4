"""Progress with the time left: a bar in a terminal, in a notebook one output of the cell, redrawn in place, in a log a
line now and then.

tqdm's own bars of text move the cursor up where one runs inside another. A notebook knows no such move: each drawing
stays, hundreds of lines on the red of errors. Its bars of widgets leave "model not found" in a notebook that is opened
again. And in a file every drawing is kept, ten a second.
"""

import contextlib
import io
import math
import os
import sys
from collections.abc import Callable, Iterator
from html import escape
from typing import Any, ClassVar

from tqdm import tqdm as TextBar

from snnlab.files.language import language, said

WIDTH = 72  # of a line in a notebook, characters
GUESS = "<{remaining}, {rate_fmt}"
NUMBERS = "{n_fmt}/{total_fmt} [{elapsed}" + GUESS + "{postfix}]"
FORMAT = "{l_bar} " + NUMBERS + " {bar}"  # a narrow page cuts the bar
TQDM_FORMAT = "{l_bar}{bar}| " + NUMBERS
FIRST, EVERY = 2.0, 10.0
"""Seconds from the start of work to the first line in a log, and from one line to the next."""


def progress_bar(*args: Any, **kwargs: Any) -> TextBar:
    """A tqdm for the place where it is seen: it appears after a second, and leaves nothing behind unless told to.

    The environment's SNNLAB_PROGRESS=text asks for bars of text in a notebook's kernel and in a log, too, and "none"
    for none anywhere.

    Args:
        args, kwargs: tqdm's own.
    """
    none = {"disable": True} if os.environ.get("SNNLAB_PROGRESS") == "none" else {}
    return _kind()(*args, **{"leave": False, "delay": 1.0, **kwargs, **none})


def tell_inside(bar: TextBar, told: str) -> None:
    """Show behind a bar what another tells of the unit that it is at: "" for nothing.

    The other one knows what is left; by units that are done, nine of ten in a moment and the last in an hour, this bar
    would guess hours, and more with each minute. So it leaves out its own guess meanwhile.
    """
    own = FORMAT if isinstance(bar, _CellBar) else TQDM_FORMAT
    bar.bar_format = own.replace(GUESS, "") if told else own
    bar.set_postfix_str(told)


def _kind() -> type[TextBar]:
    """What is right for the place where stderr is seen."""
    if _CellBar.show is not None or _in_notebook():
        return _CellBar
    in_terminal = sys.stderr is not None and sys.stderr.isatty()
    return TextBar if in_terminal or os.environ.get("SNNLAB_PROGRESS") == "text" else _LogBar


@contextlib.contextmanager
def shown_by(show: Callable[[str], None]) -> Iterator[None]:
    """Within the block bars are handed to `show`, a line of text each, "" once they are done: for a widget's callback.

    What a callback draws, a notebook shows in no cell.
    """
    before, _CellBar.show = _CellBar.show, show
    try:
        yield
    finally:
        _CellBar.show = before


def _in_notebook() -> bool:
    if os.environ.get("SNNLAB_PROGRESS") == "text" or "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


class _CellBar(TextBar):
    """One of the bars that are running: together they are one output, a line each, empty when they are done."""

    lines: ClassVar[dict[int, str]] = {}
    output: ClassVar[tuple[str, Any]] = ("", None)
    """The request that runs the cell, and the handle of its output."""
    show: ClassVar[Callable[[str], None] | None] = None
    """Who takes the lines in place of a cell's output."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        own = {"leave": False, "file": io.StringIO(), "ncols": WIDTH, "ascii": False, "bar_format": FORMAT}
        super().__init__(*args, **{**kwargs, **own})

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Redraw this bar, and with an empty msg take it away."""
        line = str(self) if msg is None else msg
        if line:
            self.lines[id(self)] = line
        else:
            self.lines.pop(id(self), None)
        self._draw("\n".join(self.lines.values()))
        return True

    @classmethod
    def _draw(cls, text: str) -> None:
        if cls.show is not None:
            cls.show(text)
            return
        from IPython import display, get_ipython  # only where a kernel has it loaded

        request = get_ipython().get_parent().get("header", {}).get("msg_id", "")
        page = (
            f'<pre style="margin: 0; white-space: pre; overflow-x: auto">{escape(text)}</pre>' if text else ""
        )
        data = {"text/plain": text, "text/html": page}
        if cls.output[0] == request:
            cls.output[1].update(data, raw=True)
        elif text:
            _CellBar.output = (request, display.display(data, raw=True, display_id=True))


class _LogBar(TextBar):
    """Of the bars that are running, inside each other, one line on stderr every EVERY seconds, and nothing else."""

    said: ClassVar[float] = 0.0
    """When the last line was written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "file": io.StringIO()})

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Write a line, if it is time."""
        bars = [bar for bar in self._instances if isinstance(bar, _LogBar) and hasattr(bar, "start_t")]
        begun = min((bar.start_t for bar in bars), default=math.inf)
        now = self._time()
        if msg is None and now >= max(begun + FIRST, _LogBar.said + EVERY):
            _LogBar.said = now
            told = "; ".join(bar.told() for bar in sorted(bars, key=lambda bar: abs(bar.pos)))
            with contextlib.suppress(OSError):  # a log that cannot be written stops no work
                sys.stderr.write(f"{told}\n")
                sys.stderr.flush()
        return True

    def told(self) -> str:
        """`training: 40 %, 01:20 left`, and what is being done."""
        units = f"{self.unit}s" if language() == "en" else self.unit
        name = self.desc.rstrip(": ") or units
        known = self.format_dict
        done, left = self.n - self.initial, (self.total or 0) - self.n
        share = f"{100 * self.n // self.total} %" if self.total else f"{self.n} {units}"
        known_left = left > 0 < done and GUESS in (self.bar_format or GUESS)
        seconds = known["elapsed"] * left / done if known_left else 0.0
        remaining = said("{time} left").format(time=self.format_interval(seconds)) if known_left else ""
        return ", ".join(filter(None, (f"{name}: {share}", remaining, self.postfix)))
