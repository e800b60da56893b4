"""Comparisons: each number is what converting and simulating by hand gives; published figures as they stand."""

from functools import partial
from pathlib import Path

import matplotlib as mpl
import pytest

from snnlab import CATALOGUE, convert, datasets, networks, plots, simulate, training
from snnlab.datasets import published
from snnlab.studies import sweeps
from snnlab.studies.sweeps import Result
from snnlab.training import recipes

mpl.use("agg")

DATA = datasets.load("digits")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    cache = tmp_path_factory.mktemp("trained")
    methods = ("max_norm", "qcfs", "calibration_light", "cos")
    return sweeps.compare(
        methods, networks.cnn, DATA, [4, 1], test=DATA.test[:100], epochs_scale=0.25, cache=cache
    )


def test_each_number_is_what_one_finds_by_hand(found: dict[str, Result]) -> None:
    assert list(found) == ["max_norm", "qcfs", "calibration_light", "cos"]
    for name, result in found.items():
        ann = recipes.prepare(name, networks.cnn, DATA, epochs_scale=0.25, progress=False)
        assert result.ann_accuracy == training.accuracy(ann, DATA.test[:100])
        for T in (1, 4):
            snn = convert(ann, name, DATA.calibration, T, progress=False)
            run = simulate(snn, DATA.test[:100], T)
            assert result.snn_accuracy[T] == float(run.accuracy(DATA.test[:100])[-1])
            assert result.latency[T] == snn.latency if CATALOGUE[name].depends_on_T else T
        assert result.firing_rate == pytest.approx(sum(run.firing_rate.values()) / 3)
        assert set(result.thresholds) == set(result.potentials) == {"conv1.act", "conv2.act", "fc1.act"}
    assert found["cos"].latency == {1: 4, 4: 16}
    assert found["qcfs"].potentials["fc1.act"] == pytest.approx(found["qcfs"].thresholds["fc1.act"] / 2)


def test_steps_to_a_share_of_the_ann() -> None:
    result = Result("own", 0.9, {1: 0.1, 2: 0.9, 4: 0.8, 8: 0.89, 16: 0.9}, {}, 0.1)
    assert result.steps_to(0.99) == 16 and result.steps_to(0.98) == 8
    assert result.steps_to(0.5) == 2 and result.steps_to(1.1) is None


def test_levels_reach_every_activation_that_rounds(tmp_path: Path) -> None:
    few = partial(sweeps.compare, network=networks.cnn, data=DATA, steps=[2], test=DATA.test[:20])
    few(["qcfs"], levels=3, epochs_scale=0.1, cache=tmp_path)
    ann = recipes.prepare("qcfs", networks.cnn, DATA, levels=3, epochs_scale=0.1, cache=tmp_path)
    assert ann.conv1.act.levels == 3  # type: ignore[union-attr]
    assert len(list(tmp_path.glob("*.safetensors"))) == 1, "the same network was trained twice"


@pytest.mark.parametrize("steps", [[], [0], [2.5], [True], [-1, 4]])
def test_steps_that_are_none_are_named(steps: list) -> None:
    with pytest.raises(ValueError, match=r"steps = .*(whole numbers, 1 or more|each value a whole number)"):
        sweeps.compare(["qcfs"], networks.cnn, DATA, steps)


def test_pictures_show_every_number(found: dict[str, Result]) -> None:
    figure = plots.comparison(found)
    written = {text.get_text() for text in figure.axes[0].texts}
    assert f"{100 * found['qcfs'].snn_accuracy[4]:.1f}" in written and len(figure.axes[0].texts) == 12
    heat, lines = plots.comparison_chart(found), plots.steps_chart(found)
    assert heat.data[0].z[1][1] == pytest.approx(100 * found["qcfs"].snn_accuracy[4])
    assert [line.name for line in lines.data] == list(found) and list(lines.data[3].x) == [4, 16]


def test_published_figures_are_of_methods_that_are_there() -> None:
    rows = published.load()
    assert len(rows) > 150 and len(
        {(r.method, r.network, r.data, r.T, r.source, r.note) for r in rows}
    ) == len(rows)
    for row in rows:
        assert {part.strip() for part in row.method.split("+")} <= set(CATALOGUE)
        assert 0 < row.snn_accuracy <= 100 and row.T >= 1 and row.source
    xiong = published.load("rmpe", "resnet20", "cifar10")
    assert [(row.T, row.snn_accuracy) for row in xiong][:2] == [(2, 75.46), (4, 85.43)]
    assert all(row.checked for row in xiong) and not all(row.checked for row in rows)


def test_published_figures_stand_beside_with_their_sources_numbered() -> None:
    head, lines, sources = published.beside(["cos", "qcfs"], 4, data="cifar100")
    assert head == ["method", "ANN", "T = 1", "T = 2", "T = 4", "source"]
    assert ["cos", "76.28", "74.24", "76.03", "76.26", "[3]"] in lines
    assert ["qcfs", "76.28", "", "63.79*", "69.62*", "[2]"] in lines, "from memory: an asterisk"
    assert sources[2] == "[3] README of hzc1208/ANN2SNN_COS (rho = 4 steps before the first are not in T)"
    assert published.beside([], 4) == (["method", "ANN", "source"], [], [])


def test_a_damaged_row_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = (published.FOLDER / "hao_2023_cos.csv").read_text(encoding="utf-8")
    (tmp_path / "bad.csv").write_text(good.replace("74.24", "a lot"), encoding="utf-8")
    monkeypatch.setattr(published, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"bad\.csv, line 2 cannot be read.*a lot"):
        published.load()
    monkeypatch.setattr(published, "FOLDER", tmp_path / "none")
    with pytest.raises(
        FileNotFoundError, match="published figures: `git checkout -- data/published` brings it back"
    ):
        published.load()
