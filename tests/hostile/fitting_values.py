"""Good values of arguments that must fit together, by door."""

import types
from collections.abc import Callable
from functools import partial
from typing import Any, Union, get_args, get_origin

import torch
from good_values import (
    T,
    _snn,
    checkpoint,
    class_folders,
    digits,
    good,
    images,
    method,
    net,
    nir_graph,
    own_state,
    picture_file,
    result,
    rounding_site,
    run_file,
    settings,
    spiking_file,
    split,
    stage,
)

from snnlab import Method, reports
from snnlab.activations import RateNorm
from snnlab.converters.graph import trace
from snnlab.studies import papers
from snnlab.training import recipes, runs

# Where a door's arguments must fit together

NEURONS = ("current", "state", "start", "v", "spikes", "output", "unit", "q", "z")
SENSE: dict[str, dict[str, Callable[[], Any]]] = {
    "convert": {"method": method, "bits": lambda: 24, "calibration": images, "T": lambda: T},
    "simulate": {"data": images, "record": lambda: ["1"], "stop": lambda: None, "class_axis": lambda: 1},
    "SNN": {
        "grid": lambda: None,
        "rows": lambda: [("a", "b", "c")],
        "graph": lambda: _snn().graph,
        "example": lambda: images(1),
    },
    "Run.accuracy": {"labels": lambda: [0] * 6},
    "check_method": {"method": lambda: "max_norm", "generate_only": lambda: True},
    "register": {"method": lambda: Method("own", "t", "p", 2026)},
    "converters.catalogue.find": {"method": lambda: "max_norm"},
    "converters.conversion.fates": {"activations": lambda: trace(net(), images()).sites},
    "course.check": {"number": lambda: "1.1", "function": lambda: lambda current, threshold, v0: []},
    "course.looking_back": {"lesson": lambda: "1"},
    "course.predict": {"number": lambda: "1.1", "question": lambda: "?", "options": lambda: ["a", "b"]},
    "course.reveal": {"number": lambda: "1.1"},
    "datasets.Split": {"labels": lambda: torch.zeros(6).long()},
    "datasets.load": {"name": lambda: "digits"},
    "datasets.folders.load": {"path": class_folders, "size": lambda: 4, "most_bytes": lambda: 1e9},
    "datasets.folders.preparation": {"mean": lambda: [0.5] * 3, "std": lambda: [0.5] * 3},
    "datasets.given.split_of": {"data": split},
    "datasets.given.labels_of": {"name": lambda: "labels", "count": lambda: 2, "labels": lambda: [0, 1]},
    "datasets.pictures.picture": {"file": picture_file},
    "datasets.published.beside": {
        "methods": lambda: ["qc_ann"],
        "network": lambda: "vgg16",
        "data": lambda: "cifar10",
    },
    "exchange.read_nir": {"source": nir_graph, "dt": lambda: 1e-4, "largest": lambda: 1.0},
    "exchange.fits": {"T": lambda: T},
    "exchange.to_onnx": {"T": lambda: T},
    "exchange.write_onnx": {"path": lambda: "out.onnx", "T": lambda: T},
    "exchange.write_nir": {"path": lambda: "out.nir"},
    "exchange.saving.save": {"path": lambda: "out.safetensors"},
    "exchange.saving.load": {"path": spiking_file, "method": method},
    "explorers.calcium": {"kind": lambda: "ca_lif", "arrival": lambda: "early", "settings": dict},
    "explorers.energy": {"precision": lambda: "float32", "image": lambda: "once", "settings": dict},
    "explorers.membrane": {"kind": lambda: "if", "arrival": lambda: "constant", "settings": dict},
    "explorers.network": {"ann": net, "classes": lambda: None, "settings": dict},
    "explorers.NetworkExplorer.run": {"record": tuple},
    "explorers.unevenness": {
        "example": lambda: "extra",
        "kind": lambda: "if",
        "plus": lambda: "11000",
        "minus": lambda: "00110",
        "settings": dict,
    },
    "explorers.conversion.tuned": {"method": lambda: "max_norm"},
    "explorers.conversion.ConversionExplorer": {"T": lambda: T, "images": lambda: 2},
    "explorers.conversion.Bench.ann": {"name": lambda: "max_norm"},
    "explorers.conversion.Bench.snn": {"name": lambda: "max_norm"},
    "networks.cnn": {"shape": lambda: [1, 4, 4]},
    "networks.resnet": {"shape": lambda: [1, 4, 4]},
    "networks.ResNet": {"blocks": lambda: [(2, 1)]},
    "networks.ResNet.forward": {"x": images},
    "plots.accuracy_at": {"accuracy": lambda: torch.tensor([0.5, 0.6]), "t": lambda: 1},
    "simulators.run.decide": {"class_axis": lambda: 1, "lead": lambda: 1, "output": lambda: torch.rand(4, 3)},
    "plots.rate_against_relu": {"inputs": lambda: torch.rand(5)},
    "neurons.HardResetCaLIF": {"tau": lambda: 2.0, "tau_c": lambda: 2.0},
    "neurons.OffsetSpikeIF.forward": {"state": lambda: None},
    "plots.bars": {"panels": lambda: {"title": {"label": {"place": 1.0}}}},
    "plots.lines": {"curves": lambda: {"label": ([0.0, 1.0], [2.0, 3.0])}},
    "plots.membrane": {"neuron": lambda: [0, 0, 0, 0]},
    "plots.comparison": {"results": lambda: {"own": result()}},
    "plots.residual_chart": {"residual": lambda: {"own": {"layer": [0.5, 0.25]}}},
    "reports.all_images_table": {"network": lambda: "vgg16"},
    "reports.check": {"report": lambda: "conversion", "given": dict},
    "reports.run": {"name": lambda: "conversion", "params": dict},
    "reports.images": {
        "data": class_folders,
        "network": lambda: "cnn",
        "method": lambda: "max_norm",
        "size": lambda: 4,
    },
    "reports.network": {
        "name": lambda: "cnn",
        "method": lambda: "max_norm",
        "data": digits,
        "levels": lambda: 2,
        "seed": lambda: 0,
        "epochs": lambda: 1,
    },
    "reports.write_results": {"path": lambda: "results.json", "params": dict, "measured": dict},
    "reports.study_table": {"rows": list},
    "reports.study_headline": {"rows": list},
    "reports.intervals.leaders": {"found": lambda: {"a": (0.5, (0.4, 0.6))}, "unknown": lambda: "so it is"},
    "reports.study_failures": {"rows": list},
    "studies.intervals.wilson": {"correct": lambda: 3, "count": lambda: 9},
    "studies.intervals.over_seeds": {"accuracies": lambda: [0.5, 0.6]},
    "reports.declared": {"report": lambda: "conversion"},
    "reports.Parameter.parse": {"text": lambda: reports.declared("conversion")[0].default},
    "reports.table": {"head": lambda: ["a"], "rows": lambda: [["b"]]},
    "plots.transfer_chart": {"inputs": lambda: [0.5, 1.0], "outputs": lambda: {2: [0.5, 1.0]}},
    "reports.one_kind": {"kind": lambda: "if", "threshold": lambda: 1.0, "share": lambda: 0.5},
    "reports.shown_one_input": {"z": lambda: 0.5},
    "reports.mean_outputs": {"inputs": lambda: [0.5, 1.0], "steps": lambda: [2, 4]},
    "reports.farthest": {
        "outputs": lambda: {2: [0.5, 1.0]},
        "inputs": lambda: [0.5, 1.0],
        "top": lambda: 1.0,
    },
    "reports.share": {"accuracy": lambda: 0.5, "images": lambda: 10},
    "reports.span": {"accuracy": lambda: 0.5, "images": lambda: 10},
    "reports.against_ann": {"accuracy": lambda: 0.5, "ann": lambda: 0.5, "images": lambda: 10},
    "reports.ahead": {"accuracies": lambda: {"a": 0.5}, "images": lambda: 10},
    "studies.intervals.of_share": {"name": lambda: "accuracy", "accuracy": lambda: 0.5, "images": lambda: 10},
    "reports.paper_table": {"methods": lambda: ["qc_ann"]},
    "simulators.simulation.each_batch": {"batches": lambda: [images(), images()]},
    "simulators.simulation.prepared": {"data": images},
    "studies.claims.verdicts": {"table": lambda: "table 1"},
    "studies.papers.save": {"path": lambda: "papers.json"},
    "studies.papers.load": {"path": lambda: papers.SHIPPED},
    "studies.papers.run": {
        "names": lambda: ["vgg16"],
        "images": lambda: 2,
        "methods": list,
        "cache": lambda: "papers",
    },
    "studies.sweeps.compare": {
        "test": split,
        "methods": lambda: ["max_norm"],
        "steps": lambda: [1, 2],
        "cache": lambda: "kept",
    },
    "studies.sweeps.each": {"test": split, "methods": lambda: ["max_norm"], "steps": lambda: [1, 2]},
    "studies.sweeps.run": {"steps": lambda: [1, 2]},
    "training.accuracy": {"split": split},
    "training.fit": {"split": split, "epochs": lambda: 1, "lr": lambda: 0.01},
    "training.load": {"path": checkpoint},
    "training.load_tensors": {"path": checkpoint, "own": lambda: net().state_dict()},
    "training.save": {"path": lambda: "net.safetensors", "about": dict},
    "training.save_tensors": {"path": lambda: "tensors.safetensors", "about": dict},
    "training.recipes.Stage": {"start": lambda: 99.0, "weight_bits": lambda: 8},
    "training.recipes.Recipe": {"stages": lambda: (stage(),)},
    "training.recipes.find": {"name": lambda: "relu"},
    "training.recipes.learn_share": {
        "ann": partial(net, RateNorm),
        "start": lambda: 2.5,
        "weight": lambda: 0.05,
    },
    "training.recipes.prepare": {
        "recipe": lambda: recipes.Recipe("own", "title", (stage(),)),
        "cache": lambda: "kept",
    },
    "training.recipes.swap_activations": {"percentile": lambda: 99.0, "split": split},
    "training.recipes.quantize_weights": {"bits": lambda: 8},
    "training.recipes.Recipe.at": {"levels": lambda: 2},
    "training.runs.Settings": {
        "network": lambda: "cnn",
        "data": lambda: "digits",
        "activation": lambda: "qcfs",
        "lr": lambda: 0.1,
        "augment": lambda: ("crop",),
        "start": str,
        "width": lambda: None,
        "threshold": lambda: 1.0,
        "seed": lambda: 0,
    },
    "training.runs.Settings.read": {"text": lambda: settings().text()},
    "training.runs.load": {"path": run_file},
    "training.runs.place_for": {"out": lambda: "new.safetensors"},
    "training.runs.run": {
        "data": digits,
        "out": lambda: "ran.safetensors",
        "start": lambda: None,
        "fresh": lambda: True,
        "force": lambda: True,
    },
    "training.runs.sha256": {"path": checkpoint},
    "training.runs.shipped": {"name": lambda: next(iter(runs.table()))},
    "training.runs.augmentation.augment": {"names": lambda: ["flip"]},
    "converters.choices.trained": {"site": rounding_site},
    "converters.choices.Site.slices": {"part": lambda: torch.arange(2)},
    "converters.choices.Site.sent": {"part": lambda: torch.arange(2)},
    "converters.choices.Site.rate": {"part": lambda: torch.arange(2)},
    "converters.choices.Site.shift": {"delta": lambda: torch.tensor(0.1)},
    "converters.choices.percentile": {"p": lambda: 99.0},
}
"""Good values of an argument where any of its type would not do, by door."""


def good_for(door: str, name: str, hint: Any, owner: Any = None) -> Any:
    """A good value of one argument of a door; of an optional one, a value rather than None."""
    if name in (own := SENSE.get(door, {})):
        return own[name]()
    if door.startswith("neurons.") and name in NEURONS:
        if name in ("state", "start"):
            return own_state(owner)
        return (
            torch.ones(6, 3)
            if not door.endswith((".forward", ".mean_output", ".change"))
            else torch.ones(T, 6, 3)
        )
    if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
        return good(name, next(arg for arg in get_args(hint) if arg is not type(None)))
    return good(name, hint)
