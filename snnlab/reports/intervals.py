"""Accuracies in a report's sentences and cells: each with its 95 % interval, and which may be called ahead of which.

Intervals are Wilson's over the test images. Where two of them overlap, neither accuracy is said to be the better.
"""

from collections.abc import Mapping

from snnlab.neurons.door import door
from snnlab.studies.intervals import of_share, parted


@door
def share(accuracy: float, images: int) -> str:
    """An accuracy, 0 to 1, in percent, with its interval: 97.8 % (96.0 to 98.8)."""
    return f"{100 * accuracy:.1f} % ({span(accuracy, images)})"


@door
def span(accuracy: float, images: int) -> str:
    """The interval alone, in percent: 96.0 to 98.8."""
    low, high = of_share(accuracy, images)
    return f"{100 * low:.1f} to {100 * high:.1f}"


@door
def against_ann(accuracy: float, ann: float, images: int) -> str:
    """In a sentence, whether the intervals of a spiking network and its ANN part."""
    if not parted(of_share(accuracy, images), of_share(ann, images, "ann")):
        return f"The two intervals overlap: {images:,} images do not tell the two networks apart."
    ahead = "spiking network" if accuracy > ann else "ANN"
    return f"The two intervals part: the {ahead} is better."


@door
def ahead(accuracies: Mapping[str, float], images: int) -> str:
    """In a sentence or two, who has the most right, and from whom its interval parts.

    Args:
        accuracies: by name, one or more, 0 to 1.
    Raises: ValueError for none.
    """
    if not accuracies:
        raise ValueError("accuracies is empty, but it must hold one or more")
    first = max(accuracies, key=lambda name: accuracies[name])
    spans = {name: of_share(value, images, "accuracies") for name, value in accuracies.items()}
    level = [name for name in spans if name != first and not parted(spans[first], spans[name])]
    said = f"`{first}` has the most right, {share(accuracies[first], images)}"
    if not level:
        return (
            f"{said}, and is better than each of the other {len(accuracies) - 1}: no interval meets its own."
        )
    behind = len(accuracies) - 1 - len(level)
    rest = f"; it is better than the other {behind}" if behind else ""
    named = ", ".join(f"`{name}`" for name in level) if len(level) <= 5 else f"{len(level)} methods"
    return f"{said}, but its interval overlaps those of {named}: {images:,} images do not tell these apart{rest}."
