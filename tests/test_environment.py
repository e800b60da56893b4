"""environment.yml and pyproject.toml ask for the same packages with the same bounds."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def bounds(lines: list[str]) -> dict[str, str]:
    parsed = [Requirement(line) for line in lines]
    return {CONDA_NAMES.get(each.name, each.name): str(each.specifier) for each in parsed}


def asked_of_conda() -> dict[str, str]:
    entries = ENVIRONMENT["dependencies"]
    plain = [entry for entry in entries if isinstance(entry, str)]
    from_pip = [line for entry in entries if isinstance(entry, dict) for line in entry["pip"]]
    return bounds([*plain, *from_pip])


def test_both_ask_for_the_same_packages_and_bounds() -> None:
    conda = asked_of_conda()
    assert conda.pop("python") == PROJECT["requires-python"]
    assert conda.pop("pip") == ""
    assert conda == bounds([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]])


def test_everything_comes_from_conda_forge() -> None:
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]


def test_bounds_are_lower_bounds_only() -> None:
    every = bounds([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]])
    assert {name for name, bound in every.items() if not re.fullmatch(r">=[\d.]+", bound)} == set()


def test_torch_is_not_asked_for_from_a_place_of_its_own() -> None:
    """A torch from elsewhere beside PyPI's torchvision fails at import: no URL, no index, no local version."""
    assert all(Requirement(line).url is None for line in PROJECT["dependencies"])


def test_torch_and_torchvision_belong_together() -> None:
    import torchvision

    assert torchvision.ops.nms is not None  # "operator torchvision::nms does not exist" where they do not
