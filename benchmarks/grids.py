"""What the bits of a grid cost in accuracy, on all 10,000 test images of CIFAR-10.

    python -m benchmarks.grids [folder of CIFAR-10]       adds to data/results/grids.csv

Networks that ship, converted once, on the grid of 24, 15 and 8 bits; accuracy after some of the steps of one run. The
share of images whose class is another than on the grid of 24 bits is told beside it.
"""

import sys
import time
from pathlib import Path

from benchmarks import rows
from snnlab import convert, datasets, simulate
from snnlab.converters.grid import on_grid
from snnlab.converters.snn import SNN
from snnlab.training import runs

RESULT = Path(__file__).parents[1] / "data" / "results" / "grids.csv"
KEYS = ("network", "method", "T", "bits")
MEASURED = (("qcfs", "qcfs", 8, (4, 8)),)
"""The network's name after the hyphen, method, steps, those told."""


def main(root: str | None = None) -> None:
    """Measure what is missing."""
    data, done = datasets.load("cifar10", root), rows.known(RESULT, KEYS)
    for kind, method, T, told in MEASURED:
        for network in (f"vgg16-{kind}", f"resnet20-{kind}"):
            if all((network, method, str(t), str(bits)) in done for t in told for bits in (24, 15, 8)):
                continue
            snn = convert(runs.shipped(network).ann, method, data.calibration, T)
            finest = None
            for bits in (24, 15, 8):
                grid, began = on_grid(snn.graph, snn.example, bits), time.process_time()
                run = simulate(SNN(snn.graph, grid, snn.method, T, snn.rows, snn.example), data.test)
                took = time.process_time() - began
                finest = run if finest is None else finest
                correct = run.accuracy(data.test)
                other = (run.predictions != finest.predictions).double().mean(1)
                for t in told:
                    found = {
                        "accuracy": f"{100 * float(correct[t - 1]):.2f}",
                        "other_class": f"{100 * float(other[t - 1]):.2f}",
                        "cpu_seconds_of_the_run": f"{took:.0f}",
                    }
                    row = dict(zip(KEYS, (network, method, t, bits), strict=True)) | found
                    if tuple(map(str, (network, method, t, bits))) not in done:
                        rows.add(RESULT, row)


if __name__ == "__main__":
    main(*sys.argv[1:])
