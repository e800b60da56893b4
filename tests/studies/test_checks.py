"""Every method of the catalogue passes the battery, and the battery finds what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import snnlab
from snnlab import CATALOGUE, Method, convert, networks, register, simulate
from snnlab.converters.catalogue import PUBLISHED
from snnlab.converters.choices.potentials import half
from snnlab.converters.choices.site import Site
from snnlab.converters.choices.thresholds import percentile
from snnlab.exchange import saving
from snnlab.neurons import IF, State
from snnlab.neurons.firing import reached
from snnlab.studies.checks import CHECKS, check_method

PUBLISHED_NAMES = [name for name in CATALOGUE if name in PUBLISHED]
BATTERY = [(name, check) for name in PUBLISHED_NAMES for check in check_method(name, generate_only=True)]


@pytest.mark.parametrize(("name", "check"), BATTERY, ids=[f"{name}-{check[0]}" for name, check in BATTERY])
def test_the_catalogue_passes(name: str, check: tuple[str, Callable[[], None]]) -> None:
    check[1]()


def own(**choices: object) -> Method:
    """A method of one's own, as a notebook would write it."""
    fields = {
        "name": "own",
        "title": "own",
        "paper": "A. Student",
        "year": 2027,
        "threshold": percentile(99.9),
    }
    return Method(**{**fields, "v0": half, **choices})  # type: ignore[arg-type]


def test_a_method_of_ones_own_passes_and_its_name_works_everywhere() -> None:
    method = register(own())
    try:
        assert check_method("own") == f"own passed all {len(CHECKS)} checks"
        assert register(own(title="again")) is CATALOGUE["own"]
        with pytest.raises(ValueError, match=r"name = 'qcfs'.*choose another name"):
            register(own(name="qcfs"))
    finally:
        del CATALOGUE[method.name]


def undocumented(site: Site) -> Tensor:
    return site.target.amax()


def far_too_high(site: Site) -> Tensor:
    """theta = 1000 max a."""
    return 1000 * site.target.amax()


def steps_in_it(site: Site) -> Tensor:
    """theta = max a * (1 + T / 1000)."""
    return site.target.amax() * (1 + site.T / 1000)


def random_potential(site: Site) -> Tensor:
    """v0 = u theta, u uniform in [0, 1), from nobody knows where."""
    return site.threshold * torch.rand(())


def in_words(site: Site) -> Tensor:
    """The largest there is."""
    return site.target.amax()


def silent_tuning(*_: object) -> None:
    pass


class Noisy(IF):
    """IF whose threshold is 1.4 theta in double precision: s = [v >= 1.4 theta]."""

    def spikes(self, state: State) -> Tensor:
        """1 where v >= 1.4 theta, or theta."""
        high = 1.4 if self.threshold.dtype == torch.float64 else 1.0
        return reached(state.v, high * self.threshold, self.threshold)


WRONG = [
    ({"title": ""}, "is_declared_in_full: title and paper"),
    ({"year": 20}, "is_declared_in_full: year = 20"),
    ({"threshold": undocumented}, "is_declared_in_full: undocumented has no docstring"),
    ({"threshold": in_words}, "is_declared_in_full: in_words has no equation.*The largest there is"),
    ({"tuning": silent_tuning}, "is_declared_in_full: silent_tuning has no docstring"),
    ({"depends_on_T": True}, "depends_on_T_as_declared: depends_on_T is True, but all steps give the same"),
    ({"threshold": far_too_high, "v0": snnlab.converters.choices.potentials.zero}, "approaches_its_ann"),
    ({"threshold": steps_in_it}, "depends_on_T_as_declared: depends_on_T is False"),
    ({"v0": random_potential}, "gives_the_same_bits_again|depends_on_T_as_declared"),
    ({"neuron": Noisy}, "is_the_same_in_float64"),
]


@pytest.mark.parametrize(("choices", "said"), WRONG, ids=[said.split(":")[0] for _, said in WRONG])
def test_what_is_wrong_is_found_and_named(choices: dict, said: str) -> None:
    with pytest.raises(AssertionError, match=f"own, ({said})"):
        check_method(own(**choices))


def test_a_method_that_changes_the_ann_is_found() -> None:
    held: list[nn.Module] = []

    def meddle(site: Site) -> Tensor:
        """Reaches for the network handed in."""
        with torch.no_grad():
            held[0].fc1.fc.weight.add_(1.0)  # type: ignore[union-attr, operator]
        return site.target.amax()

    from snnlab.studies import checks

    held.append(checks._ann(own(), "cnn"))
    before = {name: value.clone() for name, value in held[0].state_dict().items()}
    try:
        with pytest.raises(AssertionError, match="of the ANN changed"):
            checks.leaves_the_ann_alone(own(threshold=meddle))
    finally:
        held[0].load_state_dict(before)


def test_saved_networks_are_whole_or_refused(tmp_path: Path) -> None:
    ann = networks.cnn(shape=(1, 8, 8)).eval()
    images = torch.rand(16, 1, 8, 8)
    snn = convert(ann, "signed_calibrated", images, 4, progress=False)
    path = tmp_path / "snn.safetensors"
    saving.save(snn, path)
    again = saving.load(networks.cnn(shape=(1, 8, 8), seed=3), path)
    assert again.T == 4 and again.method is snn.method and again.summary().count("ZeroThresholdIF") == 3
    assert torch.equal(simulate(again, images).logits, simulate(snn, images).logits)
    with pytest.raises(ValueError, match="another network"):
        saving.load(networks.resnet(shape=(1, 8, 8)), path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        saving.load(ann, tmp_path / "none.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="is damaged"):
        saving.load(ann, tmp_path / "cut.safetensors")
    snnlab.training.save(ann, tmp_path / "ann.safetensors")
    with pytest.raises(ValueError, match="holds no spiking network"):
        saving.load(ann, tmp_path / "ann.safetensors")
