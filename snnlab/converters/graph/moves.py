"""Rules for what moves values, and for what leaves them as they are."""

from typing import Any

import torch
from torch import Tensor

from snnlab.converters.graph.calls import Call, Refusal, Value
from snnlab.converters.graph.kinds import Move
from snnlab.converters.graph.words import BATCH


def move(call: Call) -> Any:
    """Whatever only moves values: where each goes is found by moving their numbers.

    The function is called again with numbers in place of the values, so every spelling of a reshape is known, and
    nothing depends on how the values lie in memory.
    """
    if call.name == "pad" and call.get(3, "value"):
        raise Refusal("it pads with a number; pad with zeros and retrain")
    values = list(dict.fromkeys(call.inputs))
    apart = sum(value.data[0].numel() for value in values)
    numbers, first = {}, 1
    for value in values:
        numbers[id(value.tensor)] = value.numbers(first, apart)
        first += value.data[0].numel()
    moved = call.func(*_numbered(call.args, numbers), **_numbered(call.kwargs, numbers))
    if isinstance(moved, Tensor):
        return _moved(call, values, moved, call.result, apart)
    return [_moved(call, values, m, r, apart) for m, r in zip(moved, call.result, strict=True)]


def same(call: Call) -> Value:
    """The values as they are: copies, changes of precision, what does nothing in evaluation mode."""
    value, result = call.first(batch_first=False), call.result
    drops = "dropout" in call.name and call.get(2, "training", call.name == "dropout")
    if drops and call.get(1, "p", 0.5) > 0:
        raise Refusal
    if result.shape != value.tensor.shape or not result.is_floating_point():
        raise Refusal("it makes whole numbers of the values; leave them as they are")
    return Value(value.node, call.result, value.batch, value.data)


def _numbered(argument: Any, numbers: dict[int, Tensor]) -> Any:
    """An argument with numbers in place of the values."""
    if isinstance(argument, dict):
        return {name: _numbered(inner, numbers) for name, inner in argument.items()}
    if isinstance(argument, tuple | list):
        return type(argument)(_numbered(inner, numbers) for inner in argument)
    if not isinstance(argument, Tensor) or not argument.is_floating_point():
        return argument
    if id(argument) not in numbers and bool(argument.any()):
        raise Refusal("it puts values beside others that no image decides; only zeros can come in")
    return numbers.get(id(argument), argument.double())


def _moved(call: Call, values: list[Value], moved: Tensor, result: Tensor, apart: int) -> Value:
    """The node for one result, from the numbers that came to its places."""
    known, count = moved != 0, len(values[0].data)
    image = torch.div(moved - 1, apart, rounding_mode="floor")
    for axis in (a for a in range(moved.ndim) if moved.shape[a] == count):
        own = torch.arange(count).reshape(-1, *(1 for _ in moved.shape[axis + 1 :]))
        if bool(((image == own) | ~known).all()):
            rows = torch.where(known, moved - own * apart, 0).movedim(axis, 0).long() - 1
            if bool((rows != rows[:1]).any()):
                break
            kind = Move(rows[0].contiguous(), [value.data.shape[1:] for value in values])
            if kind.form == ("reshape",) and kind.index.shape == values[0].data.shape[1:]:
                return Value(values[0].node, result, axis, values[0].data)
            return call.emit(kind, *(value.node for value in values), tensor=result, batch=axis)
    raise Refusal(BATCH)
