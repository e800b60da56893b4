"""The optimizers are PyTorch's own to the last bit, and bring no compiler with them."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from snnlab.converters.choices import optimizers

SETTINGS = [
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}),
    ("SGD", {"momentum": 0.5}),
    ("Adam", {}),
    ("Adam", {"weight_decay": 1e-2, "amsgrad": True}),
]


def trained(kind: type[torch.optim.Optimizer], settings: dict[str, float | bool]) -> list[Tensor]:
    torch.manual_seed(0)
    ann, images = nn.Sequential(nn.Linear(20, 9), nn.ReLU(), nn.Linear(9, 2)), torch.randn(30, 20)
    optimizer = kind(ann.parameters(), lr=0.05, **settings)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
    for k in range(40):
        optimizer.zero_grad()
        (ann(images) - 1).square().mean().backward()
        optimizer.step()
        schedule.step()
        if k == 20:  # taken up again from what was kept
            optimizer.load_state_dict(optimizer.state_dict())
    return [parameter.detach() for parameter in ann.parameters()]


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=str)
def test_the_same_steps_to_the_last_bit(name: str, settings: dict[str, float | bool]) -> None:
    ours, theirs = (trained(getattr(place, name), settings) for place in (optimizers, torch.optim))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


WORK = """
import sys
from snnlab import convert, datasets, networks, simulate, training
data = datasets.load("digits")
ann = training.fit(networks.cnn(), data.train[:64], epochs=1)
for method in ("robust_norm", "signed_calibrated"):
    simulate(convert(ann, method, data.calibration[:16], 4), data.test.images[:8])
print(*sys.modules)
"""


def test_no_lesson_imports_what_it_does_not_use() -> None:
    """PyTorch's compiler, SymPy and scikit-learn: together 250 MB and six seconds of each kernel."""
    found = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True).stdout
    assert not {"torch._dynamo", "torch._inductor", "sympy", "sklearn", "torchvision"} & set(found.split())
