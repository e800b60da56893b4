# ruff: noqa: RUF001 # Chinese signs are meant
"""Lesson 13's menus: every label works or is refused in words, and what is composed is what the catalogue has."""

import re

import pytest

from snnlab import CATALOGUE, convert, datasets, networks, simulate
from snnlab.course.building import CHOICES, Builder, composed, known, worth
from snnlab.files.language import spoken
from snnlab.training import recipes

DATA = datasets.load("digits")


@pytest.fixture(scope="module")
def builder() -> Builder:
    return Builder(networks.cnn, DATA, T=4)


def test_the_first_labels_are_max_norm_and_its_curve_is_the_simulators(builder: Builder) -> None:
    assert known(builder.method) == "max_norm"
    ann = recipes.prepare("max_norm", networks.cnn, DATA, progress=False)
    run = simulate(convert(ann, "max_norm", DATA.calibration, 4, progress=False), DATA.test, 4)
    assert f"<b>{float(run.accuracy(DATA.test)[-1]):.1%}</b> after 4 steps" in builder.says.value
    assert "<code>max_norm</code>" in builder.says.value


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"threshold": "99.9th percentile"}, "robust_norm"),
        ({"threshold": "99.9th percentile", "v0": "half full"}, "opi"),
        (
            {"activation": "rounded to the nearest (QCFS)", "threshold": "learned in training", "v0": "half full"},
            "qcfs",
        ),
        ({"activation": "rounded down (QC-ANN)", "threshold": "learned in training"}, "qc_ann"),
        ({"threshold": "largest of each neuron", "neuron": "signed, with memory (SNM)"}, "snm"),
        ({"neuron": "bursts of 4"}, None),
    ],
)  # fmt: skip
def test_what_is_composed_is_known_by_name(labels: dict[str, str], name: str | None) -> None:
    method = composed(**labels)
    assert known(method) == name
    if name is not None:
        assert CATALOGUE[name].depends_on_T == method.depends_on_T


ONE_BY_ONE = [(name, label) for name, options in CHOICES.items() for label in options]


@pytest.mark.parametrize(("name", "label"), ONE_BY_ONE, ids=[label for _, label in ONE_BY_ONE])
def test_every_label_works_or_is_refused_in_words(builder: Builder, name: str, label: str) -> None:
    for other, options in CHOICES.items():
        builder.menus[other].value = next(iter(options))
    builder.choose(**{name: label})
    if label == "learned in training":  # a ReLU has learned none
        assert "does not go together" in builder.words and "ReLU" in builder.words
        assert not builder.picture.value, "the picture before is not this method's"
    else:
        assert "after 4 steps" in builder.says.value and "<svg" in builder.picture.value
        if label != next(iter(CHOICES[name])):  # the curve may be the same, but it is this method's
            assert builder.before is not None and builder.before[0] == "max_norm"
            assert builder.now is not None and builder.now[0] == (known(builder.method) or "this one")


def test_the_curve_before_stays_to_compare(builder: Builder) -> None:
    builder.choose(threshold="99.9th percentile", v0="half full")
    assert ", before" in builder.says.value and builder.before is not None


def test_the_builder_speaks_chinese_and_is_set_from_code_as_ever() -> None:
    with spoken("zh"):
        builder = Builder(networks.cnn, DATA, T=2).choose(v0="half full")
        assert builder.menus["v0"].value == "half full" and builder.menus["v0"].label == "半满"
        assert builder.menus["threshold"].description == "阈值"
        assert re.fullmatch(
            r"[\d.]+% ?，之前 [\d.]+%；ANN [\d.]+%。", builder.words.removeprefix("2 个时间步之后 ")
        )


def test_labels_that_are_not_there_are_named(builder: Builder) -> None:
    with pytest.raises(ValueError, match=r"v0 = 'full'.*'empty', 'half full'"):
        builder.choose(v0="full")
    with pytest.raises(ValueError, match=r"no choice 'neurons'.*activation, threshold"):
        composed(neurons="IF")


def test_what_was_measured_on_cifar_is_there_for_each_change() -> None:
    measured = worth()
    assert len(measured) == 12 and all({4} <= set(at) <= {4, 8, 16} for at in measured.values())
    assert set(measured["none"]) == set(measured["IF"]) == set(measured["uncorrected"]) == {4, 8, 16}
    assert all(5 < accuracy < 95 for at in measured.values() for accuracy in at.values())
