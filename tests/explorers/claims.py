"""What the explorers' sentences claim, held against a computation of their own: every sentence must be known and true.

`untrue(kind of explorer, settings, run, text)` lists what is wrong with a text, in words; an empty list is a true text.
The run is the page's own simulation, which other tests hold to the Python neurons bit for bit; every term is worked out
here once more.
"""
# ruff: noqa: RUF001 - the page writes the minus sign of typography

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

Settings = dict[str, Any]
Case = SimpleNamespace
N = r"(−?\d+(?:\.\d+)?(?:e[+−]\d+)?)"
SIGNED = {"snm": 1, "zero_threshold": 0, "st_bif": 0, "ca_lif": 1}
GATE = 1e-3


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def near(text: str, value: float) -> bool:
    """As the page rounds, to four digits after the point."""
    return abs(number(text) - value) <= 6e-5


def currents(p: Settings) -> list[float]:
    """What arrives in each step."""
    z, T, half = p["current"], p["T"], p["T"] // 2
    odd = [z] * (T - 2 * half)
    return {
        "constant": [z] * T,
        "early": [z + 1] * half + odd + [z - 1] * half,
        "late": [z - 1] * half + odd + [z + 1] * half,
        "alternating": [z + 1, z - 1] * half + odd,
    }[p["arrival"]]


def case(p: Settings, run: Settings) -> Case:
    """The terms: theta * count = sum of z - held - leaked - thrown, and what each adds to the mean output."""
    kind, T, theta, v = p["kind"], p["T"], p["threshold"], [p["v0"], *run["v"]]
    leak = p["leak"] if kind in ("lif", "ca_lif") else 1.0
    zero = kind in ("if", "lif") and p.get("reset") == "zero"
    z, spikes = currents(p), run["spike"]
    c = Case(
        **p, run=run, z=z, spikes=spikes, count=sum(spikes), left=v[-1], constant=p["arrival"] == "constant"
    )
    c.max_spikes = p["max_spikes"] if kind == "burst" else 1
    c.relu, c.rate = max(p["current"], 0.0), theta * c.count / T
    c.gap, c.held, c.leaked = c.rate - c.relu, v[-1] - v[0], sum((1 - leak) * before for before in v[:-1])
    before_reset = [leak * before + now for before, now in zip(v, z, strict=False)]
    c.thrown = sum(
        peak - theta * spike for peak, spike in zip(before_reset, spikes, strict=True) if zero and spike
    )
    c.pulls = {"held": -c.held / T, "leaked": -c.leaked / T, "thrown": -c.thrown / T}
    standing, c.input_below_0_came_later = 0, False
    for now, spike in zip(z, spikes, strict=True):
        c.input_below_0_came_later |= now < 0 and standing > 0
        standing += spike
    return c


def caused_by(c: Case, name: str, sign: int) -> bool:
    """Whether the mean output is off to that side, and this is the largest share that pulls there."""
    pull = c.pulls[name] * sign
    return c.gap * sign > 0 and pull > 0 and pull >= max(sign * other for other in c.pulls.values()) - 1e-12


def open_at_the_end(c: Case) -> bool:
    return c.count > 0 if c.kind != "ca_lif" or c.decay == 1 else c.run["calcium"][-1] > GATE


