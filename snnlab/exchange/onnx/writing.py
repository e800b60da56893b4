"""The network on its grid, node after node, each for all steps."""

import json
from pathlib import Path
from typing import NoReturn

import onnx
import torch
from torch import Tensor

from snnlab import files
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.graph import Node
from snnlab.converters.grid import Exact
from snnlab.converters.snn import SNN
from snnlab.exchange.onnx.drawing import Drawing, Value
from snnlab.exchange.onnx.layers import LAYERS
from snnlab.exchange.onnx.neurons import SPIKES, Steps
from snnlab.neurons.door import door
from snnlab.neurons.settings import whole

MOST_STEPS = 1024
"""More would make a graph that nobody's reader opens."""


@door
def to_onnx(snn: SNN, T: int | None = None) -> onnx.ModelProto:
    """A converted network as an ONNX graph of T steps; the conventions are in `snnlab.exchange.onnx`.

    In onnxruntime it gives the logits of `simulate(snn, images, T)`, bit for bit.

    Args:
        T: steps, 1 to 1,024; None takes what the network was converted for.
    Raises: ValueError that names the layer or neuron that cannot be written with plain operators, and what to do.
    """
    T = whole(snn.T if T is None else T, "T", most=MOST_STEPS)
    if snn.grid is None:
        raise ValueError(
            "the network was converted with exact=False, so its sums depend on their order and no runtime can be held "
            "to its spikes: convert it with exact=True"
        )
    if snn.method.depends_on_T and T != snn.T:
        raise ValueError(
            f"T = {T}, but method {snn.method.name!r} converted for T = {snn.T} only; convert again for {T}"
        )
    with torch.no_grad():
        model = _Writer(snn, T).run()
    about = {"method": snn.method.name, "T": T, "bits": snn.bits, "largest": float(snn.example.amax())}
    onnx.helper.set_model_props(model, {"snnlab": json.dumps(about)})
    return model


@door
def write_onnx(snn: SNN, path: str | Path, T: int | None = None) -> None:
    """Write a converted network as an ONNX file, whole or not at all.

    Args, raises: as `to_onnx`.
    """
    files.write(path, to_onnx(snn, T).SerializeToString())


class _Writer:
    """One pass over the grid; `values` holds each node's values: one where they are the same in all steps, else T."""

    def __init__(self, snn: SNN, T: int) -> None:
        assert snn.grid is not None
        self.snn, self.graph, self.T, self.draw = snn, snn.grid, T, Drawing()
        self.temporal = self.graph.temporal()
        self.values: dict[Node, list[Value]] = {self.graph.input: [Value("image", wide=False)]}
        self.shown: dict[Node, Tensor] = {}  # one image's, for the shapes

    def run(self) -> onnx.ModelProto:
        self.shown[self.graph.input] = self.snn.example.to(self.snn.device)
        for node in self.graph.nodes:
            inputs = [self.shown[other] for other in node.inputs]
            self.shown[node] = node.kind(inputs[0][None])[0][0] if node.site else node.kind(*inputs)
            self.values[node] = self.neuron(node) if node.site else self.layer(node)
        outputs = [self.draw.cast(value, wide=True) for value in self.values[self.graph.result]]
        total = outputs[0]
        for output in outputs[1:]:  # in the order of the steps
            total = self.draw.compute("Add", total, output)
        mean = self.draw.compute("Div", total, torch.tensor(float(len(outputs))))
        return self.draw.model(self.shape(self.graph.input), mean, self.shape(self.graph.result))

    def shape(self, node: Node) -> list[int]:
        """Of one image's value."""
        return list(self.shown[node].shape[1:])

    def neuron(self, node: Node) -> list[Value]:
        if type(node.kind) not in SPIKES:
            methods = ", ".join(m.name for m in CATALOGUE.values() if m.neuron in SPIKES)
            raise ValueError(
                f"layer {node.name!r} is {type(node.kind).__name__}, a neuron that is not written with plain operators "
                f"of one step: convert with a method whose neurons are, {methods}"
            )
        current = self.values[node.inputs[0]]
        steps = Steps(self.draw, node.kind, current[0])  # type: ignore[arg-type]
        return [steps.step(current[t % len(current)]) for t in range(self.T)]

    def layer(self, node: Node) -> list[Value]:
        kind = node.kind
        if type(kind) not in LAYERS or (isinstance(kind, Exact) and not _is_plain(kind)):
            self.refuse(node)
        shapes = [self.shape(other) for other in node.inputs]
        feeds = [self.values[other] for other in node.inputs]
        times = self.T if node in self.temporal else 1
        return [
            LAYERS[type(kind)](self.draw, kind, [feed[t % len(feed)] for feed in feeds], shapes)
            for t in range(times)
        ]

    def refuse(self, node: Node) -> NoReturn:
        raise ValueError(
            f"{node.said}: it is not written with plain operators; use convolutions, linear layers, "
            "average pools, sums and moves, and retrain"
        )


def _is_plain(kind: Exact) -> bool:
    """Whether a layer is a convolution or a linear one."""
    return kind.layer.call in ("linear", "conv1d", "conv2d", "conv3d")
