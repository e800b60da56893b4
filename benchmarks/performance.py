"""The table and the plot of docs/performance.md: `snnlab bench` in full.

    python -m benchmarks.performance [images [images of the wide network [rounds]]]

Some ten minutes on two idle cores. The rows go into benchmarks/results/performance.json, and into the page between its
marks. With `page` in place of numbers nothing is measured: page and plot are made anew from those rows.
"""

import json
import os
import sys
from pathlib import Path

import matplotlib as mpl
import torch

from benchmarks import rows
from snnlab.plots.style import COLOURS, house_figure
from snnlab.plots.theme import BLUE, GREY
from snnlab.studies import bench
from snnlab.studies.bench import Row

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "performance.json"
PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "img" / "performance.svg"
MARK = "<!-- measured -->"


def measured(settings: bench.Settings) -> dict[str, object]:
    """The rows, and what they were measured on."""
    found, missing = bench.run(settings)
    waiting = os.environ.get("GOMP_SPINCOUNT")
    return {
        "images": {name: settings.count(name) for name in settings.networks},
        "rounds": settings.rounds,
        "made": f"{rows.today()}, {rows.machine()} ({torch.backends.cpu.get_cpu_capability()}), "
        f"torch {torch.__version__.split('+')[0]}, GOMP_SPINCOUNT {waiting}",
        "missing": missing,
        "rows": json.loads(bench.as_json(found)),
    }


def plot(found: list[Row]) -> None:
    """CPU seconds by those of dense work: for each network a bar for each simulator, at T = 16 or the most."""
    names = list(dict.fromkeys(row.network for row in found))
    T = 16 if any(row.T == 16 for row in found) else max(row.T for row in found)
    mpl.rcParams["svg.hashsalt"] = "snnlab"
    with house_figure(len(names), 3.6 * len(names)) as (figure, axes):
        for ax, name in zip(axes if len(names) > 1 else [axes], names, strict=True):
            chosen = [
                row for row in found if row.network == name and row.T == T and row.max_difference is not None
            ]
            own = [BLUE if row.simulator.startswith(bench.OURS) else COLOURS[4] for row in chosen]
            bars = ax.barh(
                [row.simulator for row in chosen], [row.ratio_to_dense for row in chosen], color=own
            )
            ax.axvline(1.0, color=GREY, linestyle="--")
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # over the dashed line
            ax.bar_label(bars, fmt="%.2f", padding=4, bbox=ground, zorder=5)
            ax.invert_yaxis()
            ax.set_title(f"{name}, T = {T}")
        ax.set_xlabel("CPU seconds, as multiples of dense work (dashed); less is faster")
        PLOT.parent.mkdir(exist_ok=True)
        figure.savefig(PLOT, metadata={"Date": None})


def block(kept: dict[str, object], found: list[Row]) -> str:
    """What stands between the marks."""
    images = ", ".join(f"{name} {count}" for name, count in dict(kept["images"]).items())  # type: ignore[call-overload]
    head = f"Measured {kept['made']}; images: {images}; {kept['rounds']} rounds, interleaved."
    missing = [f"- {line}" for line in kept["missing"]]  # type: ignore[attr-defined]
    return "\n".join(["", head, "", *bench.table(found), "", *missing, ""])


def write(kept: dict[str, object]) -> None:
    """The page's block, and the plot."""
    found = [Row(**row) for row in kept["rows"]]  # type: ignore[attr-defined]
    before, _, after = PAGE.read_text(encoding="utf-8").split(MARK)
    PAGE.write_text(f"{before}{MARK}\n{block(kept, found)}\n{MARK}{after}", encoding="utf-8")
    plot(found)


def main(*numbers: str) -> None:
    """Measure, keep the rows, write the page."""
    if numbers != ("page",):
        names = ("images", "wide_images", "rounds")
        given = dict(zip(names, map(int, numbers), strict=False))
        kept = measured(bench.settings(False, **given))
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    write(json.loads(RESULT.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(*sys.argv[1:])
