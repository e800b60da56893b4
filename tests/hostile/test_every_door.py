"""Every public function, with one bad argument: the kit's own error, which names it, or a result that says something.

The signatures are found by themselves (doors.py), and so are the values (values.py): a new function is covered when it
is written, and an argument of a type that has no bad values yet makes a test red.
"""

import contextlib
import inspect
import io
import re
import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from doors import INSIDE, Door, call, door_of, doors, meaningless, problem_of
from fitting_values import good_for
from good_values import good
from torch import Tensor, nn
from values import Bad, bad

from snnlab import CATALOGUE, Method, convert, networks
from snnlab.converters.choices import Site
from snnlab.datasets import Split
from snnlab.neurons.door import door as checked

DOORS = doors()
DEAR = ("studies.checks.", "reports.run", "studies.papers.run")
"""Whose good call takes minutes, or a browser's page: their own tests have it. Bad values must be refused before it."""
LOOPS = re.compile(r"neurons\..*\.forward|training\.runs\.augmentation\.augment")
"""What stands in the loop over batches, where a look at each value would cost more than the work: NaN stays NaN."""
TAKEN: dict[str, str] = {
    r"training\.load_tensors own dict of (meta|sparse|complex)": "only names, shapes and types are looked at",
    r"datasets\.Split images (NaN|one NaN|infinite)": "one is made of each batch: images_of looks at the values",
    r"training\.(parameter_groups|recipes\.\w+(\.arrange)?) ann (NaN|infinite)": "the network is handed back as it is",
}
"""What is rightly accepted though a result is not finite, or a type is another: a pattern, and the reason."""
ALIAS = {
    nn.Module: ("network", "layer", "the output"),  # a message says which layer, or what the network gives
    Split: ("images", "labels"),  # of which a split has one each
}
RENAMED = {
    ("data", "calibration", "test"): (
        "images",
        "labels",
        "data",
    ),  # as a Split; `test` is simulated as `data`
    ("name",): (
        "data",
        "recipe",
        "network",
    ),  # datasets.load, recipes.find, reports.network: the name of one thing
    ("given", "text"): ("parameter", "settings"),  # a command line's, and a file's
    ("count",): ("images",),  # of the labels that are looked at
    ("own",): ("network",),  # whose tensors they are
    ("methods",): ("method",),  # one of them is wrong
    ("steps",): ("T",),
}
"""What a message calls an argument by another word, each with why."""

pytestmark = [
    pytest.mark.usefixtures("one_thread", "room", "catalogue"),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture
def catalogue() -> Iterator[None]:
    """A good call of `register` registers: what other tests find is as it was."""
    before = dict(CATALOGUE)
    yield
    CATALOGUE.clear()
    CATALOGUE.update(before)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder to work in, no progress bars, and two gigabytes more than now: what explodes fails."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNNLAB_PROGRESS", "none")
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * 2**30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def arguments(door: Door, owner: Any) -> dict[str, Any]:
    return {name: good_for(door.name, name, hint, owner) for name, hint in door.hints.items()}


def owner_of(door: Door) -> Any:
    return None if door.owner is None else good("self", door.owner)


def words_for(door: Door, name: str) -> tuple[str, ...]:
    """What a message may call an argument."""
    own = "strange" if door.kinds[name] is inspect.Parameter.VAR_KEYWORD else name
    kinds = (door.hints[name], *get_args(door.hints[name]))
    others = [ALIAS.get(kind, ()) for kind in kinds if isinstance(kind, type)] + [
        words for names, words in RENAMED.items() if name in names
    ]
    return (own, name, *chain.from_iterable(others))


def path_shown(value: Any) -> tuple[str, ...]:
    """A path as messages repeat it, which names it well enough; nothing for what is none."""
    if not isinstance(value, str | Path):
        return ()
    text = str(Path.cwd() if str(value) in (".", "") else value)
    return text, repr(text)[1:31].rstrip("'")


def tried(door: Door, name: str, one: Bad) -> str:
    """What is wrong with what the door does with a bad value; nothing if all is well."""
    owner = owner_of(door)
    values = arguments(door, owner) | {name: one.make()}
    if door.kinds[name] is inspect.Parameter.VAR_KEYWORD:
        values[name] = {"strange": values[name]}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            result = call(door, values, owner)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a hang is none of Exception's
        return problem_of(error, words_for(door, name), path_shown(values[name]))
    if LOOPS.fullmatch(door.name) or any(re.fullmatch(p, f"{door.name} {name} {one.label}") for p in TAKEN):
        return ""
    if one.never:
        return "is taken"
    return meaningless(result)


