"""Spikes kept as bits: what comes out is what was sent, bit for bit."""

from dataclasses import replace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from snnlab import CATALOGUE, convert, networks
from snnlab.converters.choices.site import Site
from snnlab.converters.choices.trains import Train
from snnlab.datasets import load

WORTH = {"scalar": (), "channel": (3, 1), "neuron": (3, 2)}


def made(T: int, images: int, most: int, least: int, seed: int) -> Tensor:
    """Spikes [T, N, 3, 2] from least to most."""
    return torch.randint(least, most + 1, (T, images, 3, 2), generator=torch.Generator().manual_seed(seed))


@settings(max_examples=200, deadline=None)
@given(
    T=st.integers(1, 40),
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    most=st.integers(0, 8),
    least=st.integers(-8, 0),
    worth=st.sampled_from(sorted(WORTH)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 2**31),
)
def test_what_was_sent_comes_back_bit_for_bit(
    T: int, sizes: list[int], most: int, least: int, worth: str, dtype: torch.dtype, seed: int
) -> None:
    spikes = made(T, sum(sizes), most, least, seed)
    draw = torch.Generator().manual_seed(seed)
    threshold = torch.exp(12 * torch.rand(WORTH[worth], generator=draw, dtype=dtype) - 8)  # 3e-4 to 55
    output = spikes.to(dtype) * threshold
    train = Train(output.split(sizes, dim=1), threshold, sum(sizes))
    assert train.shape == output.shape and train[:].dtype == dtype
    assert torch.equal(train[:], output)
    assert torch.equal(train[1:3], output[:, 1:3])
    order = torch.randperm(sum(sizes), generator=draw)
    assert torch.equal(train[order], output[:, order])
    assert torch.equal(train[order[:1]], output[:, order[:1]])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.permutations([0, 1, -1, 2, -7]))
def test_the_digits_grow_with_the_spikes_whichever_images_come_first(seed: int, most: list[int]) -> None:
    """The first images may be silent, and the last ones send bursts or take spikes back."""
    parts = [made(9, 2, max(m, 0), min(m, 0), seed + k).double() for k, m in enumerate(most)]
    train = Train(parts, torch.tensor(1.0, dtype=torch.float64), 10)
    assert torch.equal(train[:], torch.cat(parts, 1))


def test_a_spike_takes_a_bit_and_a_burst_as_many_as_its_size_has_digits() -> None:
    for most, least, planes in (
        (0, 0, 1),
        (1, 0, 1),
        (1, -1, 2),
        (2, 0, 2),
        (3, 0, 2),
        (8, 0, 4),
        (8, -1, 5),
    ):
        sent = made(16, 4, most, least, 0).float()
        sent[0, 0, 0, 0], sent[0, 0, 0, 1] = most, least
        train = Train([sent], torch.ones(()), 4)
        kept = [*train.planes, *([] if train.taken is None else [train.taken])]
        assert sum(plane.nbytes for plane in kept) == planes * 16 * 4 * 6 / 8


def test_the_memory_layout_of_what_was_sent_is_kept() -> None:
    sent = (
        made(9, 4, 1, 0, 0).float().unsqueeze(-1).flatten(0, 1).contiguous(memory_format=torch.channels_last)
    )
    train = Train([sent.unflatten(0, (9, 4))], torch.ones(()), 4)
    for part in (slice(1, 3), torch.tensor([3, 0, 1])):
        assert train[part].flatten(0, 1).is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(train[part], sent.unflatten(0, (9, 4))[:, part])


def test_every_neuron_of_the_catalogue_is_kept_as_it_sends() -> None:
    """What the corrections see of a layer before is what that layer's neurons really send."""
    seen: list[tuple[Tensor, Tensor]] = []

    def look(site: Site) -> None:
        sent = [site.neuron(site.current(part))[0] for part in site.slices()]
        seen.append((site.train()[:], torch.cat(sent, 1)))

    data = load("digits").calibration.images[:24]
    neurons = {(method.neuron, method.activation): method for method in CATALOGUE.values()}
    for method in neurons.values():
        looking = replace(method, corrections=(look,), tuning=None, depends_on_T=True)
        convert(networks.cnn(method.activation).eval(), looking, data, 9, progress=False)
    assert len(seen) == 3 * len(neurons)
    assert all(torch.equal(kept, sent) for kept, sent in seen)
