"""SNN is a module that people treat as one: each call works or says what to do, and none changes a spike."""

import copy
import io
import pickle
from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from snnlab import CATALOGUE, Method, convert, networks, simulate
from snnlab.converters.choices.site import Site
from snnlab.converters.conversion import _check_memory
from snnlab.converters.graph import trace
from snnlab.converters.snn import SNN
from snnlab.datasets import load

pytestmark = pytest.mark.usefixtures("one_thread")

DATA = load("digits")
FEW = DATA.test.images[:40]


@cache
def converted(method: str = "opi", T: int = 6, exact: bool = True) -> SNN:
    """The digits cnn with its first weights: what it reads does not matter, what it sends does."""
    ann = networks.cnn(CATALOGUE[method].activation).eval()
    return convert(ann, method, DATA.calibration[:24], T, exact=exact, progress=False)


@cache
def expected(method: str = "opi") -> Tensor:
    return simulate(converted(method), FEW).output


@pytest.mark.parametrize("method", CATALOGUE)
def test_called_it_gives_what_simulate_gives_bit_for_bit(method: str) -> None:
    called = converted(method)(FEW)
    assert torch.equal(called, expected(method)) and called.dtype == torch.float64
    assert not called.requires_grad and not called.is_inference()


def test_called_it_takes_images_in_slices_that_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for steps in (1, 20, 10_000):
        monkeypatch.setattr("snnlab.converters.snn.STEPS", steps)
        assert torch.equal(converted()(FEW), expected())


def test_without_the_grid_it_is_called_too() -> None:
    plain = converted(exact=False)
    assert torch.allclose(plain(FEW), simulate(plain, FEW).output, atol=1e-6)
    assert torch.equal(copy.deepcopy(plain)(FEW), plain(FEW))


LEFT = {
    "train": lambda snn: snn.train(),
    "train(True)": lambda snn: snn.train(True),
    "eval": lambda snn: snn.eval(),
    "requires_grad_": lambda snn: snn.requires_grad_(),
    "zero_grad": lambda snn: [snn.zero_grad(), snn][1],
    "to('cpu')": lambda snn: snn.to("cpu"),
    "to(device)": lambda snn: snn.to(torch.device("cpu"), non_blocking=True),
    "cpu": lambda snn: snn.cpu(),
    "channels_last": lambda snn: snn.to(memory_format=torch.channels_last),
    "share_memory": lambda snn: snn.share_memory(),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "in a Sequential": nn.Sequential,
    "a deep copy of a Sequential": lambda snn: copy.deepcopy(nn.Sequential(snn)),
    "a Sequential in training": lambda snn: nn.Sequential(snn).train(),
    "apply": lambda snn: snn.apply(lambda module: None),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_people_do_with_a_module_leaves_the_spikes(name: str) -> None:
    snn = copy.deepcopy(converted())
    other = LEFT[name](snn)
    assert torch.equal(other(FEW), expected()) and torch.equal(snn(FEW), expected())
    assert torch.equal(simulate(snn, FEW).output, expected())


def test_it_is_never_in_training() -> None:
    snn = copy.deepcopy(converted())
    for mode in (snn, snn.train(), snn.eval(), nn.Sequential(snn).train()[0]):
        assert not any(module.training for module in mode.modules())


def test_a_deep_copy_shares_nothing_and_a_copy_the_tensors() -> None:
    snn = converted()
    deep, shallow = copy.deepcopy(snn), copy.copy(snn)
    own = {value.data_ptr() for value in snn.state_dict().values()}
    assert own.isdisjoint(value.data_ptr() for value in deep.state_dict().values())
    assert own == {value.data_ptr() for value in shallow.state_dict().values()}
    assert (deep.T, deep.method, deep.rows, deep.summary()) == (snn.T, snn.method, snn.rows, snn.summary())
    with torch.no_grad():
        for value in deep.state_dict().values():
            value.zero_()
    assert torch.equal(snn(FEW), expected())


@pytest.mark.parametrize("method", ["opi", "calibration_advanced", "snm", "ca_lif"])
def test_a_state_dict_comes_back_through_a_file(method: str) -> None:
    snn, file = converted(method), io.BytesIO()
    torch.save(snn.state_dict(), file)
    file.seek(0)
    other = copy.deepcopy(snn)
    with torch.no_grad():
        for value in other.state_dict().values():
            value.add_(1)
    assert not torch.equal(other(FEW), expected(method))
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(FEW), expected(method)) and torch.equal(
        simulate(other, FEW).output, expected(method)
    )


