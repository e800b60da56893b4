"""The same bits on older processors: oneDNN held to what they can, each setting in a process of its own.

The networks are converted once: what a rule reads off the ANN's own float32 activations may differ in the last bit
from one processor to another; what a converted network does may not.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from snnlab import convert, datasets, networks
from snnlab.activations import QCFS
from snnlab.exchange import saving

WORK = """
import hashlib, pathlib, sys
import torch
from torch import nn
from snnlab import datasets, networks, simulate
from snnlab.activations import QCFS
from snnlab.exchange import saving
torch.set_num_threads(1)
images = datasets.load("digits").test.images[:24]
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    ann = networks.resnet(QCFS if "qcfs" in path.stem else nn.ReLU, seed=1).eval()
    run = simulate(saving.load(ann, path), images, 6, record=["blocks.2.act"])
    spikes = run.traces["blocks.2.act"].output
    digest = hashlib.sha256(run.logits.numpy().tobytes() + spikes.numpy().tobytes())
    print(path.stem, int(spikes.count_nonzero()), digest.hexdigest())
"""


def bits(folder: Path, **settings: str) -> list[str]:
    environment = os.environ | {"SNNLAB_PROGRESS": "none"} | settings
    done = subprocess.run(
        [sys.executable, "-c", WORK, folder], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    images = datasets.load("digits").calibration.images[:24]
    for method, activation in (("robust_norm", nn.ReLU), ("qcfs", QCFS), ("snm", nn.ReLU)):
        ann = networks.resnet(activation, seed=1).eval()
        for count in (24, 15, 8):
            snn = convert(ann, method, images, 6, bits=count, progress=False)
            saving.save(snn, folder / f"{method}-{count}.safetensors")
    return folder


@pytest.fixture(scope="module")
def usual(converted: Path) -> list[str]:
    lines = bits(converted)
    assert len(lines) == 9 and all(int(line.split()[1]) > 100 for line in lines), "something spikes"
    assert len({line.split()[2] for line in lines}) > 6, "and not alike"
    return lines


@pytest.mark.parametrize("isa", ["SSE41", "AVX2", "AVX512_CORE"])
def test_bits_do_not_depend_on_the_processors_instructions(
    isa: str, converted: Path, usual: list[str]
) -> None:
    capability = "default" if isa == "SSE41" else "avx2"
    assert bits(converted, ONEDNN_MAX_CPU_ISA=isa, ATEN_CPU_CAPABILITY=capability) == usual
