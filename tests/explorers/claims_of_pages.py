"""What the sentences of the other explorers claim, each worked out here once more: unevenness, transfer, energy."""
# ruff: noqa: RUF001 - the page writes the minus sign of typography

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.explorers.claims import GATE, SIGNED, N, Settings, near, number, wrong_in

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
PRICES = {"float32": (4.6, 0.9), "int8": (0.23, 0.03)}


def spikes(n: int) -> str:
    return f"{WORDS[n] if n < len(WORDS) else n} spike{'' if n == 1 else 's'}"


OFF = r"([A-Z0-9]\w*) spikes? (too many|missing)"
DEBTS: dict[str, Callable[[SimpleNamespace], bool]] = {
    "This neuron cannot take a spike back.": lambda c: c.kind not in SIGNED,
    "No calcium is left: the gate is shut, and the surplus stays.": lambda c: (
        c.kind == "ca_lif" and c.calcium <= GATE
    ),
    "It takes a spike back only at −θ, and v[T] is not so low.": lambda c: (
        SIGNED.get(c.kind) == 1 and c.left > -c.threshold
    ),
    "It takes back one spike in a step, and the steps are over.": lambda c: (
        c.kind in SIGNED and c.left <= -SIGNED[c.kind] * c.threshold
    ),
}


def counted(c: SimpleNamespace, words: str, which: str) -> bool:
    off = c.count - c.right
    return (off > 0) == (which == "too many") and off != 0 and f"{words.lower()} spike" in spikes(abs(off))


VERDICTS: list[tuple[str, Callable[..., bool]]] = [
    (
        rf"{OFF}; but this neuron loses charge, so v\[T\] = {N} does not tell\.",
        lambda c, n, which, v: c.loses and counted(c, n, which) and near(v, c.left),
    ),
    (r"Right, although this neuron loses charge\.", lambda c: c.loses and c.count == c.right),
    (
        (
            rf"{OFF}: sent before the rest of the input was known\. v\[T\] = {N} is below 0, a debt, "
            r"with (.+) standing\. (.+)"
        ),
        lambda c, n, which, v, standing, debt: (
            not c.loses and which == "too many" and counted(c, n, which) and near(v, c.left) and c.left < 0
            and standing == spikes(c.count) and DEBTS[debt](c)
        ),
    ),
    (
        (
            rf"{OFF}: the charge is there, but it came too late to be sent\. v\[T\] = {N} is not below θ, "
            r"and there was room for more spikes\."
        ),
        lambda c, n, which, v: (
            not c.loses and which == "missing" and counted(c, n, which) and near(v, c.left)
            and c.left >= c.threshold and c.count < c.T * c.most
        ),
    ),
    (
        rf"Right\. v\[T\] = {N} is below 0, yet no spike stands that should not: .*",
        lambda c, v: not c.loses and c.count == c.right == 0 and near(v, c.left) and c.left < 0,
    ),
    (
        rf"v\[T\] = {N} is not below θ, but (a spike|.+ spikes) went out in every step: .*",
        lambda c, v, each: (
            not c.loses and near(v, c.left) and c.left >= c.threshold and set(c.spike) == {c.most}
            and each == ("a spike" if c.most == 1 else spikes(c.most))
        ),
    ),
    (
        rf"Right: v\[T\] = {N} lies from 0 to below θ, so no other number of spikes would fit the charge\.",
        lambda c, v: not c.loses and c.count == c.right and near(v, c.left) and 0 <= c.left < c.threshold,
    ),
]  # fmt: skip


