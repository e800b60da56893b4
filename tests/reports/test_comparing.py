"""snnlab compare: what differs is said, with intervals; what is equal is not."""

import json
from pathlib import Path

import pytest

from snnlab import cli, files
from snnlab.reports.comparing import differences
from snnlab.studies import study


def report(folder: Path, accuracy: float, T: int, torch: str = "2") -> Path:
    folder.mkdir()
    found = {"params": {"T": T, "data": "digits", "images": 0}, "versions": {"torch": torch}}
    (folder / "results.json").write_text(json.dumps(found | {"snn_accuracy": {"1": accuracy}, "same": [1]}))
    return folder


def test_parameters_versions_and_figures_that_differ_are_told(tmp_path: Path, capsys) -> None:
    one, other = report(tmp_path / "one", 0.9, 4), report(tmp_path / "other", 0.5, 8, "3")
    near = report(tmp_path / "near", 0.91, 4)
    assert [(d.name, d.one, d.other) for d in differences(one, other)] == [
        ("params.T", 4, 8), ("versions.torch", "2", "3"), ("snn_accuracy.1", 0.9, 0.5),
    ]  # fmt: skip
    assert differences(one, other)[-1].chance.endswith("they part")
    assert [d.chance[-14:] for d in differences(one, near)] == ["not told apart"]
    assert cli.main(["compare", str(one), str(one)]) == 0 and capsys.readouterr().out == "no difference\n"
    assert cli.main(["compare", str(one), str(other), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {"name": "params.T", "one": 4, "other": 8, "chance": ""}


def test_two_studies_are_compared_point_by_point(tmp_path: Path) -> None:
    row = dict.fromkeys(study.KINDS) | {
        "method": "opi",
        "T": 4,
        "images": 40,
        "accuracy": 0.5,
        "finished": "now",
    }
    for name, accuracy in (("a", 0.5), ("b", 0.95)):
        files.write(
            tmp_path / name / study.TABLE, study.parquet([row | {"accuracy": accuracy, "finished": name}])
        )
    [found] = differences(tmp_path / "a", tmp_path / "b")
    assert (
        "method=opi" in found.name and (found.one, found.other) == (0.5, 0.95) and "they part" in found.chance
    )


@pytest.mark.parametrize("text", [None, "[1]", "{", "[" * 10**5])
def test_what_is_no_report_is_one_line(text: str | None, tmp_path: Path, capsys) -> None:
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    assert cli.main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
