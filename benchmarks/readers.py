"""What other simulators make of a NIR file that this kit wrote.

    python -m benchmarks.readers          prints the table of docs/exchange.md

Each file is read with what the reader offers, run for T steps, and its mean output is compared with `simulate`.
"equal": within float32's rounding of the readout; "other": other numbers; "fails": an error, or an output of another
shape. Nothing of a reader is changed but what the column `set` says; the functions below show how.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from graphlib import TopologicalSorter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import nir
import torch
from torch import Tensor, nn

from snnlab import Method, convert, datasets, networks, simulate
from snnlab.exchange import write_nir
from snnlab.neurons import IF

T, IMAGES, ROUNDING = 8, 100, 1e-5
METHODS = {
    "subtract": Method("subtract", "", "", 2026),
    "zero": Method("zero", "", "", 2026, neuron=partial(IF, reset="zero")),
}


def mlp() -> nn.Module:
    """No convolution, no pool."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


NETWORKS: dict[str, Callable[[], nn.Module]] = {"MLP": mlp, "CNN": networks.cnn, "ResNet": networks.resnet}


def spikingjelly(path: Path, images: Tensor, reset: str | None) -> Tensor:
    """SpikingJelly's import_from_nir."""
    from spikingjelly.activation_based import neuron
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    net = import_from_nir(path, dt=1.0)
    for module in net.modules():
        if reset and isinstance(module, neuron.IFNode):
            module.v_reset = None if reset == "subtract" else 0.0
    return _stepped(net, images)


def snntorch(path: Path, images: Tensor, reset: str | None) -> Tensor:
    """snnTorch's import_from_nir; it takes the graph, and makes neurons with a leak of it."""
    from snntorch import Leaky
    from snntorch.import_nir import import_from_nir

    net = import_from_nir(nir.read(path))
    for module in net.modules():
        if reset and isinstance(module, Leaky):
            module.beta.fill_(1.0)
            module.init_hidden, module.reset_delay = True, reset == "subtract"
            module.reset_mechanism, module.spike_grad = reset, _fires
    return _stepped(net, images)


def norse(path: Path, images: Tensor, reset: str | None) -> Tensor:
    """Norse's from_nir; it takes the graph."""
    from norse.torch.functional.iaf import IAFFeedForwardState
    from norse.torch.functional.reset import reset_subtract, reset_value
    from norse.torch.module.iaf import IAFCell
    from norse.torch.utils.import_nir import from_nir

    def step(current: Tensor, state: Any, p: Any, _: float) -> tuple[Tensor, Any]:
        v = state.v + current
        spike, after = _fires(v - p.v_th), reset_subtract if reset == "subtract" else reset_value
        return spike, IAFFeedForwardState(after(spike, v, p.v_reset, p.v_th))

    net = from_nir(nir.read(path), dt=1.0)
    for module in net.modules():
        if reset and isinstance(module, IAFCell):
            module.activation = step
    return _stepped(_in_order(net) if reset else net, images)


def sinabs(path: Path, images: Tensor, reset: str | None) -> Tensor:
    """sinabs' from_nir: batch and time in one axis."""
    from sinabs.activation import MembraneReset, MembraneSubtract, SingleSpike
    from sinabs.layers import IAFSqueeze
    from sinabs.nir import from_nir

    net = from_nir(nir.read(path), num_timesteps=T)
    for module in net.modules():
        if reset and isinstance(module, IAFSqueeze):
            module.min_v_mem, module.spike_fn = None, SingleSpike
            module.reset_fn = MembraneSubtract() if reset == "subtract" else MembraneReset()
    given = (_in_order(net) if reset else net)(images.repeat_interleave(T, 0))
    output: Tensor = given[0] if isinstance(given, tuple) else given
    return output.unflatten(0, (-1, T)).double().mean(1)


def _fires(above: Tensor) -> Tensor:
    """Spikes of potentials that far above the threshold: at a tie, too, where snnTorch and Norse do not."""
    return (above >= 0).to(above.dtype)


def _in_order(net: Any) -> Any:
    """What nirtorch.load made, which goes depth first, so that a sum runs before its second term is there."""
    graph = net.graph
    feeds = {node: graph.find_source_nodes_of(node) for node in graph.node_list}
    net.execution_order = [*TopologicalSorter(feeds).static_order()]
    return net


def _stepped(net: Any, images: Tensor) -> Tensor:
    """The mean output of T steps, state handed on where there is one."""
    state, total = None, torch.zeros(())
    for _ in range(T):
        given = net(images) if state is None else net(images, state)
        output, state = given if isinstance(given, tuple) else (given, None)
        total = total + output.double()
    return total / T


Reader = Callable[[Path, Tensor, str | None], Tensor]
READERS: tuple[tuple[str, str, str, Reader], ...] = (
    ("SpikingJelly", "spikingjelly", "`v_reset`", spikingjelly),
    (
        "snnTorch",
        "snntorch",
        "`beta`, `init_hidden`, `reset_delay`, `reset_mechanism`, `spike_grad`",
        snntorch,
    ),
    ("Norse", "norse", "`execution_order`, `activation`", norse),
    ("sinabs", "sinabs", "`execution_order`, `min_v_mem`, `spike_fn`, `reset_fn`", sinabs),
)
"""Name, package, what is set where the reader is told, and how it reads: told of this reset, or nothing."""


def judged(read: Callable[[], Tensor], wanted: Tensor) -> str:
    """In a word what a reader makes of a file."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            found = read()
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
        (f"{name}, {reset}", reset, convert(build(), method, data.calibration, T, progress=False))
        for name, build in NETWORKS.items()
        for reset, method in METHODS.items()
    ]
    print("| reader | version | set | " + " | ".join(case for case, *_ in cases) + " |")
    print("|---" * (3 + len(cases)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.nir"
        for reader, package, settings, read in READERS:
            try:
                here = version(package)
            except PackageNotFoundError:
                continue
            for told in (False, True):
                found = []
                for _, reset, snn in cases:
                    write_nir(snn, path)
                    reading = partial(read, path, images, reset if told else None)
                    found.append(judged(reading, simulate(snn, images).logits))
                print(
                    f"| {reader} | {here} | {settings if told else 'nothing'} | " + " | ".join(found) + " |"
                )


if __name__ == "__main__":
    main()
