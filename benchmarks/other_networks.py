"""Which networks of torchvision and timm convert, and what T steps lose: the table in docs/your_own_network.md.

    python -m benchmarks.other_networks                   writes it between the two marks of that page
    python -m benchmarks.other_networks NAME [NAME ...]   prints the rows of some networks, as `networks` names them

Random weights, batch norms with random gains (0.5 to 1) and offsets (0 to 0.5) and the statistics of random pictures of
64 x 64 pixels. The pictures that are run are among those of the calibration, so no threshold is short of them, and what
is left is what T steps cannot say. Where deep max pools are refused, a second row has averages in their place. The
last column is a yardstick: networks of random weights make much of little.
"""

import copy
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from benchmarks import rows
from snnlab import CATALOGUE, convert, simulate
from snnlab.converters.choices.thresholds import largest
from snnlab.neurons import ZeroThresholdIF
from snnlab.progress import progress_bar
from snnlab.training import recipes

PAGE, MARK = Path(__file__).parents[1] / "docs" / "your_own_network.md", "<!-- other networks -->"
SIDE, CALIBRATION, RUN, CLASSES = 64, 32, 4, 10
STEPS = (32, 128, 512)
CHUNK = 8  # steps: by its own choice the kit takes one at a time here, and reads a VGG's 500 MB of weights in each
METHODS = {
    "opi": CATALOGUE["opi"],
    "signed": replace(CATALOGUE["opi"], threshold=largest, neuron=ZeroThresholdIF),
}
"""As published, and a reading that only the steps limit: nothing is cut off, no spike too many is final."""

TORCHVISION = (
    "resnet18",
    "resnet34",
    "resnet50",
    "vgg11_bn",
    "mobilenet_v2",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "densenet121",
    "googlenet",
)
TIMM = ("resnet18", "mobilenetv1_100", "regnetx_002", "densenet121", "hrnet_w18")

Build = Callable[[], nn.Module]


def networks() -> dict[str, Build]:
    """What builds each network, by library and name; without timm only torchvision's."""
    found: dict[str, Build] = {}
    for name in TORCHVISION:
        own = {"init_weights": True} if name == "googlenet" else {}
        found[f"torchvision {name}"] = partial(
            torchvision.models.get_model, name, weights=None, num_classes=CLASSES, **own
        )
    try:
        import timm
    except ImportError:
        print("timm is not installed, so its rows are left out: pip install -e '.[bench]'", file=sys.stderr)
        return found
    for name in TIMM:
        found[f"timm {name}"] = partial(timm.create_model, name, pretrained=False, num_classes=CLASSES)
    return found


def pictures(count: int, seed: int) -> Tensor:
    """Clouds of colour with finer and finer detail, [count, 3, 64, 64], mean 0, deviation 1."""
    draw = torch.Generator().manual_seed(seed)
    grids = (torch.randn(count, 3, side, side, generator=draw) for side in (2, 4, 8, 16, SIDE))
    clouds = sum(F.interpolate(grid, size=SIDE, mode="bilinear") for grid in grids)
    return clouds / clouds.std()


@torch.no_grad()
def settled(ann: nn.Module) -> nn.Module:
    """The network in evaluation mode, its batch norms with the statistics of 128 pictures."""
    norms = [module for module in ann.eval().modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.train().reset_running_stats()
        norm.momentum = None  # the mean over all that it sees
    for seed in range(4) if norms else ():
        ann(pictures(32, seed))
    return ann.eval()


@torch.no_grad()
def built(build: Build) -> nn.Module:
    """A network of random weights; timm's start with gains of 0, which would leave out most of their layers."""
    torch.manual_seed(0)
    ann = build()
    for module in ann.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.uniform_(0.5, 1.0)
            module.bias.uniform_(0.0, 0.5)
    return settled(ann)


def measured(ann: nn.Module) -> list[str]:
    """Error and classes of each method, as text: what stands in a row behind "converts".

    The error is the largest |SNN - ANN| of any logit and picture over the largest |ANN|.
    """
    images = pictures(CALIBRATION, seed=99)
    few = images[:RUN]
    noise = 0.01 * torch.randn(few.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, moved = ann(few), ann(few + noise)
    cells = []
    for method in METHODS.values():
        snn = convert(ann, method, images, STEPS[-1])
        logits = [simulate(snn, few, T, chunk=CHUNK).logits for T in STEPS]
        cells.append(", ".join(_error(got, expected) for got in logits))
        same = [int((got.argmax(1) == expected.argmax(1)).sum()) for got in logits]
        cells.append(", ".join(map(str, same)))
    return [*cells, _error(moved, expected)]


def _error(got: Tensor, expected: Tensor) -> str:
    percent = 100 * float((got - expected).abs().max() / expected.abs().max())
    return f"{percent:.1f}" if percent < 10 else f"{percent:.0f}"


def reason(refusal: ValueError) -> str:
    """The first layer that a refusal names and why, and how many more there are."""
    head, *layers = str(refusal).splitlines()
    first = re.sub(r"\(.+?\)", "", (layers or [head])[0].strip()).split(";")[0]
    more = f" (and {len(layers) - 1} more)" if len(layers) > 1 else ""
    return f"no: {first}{more}"


def measure(name: str, build: Build) -> Iterator[list[str]]:
    """The rows of a network: as it is, and if that is refused with averages in place of its max pools."""
    ann = built(build)
    try:
        yield [name, "yes", *measured(ann)]
    except ValueError as refusal:
        yield [name, reason(refusal), *[""] * (2 * len(METHODS) + 1)]
        try:
            averaged = settled(recipes.average_pools(copy.deepcopy(ann), pictures(2, seed=99)))
            yield [f"{name}, averages", "yes", *measured(averaged)]
        except ValueError as again:
            yield [f"{name}, averages", reason(again), *[""] * (2 * len(METHODS) + 1)]


def table(lines: list[list[str]]) -> str:
    """What stands between the marks."""
    steps = f"T = {', '.join(map(str, STEPS))}"
    head = ["network", "converts"]
    for method in METHODS:
        head += [f"`{method}`: error in %, {steps}", f"same class, of {RUN}"]
    head.append("ANN, 1 % noise: error in %")
    libraries = ", ".join(
        f"{name} {found}" for name in ("torch", "torchvision", "timm") if (found := _version(name))
    )
    text = [
        f"Measured on {rows.today()}, {rows.machine()}, {libraries}.",
        "",
        *(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines)),
    ]
    return "\n".join(re.sub(r"\|  +(?=\|)", "| ", line) for line in text)


def _version(library: str) -> str:
    try:
        return version(library).split("+")[0]
    except PackageNotFoundError:
        return ""


def main(*names: str) -> None:
    """Measure every network and write the table, or measure some and print their rows."""
    known = networks()
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"there is no network {unknown[0]!r}; there are {', '.join(map(repr, known))}")
    lines = []
    for name in progress_bar(names or list(known), "networks"):
        lines += measure(name, known[name])
    if names:
        print(table(lines))
        return
    before, _, after = PAGE.read_text(encoding="utf-8").split(MARK)
    PAGE.write_text(f"{before}{MARK}\n\n{table(lines)}\n\n{MARK}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
