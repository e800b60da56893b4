"""What a report says of accuracies: each with its interval, and nothing is better where intervals overlap."""

from itertools import pairwise

import pytest

from snnlab import plots, reports
from snnlab.studies.intervals import wilson
from snnlab.studies.papers import Network
from snnlab.studies.sweeps import Result


def test_an_accuracy_is_said_with_its_interval() -> None:
    low, high = wilson(440, 450)
    assert reports.share(440 / 450, 450) == f"97.8 % ({100 * low:.1f} to {100 * high:.1f})"
    assert reports.span(1.0, 450).endswith(" to 100.0") and not reports.span(1.0, 450).startswith("100")


def test_better_is_said_only_where_intervals_part() -> None:
    assert "better" not in reports.against_ann(0.97, 0.98, 450)
    assert reports.against_ann(0.5, 0.98, 450).endswith("the ANN is better.")
    assert reports.against_ann(0.98, 0.5, 450).endswith("the spiking network is better.")
    assert "better" not in (level := reports.ahead({"a": 0.97, "b": 0.98}, 450))
    assert "`b` has the most right" in level and "overlaps that of `a`" in level
    assert reports.ahead({"a": 0.97, "b": 0.98, "c": 0.5}, 450).endswith("; better than the other 1.")
    assert "better than each of the other 2" in reports.ahead({"a": 0.2, "b": 0.98, "c": 0.5}, 450)
    assert "overlaps" not in reports.ahead({"a": 0.97, "b": 0.98}, 10_000)
    tied = reports.ahead({"a": 0.98, "b": 0.5, "c": 0.98, "d": 0.97}, 450)
    assert tied.startswith("`a` and `c` have the most right") and "overlaps that of `d`" in tied
    assert "better" not in reports.ahead({"a": 0.98, "b": 0.98}, 450)
    with pytest.raises(ValueError, match="accuracies is empty"):
        reports.ahead({}, 450)


def test_the_charts_have_a_bar_from_end_to_end_of_each_interval() -> None:
    bar = plots.accuracy_chart({"qcfs": [0.5, 1.0]}, 0.9, 450).data[0].error_y
    low, high = wilson(225, 450)
    assert 50 + bar.array[0] == pytest.approx(100 * high) and 50 - bar.arrayminus[0] == pytest.approx(
        100 * low
    )
    assert bar.array[1] == 0 and bar.arrayminus[1] > 0.5
    assert not plots.accuracy_chart({"qcfs": [0.5, 1.0]}).data[0].error_y.visible
    found = {"opi": Result("opi", 0.75, {2: 0.5, 4: 0.25}, {2: 2, 4: 4}, 0.1)}
    field = plots.comparison_chart(found, 450).data[0].text[0][0]
    assert field == f" ({100 * low:.1f} to {100 * high:.1f})"


def test_the_papers_tables_have_an_interval_under_each_accuracy() -> None:
    found = Network({"opi": Result("opi", 0.75, {2: 0.5, 4: 0.25}, {2: 2, 4: 4}, 0.1)})
    text = reports.paper_table(["opi"], found, (), 4, 1000).data
    assert text.count("<small>") == 3 and f"50.0<br><small>{reports.span(0.5, 1000)}</small>" in text
    assert "<small>" not in reports.paper_table(["opi"], found, (), 4).data


def test_many_lines_are_told_apart_by_panel_and_colour_and_named_at_their_ends() -> None:
    found = {f"m{k}": Result(f"m{k}", 1.0, {2: 0.5, 4: 0.9}, {2: 2, 4: 4}, 0.1) for k in range(22)}
    chart = plots.steps_chart(found, images=450)
    assert len({(line.yaxis, line.line.color) for line in chart.data}) == 22
    names = {note.text: (note.yref, note.y, note.font.color) for note in chart.layout.annotations}
    assert [names[line.name][2] for line in chart.data] == [line.line.color for line in chart.data]
    for panel in {yref for yref, _, _ in names.values()}:
        heights = sorted(y for yref, y, _ in names.values() if yref == panel)
        assert all(high - low >= 8 for low, high in pairwise(heights))
    assert all(line.error_y.visible is not False for line in chart.data)
