"""The same input in every order: what lesson 06 feeds to single neurons.

Reference: Xiong et al. 2025, Control Theory & Applications 42(3), figure 1(b): the same spikes, early, late or evenly.
"""

from itertools import combinations

import torch
from torch import Tensor

MOST = 200_000
"""Orders that are written out at most; beyond that they are too many to try them all."""


def placements(T: int, spikes: int) -> Tensor:
    """Every way to place so many spikes in T steps: 0 or 1, [C(T, spikes), T]."""
    rows = torch.zeros(len(list(combinations(range(T), spikes))), T, dtype=torch.float64)
    for row, places in zip(rows, combinations(range(T), spikes), strict=True):
        row[list(places)] = 1
    return rows


def all_orders(plus: int, minus: int, T: int, weights: tuple[float, float] = (1.0, -1.0)) -> Tensor:
    """The current of a neuron with two inputs, for every order in which their spikes can come.

        z[t] = weights[0] * s_plus[t] + weights[1] * s_minus[t]

    Args:
        plus, minus: spikes of the first and the second input, 0 to T.
        T: steps, >= 1.
    Returns: [T, C(T, plus) * C(T, minus)], a column for each order.
    Raises: ValueError for numbers out of range, or more than 200,000 orders.
    """
    for name, value, low, high in (("T", T, 1, 16), ("plus", plus, 0, T), ("minus", minus, 0, T)):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{name} = {value!r}, but it must be a whole number, {low} to {high}")
    first, second = placements(T, plus), placements(T, minus)
    if len(first) * len(second) > MOST:
        raise ValueError(
            f"plus = {plus}, minus = {minus} in T = {T} steps have {len(first) * len(second):,} orders, but at most "
            f"{MOST:,} can be tried: take fewer steps"
        )
    both = weights[0] * first[:, None] + weights[1] * second[None]  # [M, 1, T], [1, N, T] -> [M, N, T]
    return both.reshape(-1, T).T.contiguous()


def count_if_even(charge: Tensor, threshold: float | Tensor, v0: float | Tensor, T: int) -> Tensor:
    """The spikes of an IF neuron if the same input came evenly over the steps.

        clip(floor((sum_t z[t] + v0) / theta), 0, T)                          Bu et al. 2022, ICLR

    Args:
        charge: sum of the input over the steps, [...]. threshold: > 0. v0: 0 <= v0 < threshold. T: steps, >= 1.
    """
    return ((charge + v0) / threshold).floor().clamp(0, T)
