"""What stopping early saves and costs, on all 10,000 test images of CIFAR-10.

    python -m benchmarks.stopping [folder of CIFAR-10] [images] [network ...]      adds to data/results/stopping.csv

Networks that ship, 32 steps: fixed numbers of steps, read off one run; images that stop when their class is certain;
and when it seems so likely. `other_class` is the share of images whose class is another than after all 32 steps.
"""

import sys
import time
from pathlib import Path

from benchmarks import rows
from snnlab import convert, datasets, simulate
from snnlab.simulators.run import Run
from snnlab.simulators.stopping import Stop
from snnlab.training import runs

RESULT = Path(__file__).parents[1] / "data" / "results" / "stopping.csv"
KEYS = ("network", "bits", "T", "images", "stop")
T, FIXED = 32, (1, 2, 4, 8, 12, 16, 20, 24, 28)
MEASURED = (("vgg16-qcfs", 15), ("resnet20-qcfs", 15))
STOPS: tuple[Stop, ...] = ("certain", 0.9, 0.6)


def main(root: str | None = None, images: str = "10000", *networks: str) -> None:
    """Measure what is missing."""
    data, done = datasets.load("cifar10", root), rows.known(RESULT, KEYS)
    few = data.test[: int(images)]
    for network, bits in MEASURED:
        wanted = [stop for stop in STOPS if (network, str(bits), str(T), images, str(stop)) not in done]
        if not wanted or (networks and network not in networks):
            continue
        snn = convert(runs.shipped(network).ann, "qcfs", data.calibration, T, bits=bits)
        began = time.process_time()
        whole = simulate(snn, few)
        took, final = time.process_time() - began, whole.predictions[-1]

        def told(stop: object, steps: float, run: Run, t: int, seconds: float | None) -> None:
            keys = dict(zip(KEYS, (network, bits, T, images, stop), strict=True))  # noqa: B023
            if tuple(map(str, keys.values())) in done:
                return
            found = {
                "mean_steps": f"{steps:.2f}",
                "accuracy": f"{100 * float(run.accuracy(few)[t - 1]):.2f}",
                "other_class": f"{100 * float((run.predictions[t - 1] != final).double().mean()):.2f}",  # noqa: B023
                "cpu_seconds": "" if seconds is None else f"{seconds:.0f}",
            }
            rows.add(RESULT, keys | found)

        for t in (*FIXED, T):
            told(f"after {t}", t, whole, t, took if t == T else None)
        for stop in wanted:
            began = time.process_time()
            run = simulate(snn, few, stop=stop)
            told(stop, float(run.steps.double().mean()), run, T, time.process_time() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