def test_the_rooms_that_face_no_user_are_there() -> None:
    from doors import ROOT

    def is_there(name: str) -> bool:
        wing, _, last = name.rpartition(".")
        return any(ROOT.glob(f"{name.replace('.', '/')}*")) or hasattr(import_module(f"snnlab.{wing}"), last)

    assert [name for name in INSIDE if not is_there(name)] == []


@pytest.mark.parametrize("door", [d for d in DOORS if not d.name.startswith(DEAR)], ids=lambda d: d.name)
def test_a_good_call_gives_something_meaningful(door: Door) -> None:
    owner = owner_of(door)
    assert meaningless(call(door, arguments(door, owner), owner)) == ""


def findings(door: Door) -> dict[str, str]:
    """For each bad value of each argument what is wrong with what the door does, if anything is."""
    return {
        f"{name} = {one.label}": said
        for name, hint in door.hints.items()
        for one in bad(hint)
        if (one.never or not door.name.startswith(DEAR))
        if (said := tried(door, name, one))
    }


@pytest.mark.parametrize("door", [d for d in DOORS if d.hints], ids=lambda d: d.name)
def test_a_bad_argument_is_refused_by_name_or_gives_something_meaningful(door: Door) -> None:
    assert findings(door) == {}


@pytest.mark.parametrize("part", ["threshold", "v0", "neuron"])
@pytest.mark.parametrize("one", [one for one in bad(Callable) if not one.never], ids=lambda one: one.label)
def test_what_a_rule_of_ones_own_gives_is_looked_at(part: str, one: Bad) -> None:
    own = replace(good("method", Method), **{part: one.make()})
    with pytest.raises((ValueError, TypeError)) as raised:
        convert(good("ann", nn.Module), own, good("calibration", Split), 2)
    if one.label == "takes nothing":  # Python says so, of the user's own function
        assert "takes 0 positional arguments" in str(raised.value)
    else:
        assert problem_of(raised.value, (f"{part} at '1'",)) == ""


def test_what_a_correction_of_ones_own_leaves_is_looked_at() -> None:
    def spoil(site: Site) -> None:
        site.neuron.v0 = torch.tensor(float("nan"))

    own = replace(good("method", Method), corrections=(spoil,))
    with pytest.raises(ValueError, match="v0 at '1' is nan, but a rule must give finite numbers"):
        convert(good("ann", nn.Module), own, good("calibration", Split), 2)


# --- what would be found: a door that is new, one that is open, one whose answer says nothing


def bare(T: int = 2) -> int:
    return T + 1 if isinstance(T, int | float | Tensor) else 0


@checked
def inverse(x: float = 0.5) -> float:
    return 1 / x


@checked
def logarithm(x: float = 0.5) -> float:
    return float(torch.tensor(x).log())


@checked
def mute(x: float = 0.5) -> float:
    if x <= 0:
        raise ValueError("that is wrong")
    return x


@checked
def talkative(x: str = "a") -> str:
    raise ValueError(f"x = {x}\n is wrong")


@checked
def endless(x: float = 0.5) -> float:
    while x < 0:
        pass
    return x


@pytest.mark.parametrize(
    ("function", "label", "said"),
    [
        (bare, "T = text", "is taken"),
        (bare, "T = True", "is taken"),
        (inverse, "x = 0", "ends in ZeroDivisionError"),
        (logarithm, "x = -1", "nan in the result"),
        (mute, "x = -1", "does not name x"),
        (talkative, "x = long", "a message of 5"),
        (endless, "x = -1", "hangs"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_planted_fault_is_found(
    function: Any, label: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doors.SECONDS", 1)
    monkeypatch.setattr("doors.ROOT", Path(__file__).parent)
    assert findings(door_of("planted", function))[label].startswith(said)


def test_a_function_without_its_door_is_found() -> None:
    assert findings(door_of("convert", convert)) == {}
    assert findings(door_of("convert", inspect.unwrap(convert))) != {}


def test_a_new_function_and_a_new_type_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(size: int) -> int:
        return size

    planted.__module__ = networks.__name__
    monkeypatch.setattr(networks, "planted", planted, raising=False)
    assert {door.name for door in doors()} - {door.name for door in DOORS} == {"networks.planted"}
    with pytest.raises(LookupError, match="no bad values"):
        list(bad(bytes))
