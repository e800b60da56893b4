"""How cost grows: CPU time and memory of `simulate` against T, images, batch, width and depth.

    python -m benchmarks.cost            measures; data/results/cost.csv, docs/performance.md and its plot

Some five minutes on two idle cores. Around one point (ResNet-20, 16 channels, T = 16, 16 images, robust_norm, random
weights) one number at a time is changed. The exponent is the slope of the straight line through the logarithms, by
least squares. Then: the widest VGG-16 whose conversion and run stay under the memory that a laptop of 4 GB has left,
each width in a process of its own, and the time of 10,000 images of a ResNet-18, from some of them.
"""

import csv
import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from torch import nn

from benchmarks import rows
from snnlab import convert, networks, simulate
from snnlab.converters.snn import SNN
from snnlab.plots.style import house_figure
from snnlab.plots.theme import BLUE
from snnlab.simulators import simulation
from snnlab.studies.stopwatch import high_water, peak, quiet, timed
from snnlab.studies.subjects import photographs, random_vgg, settled

ROOT = Path(__file__).parents[1]
RESULT, PAGE = ROOT / "data" / "results" / "cost.csv", ROOT / "docs" / "performance.md"
PLOT, MARK = ROOT / "docs" / "img" / "cost.svg", "<!-- cost -->"
BASE = {"T": 16, "images": 16, "batch": 16, "width": 16, "depth": 20}
POINTS = {
    "T": (4, 8, 16, 32, 64, 128),
    "images": (4, 8, 16, 32, 64, 128),
    "batch": (1, 2, 4, 8, 16, 32),
    "width": (8, 16, 32, 64, 96),
    "depth": (8, 14, 20, 32, 56),
}
ROUNDS = 3
LAPTOP, LEFT = 4.0, 3.0
"""GB that a small laptop has, and what its system and a browser leave of them."""
WIDTHS = (64, 96, 128, 160, 192, 256)
SHOWN, ALL, STEPS = 8, 10_000, 32
"""Images of the ResNet-18 that are timed, those that are told, and their steps."""


