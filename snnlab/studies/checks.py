"""check_method: one battery that every method passes, of the catalogue or your own.

In the manner of scikit-learn's check_estimator: each check is small, has a name, and says in words what it expected.
Networks are trained in seconds on the digits that come with the kit.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import datasets, networks, training
from snnlab.converters.catalogue import CATALOGUE, find
from snnlab.converters.conversion import convert
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.datasets import Data
from snnlab.exchange import saving
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.progress import progress_bar
from snnlab.simulators.simulation import simulate

T = 4
MANY = 64  # steps after which a network that converts well is close to its ANN
Check = Callable[[Method], None]


@door
def check_method(
    method: str | Method, *, generate_only: bool = False
) -> Iterator[tuple[str, Callable[[], None]]] | str:
    """Put a method through the battery; the first check that fails raises, and says what it expected.

    Args:
        method: a name of the catalogue, or a Method of your own.
        generate_only: run nothing, and yield (name, check) for each, to hand to pytest.
    Returns: a sentence that says how many checks were passed; or the checks.
    Raises: AssertionError that names method and check.
    """
    chosen = find(method)
    named = [(check.__name__, check) for check in CHECKS]
    if generate_only:
        return ((name, partial(check, chosen)) for name, check in named)
    for name, check in progress_bar(named, said("checking {method}").format(method=chosen.name)):
        try:
            check(chosen)
        except AssertionError as problem:
            raise AssertionError(f"{chosen.name}, {name}: {problem}") from None
    return said("{method} passed all {count} checks").format(method=chosen.name, count=len(named))


@door
def is_declared_in_full(method: Method) -> None:
    """Title, paper, year; and each of its choices says in a docstring what it computes, in an equation."""
    assert method.title and method.paper, (
        "title and paper must say what the method is called and where it is from"
    )
    assert 1990 <= method.year <= 2100, f"year = {method.year}, but it is the year of the paper"
    tuning = () if method.tuning is None else (method.tuning,)
    for choice in (method.threshold, method.v0, method.neuron, *method.corrections, *tuning):
        rule = choice.func if isinstance(choice, partial) else choice
        name, doc = getattr(rule, "__name__", repr(rule)), getattr(rule, "__doc__", None) or ""
        assert doc.strip(), f"{name} has no docstring: say what it computes, and its equation"
        assert "=" in doc or "<-" in doc, f"{name} has no equation in its docstring: {doc.splitlines()[0]}"


@door
def converts_a_cnn(method: Method) -> None:
    """A plain network comes out with a neuron at every activation, and runs."""
    _converts(method, "cnn")


@door
def converts_a_resnet(method: Method) -> None:
    """So does one with shortcuts."""
    _converts(method, "resnet")


def _converts(method: Method, network: str) -> None:
    snn, ann = _snn(method, network, T), _ann(method, network)
    assert snn.sites, "no neuron was put in place"
    logits = simulate(snn, _data().test.images[:8], T).logits
    with torch.no_grad():
        wanted = ann(_data().test.images[:8]).shape
    assert logits.shape == wanted, (
        f"logits have shape {list(logits.shape)}, but the ANN's have {list(wanted)}"
    )
    assert bool(logits.isfinite().all()), "the logits are not finite"


@door
def approaches_its_ann(method: Method) -> None:
    """After many steps the accuracy is within 3 points of the ANN's."""
    goal, reached = training.accuracy(_ann(method, "cnn"), _data().test), _accuracy(method, MANY)
    assert reached >= goal - 0.03, f"{reached:.1%} after {MANY} steps, but the ANN has {goal:.1%}"


@door
def is_no_worse_than_max_norm(method: Method) -> None:
    """After few steps it beats the oldest method, on a network of the same kind."""
    floor, reached = _accuracy(CATALOGUE["max_norm"], T), _accuracy(method, T)
    assert reached >= floor - 0.01, f"{reached:.1%} after {T} steps, but max_norm has {floor:.1%}"


@door
def depends_on_T_as_declared(method: Method) -> None:
    """Declared independent: the same network for every T. Declared dependent: another one, and refused there.

    A tuning or a neuron that looks ahead runs all T steps, so it depends on T whatever comes of it.
    """
    few, many = _snn(method, "cnn", T), _snn(method, "cnn", 2 * T)
    if not method.depends_on_T:
        assert _same(few, many), (
            "depends_on_T is False, but other steps give other thresholds, potentials or weights"
        )
        return
    runs = method.tuning is not None or any(neuron.looks_ahead for neuron in few.sites.values())
    assert runs or not _same(few, many), (
        "depends_on_T is True, but all steps give the same network: leave it False, and one serves for every T"
    )
    try:
        simulate(few, _data().test.images[:2], 2 * T)
    except ValueError:
        return
    raise AssertionError("depends_on_T is True, but the network runs at another T without a word")


