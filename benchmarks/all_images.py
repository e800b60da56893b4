"""What conversion loses on all 10,000 test images of CIFAR-10, what it costs, and what the grid changes.

    python -m benchmarks.all_images [folder of CIFAR-10 [network ...]]    adds to data/results/all_images.csv

The networks that ship, 256 calibration images. "grid" is no where the network runs in activation units, as converted,
and not on the grid of whole numbers that makes its spikes the same everywhere (converters/grid/). Rows of
a network that has been trained again since, or of a method that is declared otherwise, are left out and measured again.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks import rows
from snnlab import CATALOGUE, Method, convert, datasets, simulate, training
from snnlab.training import runs

RESULT = Path(__file__).parents[1] / "data" / "results" / "all_images.csv"
KEYS = ("network", "sha256", "method", "choices", "T", "grid")
MEASURED: tuple[tuple[str, str, tuple[int, ...], bool], ...] = (
    ("relu", "signed_calibrated", (4, 8, 16), True),
    ("relu", "signed_calibrated", (4,), False),
    ("qcfs", "qcfs", (4, 8, 16, 32), True),
    ("qcfs_4", "qcfs", (4, 8, 16, 32), True),
    ("qcfs_jitter", "qcfs", (4, 8, 16, 32), True),
    ("qc_ann", "rmpe", (16,), True),
)
"""The network's name after the hyphen, method, steps, grid."""


def choices(method: Method) -> str:
    """What a method is made of, so a result can tell whether it is of the method as it stands."""
    declared = method.describe() | {"corrections": ", ".join(method.describe()["corrections"])}
    own = ("activation", "threshold", "v0", "corrections", "neuron", "tuning")
    return "; ".join(f"{name} = {declared[name]}" for name in own if declared[name])


def holds(row: Mapping[str, str]) -> bool:
    """Whether a row is of the network that ships and of the method as it stands."""
    network, method = runs.table().get(row["network"]), CATALOGUE.get(row["method"])
    return (
        network is not None
        and network["sha256"].startswith(row["sha256"])
        and method is not None
        and choices(method) == row["choices"]
    )


def main(root: str | None = None, *networks: str) -> None:
    """Measure what is missing, of some networks or of all that ship."""
    data, goals = datasets.load("cifar10", root), dict[str, float]()
    sums = {name: row["sha256"][:12] for name, row in runs.table().items()}
    rows.keep(RESULT, holds)
    done = rows.known(RESULT, KEYS)
    for trained in networks or runs.table():
        for kind, name, steps, grid in MEASURED:
            method = CATALOGUE[name]
            keys = {
                T: (trained, sums[trained], name, choices(method), str(T), "yes" if grid else "no")
                for T in steps
            }
            if trained.split("-")[1] != kind or all(key in done for key in keys.values()):
                continue
            ann = runs.shipped(trained).ann
            goals[trained] = goals.get(trained) or training.accuracy(ann, data.test)
            for T in steps if method.depends_on_T else steps[-1:]:
                if method.depends_on_T and keys[T] in done:
                    continue
                began = time.process_time()
                snn = convert(ann, method, data.calibration, T, exact=grid)
                took = time.process_time() - began
                run = simulate(snn, data.test, T)
                correct, rates = run.accuracy(data.test), run.firing_rate.values()
                for t in (T,) if method.depends_on_T else [t for t in steps if keys[t] not in done]:
                    row = dict(zip(KEYS, keys[t], strict=True))
                    found = {
                        "ann_accuracy": f"{100 * goals[trained]:.2f}",
                        "snn_accuracy": f"{100 * float(correct[t - 1]):.2f}",
                        "firing_rate": f"{sum(rates) / len(rates):.4f}",
                        "conversion_cpu_seconds": f"{took:.0f}",
                    }
                    rows.add(RESULT, row | found)


if __name__ == "__main__":
    main(*sys.argv[1:])
