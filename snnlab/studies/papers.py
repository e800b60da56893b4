"""The tables and figures of Xiong et al. 2025, drawn again from networks that ship: ResNet-20 and VGG-16 on
CIFAR-10.

A run of everything takes hours, so what each method did after so many steps is kept as soon as it is known: a run that
was stopped goes on, and one with more steps begins where the shorter one ended. Each core takes a method at a time. The
result of one such run ships in data/results/.

Reference: Xiong et al. 2025, Control Theory & Applications 42(3):531-540, tables 1 to 3, figures 3 to 5
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from snnlab import files
from snnlab.activations import QCFS, Clip, QuantClip
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.choices.corrections import shift_bias
from snnlab.converters.choices.potentials import half
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.datasets import Data
from snnlab.files import place, short
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.progress import progress_bar
from snnlab.simulators import errors
from snnlab.studies import sweeps
from snnlab.studies.sweeps import Result
from snnlab.studies.workers import Task, Workers
from snnlab.training import runs

SHIPPED = files.kit("data/results/papers.json")
NETWORKS = {"resnet20": "ResNet-20", "vgg16": "VGG-16"}
NOW = "now, on this machine"
"""When and where a run is made, if nobody says."""
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

NETWORK_OF: dict[type[nn.Module], str] = {nn.ReLU: "relu", Clip: "tcl", QCFS: "qcfs", QuantClip: "qc_ann"}
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


@door
def run(
    names: Sequence[str],
    data: Data,
    images: int,
    T_max: int,
    *,
    methods: Sequence[str] = METHODS,
    made: str = NOW,
    cache: str | Path | None = None,
    workers: int | None = None,
) -> Results:
    """Every method whose network ships; what is known already is read, so a stopped run goes on.

    Args:
        names: some of NETWORKS. data: CIFAR-10; calibration is a part of its training images.
        images: test images to count by, from the first one on, >= 1. T_max: the most steps, >= 2.
        methods: some of METHODS. made: what is said of when and where.
        cache: folder of what is known; None takes `papers/` beside the downloaded data.
        workers: processes to share the work, >= 1; None takes as many as PyTorch has threads.
    Raises: ValueError for a name that is none, or numbers out of range; what runs.shipped raises.
    """
    _check(names, methods, images, T_max, len(data.test), workers)
    folder = place(cache) if cache is not None else files.data_folder(part="papers")
    steps = tuple(T for T in STEPS if T_max >= T)
    jobs = [job for network in names for name in methods for job in _jobs(network, name, steps)]
    for trained in dict.fromkeys(job.trained for job in jobs):
        runs.checkpoints.file_of(trained)  # before the work
    keys = {job: _key(job, images) for job in jobs}
    few = replace(data, train=data.calibration, test=data.test[:images])
    _measure_all([job for job in jobs if not _path(folder, keys[job]).is_file()], keys, few, folder, workers)
    found: dict[str, Network] = {name: Network({}) for name in names}
    for job in jobs:
        known, own = _read(_path(folder, keys[job])), found[job.network]
        own.methods[job.name] = _joined(own.methods.get(job.name), _result(known["result"]))
        if known["residual"]:
            own.residual[job.name] = known["residual"]
    return Results(found, images, made)


@dataclass(frozen=True)
class _Job:
    """One conversion: a method on a network, judged after each of some steps."""

    network: str
    name: str
    steps: tuple[int, ...]

    @property
    def method(self) -> Method:
        """By its name, for a method's functions cannot be sent to another process."""
        return _OWN.get(self.name) or CATALOGUE[self.name]

    @property
    def trained(self) -> str:
        """The shipped network that is converted."""
        return f"{self.network}-{NETWORK_OF[type(self.method.activation())]}"


def _jobs(network: str, name: str, steps: tuple[int, ...]) -> list[_Job]:
    """A conversion for all steps, or one for each where it depends on them; none if no such network ships."""
    whole = _Job(network, name, steps)
    if whole.trained not in runs.table():
        return []
    return [replace(whole, steps=(T,)) for T in steps] if whole.method.depends_on_T else [whole]


