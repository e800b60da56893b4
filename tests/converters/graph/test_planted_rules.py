"""A kind whose rule is planted wrong fails: convert refuses the network, or a check of the battery says so."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snnlab.activations import Clip
from snnlab.converters import grid
from snnlab.converters.graph import affine, averages, rewriting, rules
from snnlab.converters.graph.kinds import Average, Max, Move, Sum, Weighted
from snnlab.converters.grid import building, precision
from snnlab.converters.grid.building import _Builder
from tests.converters.graph.battery import CHECKS, Case

pytestmark = pytest.mark.usefixtures("one_thread")

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], Any]


def changed(owner: Any, name: str, change: Callable[[Any], Any]) -> Plant:
    """A function or method whose result is changed."""
    right = getattr(owner, name)
    return lambda patch: patch.setattr(owner, name, lambda *args, **kwargs: change(right(*args, **kwargs)))


def instead(owner: Any, name: str, wrong: Any) -> Plant:
    """Another function or method in its place."""
    return lambda patch: patch.setattr(owner, name, wrong)


def rule(name: str, wrong: Callable[[rules.Call], Any]) -> Plant:
    """Another rule for one of PyTorch's functions."""
    return lambda patch: patch.setitem(rules.RULES, name, wrong)


def with_arguments(name: str, **given: Any) -> Plant:
    """A rule that reads other arguments than the network's."""
    right = rules.RULES[name]

    def wrong(call: rules.Call) -> Any:
        get = call.get
        call.get = lambda place, key, default=None: given[key] if key in given else get(place, key, default)  # type: ignore[method-assign]
        return right(call)

    return rule(name, wrong)


def signed_bound(layer: Weighted, largest: Tensor) -> Tensor:
    return layer(largest)


def weighted_spread(layer: Weighted, counts: Tensor) -> Tensor:
    return Weighted(layer.call, layer.weight.to(counts.dtype), **layer.options)(counts)


def reversed_channels(values: Tensor) -> Tensor:
    return values.flip(tuple(range(values.ndim)))


def renamed(name: str, right: Callable[[rules.Call], Any]) -> Callable[[rules.Call], Any]:
    def wrong(call: rules.Call) -> Any:
        call.name = name
        return right(call)

    return wrong


def forgotten_gain(layer: Weighted, gain: Tensor, shift: Tensor | None) -> Weighted:
    """The bias keeps its size."""
    gain = gain.to(layer.weight.dtype)
    bias = layer.bias if shift is None else shift.to(gain.dtype) + (0 if layer.bias is None else layer.bias)
    return Weighted(layer.call, layer.weight * layer.by_output(gain), bias, **layer.options)


def shifted_shares(patch: Patch) -> None:
    right = Average.__init__

    def wrong(kind: Average, shares: dict[int, Tensor], window: Any = None) -> None:
        right(kind, {axis: matrix.roll(1, 1) for axis, matrix in shares.items()}, window)

    patch.setattr(Average, "__init__", wrong)


def shifted_index(patch: Patch) -> None:
    right = Move.__init__

    def wrong(kind: Move, index: Tensor, shapes: Any) -> None:
        right(kind, index.flatten().roll(1).reshape(index.shape), shapes)

    patch.setattr(Move, "__init__", wrong)


def shifted_on_the_grid(patch: Patch) -> None:
    right = _Builder.move

    def wrong(builder: Any, node: Any) -> Any:
        made = right(builder, node)
        made.kind.index, made.kind.form = (
            made.kind.index.flatten().roll(1).reshape(made.kind.index.shape),
            ("gather",),
        )
        return made

    patch.setattr(_Builder, "move", wrong)


def no_offset_on_the_grid(patch: Patch) -> None:
    right = grid.Rescale.__init__
    patch.setattr(
        grid.Rescale,
        "__init__",
        lambda kind, ratios, steps, offset=None, **how: right(kind, ratios, steps, **how),
    )


def as_site(activation: Callable[[], nn.Module]) -> Callable[[rules.Call], Any]:
    return lambda call: rules._site(call, activation())


