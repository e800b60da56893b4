"""What other simulators make of a NIR file that this kit wrote.

    python -m benchmarks.readers          prints the table of docs/exchange.md

Each file is read with what the reader offers, handed one image at a time for T steps, and its mean output is compared
with `simulate`. "equal": within float32's rounding of the readout; "other": other numbers; "fails": an error, or an
output of another shape. Nothing of a reader is changed but what the column `set` says.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import nir
import torch
from torch import Tensor, nn

from snnlab import Method, convert, datasets, networks, simulate
from snnlab.exchange import write_nir
from snnlab.neurons import IF

T, IMAGES, ROUNDING = 8, 4, 1e-5
METHODS = {
    "subtract, v0 = 0": Method("subtract", "", "", 2026),
    "zero, v0 = 0": Method("zero", "", "", 2026, neuron=partial(IF, reset="zero")),
}


def mlp() -> nn.Module:
    """No convolution, no pool."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


NETWORKS: dict[str, Callable[[], nn.Module]] = {"MLP": mlp, "CNN": networks.cnn, "ResNet": networks.resnet}


def spikingjelly(path: Path, images: Tensor, *, told: bool) -> Tensor:
    """SpikingJelly's import_from_nir."""
    from spikingjelly.activation_based import neuron
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    net = import_from_nir(path, dt=1.0)
    for module in net.modules():
        if told and isinstance(module, neuron.IFNode):
            module.v_reset = None
    return _stepped(net, images)


def snntorch(path: Path, images: Tensor) -> Tensor:
    """snnTorch's import_from_nir; it takes the graph."""
    from snntorch.import_nir import import_from_nir

    graph = nir.read(path)
    for node in graph.nodes.values():
        if isinstance(node, nir.Conv2d):
            node.groups = int(node.groups)
    return _stepped(import_from_nir(graph), images)


def norse(path: Path, images: Tensor) -> Tensor:
    """Norse's from_nir; it takes the graph."""
    from norse.torch.utils.import_nir import from_nir

    return _stepped(from_nir(nir.read(path), dt=1.0), images)


def sinabs(path: Path, images: Tensor) -> Tensor:
    """sinabs' from_nir: batch and time in one axis."""
    from sinabs.nir import from_nir

    given = from_nir(nir.read(path), batch_size=1)(images.repeat_interleave(T, 0))
    output: Tensor = given[0] if isinstance(given, tuple) else given
    return output.mean(0, keepdim=True)


def _stepped(net: Any, images: Tensor) -> Tensor:
    """The mean output of T steps, state handed on where there is one."""
    state, total = None, torch.zeros(())
    for _ in range(T):
        given = net(images) if state is None else net(images, state)
        output, state = given if isinstance(given, tuple) else (given, None)
        total = total + output.reshape(1, -1).double()
    return total / T


READERS: tuple[tuple[str, str, str, Callable[[Path, Tensor], Tensor]], ...] = (
    ("SpikingJelly", "spikingjelly", "nothing", partial(spikingjelly, told=False)),
    ("SpikingJelly", "spikingjelly", "`v_reset = None`", partial(spikingjelly, told=True)),
    ("snnTorch", "snntorch", "`node.groups = int(node.groups)`", snntorch),
    ("Norse", "norse", "nothing", norse),
    ("sinabs", "sinabs", "nothing", sinabs),
)


def judged(read: Callable[[Path, Tensor], Tensor], path: Path, images: Tensor, wanted: Tensor) -> str:
    """In a word what a reader makes of a file."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            found = torch.cat([read(path, image[None]) for image in images])
        except Exception:  # noqa: BLE001 - whatever a reader raises is the finding
            return "fails"
    if found.shape != wanted.shape:
        return "fails"
    return (
        "equal" if float((found - wanted).abs().amax()) <= ROUNDING * float(wanted.abs().amax()) else "other"
    )


def main() -> None:
    """Print the table."""
    logging.disable(logging.WARNING)  # of readers that guess which node comes first
    data = datasets.load("digits")
    images = data.test.images[:IMAGES]
    torch.manual_seed(0)
    cases = [
        (f"{name}, {reset}", convert(build(), method, data.calibration, T, progress=False))
        for name, build in NETWORKS.items()
        for reset, method in METHODS.items()
    ]
    print("| reader | version | set | " + " | ".join(case for case, _ in cases) + " |")
    print("|---" * (3 + len(cases)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.nir"
        for reader, package, told, read in READERS:
            try:
                here = version(package)
            except PackageNotFoundError:
                continue
            found = []
            for _, snn in cases:
                write_nir(snn, path)
                found.append(judged(read, path, images, simulate(snn, images).logits))
            print(f"| {reader} | {here} | {told} | " + " | ".join(found) + " |")


if __name__ == "__main__":
    main()