@door
def gives_the_same_bits_again(method: Method) -> None:
    """Converted twice, every tensor is equal."""
    again = convert(_ann(method, "cnn"), method, _data().calibration, T, progress=False)
    assert _same(_snn(method, "cnn", T), again), (
        "a second conversion gives other numbers: seed what is random"
    )


@door
def leaves_the_ann_alone(method: Method) -> None:
    """The network handed in keeps its modules and every byte of its weights."""
    ann = _ann(method, "cnn")
    before = {name: value.clone() for name, value in ann.state_dict().items()}
    modules = [repr(module) for module in ann.modules()]
    convert(ann, method, _data().calibration, T, progress=False)
    changed = [name for name, value in ann.state_dict().items() if not torch.equal(value, before[name])]
    assert not changed, f"{', '.join(changed)} of the ANN changed: work on the copies in site.segment"
    assert [repr(module) for module in ann.modules()] == modules, "modules of the ANN changed"


@door
def is_saved_and_loaded(method: Method) -> None:
    """Written to a file and read into a network with other weights, it gives the same logits."""
    snn, images = _snn(method, "cnn", T), _data().test.images[:32]
    with tempfile.TemporaryDirectory() as folder:
        saving.save(snn, Path(folder) / "snn.safetensors")
        empty = _network("cnn", method.activation, seed=1)
        loaded = saving.load(empty, Path(folder) / "snn.safetensors", method)
    assert torch.equal(simulate(loaded, images, T).logits, simulate(snn, images, T).logits), (
        "the logits differ"
    )


@door
def is_the_same_in_float64(method: Method) -> None:
    """On the grid, float32 and float64 give the same bits."""
    snn, images = _snn(method, "cnn", T), _data().test.images[:32]
    same = torch.equal(simulate(snn, images, T, dtype=torch.float64).logits, simulate(snn, images, T).logits)
    assert same, "float32 and float64 differ: a neuron's step must be elementwise, in one fixed order"


@door
def runs_on_a_gpu(method: Method) -> None:
    """Where there is one, it classifies the same images as on the CPU."""
    if not torch.cuda.is_available():
        return
    snn, images = _snn(method, "cnn", T), _data().test.images[:32]
    moved = simulate(convert(_ann(method, "cnn"), method, _data().calibration, T).cuda(), images, T)
    assert torch.equal(moved.predictions, simulate(snn, images, T).predictions), (
        "other classes than on the CPU"
    )


@door
def refuses_bad_settings(method: Method) -> None:
    """Each is refused with a ValueError that names it."""
    ann, images = _ann(method, "cnn"), _data().calibration
    broken = replace(images, images=torch.full_like(images.images, math.nan))
    bad: list[tuple[str, dict[str, Any]]] = [
        ("T = 0", {"T": 0}),
        ("T = 1.5", {"T": 1.5}),
        ("calibration", {"calibration": images[:0]}),
        ("NaN", {"calibration": broken}),
        ("activation", {"ann": _network("cnn", nn.Sigmoid)}),
    ]
    for named, wrong in bad:
        given: dict[str, Any] = {"ann": ann, "method": method, "calibration": images, "T": T}
        told = _refusal(given | wrong)
        assert told, f"{named} was not refused"
        assert named in told or named == "activation", f"{named} was refused, but not by name: {told}"


def _refusal(given: dict[str, Any]) -> str:
    """What `convert` says against these; nothing if it takes them."""
    try:
        convert(**given, progress=False)
    except ValueError as error:
        return str(error)
    return ""


CHECKS: tuple[Check, ...] = (
    is_declared_in_full,
    converts_a_cnn,
    converts_a_resnet,
    approaches_its_ann,
    is_no_worse_than_max_norm,
    depends_on_T_as_declared,
    gives_the_same_bits_again,
    leaves_the_ann_alone,
    is_saved_and_loaded,
    is_the_same_in_float64,
    runs_on_a_gpu,
    refuses_bad_settings,
)


@lru_cache(maxsize=1)
def _data() -> Data:
    data = datasets.load("digits")
    return replace(data, calibration=data.calibration[:100])


def _network(name: str, activation: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    build = {"cnn": networks.cnn, "resnet": networks.resnet}[name]
    return build(activation, shape=(1, 8, 8), classes=10, seed=seed)


@lru_cache(maxsize=32)
def _trained(name: str, activation: Callable[[], nn.Module]) -> nn.Module:
    return training.fit(_network(name, activation), _data().train, epochs=4)


def _ann(method: Method, name: str) -> nn.Module:
    return _trained(name, method.activation)


@lru_cache(maxsize=32)
def _snn(method: Method, network: str, steps: int) -> SNN:
    return convert(_ann(method, network), method, _data().calibration, steps, progress=False)


@lru_cache(maxsize=64)
def _accuracy(method: Method, steps: int) -> float:
    return float(simulate(_snn(method, "cnn", steps), _data().test, steps).accuracy(_data().test)[-1])


def _same(one: SNN, other: SNN) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(_equal(a[name], b[name]) for name in a)


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)
