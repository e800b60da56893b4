"""A small network whose forward the tests override, and what each must do: approach its ANN, or be refused."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab import Method, convert, simulate
from snnlab.converters.choices.potentials import half

HALF = Method(
    "half", "the largest activation, half of it to start with", "Diehl 2015, Bu 2022", 2022, v0=half
)


def images(n: int = 8) -> Tensor:
    return torch.randn(n, 2, 8, 8, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Three layers; `forward` is what the tests override."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.conv2, self.fc = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3)
        for layer in (self.conv, self.conv2, self.fc):
            nn.init.kaiming_normal_(layer.weight)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.end(F.relu(self.conv(x)))

    def end(self, x: Tensor) -> Tensor:
        return self.fc(F.relu(self.conv2(x)).mean((2, 3)))


def approaches(ann: nn.Module, x: Tensor | None = None, *, calibration: Tensor | None = None) -> None:
    """At T = 512 at most 2 % of the largest logit is missing, and less than a third of what is missing at T = 64."""
    x = images() if x is None else x
    with torch.no_grad():
        expected = ann(x.clone()).double()
    snn = convert(ann, HALF, x if calibration is None else calibration, 8, progress=False)
    few, many = (
        float((simulate(snn, x, T).logits - expected).abs().max() / expected.abs().max()) for T in (64, 512)
    )
    assert many <= 0.02 and many <= few / 3 + 1e-3, f"{few:.2%} after 64 steps, {many:.2%} after 512"


def refusal(ann: nn.Module, x: Tensor | None = None) -> str:
    with pytest.raises(ValueError, match=r"\w") as caught:
        convert(ann, HALF, images() if x is None else x, 4, progress=False)
    return str(caught.value)


class Middle(Net):
    """A layer between the first and the second."""

    def __init__(self, odd: nn.Module) -> None:
        super().__init__()
        self.odd = odd

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.odd(self.conv(x)))
