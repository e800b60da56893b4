"""What each choice of signed_calibrated is worth on CIFAR-10: one left out, or one more.

    python -m benchmarks.signed_calibrated [folder of CIFAR-10]          adds to data/results/signed_calibrated.csv

A ReLU ResNet-20 that ships, 256 calibration images, the first 1,000 test images: one network, one seed, so a difference
of a point is none. What the file holds already is not measured again.
"""

import csv
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from snnlab import CATALOGUE, Method, convert, datasets, runs, simulate, training
from snnlab.corrections import calibrate_bias, lmpc, lwc
from snnlab.neurons import IF, OffsetSpikeIF, ZeroThresholdIF
from snnlab.thresholds import mmse, percentile

DATA = Path(__file__).parents[1] / "data"
RESULT, CHECKPOINT = DATA / "results" / "signed_calibrated.csv", "resnet20-first.safetensors"
HEAD = ("change", "T", "snn_accuracy", "firing_rate", "latency", "ann_accuracy", "network", "date", "machine")


class LooksAhead(OffsetSpikeIF, ZeroThresholdIF):
    """Takes spikes back (s = -1 where v < 0), and looks ahead."""


def changes(whole: Method) -> dict[str, Method]:
    """The method as it is, with one choice left out, and with one more."""
    neuron_wise, rest = mmse("neuron"), whole.corrections
    weights = lwc(5, lr=3e-4, through="mean")
    return {
        "none": whole,
        "99.9th percentile, IF, empty, uncorrected": CATALOGUE["robust_norm"],
        "IF, uncorrected": replace(whole, neuron=IF, corrections=()),
        "uncorrected": replace(whole, corrections=()),
        "IF": replace(whole, neuron=IF),
        "99th percentile by channel": replace(whole, threshold=percentile(99.0, "channel")),
        "only biases corrected": replace(whole, corrections=(calibrate_bias,)),
        "only potentials corrected, twice": replace(whole, corrections=(lmpc(2),)),
        "thresholds by neuron": replace(whole, threshold=neuron_wise),
        "weights too, through the mean": replace(whole, corrections=(*rest, weights)),
        "weights too, through time": replace(whole, corrections=(*rest, lwc(5, lr=3e-4))),
        "by neuron, and weights": replace(whole, threshold=neuron_wise, corrections=(*rest, weights)),
        "looks ahead": replace(whole, neuron=LooksAhead),
    }


def main(root: str | None = None) -> None:
    """Measure what is missing, T by T."""
    data, trained = datasets.load("cifar10", root), runs.load(DATA / "checkpoints" / CHECKPOINT)
    test, goal = data.test[:1000], training.accuracy(trained.ann, data.test[:1000])
    RESULT.parent.mkdir(exist_ok=True)
    if not RESULT.exists():
        RESULT.write_text(",".join(HEAD) + "\n", encoding="utf-8")
    with RESULT.open(encoding="utf-8", newline="") as file:
        done = {(row["change"], int(row["T"])) for row in csv.DictReader(file)}
    machine = {1: "one core", 2: "two cores"}.get(cores := os.cpu_count() or 1, f"{cores} cores")
    today = datetime.now(UTC).date().isoformat()
    for T in (4, 8, 16):
        for name, method in changes(CATALOGUE["signed_calibrated"]).items():
            if (name, T) in done:
                continue
            snn = convert(trained.ann, method, data.calibration[:256], T)
            run = simulate(snn, test, T)
            found = float(run.accuracy(test)[-1]), sum(run.firing_rate.values()) / len(run.firing_rate)
            numbers = f"{100 * found[0]:.1f}", f"{found[1]:.4f}", snn.latency, f"{100 * goal:.1f}"
            with RESULT.open("a", encoding="utf-8", newline="") as file:
                row = (name, T, *numbers, CHECKPOINT, today, machine)
                csv.writer(file, lineterminator="\n").writerow(row)


if __name__ == "__main__":
    main(*sys.argv[1:])
