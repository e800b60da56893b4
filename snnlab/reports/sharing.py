"""All methods on the network and the images of a report, shared out among processes, one for each core.

What is sent to a process are names: each loads the images once, and reads the network that another has trained.
"""

import functools
import json
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

import torch

from snnlab.converters.catalogue import PUBLISHED, find
from snnlab.converters.methods import Method
from snnlab.datasets import Data
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.progress import progress_bar
from snnlab.reports import subjects
from snnlab.studies import named, sweeps
from snnlab.studies.workers import ATTEMPTS, Task, Workers, allowed
from snnlab.training import recipes

MOST = 4
"""Processes, each of some 0.8 GB: a quarter of all time goes into one method, so more of them would wait for it."""


@dataclass(frozen=True)
class Subject:
    """What methods are compared on; fields as `compare` takes them."""

    network: str
    data: str
    steps: tuple[int, ...]
    size: int
    images: int
    levels: int
    seed: int
    epochs: int

    def load(self) -> Data:
        """The images; of the test images those that are asked for."""
        data = subjects.images(self.data, self.network, size=self.size)
        return replace(data, test=data.test[: self.images]) if self.images else data

    def judge(self, methods: Sequence[str], data: Data) -> dict[str, sweeps.Result]:
        """Methods, one after the other, on networks that are trained where they are not yet."""
        trained = {"levels": self.levels, "seed": self.seed, "epochs": self.epochs}

        def network(method: Method) -> torch.nn.Module:
            return subjects.network(self.network, method.name, data, **trained)

        return sweeps.each(methods, network, data, self.steps)

    def train(self, recipe: recipes.Recipe, data: Data) -> None:
        """The network of a recipe, if it is not kept yet."""
        scale = self.epochs / named.EPOCHS
        build = named.builder(self.network, data)
        recipes.prepare(recipe, build, data, levels=self.levels, seed=self.seed, epochs_scale=scale)


@door
def compare(
    network: str,
    data: str,
    steps: Sequence[int],
    *,
    levels: int,
    seed: int,
    epochs: int,
    size: int = 0,
    images: int = 0,
    workers: int | None = None,
) -> dict[str, sweeps.Result]:
    """All methods that can convert the network of that name, as `sweeps.compare` has them.

    Args:
        network, data, size: as `subjects.images` takes them. levels, seed, epochs: as `subjects.network`.
        steps: numbers of time steps T, each >= 1. images: test images to count by, from the first on; 0 takes all.
        workers: processes, one thread each; 1 works in this one. None takes one for each core, up to MOST, where an
            operation has one thread in this process: another number of threads would move the last digits.
    Raises: ValueError or OSError that says in a line what is wrong; RuntimeError for a worker that dies.
    """
    sweeps.check(steps)
    subject = Subject(network, data, tuple(steps), size, images, levels, seed, epochs)
    found = subject.load()
    methods = subjects.methods(network, found)
    free = min(allowed(), MOST) if torch.get_num_threads() == 1 else 1
    workers = min(free if workers is None else workers, len(methods))
    known = PUBLISHED.issuperset(methods) and not network.startswith("__main__:")  # to other processes, too
    if workers <= 1 or not known:
        return subject.judge(methods, found)
    del found
    return _shared(subject, methods, workers)


@dataclass(frozen=True)
class _Job:
    """A method; or the first so many stages of what its network is trained in."""

    subject: Subject
    method: str
    stages: int = 0

    @property
    def effort(self) -> int:
        """How long it takes, as a multiple of a plain conversion: measured on `cnn` and digits."""
        if self.stages:
            return 8
        method = find(self.method)
        calibrated = method.describe()["corrections"]
        if any(name.startswith("lwc") for name in calibrated):
            return 30
        return (12 if method.tuning else 6 if calibrated else 3) if method.depends_on_T else 1


def _tasks(subject: Subject, methods: Sequence[str]) -> list[Task]:
    """What is to be done, the longest first, each behind the trainings that it needs; no stage stands there twice."""
    tasks: dict[str, Task] = {}
    for job in sorted((_Job(subject, name) for name in methods), key=lambda job: -job.effort):
        needs = frozenset[str]()
        for stage in _stages(job):
            settings = [one.settings() for one in recipes.find(job.method).stages[: stage.stages]]
            name = json.dumps(settings)
            tasks.setdefault(name, Task(_do, stage, name, needs))
            needs = frozenset({name})
        tasks[job.method] = Task(_do, job, job.method, needs)
    return [*tasks.values()]


def _stages(job: _Job) -> list[_Job]:
    if named.network_kind(job.subject.network) not in named.TRAINED:
        return []
    return [replace(job, stages=k + 1) for k in range(len(recipes.find(job.method).stages))]


def _shared(subject: Subject, methods: Sequence[str], workers: int) -> dict[str, sweeps.Result]:
    """The results in the order of the methods."""
    tasks, results = _tasks(subject, methods), dict[str, sweeps.Result]()
    bar = progress_bar(total=sum(task.argument.effort for task in tasks), unit=said("step"), smoothing=0)

    def show(at_work: list[_Job]) -> None:
        bar.set_description(", ".join(dict.fromkeys(job.method for job in at_work)))

    with bar, Workers(workers) as crew:
        for task, future in crew.work(tasks, show):
            job: _Job = task.argument
            try:
                results |= future.result()
            except BrokenProcessPool:
                raise RuntimeError(
                    f"a process that worked on {job.method} died, {ATTEMPTS} times, perhaps for lack of memory: with "
                    "OMP_NUM_THREADS=1 in the environment one process does all, which takes less"
                ) from None
            bar.update(job.effort)
    return {name: results[name] for name in methods}


def _do(job: _Job) -> dict[str, sweeps.Result]:
    """In a worker: what came of a job; of a training nothing, for its network is kept in its file."""
    data = _loaded(job.subject)
    if not job.stages:
        return job.subject.judge([job.method], data)
    recipe = recipes.find(job.method)
    job.subject.train(replace(recipe, stages=recipe.stages[: job.stages]), data)
    return {}


@functools.lru_cache(maxsize=1)
def _loaded(subject: Subject) -> Data:
    """A worker's images: it looks at no others."""
    return subject.load()