def _measure_all(
    jobs: Sequence[_Job], keys: Mapping[_Job, str], data: Data, folder: Path, workers: int | None
) -> None:
    """Measure and keep; the longest first, so that no core is left alone with it in the end."""
    jobs = sorted(jobs, key=lambda job: -job.steps[-1])
    if jobs:
        files.probe(_path(folder, keys[jobs[0]]), name="the place that SNNLAB_DATA sets")
    workers = min(workers or torch.get_num_threads(), len(jobs))
    with progress_bar(total=sum(job.steps[-1] for job in jobs), unit=said("step"), smoothing=0) as bar:
        bar.set_description(said("the papers' methods"))
        for job, known in _measured(jobs, data, workers):
            files.write(_path(folder, keys[job]), json.dumps(known).encode())
            bar.update(job.steps[-1])


def _measured(jobs: Sequence[_Job], data: Data, workers: int) -> Iterator[tuple[_Job, dict[str, Any]]]:
    """Each job and what came of it, as soon as it is known."""
    if workers <= 1:
        yield from ((job, _measure(job, data)) for job in jobs)
        return
    with Workers(workers, start=partial(_hold, data)) as crew:
        for task, done in crew.work(Task(_measure, job) for job in jobs):
            yield task.argument, done.result()


_DATA: list[Data] = []
"""What a worker measures with; handed over once, not with each job."""


def _hold(data: Data) -> None:
    _DATA[:] = [data]


def _measure(job: _Job, data: Data | None = None) -> dict[str, Any]:
    """One conversion, judged; with the residual potentials, if a figure shows them."""
    data = data or _DATA[0]
    ann, method, residual = runs.shipped(job.trained).ann, job.method, dict[str, Any]()

    def look(snn: SNN) -> None:
        T = LOOK_AT if not method.depends_on_T else snn.T
        if job.name in FIGURE_3 and T == LOOK_AT:
            layers = errors.anatomy(ann, snn, data.test.images[:LOOKED_AT], T, progress=False).layers
            residual.update({name: (layer.outside, layer.wrong) for name, layer in layers.items()})

    result = sweeps.run(method, ann, data, job.steps, data.test, look)
    return {"result": dataclasses.asdict(result), "residual": residual}


def _key(job: _Job, images: int) -> str:
    """A readable name, and twelve digits of all that a result depends on."""
    sha256 = runs.table()[job.trained]["sha256"]
    about = [job.method.describe(), sha256, images, list(job.steps), LOOK_AT, LOOKED_AT]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
    return f"{job.trained}-{job.name}-T{job.steps[-1]}-{digest}"


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): remove it, and it is measured again") from None


def _joined(fewer: Result | None, more: Result) -> Result:
    """One method's results for fewer and for more steps as one: rates and parameters are those at the most steps."""
    if fewer is None:
        return more
    return replace(
        more,
        snn_accuracy=fewer.snn_accuracy | more.snn_accuracy,
        latency=fewer.latency | more.latency,
        seconds=fewer.seconds + more.seconds,
    )


def _result(fields: Mapping[str, Any]) -> Result:
    """A Result from JSON, whose keys are all text."""
    steps = {
        name: {int(T): value for T, value in fields[name].items()} for name in ("snn_accuracy", "latency")
    }
    return Result(**{**fields, **steps})


def _check(
    names: Sequence[str], methods: Sequence[str], images: int, T_max: int, most: int, workers: int | None
) -> None:
    for kind, given, allowed in (("network", names, tuple(NETWORKS)), ("method", methods, METHODS)):
        if wrong := [name for name in given if name not in allowed]:
            raise ValueError(f"{kind} = {short(wrong[0])}, but it is one of {', '.join(allowed)}")
    if not 1 <= images <= most or not STEPS[0] <= T_max:
        raise ValueError(
            f"images = {images}, T_max = {T_max}, but images is a whole number from 1 to {most}, T_max 2 or more"
        )
    if workers is not None and workers < 1:
        raise ValueError(f"workers = {workers}, but at least one process does the work")


@door
def save(results: Results, path: str | Path = SHIPPED) -> None:
    """Write the results of a run as JSON, the same bytes for the same numbers."""
    text = json.dumps(dataclasses.asdict(results), indent=1)  # the layers stand in their order
    files.write(path, f"{text}\n".encode())


@door
def load(path: str | Path = SHIPPED) -> Results:
    """Read what `save` wrote; without a path the run that ships.

    Raises: FileNotFoundError, ValueError that say how to mend it.
    """
    path = place(path)
    mend = f"{files.regained('data/results')}, and so does a full run"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: {mend}")
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        networks = {
            name: Network({m: _result(r) for m, r in one["methods"].items()}, one["residual"])
            for name, one in read["networks"].items()
        }
        return Results(networks, read["images"], read["made"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error!r}): {mend}") from None
