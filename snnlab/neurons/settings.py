"""What a setting may be: a whole number, or a share."""

import numpy as np
from torch import Tensor


def whole(value: object, name: str, least: int = 1) -> int:
    """The whole number that a setting is: an int, NumPy's, or a tensor's that has no axes; no bool and no float.

    Raises: ValueError that names the setting, if it is none of these, or less than `least`.
    """
    held = isinstance(value, Tensor | np.ndarray | np.generic) and value.ndim == 0
    number = value.item() if held else value  # type: ignore[attr-defined]
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ValueError(f"{name} = {value!r}, but it must be a whole number, {least} or more")
    return number


def check_share(name: str, value: float, meaning: str) -> None:
    """Raises: ValueError with the meaning, if value is not a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} = {value!r}, but {meaning}")
