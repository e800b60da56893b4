"""What a setting may be: a whole number, a share, numbers for each neuron."""

import math
import os

import torch
from torch import Tensor

from snnlab.files import short
from snnlab.neurons.door import LARGEST, item, shown

MOST = 2**31 - 1
MOST_STEPS = 2**20
"""T at most: a simulation of more would not end."""


def whole(value: object, name: str, least: int = 1, most: int = MOST) -> int:
    """The whole number that a setting is: an int, NumPy's, or a tensor's that has no axes; no bool and no float.

    Raises: ValueError that names the setting, if it is none of these, less than `least` or more than `most`.
    """
    number = item(value)
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ValueError(f"{name} = {shown(value)}, but it must be a whole number, {least} or more")
    if number > most:
        raise ValueError(f"{name} = {shown(value)}, but it must be a whole number, {most:,} at most")
    return number


def check_share(name: str, value: float, meaning: str) -> None:
    """Raises: ValueError with the meaning, if value is not a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} = {shown(value)}, but {meaning}")


def numbers(name: str, value: float | Tensor) -> Tensor:
    """One number or one for each neuron, as a tensor of its own. Raises: ValueError that names the setting."""
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ValueError(f"{name} = {short(value)}, but it must be a number or a tensor of numbers") from None
    tensor = tensor if tensor.is_floating_point() else tensor.to(torch.get_default_dtype())
    if bool(tensor.isnan().any()):
        raise ValueError(f"{name} holds NaN, but it must be a number")
    if not tensor.numel():
        raise ValueError(f"{name} has shape {list(tensor.shape)}, but it must hold a number")
    return tensor.detach().clone()


def shown_numbers(value: float | Tensor) -> str:
    """The number, or the least and the largest of them and their shape."""
    tensor = torch.as_tensor(value)
    if tensor.numel() == 1:
        return f"{tensor.item():.4g}"
    return f"{tensor.min().item():.4g} to {tensor.max().item():.4g} {list(tensor.shape)}"


def check_size(name: str, value: Tensor) -> None:
    """Raises: ValueError for numbers that leave float32 no room for a sum."""
    if float(value.abs().amax()) > LARGEST:
        raise ValueError(f"{name} = {shown_numbers(value)}, but it must be {LARGEST:g} at most in size")


def check_memory(needed: float, what: str, mend: str) -> None:
    """Refuse, before it begins, what would take more than half of the machine's memory.

    Args:
        needed: bytes.
        what: what takes them, with {} where the number stands.
        mend: what to do.
    """
    if needed > (half := memory() / 2):
        told = what.format(f"{needed / 1e9:.1f} GB")
        raise ValueError(f"{told}, more than half of this machine's memory, {half / 1e9:.1f} GB: {mend}")


def memory() -> float:
    """The machine's memory, bytes; without an answer from the system, endless."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf
