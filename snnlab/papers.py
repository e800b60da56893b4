"""The tables and figures of Xiong et al. 2025, drawn again from networks that ship: ResNet-20 and VGG-16 on
CIFAR-10.

A run of everything takes hours, so what each method did is kept as soon as it is known, and a run that was stopped
goes on. The result of one such run ships in data/results/.

Reference: Xiong et al. 2025, Control Theory & Applications 42(3):531-540, tables 1 to 3, figures 3 to 5
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from snnlab import datasets, errors, runs, sweeps
from snnlab.activations import QCFS, Clip, QuantClip
from snnlab.catalogue import CATALOGUE
from snnlab.conversion import SNN
from snnlab.corrections import shift_bias
from snnlab.datasets import Data
from snnlab.methods import Method
from snnlab.potentials import half
from snnlab.progress import progress_bar
from snnlab.sweeps import Result

SHIPPED = Path(__file__).parents[1] / "data" / "results" / "papers.json"
NETWORKS = {"resnet20": "ResNet-20", "vgg16": "VGG-16"}
STEPS = (2, 4, 8, 16, 32, 64, 128)
LOOK_AT, LOOKED_AT = 8, 100
"""T, and the number of images, of the residual potentials (figures 4 and 5)."""

PHASE_I = CATALOGUE["qc_ann"]
QC_OPI = replace(PHASE_I, name="qc_ann_opi", title="QC-ANN started at theta / 2 (OPI)", v0=half)
QC_OPT = replace(
    PHASE_I, name="qc_ann_opt_shift", title="QC-ANN with theta / (2 T) more a step (Opt)", corrections=(shift_bias,),
    depends_on_T=True,
)  # fmt: skip

TABLE_1 = ("max_norm", "robust_norm", "tcl", "qc_ann")
TABLE_2 = ("qc_ann", "qc_ann_opi", "qc_ann_opt_shift", "offset_rule", "rmpe_lmpc")
FIGURE_3 = ("qc_ann", "rmpe_lmpc", "rmpe_lwc", "rmpe")
TABLE_3 = (
    "max_norm", "robust_norm", "tcl", "opt_shift", "opi", "calibration_light", "calibration_advanced", "qcfs", "snm",
    "local_threshold_balancing", "signed_calibrated", "offset_rule", *FIGURE_3,
)  # fmt: skip
METHODS = tuple(dict.fromkeys((*TABLE_1, *TABLE_2, *TABLE_3)))

_NETWORK_OF: dict[type[nn.Module], str] = {nn.ReLU: "relu", Clip: "tcl", QCFS: "qcfs", QuantClip: "qc_ann"}
_OWN = {method.name: method for method in (QC_OPI, QC_OPT)}


@dataclass(frozen=True)
class Network:
    """What all methods did on one network.

    Attributes:
        methods: name to Result, those that were run.
        residual: figure 4's methods to each layer's shares of neurons with v[T] outside [0, theta), and of those whose
            spikes really do not fit what came in, at T = LOOK_AT.
    """

    methods: dict[str, Result]
    residual: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Results:
    """A run of the papers' tables: its networks by name, test images, and where and when it was made."""

    networks: dict[str, Network]
    images: int
    made: str


