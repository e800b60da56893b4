"""What each choice of signed_calibrated is worth on CIFAR-10: one left out, or one more.

    python -m benchmarks.signed_calibrated [folder of CIFAR-10]          adds to data/results/signed_calibrated.csv

A ReLU ResNet-20 that ships, 256 calibration images, the first 1,000 test images: one network, one seed, so a difference
of a point is none. What the file holds already is not measured again.
"""

import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import rows
from snnlab import CATALOGUE, Method, convert, datasets, simulate, training
from snnlab.converters.choices.corrections import calibrate_bias, lmpc, lwc
from snnlab.converters.choices.thresholds import mmse, percentile
from snnlab.neurons import IF, OffsetSpikeIF, ZeroThresholdIF
from snnlab.training import runs

DATA = Path(__file__).parents[1] / "data"
RESULT, CHECKPOINT = DATA / "results" / "signed_calibrated.csv", "resnet20-first.safetensors"


class LooksAhead(OffsetSpikeIF, ZeroThresholdIF):
    """Takes spikes back (s = -1 where v < 0), and looks ahead."""


def changes(method: Method) -> dict[str, Method]:
    """The five choices that train nothing, with one of them left out, and with one more on top."""
    five = replace(method, corrections=(calibrate_bias, lmpc()))
    return {
        "none": five,
        "99.9th percentile, IF, empty, uncorrected": CATALOGUE["robust_norm"],
        "IF, uncorrected": replace(five, neuron=IF, corrections=()),
        "uncorrected": replace(five, corrections=()),
        "IF": replace(five, neuron=IF),
        "99th percentile by channel": replace(five, threshold=percentile(99.0, "channel")),
        "only biases corrected": replace(five, corrections=(calibrate_bias,)),
        "only potentials corrected, twice": replace(five, corrections=(lmpc(2),)),
        "thresholds by neuron": replace(five, threshold=mmse("neuron")),
        "weights too, through the mean": replace(
            five, corrections=(*five.corrections, lwc(8, through="mean"))
        ),
        "weights too, through time": method,
        "looks ahead": replace(five, neuron=LooksAhead),
    }


def main(root: str | None = None) -> None:
    """Measure what is missing, T by T."""
    data, trained = datasets.load("cifar10", root), runs.load(DATA / "checkpoints" / CHECKPOINT)
    test, goal = data.test[:1000], training.accuracy(trained.ann, data.test[:1000])
    done = rows.known(RESULT, ("change", "T"))
    for T in (4, 8, 16):
        for name, method in changes(CATALOGUE["signed_calibrated"]).items():
            if (name, str(T)) in done:
                continue
            snn = convert(trained.ann, method, data.calibration, T)
            run = simulate(snn, test, T)
            rates = run.firing_rate.values()
            rows.add(
                RESULT,
                {
                    "change": name,
                    "T": T,
                    "snn_accuracy": f"{100 * float(run.accuracy(test)[-1]):.1f}",
                    "firing_rate": f"{sum(rates) / len(rates):.4f}",
                    "latency": snn.latency,
                    "ann_accuracy": f"{100 * goal:.1f}",
                    "network": CHECKPOINT,
                },
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
