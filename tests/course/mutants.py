"""Slips of the pen: every function that differs from a given one in a single place.

Operators, comparisons, constants (so indices and axes, too), the order of operands, the usual pairs of functions,
branches, and statements left out. A loop that does not end is cut off after so many rounds, whatever the machine.
"""

import ast
from collections.abc import Callable, Iterator
from typing import Any

ROUNDS = 2000
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
PAIRS = (
    ("min", "max"), ("floor", "ceil"), ("floor", "round"), ("ceil", "floor"), ("mean", "sum"), ("sum", "mean"),
    ("sum", "max"), ("square", "abs"), ("std", "var"), ("clamp", "abs"), ("any", "all"), ("relu", "abs"),
)  # fmt: skip
CONVERSIONS = {"float", "list", "double", "item"}  # a number is one with or without them


class CutOffError(Exception):
    """A loop had more rounds than any right answer needs."""


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """(the changed line, before and after; the whole changed source) for each change of one function."""
    tree = ast.parse(source)
    for function in tree.body:
        function.returns, function.body = None, _without_docstring(function.body)
        for argument in function.args.args:
            argument.annotation = None
    before = ast.unparse(tree)
    seen = {before}
    for put in _changes(tree):
        undo = put()
        after = ast.unparse(ast.fix_missing_locations(tree))
        undo()
        if after not in seen:
            seen.add(after)
            yield _line(before, after), after
    assert ast.unparse(tree) == before, "a change was not undone"


def built(source: str, names: dict[str, Any]) -> Callable[..., Any]:
    """The function of that source, its loops counted."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.While):
            node.body.insert(0, ast.parse("_round()").body[0])
    rounds = iter([])

    def count() -> None:
        if next(rounds, None) is None:
            raise CutOffError

    space = {**names, "_round": count}
    exec(compile(ast.fix_missing_locations(tree), "<mutant>", "exec"), space)
    function = space[tree.body[0].name]

    def fresh(*inputs: Any) -> Any:
        nonlocal rounds
        rounds = iter(range(ROUNDS))
        return function(*inputs)

    return fresh


def _changes(tree: ast.AST) -> Iterator[Callable[[], Callable[[], None]]]:
    for parent in list(ast.walk(tree)):
        if isinstance(parent, ast.keyword) and parent.arg == "strict":
            continue  # whether lists of different lengths are refused: the check gives none
        for field, value in list(ast.iter_fields(parent)):
            if isinstance(value, list):
                for k, node in enumerate(value):
                    for other in _instead_of(node):
                        yield _put(value, k, other)
                if parent.__class__ is ast.Call and field == "args" and value:
                    yield _put(parent, field, value[:-1])
            elif isinstance(value, ast.AST):
                for other in _instead_of(value):
                    yield _put(parent, field, other)


def _put(holder: Any, key: Any, other: Any) -> Callable[[], Callable[[], None]]:
    def write(value: Any) -> Any:
        if isinstance(holder, list):
            holder[key], old = value, holder[key]
        else:
            old = getattr(holder, key)
            setattr(holder, key, value)
        return old

    def put() -> Callable[[], None]:
        old = write(other)
        return lambda: write(old)

    return put


def _instead_of(node: Any) -> Iterator[ast.AST]:  # noqa: C901 # one line for each kind of node
    match node:
        case ast.BinOp(left, op, right):
            yield from (ast.BinOp(left, other(), right) for other in OPERATORS if not isinstance(op, other))
            yield from (left, right)
            if not isinstance(op, ast.Add | ast.Mult):  # of two equal orders one is enough
                yield ast.BinOp(right, op, left)
        case ast.AugAssign(target, op, value):
            yield from (
                ast.AugAssign(target, other(), value) for other in OPERATORS[:4] if not isinstance(op, other)
            )
            yield ast.Pass()
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Compare(left, [op], right):
            yield from (
                ast.Compare(left, [other()], right) for other in COMPARISONS if not isinstance(op, other)
            )
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield from values
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)) | ast.Constant(float(value)):
            yield from (
                ast.Constant(other)
                for other in (value + 1, value - 1, 2 * value, value / 2)
                if other != value
            )
        case ast.IfExp(test, body, orelse):
            yield from (ast.IfExp(test, orelse, body), body, orelse)
        case ast.If(test, body, orelse):
            yield from (ast.If(ast.UnaryOp(ast.Not(), test), body, orelse), ast.Pass())
        case ast.Name(name, ast.Load()):
            yield from (ast.Name(other, ast.Load()) for one, other in PAIRS if one == name)
        case ast.Attribute(value, name, ast.Load()):
            yield from (ast.Attribute(value, other, ast.Load()) for one, other in PAIRS if one == name)
        case ast.Call(ast.Attribute(value, name), _, _) if name not in CONVERSIONS:
            yield value
        case ast.Call(ast.Name(name), [value], []) if name not in CONVERSIONS:
            yield value
        case ast.comprehension(target, iterable, [_]):
            yield ast.comprehension(target, iterable, [], 0)
        case ast.Assign() | ast.Expr():
            yield ast.Pass()


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return body[1:] if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else body


def _line(before: str, after: str) -> str:
    pairs = [
        (a.strip(), b.strip())
        for a, b in zip(before.splitlines(), after.splitlines(), strict=False)
        if a != b
    ]
    return " => ".join(pairs[0]) if pairs else "the last lines left out"