def run(
    names: Sequence[str],
    data: Data,
    images: int,
    T_max: int,
    *,
    methods: Sequence[str] = METHODS,
    made: str = "now, on this machine",
    cache: str | Path | None = None,
) -> Results:
    """Every method whose network ships; what is known already is read, so a stopped run goes on.

    Args:
        names: some of NETWORKS. data: CIFAR-10; calibration is a part of its training images.
        images: test images to count by, from the first one on, >= 1. T_max: the most steps, >= 2.
        methods: some of METHODS.
        cache: folder of what is known; None takes `papers/` beside the downloaded data.
    Raises: ValueError for a name that is none, or numbers out of range; what runs.shipped raises.
    """
    _check(names, methods, images, T_max, len(data.test))
    folder = Path(cache) if cache is not None else datasets.folder() / "papers"
    test, steps = data.test[:images], [T for T in STEPS if T_max >= T]
    found: dict[str, Network] = {name: Network({}) for name in names}
    jobs = [(name, _OWN.get(m) or CATALOGUE[m]) for name in names for m in methods]
    jobs = [(name, method) for name, method in jobs if _trained(name, method) in runs.table()]
    with progress_bar(total=len(jobs), unit="method", smoothing=0, leave=True) as bar:
        for name, method in jobs:
            bar.set_description(f"{name}, {method.name}")
            trained = _trained(name, method)
            measure = partial(_measure, method, trained, replace(data, test=test), steps)
            known = _kept(folder, _key(method, trained, images, steps), measure)
            found[name].methods[method.name] = _result(known["result"])
            if known["residual"]:
                found[name].residual[method.name] = known["residual"]
            bar.update()
    return Results(found, images, made)


def _trained(name: str, method: Method) -> str:
    """The shipped network that a method converts."""
    return f"{name}-{_NETWORK_OF[type(method.activation())]}"


def _measure(method: Method, trained: str, data: Data, steps: Sequence[int]) -> dict[str, Any]:
    """One method on one network; with the residual potentials, if a figure shows them."""
    ann, residual = runs.shipped(trained).ann, {}

    def look(snn: SNN) -> None:
        T = LOOK_AT if not method.depends_on_T else snn.T
        if method.name in FIGURE_3 and T == LOOK_AT:
            layers = errors.anatomy(ann, snn, data.test.images[:LOOKED_AT], T, progress=False).layers
            residual.update({name: (layer.outside, layer.wrong) for name, layer in layers.items()})

    result = sweeps.run(method, ann, data, steps, data.test, look)
    return {"result": dataclasses.asdict(result), "residual": residual}


def _key(method: Method, trained: str, images: int, steps: Sequence[int]) -> str:
    """A readable name, and twelve digits of all that a result depends on."""
    about = [method.describe(), runs.table()[trained]["sha256"], images, list(steps), LOOK_AT, LOOKED_AT]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
    return f"{trained}-{method.name}-{digest}"


def _kept(folder: Path, key: str, measure: Callable[[], dict[str, Any]]) -> Any:
    path = folder / f"{key}.json"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".tmp")
        scratch.write_text(json.dumps(measure()), encoding="utf-8")
        scratch.replace(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): remove it, and it is measured again") from None


def _result(fields: Mapping[str, Any]) -> Result:
    """A Result from JSON, whose keys are all text."""
    steps = {
        name: {int(T): value for T, value in fields[name].items()} for name in ("snn_accuracy", "latency")
    }
    return Result(**{**fields, **steps})


def _check(names: Sequence[str], methods: Sequence[str], images: int, T_max: int, most: int) -> None:
    for kind, given, allowed in (("network", names, tuple(NETWORKS)), ("method", methods, METHODS)):
        if wrong := [name for name in given if name not in allowed]:
            raise ValueError(f"{kind} = {wrong[0]!r}, but it is one of {', '.join(allowed)}")
    if not 1 <= images <= most or not STEPS[0] <= T_max:
        raise ValueError(
            f"images = {images}, T_max = {T_max}, but images is a whole number from 1 to {most}, T_max 2 or more"
        )


def save(results: Results, path: str | Path = SHIPPED) -> None:
    """Write a run as JSON, the same bytes for the same numbers."""
    text = json.dumps(dataclasses.asdict(results), indent=1)  # the layers stand in their order
    Path(path).write_text(text + "\n", encoding="utf-8")


def load(path: str | Path = SHIPPED) -> Results:
    """Read what `save` wrote; without a path the run that ships.

    Raises: FileNotFoundError, ValueError that say how to mend it.
    """
    mend = "`git checkout -- data/results` brings it back, and so does a full run"
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no {path}: {mend}")
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
        networks = {
            name: Network({m: _result(r) for m, r in one["methods"].items()}, one["residual"])
            for name, one in read["networks"].items()
        }
        return Results(networks, read["images"], read["made"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error!r}): {mend}") from None
