"""What a site keeps between corrections, and when it lets go of it."""

from unittest.mock import patch

import pytest
import torch

from snnlab import convert
from snnlab.converters.choices import site as site_module
from snnlab.converters.choices.corrections import lwc
from snnlab.converters.choices.site import Site
from snnlab.neurons import ZeroThresholdIF
from tests.converters.choices.test_corrections import Net, T, images, method


@pytest.mark.parametrize("room", [0, 3000, 2**28])
def test_currents_that_are_kept_are_those_of_the_layers_as_they_are(room: int) -> None:
    """Whether a weight is trained, exchanged, or changed behind PyTorch's back, and whether all of them fit or few."""

    def compare(site: Site) -> None:
        for change in (
            lambda: None,
            lambda: site.shift(torch.tensor(0.1)),
            lambda: lwc(1)(site),
            behind(site),
        ):
            change()
            fresh = torch.cat([site.neuron(site.current(few))[0].mean(0) for few in site.slices()])
            assert torch.equal(site.rate(), fresh) and torch.equal(site.rate(), fresh)
        assert bool(site.kept) == (room > 3000)

    def behind(site: Site):  # type: ignore[no-untyped-def]
        return lambda: [layer.weight.data.mul_(1.1) for layer in site.layers.own.values()]

    with patch.object(site_module, "KEPT_BYTES", room):
        convert(Net(), method(compare, neuron=ZeroThresholdIF), images(), T)
