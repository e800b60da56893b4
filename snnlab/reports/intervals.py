"""Accuracies in a report's sentences and cells: each with its 95 % interval, and which may be called ahead of which.

Intervals are Wilson's over the test images. Where two of them overlap, neither accuracy is said to be the better.
"""

from collections.abc import Mapping

from snnlab.files.language import said
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
    return percents(low, high)


@door
def against_ann(accuracy: float, ann: float, images: int) -> str:
    """In a sentence, whether the intervals of a spiking network and its ANN part."""
    if not parted(of_share(accuracy, images), of_share(ann, images, "ann")):
        unknown = said("The two intervals overlap: {images} images do not tell the two networks apart.")
        return unknown.format(images=f"{images:,}")
    if accuracy > ann:
        return said("The two intervals part: the spiking network is better.")
    return said("The two intervals part: the ANN is better.")


@door
def ahead(accuracies: Mapping[str, float], images: int) -> str:
    """In a sentence or two, who has the most right, and from whom its interval parts.

    Args:
        accuracies: by name, one or more, 0 to 1.
    Raises: ValueError for none.
    """
    if not accuracies:
        raise ValueError("accuracies is empty, but it must hold one or more")
    spans = {name: (value, of_share(value, images, "accuracies")) for name, value in accuracies.items()}
    unknown = said("{images} images do not tell these apart").format(images=f"{images:,}")
    return leaders(spans, unknown)


@door
def leaders(found: Mapping[str, tuple[float, tuple[float, float]]], unknown: str) -> str:
    """The same of accuracies with intervals of any kind.

    Args:
        found: name to accuracy and interval, 0 to 1; one or more.
        unknown: what is said where intervals overlap.
    Raises: ValueError for none.
    """
    if not found:
        raise ValueError("found is empty, but it must hold one or more")
    best = max(accuracy for accuracy, _ in found.values())
    first = [name for name, (accuracy, _) in found.items() if accuracy == best]
    low, high = found[first[0]][1]
    level = [name for name in found if name not in first and not parted((low, high), found[name][1])]
    behind = len(found) - len(first) - len(level)
    has = (
        said("{names} has the most right, {most}")
        if len(first) == 1
        else said("{names} have the most right, {most}")
    )
    told = has.format(names=_named(first), most=f"{100 * best:.1f} % ({percents(low, high)})")
    if not level:
        alone = said("{told}, better than each of the other {behind}: no interval meets that one.")
        return (alone if behind else said("{told}.")).format(told=told, behind=behind)
    rest = said("; better than the other {behind}").format(behind=behind) if behind else ""
    one = said("{told}, but that interval overlaps that of {names}: {unknown}{rest}.")
    more = said("{told}, but that interval overlaps those of {names}: {unknown}{rest}.")
    overlapped = one if len(level) == 1 else more
    return overlapped.format(told=told, names=_named(level), unknown=unknown, rest=rest)


@door
def percents(low: float, high: float) -> str:
    """An interval from low to high, 0 to 1, in percent."""
    return said("{low} to {high}").format(low=f"{100 * low:.1f}", high=f"{100 * high:.1f}")


def _named(names: list[str]) -> str:
    """Up to five names; more are counted."""
    quoted = [f"`{name}`" for name in names]
    if len(names) > 5:
        return said("{number} methods").format(number=len(names))
    if len(names) == 1:
        return quoted[0]
    return said("{names} and {last}").format(names=", ".join(quoted[:-1]), last=quoted[-1])
