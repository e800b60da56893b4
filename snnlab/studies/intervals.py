"""How far a counted accuracy may be from the true one.

References:
  1) Wilson 1927, J. Am. Stat. Assoc. 22:209-212
  2) Student 1908, Biometrika 6:1-25
"""

import math
from collections.abc import Sequence
from statistics import mean, stdev

from snnlab.neurons.door import door
from snnlab.neurons.settings import whole

Z = 1.959964
"""Standard deviations on either side that hold 95 %."""
T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""The same of Student's t for 1 to 9 degrees of freedom."""


@door
def wilson(correct: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share that was counted, 0 to 1.

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)                      Wilson 1927

    Raises: ValueError if correct is not from 0 to count.
    """
    count = whole(count, "count")
    p = whole(correct, "correct", 0, count) / count
    middle, room = p + Z**2 / (2 * count), Z * math.sqrt(p * (1 - p) / count + Z**2 / (4 * count**2))
    scale = 1 + Z**2 / count
    return max(0.0, (middle - room) / scale), min(1.0, (middle + room) / scale)


@door
def of_share(accuracy: float, images: int, name: str = "accuracy") -> tuple[float, float]:
    """`wilson` of an accuracy, 0 to 1, that was counted on so many images.

    Args:
        name: what an error calls the accuracy.
    Raises: ValueError for one that is not from 0 to 1.
    """
    images = whole(images, "images")
    if not 0 <= accuracy <= 1:
        raise ValueError(f"{name} = {accuracy:.4g}, but it must be from 0 to 1")
    return wilson(round(accuracy * images), images)


@door
def over_seeds(accuracies: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean over seeds, by Student's t; two seeds or more. Raises: ValueError."""
    n = whole(len(accuracies), "the number of accuracies", 2)
    room = (T95[n - 2] if n - 2 < len(T95) else Z) * stdev(accuracies) / math.sqrt(n)
    return max(0.0, mean(accuracies) - room), min(1.0, mean(accuracies) + room)


def parted(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two intervals have nothing in common: only then is one better."""
    return one[1] < other[0] or other[1] < one[0]