def resnet(depth: int, width: int) -> nn.Module:
    """A ResNet of 6 n + 2 layers with random weights, its batch norms set by some images."""
    blocks = [(width * 2**s, 2 if s and not b else 1) for s in range(3) for b in range((depth - 2) // 6)]
    torch.manual_seed(0)
    return settled(networks.ResNet(nn.ReLU, 3, blocks, 10), photographs(16))


def work(point: dict[str, int], made: dict[tuple[int, int], SNN]) -> Callable[[], object]:
    """The run of one point; its network is converted once."""
    key = point["depth"], point["width"]
    if key not in made:
        made[key] = convert(resnet(*key), "robust_norm", photographs(16), T=16, progress=False)
    images = photographs(256)[torch.arange(point["images"]) % 256]

    def run() -> object:
        before, simulation.BATCH = simulation.BATCH, point["batch"]
        try:
            return simulate(made[key], images, point["T"])
        finally:
            simulation.BATCH = before

    return run


def measured() -> Iterator[dict[str, object]]:
    """A row a point: what was changed, CPU seconds (median of the rounds, which take turns), peak in MiB."""
    made: dict[tuple[int, int], SNN] = {}
    runs = {(n, v): work(BASE | {n: v}, made) for n, values in POINTS.items() for v in values}
    taken: dict[tuple[str, int], list[float]] = {key: [] for key in runs}
    with quiet():
        for _ in range(ROUNDS):
            for key, run in runs.items():
                taken[key].append(timed(run)[0])
        for (name, value), run in runs.items():
            yield {
                "changed": name,
                "value": value,
                "cpu_seconds": f"{np.median(taken[name, value]):.4g}",
                "peak_mib": f"{max(0.0, peak(run)):.0f}",
            }


def exponent(found: list[dict[str, str]], name: str, what: str) -> float:
    """The slope of log(what) against log(name); memory below a MiB is counted as one."""
    chosen = [row for row in found if row["changed"] == name]
    x, y = ([math.log(max(float(row[k]), 1e-4 if k == "cpu_seconds" else 1.0)) for row in chosen]
            for k in ("value", what))  # fmt: skip
    return float(np.polyfit(x, y, 1)[0])


def vgg_memory(width: int) -> None:
    """Convert and run a VGG-16 of this width, and print the process's most memory, in MiB: run in a child."""
    images = photographs(80)
    with quiet():
        ann = random_vgg(images[:16], width)
        simulate(convert(ann, "robust_norm", images[16:], T=16, progress=False), images[:16])
    weights = sum(weight.numel() for weight in ann.parameters())
    print(json.dumps({"peak_mib": high_water(), "weights": weights}))


def widest() -> Iterator[tuple[int, float, int]]:
    """Width, GB and weights of VGG-16s, until one needs more than is left."""
    for width in WIDTHS:
        asked = [sys.executable, "-m", "benchmarks.cost", "vgg", str(width)]
        told = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
        yield width, told["peak_mib"] * 2**20 / 1e9, told["weights"]
        if told["peak_mib"] * 2**20 / 1e9 > LEFT:
            return


def many_images() -> float:
    """CPU seconds of all images of a ResNet-18 over STEPS steps, from some of them."""
    images = photographs(SHOWN + 16)
    snn = convert(
        settled(networks.resnet18(), photographs(16)), "robust_norm", images[SHOWN:], T=STEPS, progress=False
    )
    with quiet():
        return timed(lambda: simulate(snn, images[:SHOWN]))[0] * ALL / SHOWN


def plot(found: list[dict[str, str]]) -> None:
    """A panel for time and one for memory for each number that was changed."""
    mpl.rcParams["svg.hashsalt"] = "snnlab"
    with house_figure(len(POINTS), 2.6 * len(POINTS), columns=2) as (figure, axes):
        for (name, _), panels in zip(POINTS.items(), axes, strict=True):
            for ax, what, title in zip(
                panels, ("cpu_seconds", "peak_mib"), ("CPU seconds", "peak, MiB"), strict=True
            ):
                chosen = [row for row in found if row["changed"] == name]
                x, y = [int(row["value"]) for row in chosen], [float(row[what]) for row in chosen]
                ax.loglog(x, y, "o-", color=BLUE)
                ax.set_xticks(x, [str(value) for value in x])
                ends = [min(y), max(y)]
                ax.set_yticks(ends, [f"{end:.3g}" for end in ends])
                ax.minorticks_off()
                ax.set_xlabel(name)
                ax.set_title(f"{title}: {name} to the {exponent(found, name, what):.2f}")
        figure.savefig(PLOT, metadata={"Date": None})


def block(
    found: list[dict[str, str]], widths: list[tuple[int, float, int]], many: tuple[float, float]
) -> str:
    """What stands between the marks."""
    lines = [
        f"Measured {rows.today()}, {rows.machine()}, by `python -m benchmarks.cost`; rows in data/results/cost.csv.",
        "",
        "| changed | from | to | CPU s | grows with the power | peak, MiB | grows with the power |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in POINTS:
        chosen = [row for row in found if row["changed"] == name]
        first, last = chosen[0], chosen[-1]
        lines.append(
            f"| {name} | {first['value']} | {last['value']} | {first['cpu_seconds']} to {last['cpu_seconds']} "
            f"| {exponent(found, name, 'cpu_seconds'):.2f} | {first['peak_mib']} to {last['peak_mib']} "
            f"| {exponent(found, name, 'peak_mib'):.2f} |"
        )
    fits = [entry for entry in widths if entry[1] <= LEFT]
    told = ", ".join(f"{width}: {size:.2f}" for width, size, _ in widths)
    if fits:
        lines += ["", (f"**A laptop of {LAPTOP:g} GB**, of which {LEFT:g} are left: the widest VGG-16 tried that is "
                  f"converted (64 images) and run (16 images, T = 16) in less has {fits[-1][0]} channels, "
                  f"{fits[-1][2] / 1e6:.0f} million weights. GB of the whole process by width: {told}.")]  # fmt: skip
    told = (
        f"**10,000 images of a ResNet-18** (64 channels) at T = {STEPS}: {many / 3600:.1f} hours of one core"
    )
    lines += ["", f"{told}; from {SHOWN} images, since time is in proportion to their number."]
    return "\n".join(["", *lines, "", "![CPU seconds and memory against each number](img/cost.svg)", ""])


def main(*asked: str) -> None:
    """Measure, keep the rows, write the page's block and the plot."""
    if asked:
        return vgg_memory(int(asked[1]))
    RESULT.unlink(missing_ok=True)
    for row in measured():
        rows.add(RESULT, row)
    with RESULT.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    before, _, after = PAGE.read_text(encoding="utf-8").split(MARK)
    text = f"{before}{MARK}\n{block(found, list(widest()), many_images())}\n{MARK}{after}"
    PAGE.write_text(text, encoding="utf-8")
    plot(found)
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
