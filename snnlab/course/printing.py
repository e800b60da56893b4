"""What a lesson's cells print, in the reader's language, while the cells stay as they are.

Before a cell runs, IPython hands its syntax tree to whoever asks for it. Here each `print` in it is rewritten: what
it is given as f"{share:.1%} of {count}" is looked up as "{1} of {2}" (files/language.py), and so is each word that it
is given as a value, the name of a row for instance. In English a cell runs as it is, and so does what has no twin.
"""

import ast
import re
import sys
from collections.abc import Callable, Sequence

from snnlab.files.language import language, said, wide

PLACE = re.compile(r"\{(\d+)\}")
COLUMN = re.compile(r"([<>^]?)(\d+)")
"""A format that fills up to a width."""
CONVERSIONS: dict[int, Callable[[object], str]] = {ord("s"): str, ord("r"): repr, ord("a"): ascii}
ROOM = '__import__("snnlab.course.printing", fromlist=["say"])'
"""How a cell reaches this file whatever names it, or %reset, takes away."""
SIGNS = "，：；。"  # noqa: RUF001 # Chinese signs are meant
"""After these no blank stands."""
Place = tuple[object, int, str]
"""What an f-string is given between braces: the value, the conversion's letter or -1, the format."""


def say(parts: Sequence[str], *places: Place) -> str:
    """An f-string's text or its twin.

    Args:
        parts: what stands between the places, one more than there are places.
    """
    shown, text = [shaped(*place) for place in places], numbered(parts)
    if (told := twin(text)) == text:
        return "".join(one for pair in zip(parts, [*shown, ""], strict=True) for one in pair)
    return PLACE.sub(lambda found: shown[int(found[1]) - 1], told)


def known(value: object) -> object:
    """A word's twin; of a list, a tuple or a dictionary those of the words in it; anything else as it is."""
    try:
        return _known(value)
    except RecursionError:  # a list that holds itself
        return value


def _known(value: object) -> object:
    if type(value) is str:
        return twin(value)
    if type(value) in (list, tuple):
        return type(value)(map(_known, value))  # type: ignore[call-arg, call-overload]
    if type(value) is dict:
        told = {_known(key): _known(one) for key, one in value.items()}
        return told if len(told) == len(value) else value
    return value


def twin(text: str) -> str:
    """The text in the reader's language, with the blanks around it, but for one after a Chinese sign."""
    bare = text.strip()
    if not bare or (told := said(bare)) == bare:
        return text
    before, after = text.split(bare, 1)
    return before + told + ("" if after == " " and told[-1] in SIGNS else after)


def shaped(value: object, conversion: int, form: str) -> str:
    """A place as an f-string shows it; a Chinese letter fills two columns."""
    value = known(value)
    if conversion in CONVERSIONS:
        value = CONVERSIONS[conversion](value)
    column = COLUMN.fullmatch(form)
    if isinstance(value, str) and column and (more := wide(value) - len(value)):
        form = f"{column[1]}{max(1, int(column[2]) - more)}"
    return format(value, form)


def numbered(parts: Sequence[str]) -> str:
    """The text that is looked up: "{1} of {2}"."""
    return "".join(part + (f"{{{k}}}" if k < len(parts) else "") for k, part in enumerate(parts, 1))


def parts_of(text: ast.JoinedStr) -> list[str]:
    """What stands between the places of an f-string."""
    parts = [""]
    for value in text.values:
        if isinstance(value, ast.Constant):
            parts[-1] += str(value.value)
        else:
            parts.append("")
    return parts


class Cells(ast.NodeTransformer):
    """What IPython calls with each cell's tree."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """In English the tree as it is."""
        return node if language() == "en" else ast.fix_missing_locations(self.generic_visit(node))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call of print, with what it is given looked up."""
        if not (isinstance(node.func, ast.Name) and node.func.id == "print"):
            return self.generic_visit(node)
        node.args = [_looked_up(value) for value in node.args]
        for word in node.keywords:
            word.value = _looked_up(word.value) if word.arg in ("end", "sep") else word.value
        return node


class _Texts(ast.NodeTransformer):
    """F-strings of what a print is given, however deep."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        parts = ast.Tuple([ast.Constant(part) for part in parts_of(node)], ast.Load())
        places = [value for value in node.values if isinstance(value, ast.FormattedValue)]
        return ast.copy_location(_called("say", [parts, *map(self._place, places)]), node)

    def _place(self, place: ast.FormattedValue) -> ast.expr:
        form = place.format_spec or ast.Constant("")
        return ast.Tuple([self.visit(place.value), ast.Constant(place.conversion), form], ast.Load())


def _looked_up(value: ast.expr) -> ast.expr:
    if isinstance(value, ast.Starred):  # print(*rows)
        listed = ast.Call(ast.Name("list", ast.Load()), [_Texts().visit(value.value)], [])
        return ast.copy_location(ast.Starred(_called("known", [listed]), ast.Load()), value)
    if isinstance(value, ast.JoinedStr):
        told: ast.expr = _Texts().visit(value)
        return told
    return ast.copy_location(_called("known", [_Texts().visit(value)]), value)


def _called(name: str, values: list[ast.expr]) -> ast.expr:
    room = ast.parse(ROOM, mode="eval").body
    return ast.Call(ast.Attribute(room, name, ast.Load()), values, [])


def listen() -> None:
    """Look at each cell that this kernel runs from now on; where there is no kernel nothing is done."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and not any(isinstance(each, Cells) for each in shell.ast_transformers):
        shell.ast_transformers.append(Cells())