def unevenness(p: Settings, run: Settings, text: str) -> list[str]:
    c = SimpleNamespace(
        **p, spike=run["spike"], count=sum(run["spike"]), left=run["v"][-1], calcium=run["calcium"][-1]
    )
    c.loses, c.most = c.kind in ("lif", "ca_lif_hard_reset"), 4 if c.kind == "burst" else 1
    came = c.weight_plus * c.plus.count("1") + c.weight_minus * c.minus.count("1")
    c.right = int(min(max((came + c.share * c.threshold) // c.threshold, 0), c.most * c.T))
    losing = " at a neuron that loses nothing" if c.loses else ""
    found = re.match(
        rf"The mean input is {N}, so the ANN’s ReLU says {N}\. Arriving evenly{losing} it would make "
        rf"{spikes(c.right)}; in this order {spikes(c.count)}, a mean output of {N}\. ",
        text,
    )
    if not found:
        return [f"it begins otherwise (even: {c.right}, here: {c.count}): {text}"]
    values = (came / c.T, max(came / c.T, 0.0), c.threshold * c.count / c.T)
    right = all(near(shown, value) for shown, value in zip(found.groups(), values, strict=True))
    return ([] if right else [f"untrue: {found[0]}"]) + wrong_in(VERDICTS, c, text[found.end() :])


def losses(p: Settings, theta: float) -> tuple[float, float, float]:
    """Clipping, rounding, share above."""
    a, w = np.array(p["values"]), np.array(p["weights"]) / np.sum(p["weights"])
    steps = np.clip(np.floor((p["T"] * a + p["share"] * theta) / theta), 0, p["T"])
    squares, above = w * (theta * steps / p["T"] - a) ** 2, a > theta
    return float(squares[above].sum()), float(squares[~above].sum()), float(w[above].sum())


def rough(shown: str, value: float) -> bool:
    """Two digits, as the page writes small numbers."""
    read = float(shown.replace("·10", "e").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")))
    return abs(read - value) <= 0.051 * abs(value) + 1e-12


def transfer(p: Settings, _: Any, text: str) -> list[str]:
    clipping, rounding, above = losses(p, p["threshold"])
    largest = max(p["values"])
    tried = [(theta, *losses(p, theta)[:2]) for theta in (largest * (k + 1) / 128 for k in range(128))]
    best = min(tried, key=lambda point: point[1] + point[2])
    small = r"([\d.]+(?:·10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?)"
    found = re.fullmatch(
        rf"θ = {N} clips (none|less than 0\.1 %|[\d.]+ %) of the layer’s activations: mean square {small}; "
        rf"rounding adds {small}\. (?:(No threshold does much better)|Together {small}; the least, {small}, is at "
        rf"θ = {N}, (lower|higher)(: finer steps are worth more clipping|: less clipping is worth coarser steps)?)\. ?"
        r"(.*)",
        text,
    )
    if not found:
        return [f"an unknown sentence: {text}"]
    theta, share, one, two, fine, both, least, at, way, because, levels = found.groups()
    total, lowest = clipping + rounding, best[1] + best[2]
    right = near(theta, p["threshold"]) and rough(one, clipping) and rough(two, rounding)
    right &= {"none": above == 0, "less than 0.1 %": 0 < above < 0.001}.get(share) or (
        share[0].isdigit() and abs(number(share.split()[0]) - 100 * above) <= (0.051 if above < 0.1 else 0.51)
    )
    if fine:
        right &= total <= 1.0201 * lowest
    else:
        right &= total > 1.0199 * lowest and rough(both, total) and rough(least, lowest) and near(at, best[0])
        right &= (way == "lower") == (best[0] < p["threshold"])
        trades = (best[2] < rounding and best[1] > clipping, best[1] < clipping and best[2] > rounding)
        right &= bool(because) == trades[way == "higher"]
    met = p["levels"] == p["T"] and p["share"] == 0.5
    right &= bool(levels) == (p["levels"] > 0) and (levels.startswith("T = L and v[0]") == met)
    return [] if right else [f"untrue: {text} (best {best}, now {clipping, rounding, above})"]


def energy(p: Settings, _: Any, text: str) -> list[str]:
    mac, add = PRICES.get(p["precision"], (p["mac"], p["add"]))
    image = p["first"] * (1 if p["image"] == "once" else p["T"])
    cost = image + (1 - p["first"]) * p["T"] * p["rate"] * add / mac
    even = (1 - image) * mac / (add * (1 - p["first"]))
    found = re.fullmatch(
        rf"The spiking network’s arithmetic costs {N} % of the ANN’s\. (?:(The first layer alone, computed in every "
        rf"step, costs at least as much as the whole ANN)|Break-even at {N} spikes per neuron and image; here {N} are "
        r"sent)\. "
        r"Memory and data movement, which dominate in hardware, are left out\.",
        text,
    )
    if not found:
        return [f"an unknown sentence: {text}"]
    percent, alone, at, sent = found.groups()
    right = abs(number(percent) - 100 * cost) <= (0.051 if cost < 0.1 else 0.501)
    right &= (
        (image >= 1)
        if alone
        else (abs(number(at) - even) <= 0.0051 and abs(number(sent) - p["T"] * p["rate"]) <= 0.0051)
    )
    return [] if right else [f"untrue: {text} (cost {cost}, even {even})"]