REFUSED: dict[str, Callable[[SNN], object]] = {
    "half": lambda snn: snn.half(),
    "float": lambda snn: snn.float(),
    "double": lambda snn: snn.double(),
    "bfloat16": lambda snn: snn.bfloat16(),
    "to(float16)": lambda snn: snn.to(torch.float16),
    "to(cpu, float32)": lambda snn: snn.to("cpu", torch.float32),
    "to(dtype=float64)": lambda snn: snn.to(dtype=torch.float64),
    "to(like)": lambda snn: snn.to(torch.zeros(1, dtype=torch.float16)),
    "type": lambda snn: snn.type(torch.float64),
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_precision_is_refused_with_the_way_out_before_anything_changes(name: str) -> None:
    snn = copy.deepcopy(converted())
    with pytest.raises(
        ValueError, match=r"lie on a grid.*\.to\(device\).*simulate\(\.\.\., dtype=torch\.float64\)"
    ):
        REFUSED[name](snn)
    assert torch.equal(snn(FEW), expected())


@pytest.mark.parametrize(
    "save", [lambda snn: torch.save(snn, io.BytesIO()), pickle.dumps, lambda snn: pickle.dumps([snn])]
)
def test_a_pickle_is_refused_with_the_way_out(save: Callable[[SNN], object]) -> None:
    with pytest.raises(
        ValueError, match=r"not pickled.*snnlab\.exchange\.saving\.save\(snn, path\).*load\(ann, path\)"
    ):
        save(converted())


# --- the memory that a conversion takes


def never(site: Site) -> Tensor:
    raise AssertionError(f"a neuron is being placed at {site.name}")


def with_memory(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr("snnlab.neurons.settings.memory", lambda: size)


@pytest.mark.parametrize(
    ("corrections", "lower"),
    [((), "lower their number or take smaller"), ((never,), "number or T, 32, or take")],
)
def test_a_conversion_that_would_fill_the_memory_is_refused_before_it_begins(
    corrections: tuple, lower: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a method without corrections T is not said: it takes the same whatever T is."""
    ann, few = networks.cnn().eval(), DATA.calibration[:24]
    before = {name: value.clone() for name, value in ann.state_dict().items()}
    own = Method("own", "own", "nobody", 2026, threshold=never, corrections=corrections, depends_on_T=True)
    with_memory(monkeypatch, 2e5)
    with pytest.raises(
        ValueError, match=rf"'own' would take some \d.* GB for 24 calibration images.*{lower}"
    ):
        convert(ann, own, few, 32, progress=False)
    assert all(torch.equal(before[name], value) for name, value in ann.state_dict().items())


def test_what_is_refused_grows_with_the_images_and_with_the_steps_of_a_correcting_method(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = DATA.calibration.images[:24]
    graph = trace(networks.cnn().eval(), few)

    def fits(method: str, images: int, T: int, memory: float) -> bool:
        with_memory(monkeypatch, memory)
        try:
            _check_memory(graph, few[:images], CATALOGUE[method], T)
        except ValueError:
            return False
        return True

    sizes = torch.logspace(4, 9, 200).tolist()
    limit = next(size for size in sizes if fits("calibration_light", 24, 32, size))
    assert fits("calibration_light", 12, 32, limit) and fits("calibration_light", 24, 16, limit)
    assert not fits("calibration_light", 24, 256, limit)
    assert fits("opi", 24, 32, limit) and fits("opi", 24, 10_000, limit)
    assert fits("calibration_light", 24, 32, float("inf"))
