"""A piece of work for each core: in order, not too far ahead, and no number of threads changes a bit."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
import torch
from torch import nn

from snnlab import convert
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.threads import AHEAD, in_order, one_thread_each, threads_for

IMAGES = torch.randn(80, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(80) % 10
METHODS = [name for name, method in CATALOGUE.items() if method.corrections or method.tuning]


@pytest.fixture
def three() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as pool:
        yield pool


def test_what_is_made_comes_in_order_whoever_is_done_first(three: ThreadPoolExecutor) -> None:
    second = threading.Event()

    def work(k: int) -> int:
        if k == 0:
            second.wait(60)
        if k == 1:
            second.set()
        return k * k

    assert (
        list(in_order(three, work, range(40)))
        == [k * k for k in range(40)]
        == list(in_order(None, lambda k: k * k, range(40)))
    )


def test_threads_are_not_further_ahead_than_they_may(three: ThreadPoolExecutor) -> None:
    asked: list[int] = []
    made = in_order(three, lambda k: k, (asked.append(k) or k for k in range(100)))
    for k, _ in enumerate(made):
        assert len(asked) <= k + 2 + 3 * AHEAD


@pytest.mark.parametrize("gradients", [False, True])
def test_gradients_are_kept_there_as_here(gradients: bool, three: ThreadPoolExecutor) -> None:
    weight = torch.ones(3, requires_grad=True)
    with torch.set_grad_enabled(gradients):
        made = list(in_order(three, lambda k: weight * k, range(9)))
    assert all(value.requires_grad is gradients for value in made)


def test_what_a_piece_raises_is_raised_here(three: ThreadPoolExecutor) -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_order(three, lambda k: 1 // (k - 5), range(9)))


def fails(around: AbstractContextManager[object]) -> None:
    with around:
        assert torch.get_num_threads() == 1
        raise KeyError


def test_the_number_of_threads_comes_back() -> None:
    before = torch.get_num_threads()
    for around in (one_thread_each(torch.device("cpu"), 3), threads_for(10)):
        with pytest.raises(KeyError):
            fails(around)
        assert torch.get_num_threads() == before


def test_a_threads_operations_have_one() -> None:
    with one_thread_each(torch.device("cpu"), 3) as pool:
        assert list(pool.map(lambda _: torch.get_num_threads(), "abc")) == [1, 1, 1]


def network(activation: type[nn.Module]) -> nn.Module:
    """Two convolutions, so wide that their gradients are shared out to threads where an operation has several."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), activation(), nn.Conv2d(16, 16, 3, padding=1), activation(),
        nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16 * 64, 10),
    ).eval()  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_a_calibration_is_the_same_with_one_thread_and_with_three(method: str) -> None:
    """Where an operation shared out its sums, weights differed in their last bits, and then in their spikes."""
    made, before = [], torch.get_num_threads()
    for threads in (1, 3):
        torch.set_num_threads(threads)
        try:
            ann = network(type(CATALOGUE[method].activation()))
            made.append(convert(ann, method, (IMAGES, LABELS), 4, progress=False))
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    one, other = (snn.graph.state_dict() for snn in made)
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