Check = Callable[..., bool]
DEBT: list[tuple[str, Check]] = [
    (r"This neuron cannot take a spike back\.", lambda c: c.kind not in SIGNED),
    (
        r"No calcium is left: the gate is shut, and the surplus stays\.",
        lambda c: c.kind == "ca_lif" and not open_at_the_end(c),
    ),
    (
        r"It takes a spike back only at −θ, and v\[T\] is not so low\.",
        lambda c: SIGNED.get(c.kind) == 1 and c.left > -c.threshold and open_at_the_end(c),
    ),
    (
        r"It takes back one spike in a step, and the steps are over\.",
        lambda c: c.kind in SIGNED and c.left <= -SIGNED[c.kind] * c.threshold and open_at_the_end(c),
    ),
]
ACCOUNT: list[tuple[str, Check]] = [
    (
        rf"Each reset to zero throws away what lies above the threshold: {N} in all\.",
        lambda c, x: caused_by(c, "thrown", -1) and near(x, c.thrown),
    ),
    (
        rf"Where v is below 0 the leak lifts it: {N} of charge in all that never came in\.",
        lambda c, x: caused_by(c, "leaked", 1) and near(x, -c.leaked),
    ),
    (
        rf"With the leak v cannot rise above z / \(1 − leak\) = {N}: too small an input never fires\.",
        lambda c, x: (
            caused_by(c, "leaked", -1)
            and c.constant
            and c.count == 0
            and near(x, c.current / (1 - c.leak))
            and max(c.v0, *c.run["v"]) <= number(x) + 1e-4
            and number(x) <= c.threshold + 1e-4
        ),
    ),
    (
        rf"The leak took {N} of charge in all, and what has leaked never becomes a spike\.",
        lambda c, x: caused_by(c, "leaked", -1) and near(x, c.leaked),
    ),
    (
        rf"The count stands at its cap, and {N} of charge waits in vain\.",
        lambda c, x: (
            caused_by(c, "held", -1)
            and c.kind == "st_bif"
            and c.count == c.cap
            and near(x, c.left)
            and c.left >= c.threshold
        ),
    ),
    (
        rf"Clipped: (\d) spikes? a step is all it can say, and {N} of charge waits in vain\.",
        lambda c, k, x: (
            caused_by(c, "held", -1)
            and set(c.spikes) == {int(k)} == {c.max_spikes}
            and near(x, c.left)
            and c.left >= c.threshold
        ),
    ),
    (
        rf"Too few: v\[T\] = {N} is not below the threshold, and no step is left to send it\.",
        lambda c, x: caused_by(c, "held", -1) and near(x, c.left) and c.left >= c.threshold,
    ),
    (
        (
            rf"What is missing waits in the potential, which began at {N} and ends at {N}, {N} higher"
            r"(: no charge is lost)?\."
        ),
        lambda c, start, end, more, kept: (
            caused_by(c, "held", -1)
            and near(start, c.v0)
            and near(end, c.left)
            and near(more, c.held)
            and bool(kept) == (c.leaked == 0 and c.thrown == 0)
        ),
    ),
    (
        r"The mean input is not positive: (this comes|these come) from v\[0\] alone\.",
        lambda c, verb: (
            c.gap > 0 and c.constant and c.current <= 0 < c.v0 and (verb == "this comes") == (c.count == 1)
        ),
    ),
    (
        rf"Too many: sent before the input below 0 came, and v\[T\] = {N} is the debt\. (.*)",
        lambda c, x, debt: (
            caused_by(c, "held", 1)
            and near(x, c.left)
            and c.left < 0
            and c.input_below_0_came_later
            and not wrong_in(DEBT, c, debt)
        ),
    ),
    (
        rf"Ahead by v\[0\] − v\[T\] = {N} − {N} = {N} of charge: the start has been turned into spikes\.",
        lambda c, start, end, more: (
            caused_by(c, "held", 1)
            and near(start, c.v0)
            and near(end, c.left)
            and near(more, -c.held)
            and c.v0 > 0
        ),
    ),
    (
        r"No positive mean input, no spike left standing: silent, as ReLU is\.",
        lambda c: c.count == 0 and c.current <= 1e-12,
    ),
    (
        r"Every bit of charge has become a spike or waits where it began\.",
        lambda c: abs(c.gap) < 1e-9 and all(abs(pull) < 1e-9 for pull in c.pulls.values()),
    ),
    (
        r"Two errors make up for each other here\.",
        lambda c: abs(c.gap) < 1e-9 and min(c.pulls.values()) < 0 < max(c.pulls.values()),
    ),
]
HARD_RESET: list[tuple[str, Check]] = [
    (
        r"v has reached θ, but it fires a step late: after the last\.",
        lambda c: c.count == 0 and c.left >= c.threshold,
    ),
    (
        r"v tends to z, which does not pass the threshold: so small an input is not heard\.",
        lambda c: (
            c.count == 0 and c.constant and 0 < c.current <= c.threshold
            and max(c.v0, *c.run["v"]) < c.threshold
        ),
    ),
    (r"v has never reached θ: silent\.", lambda c: c.count == 0 and max(c.v0, *c.run["v"]) < c.threshold),
    (
        (
            r"It fires a step late, and a reset forgets how far v was above θ: its curve is no ReLU\."
            rf"(?: Here a spike comes every {N} steps\.)?"
        ),
        lambda c, pace: c.count > 0 and (pace is None) == (not c.constant or c.count < 2) and paced(c, pace),
    ),
]  # fmt: skip


def paced(c: Case, pace: str | None) -> bool:
    fired = [t for t, spike in enumerate(c.spikes) if spike]
    return pace is None or near(pace, (fired[-1] - fired[0]) / (len(fired) - 1))


def wrong_in(claims: list[tuple[str, Check]], c: Any, text: str) -> list[str]:
    for pattern, holds in claims:
        if found := re.fullmatch(pattern, text):
            return [] if holds(c, *found.groups()) else [f"untrue: {text}"]
    return [f"an unknown sentence: {text}"]


def membrane(p: Settings, run: Settings, text: str) -> list[str]:
    c = case(p, run)
    back = sum(spike < 0 for spike in c.spikes)
    taken = f" net, {back} taken back," if back else ""
    plural = ("" if c.count == 1 else "s", "" if c.T == 1 else "s")
    found = re.match(
        rf"{c.count} spike{plural[0]}{taken} in {c.T} step{plural[1]}: the mean output {N} is "
        rf"(exactly|{N} (above|below)) ReLU\(z\) = {N}\. ",
        text,
    )
    if not found:
        return [f"it begins otherwise: {text}"]
    rate, exactly, off, side, relu = found.groups()
    right = near(rate, c.rate) and near(relu, c.relu) and (exactly == "exactly") == (c.gap == 0)
    if off:
        right = right and near(off, abs(c.gap)) and (side == "above") == (c.gap > 0)
    claims = HARD_RESET if c.kind == "ca_lif_hard_reset" else ACCOUNT
    return ([] if right else [f"untrue: {found[0]}"]) + wrong_in(claims, c, text[found.end() :])


def calcium(p: Settings, run: Settings, text: str) -> list[str]:
    c = case(p, run)
    up, back = sum(s > 0 for s in c.spikes), sum(s < 0 for s in c.spikes)
    taken = f", {back} of them taken back" if back else ""
    found = re.match(
        rf"{up} spike{'' if up == 1 else 's'}{taken}: the mean output {N}, where ReLU\(z\) = {N}\. ", text
    )
    if not found or not near(found[1], c.rate) or not near(found[2], c.relu):
        return [f"it begins otherwise: {text}"]
    rest, snm = (
        text[found.end() :],
        " Calcium that does not fade is the number of spikes that stand: this is SNM.",
    )
    claims = HARD_RESET if c.kind == "ca_lif_hard_reset" else ACCOUNT
    problems = wrong_in(claims, c, rest.removesuffix(snm))
    wanted = c.kind == "ca_lif" and c.decay == 1 and back > 0
    return problems + ([] if rest.endswith(snm) == wanted else [f"SNM or not: {text}"])
