"""The comparison report: every method, and the orders that papers promise and theory explains."""

import json

import pytest

from snnlab import CATALOGUE, datasets, networks
from snnlab.converters.catalogue import PUBLISHED
from snnlab.reports import ParameterError, check, declared, run
from snnlab.studies import sweeps

NOISE = 3 / 450  # three of the test images: what another processor's rounding in the training may move


@pytest.fixture(scope="module")
def methods(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    out = run("comparison", {"T": "[8,2,4]"}, tmp_path_factory.mktemp("comparison") / "out")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "99 %" in page and "What the papers report" in page and "\x1b" not in page
    assert "[1] README of putshua/ANN_SNN_QCFS (L = 4)" in page and "91.18*" in page and "76.26" in page
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert found["params"]["T"] == [2, 4, 8]
    return found["methods"]


def test_every_method_is_there_with_all_its_numbers(methods: dict[str, dict]) -> None:
    assert set(methods) == {name for name in CATALOGUE if name in PUBLISHED}
    keys = {
        "ann_accuracy",
        "snn_accuracy",
        "firing_rate",
        "latency",
        "steps_to_99",
        "thresholds",
        "potentials",
    }
    for name, numbers in methods.items():
        assert set(numbers) == keys and numbers["ann_accuracy"] > 0.97, name
        assert (
            list(numbers["thresholds"])
            == list(numbers["potentials"])
            == ["conv1.act", "conv2.act", "fc1.act"]
        )
        assert list(numbers["snn_accuracy"]) == ["2", "4", "8"] == list(numbers["latency"])
        assert 0 < numbers["firing_rate"] < 1
        factor = 4 if name == "cos" else 1
        assert numbers["latency"] == {str(T): factor * T for T in (2, 4, 8)}


def test_learned_thresholds_beat_percentiles_and_percentiles_beat_the_maximum(
    methods: dict[str, dict],
) -> None:
    at = {name: numbers["snn_accuracy"]["8"] for name, numbers in methods.items()}
    trained = min(at[name] for name in ("tcl", "threshold_finetune", "rate_norm"))
    assert at["max_norm"] < at["robust_norm"] <= trained + NOISE
    early = {name: numbers["snn_accuracy"]["4"] for name, numbers in methods.items()}
    assert early["max_norm"] < early["robust_norm"] < early["tcl"]


def test_a_network_that_rounds_down_collapses_below_its_levels_and_calibration_mends_it(
    methods: dict[str, dict],
) -> None:
    assert methods["qc_ann"]["snn_accuracy"]["2"] < 0.3
    for T in ("2", "4", "8"):
        phase, lmpc, lwc, both = (
            methods[name]["snn_accuracy"][T] for name in ("qc_ann", "rmpe_lmpc", "rmpe_lwc", "rmpe")
        )
        assert both >= max(lmpc, lwc) - NOISE - 1e-6 and min(lmpc, lwc) >= phase - NOISE - 1e-6


def test_with_more_layers_the_orders_are_wide_at_eight_steps() -> None:
    """Each layer loses what its steps cannot say: on the small ResNet nothing is left to chance by three images."""
    names = ("max_norm", "robust_norm", "tcl", "rate_norm", "threshold_finetune", "qc_ann", "rmpe_lmpc")
    found = sweeps.compare(names, networks.resnet, datasets.load("digits"), [2, 4, 8])
    at = {name: result.snn_accuracy for name, result in found.items()}
    assert min(at[name][8] for name in names[2:5]) > at["robust_norm"][8] + 0.05
    assert at["max_norm"][8] < at["robust_norm"][8] + NOISE < 0.3
    assert max(at["qc_ann"][2], at["qc_ann"][4]) < 0.3 < 0.9 < at["qc_ann"][8], "collapses below T = L = 8"
    assert all(at["rmpe_lmpc"][T] > 0.9 for T in (2, 4, 8))


@pytest.mark.parametrize(
    "text",
    ["[]", "[0]", "[1025]", "[1,1]", "1,2", "[1;2]", "[1.5]", "[01]", "[a]", "[-1]", "[1,]", "[[1]]", "[" * 5000, ""],
)  # fmt: skip
def test_a_list_is_written_as_one(text: str) -> None:
    with pytest.raises(
        ParameterError,
        match=r"'T' is .*different values, each a whole number from 1 to 1024, written \[1,2,4\]",
    ):
        check("comparison", {"T": text})


def test_a_list_is_sorted_and_may_have_spaces() -> None:
    assert check("comparison", {"T": "[ 8, 2 ,4]"})["T"] == [2, 4, 8]
    assert check("comparison", {})["T"] == next(p.default for p in declared("comparison") if p.name == "T")
