# ruff: noqa: RUF001 # Chinese signs are meant
"""The titles of the catalogue's methods, as explorers show them: each has its twin, with the same numbers and terms."""

import re

import pytest

from snnlab import CATALOGUE, datasets, networks
from snnlab.explorers.conversion import ConversionExplorer
from snnlab.files.language import mark, spoken
from tests.course.test_translation import catalogue, untrue


def test_every_title_has_its_twin_and_none_is_left_over() -> None:
    twins, titles = catalogue("methods"), [method.title for method in CATALOGUE.values()]
    missing = [f"<!-- {mark(title)} {title} -->" for title in titles if mark(title) not in twins]
    assert not missing, "write the twins below these lines: " + ", ".join(missing)
    assert set(twins) == set(map(mark, titles))
    wrong = {title: untrue(title, twins[mark(title)]) for title in titles}
    assert not {title: found for title, found in wrong.items() if found}


@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_the_conversion_explorer_tells_the_title_in_the_reader_s_language(tongue: str) -> None:
    data = datasets.load("digits")
    with spoken(tongue):
        words = ConversionExplorer([networks.cnn(seed=0).eval()], data, T=2, images=4).words
    title = (
        "MaxNorm：以最大激活值为阈值。"
        if tongue == "zh"
        else "MaxNorm: the largest activation is the threshold."
    )
    assert words.startswith(title)
    if tongue == "zh":
        assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", words.split("不在菜单里")[0]), words
