"""What a setting may be."""

import numpy as np
import pytest
import torch

from snnlab.neurons import BurstIF
from snnlab.neurons.settings import whole


@pytest.mark.parametrize(
    "value", [3, np.int64(3), np.uint8(3), np.array(3), torch.tensor(3), torch.tensor(3, dtype=torch.int16)], ids=repr
)  # fmt: skip
def test_a_whole_number_is_one_in_whatever_it_is_held(value: object) -> None:
    assert whole(value, "T") == 3 and type(whole(value, "T")) is int


@pytest.mark.parametrize(
    "value",
    [
        True, 3.0, "3", None, [3], 0, -1, 3 + 0j, np.float64(3), np.True_, np.nan, np.array([3]),
        torch.tensor(3.0), torch.tensor([3]), torch.tensor(True), torch.tensor(0),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_none_is_named(value: object) -> None:
    with pytest.raises(ValueError, match=r"T = .*, but it must be a whole number, 1 or more"):
        whole(value, "T")


def test_the_least_may_be_another_number() -> None:
    assert whole(0, "depth", 0) == 0
    with pytest.raises(ValueError, match="grid = 1, but it must be a whole number, 2 or more"):
        whole(1, "grid", 2)


def test_a_neuron_takes_a_numpy_number_and_keeps_a_plain_one() -> None:
    assert type(BurstIF(max_spikes=np.int64(2)).max_spikes) is int  # type: ignore[arg-type]
