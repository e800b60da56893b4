"""What a chip must hold: bits by the grid's bounds are never fewer than those that a run needs."""

import math
from typing import Any

import pytest
import torch

from snnlab import convert, datasets, networks, simulate
from snnlab.exchange import fits

DIGITS = datasets.load("digits")
T = 16


def converted(kind: str = "cnn", method: str = "opi", **options: Any) -> Any:
    torch.manual_seed(0)
    build = {"cnn": networks.cnn, "resnet": networks.resnet}[kind]
    return convert(build().eval(), method, DIGITS.calibration.images[:32], T, progress=False, **options)


def signed(largest: float) -> int:
    """Bits of a whole number with its sign, counted by Python."""
    return int(largest).bit_length() + 1


def test_a_network_with_weights_of_a_byte_fits() -> None:
    found = fits(converted(bits=8), "loihi2")
    assert found and [row.bits for row in found.rows if row.what == "weights"] == [None, 8, 8, 8]
    assert "loihi2, T = 16: fits" in str(found) and "does not" not in str(found)
    assert "hear the image: they run outside" in str(found)


@pytest.mark.parametrize("bits", [15, 24])
def test_a_finer_grid_does_not_and_is_told_what_to_do(bits: int) -> None:
    found = fits(converted(bits=bits))
    assert not found
    wrong = [row for row in found.rows if not row.fits and row.what == "weights"]
    assert len(wrong) == 3 and all("convert(..., bits=8)" in row.advice for row in wrong)


@pytest.mark.parametrize("bits", [8, 15])
@pytest.mark.parametrize("method", ["opi", "signed_calibrated"])
@pytest.mark.parametrize("kind", ["cnn", "resnet"])
def test_no_run_needs_more_bits_than_are_told(kind: str, method: str, bits: int) -> None:
    snn = converted(kind, method, bits=bits)
    rows = {(row.name, row.what): row.bits for row in fits(snn).rows if row.bits is not None}
    traces = simulate(snn, DIGITS.test.images[:8], T, record=list(snn.sites)).traces
    compared = 0
    for name, neuron in snn.grid.sites.items():
        if (name, "potentials") in rows:
            v = traces[name].v / snn.sites[name].threshold / (neuron.room / 2**24)
            assert torch.equal(v, v.round()), "a potential is no whole number of the grid's steps"
            assert signed(float(v.abs().amax())) <= rows[name, "potentials"] < 40
            compared += 1
    assert compared >= 2


def test_a_weights_bits_are_counted_from_its_own_channels_step() -> None:
    snn = converted(bits=15)
    rows = {row.name: row.bits for row in fits(snn).rows if row.what == "weights"}
    kind = snn.grid.named("fc2").kind
    whole = kind.layer.weight.double() / kind.origin.rows.double()[:, None]
    common = torch.tensor([float(math.gcd(*(int(w) for w in row))) for row in whole])
    common = torch.tensor([float(int(c) & -int(c)) for c in common])  # the largest power of two in it
    assert rows["fc2"] == max(
        signed(float(row.abs().amax() / c)) for row, c in zip(whole, common, strict=True)
    )


def test_more_steps_need_more_bits_until_they_do_not_fit() -> None:
    snn = converted(bits=8)
    most = next(
        int(row.advice.removeprefix("with at most T = ").split()[0])
        for row in fits(snn, T=2**17).rows
        if row.advice.startswith("with at most")
    )
    row = next(row for row in fits(snn, T=2**17).rows if row.advice.startswith(f"with at most T = {most}"))
    by_name = {found.name: found for found in fits(snn, T=most).rows if found.what == "potentials"}
    assert by_name[row.name].bits == 24
    by_name = {found.name: found for found in fits(snn, T=most + 1).rows if found.what == "potentials"}
    assert by_name[row.name].bits == 25


def test_a_shortcuts_factor_is_told() -> None:
    found = fits(converted("resnet", bits=8))
    wrong = {row.name: row.advice for row in found.rows if not row.fits}
    assert wrong and all(advice.startswith("a factor of a shortcut") for advice in wrong.values())


def test_what_cannot_be_known_is_refused() -> None:
    with pytest.raises(ValueError, match="exact=False, so nothing of it is a whole number"):
        fits(converted(exact=False))
    with pytest.raises(ValueError, match="chip = 'loihi3', but it must be 'loihi2'"):
        fits(converted(), "loihi3")
    with pytest.raises(ValueError, match="T = 0, but it must be a whole number"):
        fits(converted(), T=0)
