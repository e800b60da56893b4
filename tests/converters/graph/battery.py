"""What every layer must pass, as `check_method` is what every method must; a case is one layer in a small network."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import CATALOGUE, SNN, Method, convert, simulate
from snnlab.converters.choices.potentials import half
from snnlab.converters.choices.thresholds import percentile
from snnlab.converters.graph import Graph, Node, Weighted, trace, walk
from snnlab.exchange import read_nir, saving, to_nir
from snnlab.simulators import energy
from tests.converters.graph.layers import LAYERS, Net, images
from tests.converters.graph.plain import on_the_ann, on_the_grid

T = 7
HALF = Method(
    "half", "the largest activation, half of it to start with", "Diehl 2015, Bu 2022", 2022, v0=half
)
CHANNEL = Method("channel", "a threshold for each channel", "-", 2026, threshold=percentile(100, "channel"))
METHODS = {"half": HALF, "qcfs": CATALOGUE["qcfs"]}


@dataclass(frozen=True)
class Case:
    """A layer of the table in its network, converted when it is first asked for."""

    name: str

    @cached_property
    def ann(self) -> nn.Module:
        return Net(LAYERS[self.name])

    @cached_property
    def images(self) -> Tensor:
        return images(LAYERS[self.name])

    @cached_property
    def snn(self) -> SNN:
        return convert(self.ann, METHODS[LAYERS[self.name].method], self.images, T, progress=False)

    @cached_property
    def logits(self) -> Tensor:
        return simulate(self.snn, self.images, T).logits

    @cached_property
    def expected(self) -> Tensor:
        """The ANN's output."""
        with torch.no_grad():
            return self.ann(self.images.clone())


def the_graph_computes_what_the_ann_does(case: Case) -> None:
    """In float64, for images that were not traced; what is left is a constant that is kept in float32."""
    graph = trace(case.ann, case.images.double())
    more = torch.randn(5, *case.images.shape[1:], generator=torch.Generator().manual_seed(5)).double()
    with torch.no_grad():
        got, expected = walk(graph, more), Net(case.ann.row).double()(more.clone())
    assert torch.allclose(got, expected, rtol=0, atol=1e-7 * float(expected.abs().max()))


def the_grid_is_the_plain_loop(case: Case) -> None:
    """Bit for bit: one step after the other, with thresholds of layers, channels, neurons that send signed spikes."""
    assert torch.equal(case.logits, on_the_grid(case.snn, case.images, T))
    for method in (CHANNEL, "snm") if case.snn.method is HALF else ():
        snn = convert(case.ann, method, case.images, T, progress=False)
        assert torch.equal(simulate(snn, case.images, T).logits, on_the_grid(snn, case.images, T))


def batch_chunk_layout_threads_and_precision_change_no_bit(case: Case) -> None:
    """What is simulated does not depend on how it is."""
    snn, x = case.snn, case.images
    one_by_one = torch.cat([simulate(snn, image, T, chunk=2).logits for image in x.split(1)])
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        others = [
            one_by_one,
            simulate(snn, x, T, dtype=torch.float64).logits,
            simulate(snn, x, T, chunk=1).logits,
        ]
    finally:
        torch.set_num_threads(threads)
    if x.ndim == 4:
        others.append(simulate(snn, x.contiguous(memory_format=torch.channels_last), T).logits)
    others.append(simulate(snn, x.transpose(0, -1).contiguous().transpose(0, -1), T).logits)
    assert all(torch.equal(case.logits, other) for other in others)


def it_approaches_the_ann_as_one_over_T(case: Case) -> None:
    """At T = 512 at most 2 % of the largest logit is missing, and about an eighth of what is missing at T = 64."""
    few, many = (error(case, steps) for steps in (64, 512))
    assert many <= 0.02, f"{many:.2%} after 512 steps"
    assert many <= few / 3 + 1e-3, f"{few:.2%} after 64 steps, {many:.2%} after 512"


def error(case: Case, steps: int) -> float:
    """Of the largest logit, what differs from the ANN after so many steps."""
    expected = case.expected
    wrong = simulate(case.snn, case.images, steps).logits - expected
    return float(wrong.abs().max() / expected.abs().max())


def the_anns_own_layers_step_after_step_do_the_same(case: Case) -> None:
    """The ANN's forward with neurons in place of its activations, in float64, sends the same spikes but for ties."""
    if "MaxPool" in case.name and "after" in case.name:
        return  # such a pool comes before the neurons: the maximum of their spikes is something else
    steps = 64
    snn = convert(case.ann, case.snn.method, case.images, steps, exact=False, progress=False)
    expected = on_the_ann(case.ann, snn, case.images, steps)
    for other in (
        simulate(snn, case.images, steps, dtype=torch.float64),
        simulate(case.snn, case.images, steps),
    ):
        wrong = (other.logits - expected).abs().max() / expected.abs().max()
        assert float(wrong) <= 0.02, f"{float(wrong):.2%} of the largest logit"


