"""Lesson 02's tools: the closed form against the neuron, the two errors, the best threshold."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnlab.course.choosing import best, errors, errors_against_threshold, staircase
from snnlab.course.single import watch
from snnlab.neurons import IF

A = torch.distributions.Exponential(1.0).icdf((torch.arange(4000, dtype=torch.float64) + 0.5) / 4000)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 64), st.integers(0, 63), st.integers(1, 32))
def test_the_staircase_is_what_the_neuron_does(threshold: int, v0: int, T: int) -> None:
    theta, start = threshold / 16, (v0 % threshold) / 16  # multiples of 1/16 add up without rounding
    z = torch.arange(-64, 128, dtype=torch.float64) / 16
    rate = watch(IF(theta, start), z.expand(T, -1)).output.double().mean(0)
    assert torch.allclose(rate, staircase(z, theta, start, T), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("threshold", "v0", "T"), [(0.0, 0.0, 4), (1.0, 1.0, 4), (1.0, -0.1, 4), (1.0, 0.0, 0)]
)
def test_the_staircase_refuses_what_its_formula_does_not_cover(threshold: float, v0: float, T: int) -> None:
    with pytest.raises(ValueError, match=f"threshold = {threshold}, v0 = {v0}, T = {T}"):
        staircase(A, threshold, v0, T)


def test_clipping_and_quantisation_are_the_whole_error() -> None:
    found = errors(A, 2.0, 8, share=0.25)
    assert found.total == pytest.approx(float((staircase(A, 2.0, 0.5, 8) - A).square().sum()))
    assert found.clipping == pytest.approx(float((A - 2.0).clamp(min=0).square().sum()))


def test_the_best_threshold_beats_its_neighbours_and_rises_with_the_steps() -> None:
    chosen = [best(A, T) for T in (2, 8, 32, 128)]
    assert chosen == sorted(chosen) and chosen[0] < chosen[-1] <= float(A.max())
    step = float(A.max()) / 64
    for other in (chosen[1] - step, chosen[1] + step):
        assert errors(A, chosen[1], 8).total <= errors(A, other, 8).total


def test_the_figure_marks_the_thresholds_with_their_errors() -> None:
    figure = errors_against_threshold(A, 8, {"largest": float(A.max())})
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert f"largest: {errors(A, float(A.max()), 8).total:,.0f}" in labels


def test_watching_a_neuron_keeps_its_books() -> None:
    current = torch.randn(16, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    seen = watch(IF(0.5, 0.25), current)
    assert seen.v.shape == seen.output.shape == (16, 5) and seen.v0.shape == seen.threshold.shape == (5,)
    left = current.sum(0) + 0.25 - seen.output.sum(0)
    assert all(math.isclose(x, y, abs_tol=1e-12) for x, y in zip(left, seen.v[-1], strict=True))