W, A, S, M, N = ("weighted: ", "average: ", "sum: ", "move: ", "site: ")
PLANTED: dict[str, tuple[str, Plant]] = {
    "a layer's bound is too small": (W + "Conv2d", changed(Weighted, "bound", lambda y: y / 8)),
    "a layer's bound forgets that weights have signs": (W + "Conv2d, groups", instead(Weighted, "bound", signed_bound)),
    "a layer's spikes count as much as its weights": (W + "Conv2d", instead(Weighted, "spread", weighted_spread)),
    "a layer's spikes reach half its synapses": (W + "ConvTranspose2d", changed(Weighted, "spread", lambda y: y / 2)),
    "a layer's unit is another input channel's": (W + "Conv2d", changed(Weighted, "by_input", reversed_channels)),
    "a layer's unit is another output channel's": (
        W + "ConvTranspose2d", changed(Weighted, "by_output", reversed_channels)
    ),
    "a batch norm leaves the bias as it is": (
        W + "ConvTranspose2d, BatchNorm2d", instead(Weighted, "scaled", forgotten_gain)
    ),
    "a convolution forgets its padding": (W + "Conv2d, depthwise", with_arguments("conv2d", padding=0)),
    "a convolution forgets its dilation": (W + "Conv1d", with_arguments("conv1d", dilation=1)),
    "a transposed one forgets its stride": (W + "ConvTranspose3d", with_arguments("conv_transpose3d", stride=1)),
    "a linear layer forgets its bias": (W + "Linear on [L, F]", with_arguments("linear", bias=None)),
    "a batch norm has another eps": (W + "BatchNorm2d", with_arguments("batch_norm", eps=0.1)),
    "a batch norm forgets its mean": (W + "BatchNorm1d", with_arguments("batch_norm", running_mean=torch.zeros(4))),
    "an average's bound is too small": (A + "AvgPool2d, overlapping", changed(Average, "bound", lambda y: y / 3)),
    "an average's spikes reach all places": (
        A + "AvgPool2d, overlapping",
        instead(Average, "spread", lambda kind, counts: kind.along(counts, torch.ones_like)),
    ),
    "an average's spikes count as their shares": (
        A + "bilinear", instead(Average, "spread", lambda kind, counts: kind.along(counts, lambda matrix: matrix))
    ),
    "an average's shares stand elsewhere": (A + "AvgPool2d", shifted_shares),
    "an average's shares stand elsewhere, up-sampling": (A + "bilinear, aligned", shifted_shares),
    "an average counts its padding": (
        A + "AvgPool2d, padding not counted", with_arguments("avg_pool2d", count_include_pad=True)
    ),
    "an average has no open end": (A + "AvgPool2d, ceil", with_arguments("avg_pool2d", ceil_mode=False)),
    "an average forgets its divisor": (A + "AvgPool2d, divisor", with_arguments("avg_pool2d", divisor_override=None)),
    "an average's stride is its kernel": (A + "AvgPool1d", with_arguments("avg_pool1d", stride=3)),
    "a mean is a sum": (A + "mean of rows", rule("mean", renamed("sum", averages.mean))),
    "a sum is a mean": (A + "sum of channels", rule("sum", renamed("mean", averages.mean))),
    "an average is not divided on the grid": (
        A + "AvgPool2d, overlapping", changed(building, "whole_shares", lambda y: (y[0], None))
    ),
    "a sum forgets its signs": (S + "a difference", instead(Sum, "ratios", property(lambda kind: [
        getattr(kind, f"ratio{k}").abs() for k in range(kind.terms)]))),
    "a sum's bound cancels": (S + "a difference", instead(Sum, "bound", lambda kind, *largest: kind(*largest))),
    "a sum's spikes cancel": (S + "a difference", instead(Sum, "spread", lambda kind, *counts: kind(*counts))),
    "a sum's spikes are those of its first term": (
        S + "three terms", instead(Sum, "spread", lambda kind, *counts: counts[0])
    ),
    "a sum forgets its offset on the grid": (S + "1 - x", no_offset_on_the_grid),
    "a difference is a sum": (
        S + "sub, alpha", rule("sub", lambda call: affine._sum(call, (1, call.args[0]), (0.7, call.args[1])))
    ),
    "a reversed difference is not": (S + "rsub", rule("rsub", affine.add)),
    "alpha is forgotten": (S + "add, alpha", rule("add", lambda call: affine._sum(call, *((1, x) for x in call.args)))),
    "a product is a quotient": (W + "a number for each channel", rule("mul", affine.quotient)),
    "a move goes one place too far": (M + "slicing", shifted_index),
    "a reshape goes one place too far": (M + "view", shifted_index),
    "a move goes one place too far on the grid": (M + "permute", shifted_on_the_grid),
    "a cat goes one place too far on the grid": (M + "cat of image and spikes", shifted_on_the_grid),
    "a move's bound is too small": (M + "roll", changed(Move, "bound", lambda y: y / 2)),
    "a move's spikes count twice": (M + "repeat", changed(Move, "spread", lambda y: 2 * y)),
    "a move's spikes are lost": (M + "Upsample, nearest", changed(Move, "spread", torch.zeros_like)),
    "a move is left out": (M + "flip", rule("flip", rules.same)),
    "a pad is left out": (M + "ZeroPad2d", rule("pad", rules.same)),
    "ReLU6 cuts at 1": (N + "F.relu6, in place", rule("relu6", as_site(lambda: Clip(1.0)))),
    "a Clip is a ReLU": (N + "clamp(0, c)", rule("clamp", rules.relu)),
    "a Hardtanh cuts elsewhere": (N + "Hardtanh(0, c)", with_arguments("hardtanh", max_val=0.5)),
    "a ReLU is left out": (N + "F.relu", rule("relu", rules.same)),
    "a maximum is an average": (N + "MaxPool2d before", rule("max_pool2d", averages.average_pool)),
    "a maximum's windows are others": (N + "MaxPool2d just after", lambda patch: patch.setattr(
        Max, "forward", lambda kind, x: kind.call(x.roll(1, 2), *kind.args, **kind.kwargs))),
    "a maximum of spikes is taken": (N + "MaxPool2d just after", instead(rewriting, "MONOTONE", ())),
    "a neuron's input is in another's unit": (
        W + "Conv2d", instead(_Builder, "in_unit", lambda builder, feed, unit: feed)
    ),
    "weights have more bits than sums": (W + "Conv2d", changed(precision, "step_for", lambda step: step * 2.0**-12)),
    "weights have hardly any bits": (W + "Conv2d", changed(precision, "step_for", lambda step: step * 2.0**18)),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_rule_that_is_planted_wrong_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, plant = PLANTED[name]
    plant(monkeypatch)
    case, found = Case(layer), []
    for check in CHECKS:
        try:
            check(case)
        except (AssertionError, ValueError, RuntimeError) as problem:
            found.append(f"{check.__name__}: {problem}")
    assert found, f"{layer} passes the battery although {name}"