# --- synaptic operations, by brute force


def every_synapse_is_counted(case: Case) -> None:
    """Each spike's synapses, found by sending one alone; what the neurons send is counted in the plain loop."""
    sent: dict[str, Tensor] = {}
    on_the_grid(case.snn, case.images, T, sent)
    found = energy.measure(case.snn, case.images, T, progress=False)
    expected = synapses(case.snn.graph, case.images[:1], sent)
    assert {name: round(layer.sops * len(case.images)) for name, layer in found.layers.items()} == expected
    assert {n: round(s * len(case.images)) for n, s in found.spikes.items()} == {
        n: int(s.sum()) for n, s in sent.items()
    }
    for layer in found.layers.values():
        assert (
            layer.macs >= layer.image + layer.currents and min(layer.macs, layer.image, layer.currents) >= 0
        )


def synapses(graph: Graph, one: Tensor, sent: dict[str, Tensor]) -> dict[str, int]:
    """For each layer with weights the additions that the spikes sent cause in it, summed over images.

    A spike goes from node to node: to each place that takes a share of it, as often as it does.
    """
    values, arrived = (
        {graph.input: one},
        {graph.input: torch.zeros(len(next(iter(sent.values()))), one.numel())},
    )
    counts: dict[str, int] = {}
    for node in graph.nodes:
        inputs = [values[other] for other in node.inputs]
        values[node] = node.kind(inputs[0][None])[0][0] if node.site else node.kind(*inputs)
        if node.site:
            arrived[node] = sent[node.name].flatten(1)
            continue
        reached = sum(arrived[o].double() @ pattern(node, k, inputs) for k, o in enumerate(node.inputs))
        if isinstance(node.kind, Weighted):
            counts[node.name], reached = int(reached.sum()), torch.zeros_like(reached)
        arrived[node] = reached
    return counts


def pattern(node: Node, k: int, inputs: list[Tensor]) -> Tensor:
    """1 where an input of a node, [n], changes an output, [m]: found with one input of 1 after the other."""
    kind: Any = node.kind.with_weights(torch.ones_like) if isinstance(node.kind, Weighted) else node.kind
    n = inputs[k].numel()
    sent = [torch.zeros(n + 1, *x.shape[1:]) for x in inputs]
    sent[k].view(n + 1, n)[:n] = torch.eye(n)
    got = kind(*sent).reshape(n + 1, -1)
    return ((got[:n] - got[n:]).abs() > 1e-9).double()


# --- files


def nir_gives_it_back_or_names_the_layer(case: Case) -> None:
    """Bit for bit; what NIR cannot say is refused with the name of a layer, or of the layer in which it is called."""
    said, written = "", None
    try:
        written = to_nir(case.snn)
    except ValueError as error:
        said = str(error)
    if written is None:
        named = ("layer 'first", "layer 'layer", "layer 'next", "in the network's forward")
        assert any(word in said for word in named), said
    else:
        assert torch.equal(simulate(read_nir(written), case.images, T).logits, case.logits)


def it_is_saved_and_loaded(case: Case) -> None:
    """Into a network of other weights, and it runs as it ran."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snn.safetensors"
        saving.save(case.snn, path)
        loaded = saving.load(Net(case.ann.row, seed=1), path, case.snn.method)
    assert torch.equal(simulate(loaded, case.images, T).logits, case.logits)


def no_value_is_beyond_its_bound(case: Case) -> None:
    """What a kind says of the largest values it can make is true for values of both signs."""
    graph = trace(case.ann, case.images.double())
    draw = torch.Generator().manual_seed(3)
    values: dict[Node, Tensor] = {graph.input: case.images[:1].double()}
    for node in graph.nodes:
        inputs = [values[other] for other in node.inputs]
        values[node] = node.kind(*inputs)
        if not node.site:
            largest = [torch.rand(x.shape, generator=draw, dtype=torch.float64) for x in inputs]
            signs = [torch.randint(0, 2, (64, *x.shape[1:]), generator=draw) * 2 - 1 for x in largest]
            kind: Any = node.kind
            assert bool(
                (
                    kind(*(a * s for a, s in zip(largest, signs, strict=True))).abs()
                    <= kind.bound(*largest) + 1e-9
                ).all()
            )


CHECKS: tuple[Callable[[Case], None], ...] = (
    the_graph_computes_what_the_ann_does,
    no_value_is_beyond_its_bound,
    the_grid_is_the_plain_loop,
    batch_chunk_layout_threads_and_precision_change_no_bit,
    the_anns_own_layers_step_after_step_do_the_same,
    it_approaches_the_ann_as_one_over_T,
    every_synapse_is_counted,
    nir_gives_it_back_or_names_the_layer,
    it_is_saved_and_loaded,
)
