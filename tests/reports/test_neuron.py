"""The neuron's report: what it computes is what the neuron does, and its numbers stand in results.json."""

import json
import math
from pathlib import Path

import pytest

from snnlab import plots, reports
from snnlab.neurons import NEURONS


def test_one_input_and_the_transfer_curve_are_those_of_the_closed_form() -> None:
    neuron = reports.one_kind("if", 2.0, 0.5)
    trace = reports.shown_one_input(neuron, 0.75, 8)
    assert trace.v.shape == trace.output.shape == (8, 1) and float(neuron.v0) == 1.0
    assert float(trace.output.sum() + trace.v[-1, 0]) == pytest.approx(1.0 + 8 * 0.75)  # no charge is lost
    inputs = [-0.3, 0.3, 1.1, 1.9, 3.0]
    outputs = reports.mean_outputs(neuron, inputs, [4, 8])
    for T, found in outputs.items():
        wanted = [2.0 / T * min(max(math.floor((T * z + 1.0) / 2.0), 0), T) for z in inputs]
        assert found == pytest.approx(wanted)
    assert reports.farthest({1: [0.0, 0.5]}, [-1.0, 3.0], 2.0) == {1: 1.5}


def test_the_chart_has_a_line_for_each_T_and_refuses_what_does_not_fit() -> None:
    lines = plots.transfer_chart([0.0, 1.0], {2: [0.0, 1.0], 4: [0.0, 0.75]}).data
    assert [line.name for line in lines] == ["ReLU", "T = 2", "T = 4"] and list(lines[2].y) == [0.0, 0.75]
    with pytest.raises(ValueError, match="3 values for T = 2, but there are 2 inputs"):
        plots.transfer_chart([0.0, 1.0], {2: [0.0, 1.0, 2.0]})
    with pytest.raises(ValueError, match="'relu', but it is one of if, lif"):
        reports.one_kind("relu", 1.0, 0.0)


@pytest.mark.parametrize("kind", NEURONS)
def test_every_kind_has_its_curves(kind: str) -> None:
    neuron = reports.one_kind(kind, 1.0, 0.5)
    assert reports.shown_one_input(neuron, 0.4, 5).v.shape == (5, 1)
    assert len(reports.mean_outputs(neuron, [0.0, 0.5, 1.0], [3])[3]) == 3


def test_the_report_runs_and_says_what_it_found(tmp_path: Path) -> None:
    reports.run("neuron", {"kind": "lif", "T": "8", "z": "0.6", "grid": "[2, 4]"}, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert found["params"]["kind"] == "lif" and found["params"]["grid"] == [2, 4]
    neuron = reports.one_kind("lif", 1.0, 0.5)
    wanted = reports.shown_one_input(neuron, 0.6, 8).output
    assert found["steps"]["output"] == wanted[:, 0].tolist()
    assert found["mean_output"] == pytest.approx(float(wanted.mean()))
    assert set(found["transfer"]["outputs"]) == {"2", "4"}
    assert "becomes a mean output of" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
