"""Lesson 14's troubles: each is made as it is said, and what stands beside it is another program's own run."""

import sys
from functools import partial

import pytest
import torch
from torch import nn

from snnlab import convert, networks, simulate
from snnlab.course import naive, pitfalls
from snnlab.course.lesson_14 import EXERCISES, analog_share, surplus
from snnlab.datasets.standard import Split

IMAGES = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
TEST = Split(IMAGES, torch.arange(40) % 10)


def trained_norms(ann: nn.Module) -> nn.Module:
    """Batch norms with means and variances of their own, as after a training."""
    ann.train()
    with torch.no_grad():
        for _ in range(20):
            ann(3 * IMAGES + 1)
    return ann.eval()


def test_rescaled_weights_with_folded_norms_are_a_conversion_and_with_norms_left_are_none() -> None:
    ann = trained_norms(networks.cnn())
    folded, left = (pitfalls.normalised(ann, IMAGES, fold) for fold in (True, False))
    kit = simulate(convert(ann, "max_norm", IMAGES, 8), IMAGES, 8)
    same = float((naive.run(folded, IMAGES, 8) == kit.predictions).double().mean())
    assert same > 0.9, "up to ties and rounding"
    assert all(
        module.threshold == 1 for module in folded.modules() if isinstance(module, naive.RememberingIF)
    )
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in left.modules())
    assert not torch.equal(naive.run(left, IMAGES, 8), naive.run(folded, IMAGES, 8))


def test_the_ann_is_left_as_it_is() -> None:
    ann = trained_norms(networks.cnn())
    before = {name: value.clone() for name, value in ann.state_dict().items()}
    pitfalls.normalised(ann, IMAGES, True)
    pitfalls.normalised(ann, IMAGES, False)
    pitfalls.spikingjelly(ann, IMAGES)
    assert all(torch.equal(value, before[name]) for name, value in ann.state_dict().items())


def test_a_percentile_of_what_is_active_leaves_the_zeros_out() -> None:
    class Layer:
        target = torch.tensor([[0.0, 0.0, 0.0, 1.0], [0.0, 2.0, 3.0, 0.0]])

    assert pitfalls.percentile_of_active(50)(Layer()) == 2  # type: ignore[arg-type]


def test_parts_change_no_answer_and_batches_are_run_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = naive.swap(networks.cnn().eval(), IMAGES)
    run = partial(naive.run, net)
    whole = (run(IMAGES, 6) == TEST.labels).double().mean(1)
    monkeypatch.setattr(pitfalls, "AT_ONCE", 7)
    assert torch.equal(pitfalls.accuracy(run, TEST, 6), whole)
    since = 0

    def forgetful(images: torch.Tensor, T: int, fresh: bool = True) -> torch.Tensor:
        """Answers with the number of runs since its last reset."""
        nonlocal since
        since = 0 if fresh else since + 1
        return torch.full((T, len(images)), since)

    zeros = Split(IMAGES, torch.zeros(40, dtype=torch.long))
    assert pitfalls.batches(forgetful, zeros, 3, True, 10) == [1, 1, 1, 1]
    assert pitfalls.batches(forgetful, zeros, 3, False, 10) == [1, 0, 0, 0]


def test_spikingjellys_own_conversion_sends_what_a_swap_sends() -> None:
    pytest.importorskip("spikingjelly")
    ann = networks.cnn().eval()
    theirs = pitfalls.spikingjelly(ann, IMAGES, "99.9%")
    assert not isinstance(theirs, str)
    agree = theirs(IMAGES, 8) == naive.run(naive.swap(ann, IMAGES), IMAGES, 8)
    assert agree.double().mean() > 0.95
    again = theirs(IMAGES, 8, False)
    assert not torch.equal(again, theirs(IMAGES, 8)), "it has a state, and keeps it"


def test_what_spikingjelly_refuses_is_told_in_a_line_without_addresses() -> None:
    pytest.importorskip("spikingjelly")
    said = pitfalls.spikingjelly(naive.residual("functional"), IMAGES)
    assert (
        isinstance(said, str)
        and "refuses" in said
        and "relu" in said
        and "0x" not in said
        and "\n" not in said
    )


def test_without_spikingjelly_there_is_a_line_that_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pitfalls, "find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "spikingjelly", None)
    assert pitfalls.spikingjelly(networks.cnn(), IMAGES) == pitfalls.ABSENT


def test_the_surplus_of_a_pool_is_never_below_zero_and_a_swapped_relu_is_never_analog() -> None:
    from random import Random

    assert all(surplus(*EXERCISES["14.2"].draw(Random(seed))) >= 0 for seed in range(200))
    sent: list[torch.Tensor] = []
    net = naive.swap(networks.cnn().eval(), IMAGES)
    net.conv1.act.register_forward_hook(lambda _, __, output: sent.append(output))
    naive.run(net, IMAGES, 5)
    assert analog_share(torch.stack(sent), net.conv1.act.threshold) == 0
    assert analog_share(torch.tensor([[0.0, 0.5], [1.0, 0.25]]), 1.0) == 0.5
