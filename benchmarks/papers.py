"""The papers' tables and figures in full: what the report `papers` shows where it is not asked to measure.

    python -m benchmarks.papers [folder of CIFAR-10 [network ...]]    writes data/results/papers.json

Every method on the first 1,000 test images, up to T = 128: some four hours on two cores, and up to 10 GB of memory
for each of its processes, where weights are trained through 128 steps of ResNet-20. What is known is kept, so a run
that was stopped goes on; of a network that is not named, what ships stays as it is.
"""

import sys

from benchmarks import rows
from snnlab import datasets
from snnlab.studies import papers

IMAGES = 1000


def main(root: str | None = None, *names: str) -> None:
    """Measure what is missing of some networks, or of all, and write it over the run that ships."""
    made = f"{rows.today()}, {rows.machine()}"
    names = names or tuple(papers.NETWORKS)
    data = datasets.load("cifar10", root)
    new = papers.run(names, data, IMAGES, papers.STEPS[-1], made=made)
    others = {name: one for name, one in papers.load().networks.items() if name not in names}
    papers.save(papers.Results({**others, **new.networks}, IMAGES, made))


if __name__ == "__main__":
    main(*sys.argv[1:])
