"""Both readings of every source: the names are there, each told method is what is told, and the tables hold."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from snnlab import CATALOGUE, convert, datasets, networks
from snnlab.course import readings, taking_back
from snnlab.course.single import watch
from snnlab.neurons import IF, SNM, CounterIF, HardResetCaLIF
from snnlab.simulators.simulation import simulate
from snnlab.studies.sweeps import Result

DATA = datasets.load("digits")


def test_every_name_is_a_method_and_every_other_reading_of_the_catalogue_has_a_row() -> None:
    for reading in readings.READINGS:
        assert reading.methods and set(reading.methods) <= set(CATALOGUE)
        assert not reading.other or reading.other in CATALOGUE or reading.other in readings.TOLD
    others = {reading.other for reading in readings.READINGS}
    told = {m.name for m in CATALOGUE.values() if "what summaries" in m.paper}
    assert told == {"threshold_finetune", "threshold_feedback", "snm_counter"} and told <= others


def test_a_source_has_one_row_and_every_paper_of_another_hand_has_one() -> None:
    named = {name for reading in readings.READINGS for name in (*reading.methods, reading.other)}
    own = {name for name, method in CATALOGUE.items() if method.paper.startswith("this kit")}
    later = {"cos", "local_threshold_balancing"}  # of which nothing is told
    assert set(CATALOGUE) - named - own == later | {"qc_ann"}, "qc_ann stands in the row of QCFS"
    works = [reading.work for reading in readings.READINGS]
    assert len(set(works)) == len(works)


def test_the_tables_have_a_row_for_each_and_cells_as_many_as_heads() -> None:
    table = readings.both_readings().data.splitlines()
    assert len(table) == 2 + len(readings.READINGS)
    found = {n: Result(n, 1.0, {2: 0.5, 4: 0.976}, {}, 0.1) for _, *pair in readings.compared() for n in pair}
    numbers = readings.measured(found, [2, 4]).data.splitlines()
    assert len(numbers) == 2 + 2 * 5 and all("| 50.0 | 97.6 |" in line for line in numbers[2:])
    assert [line.startswith("|  | told: ") for line in numbers[2:]] == [False, True] * 5
    choices = readings.five_choices(
        [("a_b", "QuantClip", "f(9)", "zero", "x, y", "IF", ""), ("c", *"abcdef")]
    )
    shown = choices.data.splitlines()
    assert shown[2] == "| a&#95;<wbr>b | Quant<wbr>Clip | f(<wbr>9) | zero | x, y; IF |"
    for lines in (table, numbers, shown):
        assert len({line.count("|") for line in lines}) == 1, "a bar in a cell would break the table"


@pytest.fixture(scope="module")
def ann() -> nn.Module:
    return networks.cnn(CATALOGUE["qc_ann"].activation, shape=(1, 8, 8)).eval()


def test_lmpc_as_printed_sets_potentials_that_are_never_negative(ann: nn.Module) -> None:
    """v0 = T mean |a - phi|: in the first layer by hand, from the neurons that start at 0."""
    printed, images = readings.TOLD["lmpc_as_printed"], DATA.calibration[:32]
    snn = convert(ann, printed, images, 4, exact=False, progress=False)
    start = convert(ann, replace(printed, corrections=()), images, 4, exact=False, progress=False)
    rate = simulate(start, images.images, 4, record=["conv1.act"]).traces["conv1.act"].output.mean(0)
    with torch.no_grad():
        activation = ann.conv1(images.images)  # type: ignore[operator]
    expected = 4 * (activation - rate).abs().mean(0).double()
    torch.testing.assert_close(
        snn.sites["conv1.act"].v0.double().reshape(expected.shape), expected, rtol=1e-4, atol=1e-5
    )
    assert all(bool((neuron.v0 >= 0).all()) for neuron in snn.sites.values())


def test_the_controls_differ_from_lmpc_as_printed_in_its_correction_alone() -> None:
    printed = readings.TOLD["lmpc_as_printed"]
    for control, name in zip(readings.SIGNED, ("lmpc(1)", "lmpc(3)"), strict=True):
        assert control == replace(printed, name=control.name, corrections=control.corrections)
        assert control.describe()["corrections"] == [name]


def test_the_told_ca_lif_has_the_other_neuron() -> None:
    assert readings.TOLD["ca_lif_hard_reset"].neuron is HardResetCaLIF


def test_between_snm_and_its_counter_one_choice_differs_at_a_time() -> None:
    paper, thresholds, signs, told = taking_back.both_readings().values()
    assert (paper.neuron, signs.neuron, thresholds.neuron, told.neuron) == (SNM, SNM, CounterIF, CounterIF)
    assert paper.threshold is thresholds.threshold is not signs.threshold is told.threshold


def test_counts_over_time_shows_the_net_count() -> None:
    early = torch.tensor([1.0, 1.0, -1.0, -1.0, -1.0], dtype=torch.float64)[:, None]
    figure = taking_back.counts_over_time({"SNM": watch(SNM(), early), "IF": watch(IF(), early)})
    (axes,) = figure.axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 2]]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["SNM: 0 in the end", "IF: 2 in the end"]
