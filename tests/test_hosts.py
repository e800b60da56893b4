"""What other hosts read of the project: workflows, Binder's folder, the citation, templates; and the page on them."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement

import snnlab
from docs.published import publish

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "hosts.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
TEMPLATES = [path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").iterdir() if path.name != "config.yml"]
COLAB_HAS = {
    *(
        "torch",
        "torchvision",
        "numpy",
        "scikit-learn",
        "ipywidgets",
        "matplotlib",
        "plotly",
        "nbconvert",
        "nbclient",
    ),
    *("tqdm", "jinja2", "pydantic", "pyarrow", "pyyaml", "psutil", "h5py", "jupyterlab"),
}
"""Dependencies that the page takes for granted there, or of no use."""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_commands_that_are_there(path: Path) -> None:
    flow = read(path)
    assert flow[True], "`on` says when"  # YAML 1.1 reads `on` as true
    assert flow["permissions"]["contents"] == "read", "no more rights than it needs"
    commands = []
    for job in flow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            commands += [step["run"]] if "run" in step else []
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/none@v1")), (
                "only GitHub's own"
            )
    for command in commands:
        program, *rest = command.split()
        if program == "make":
            assert rest[0] in targets(), command
        elif program != "test":
            assert os.access(ROOT / program, os.X_OK), command
    assert commands


def test_the_workflows_test_publish_and_release() -> None:
    said = {path.stem: path.read_text("utf-8") for path in WORKFLOWS}
    assert set(said) == {"tests", "site", "release"}
    assert "- run: .ci/run\n" in said["tests"]
    assert "make docs" in said["site"] and "path: build/docs\n" in said["site"]
    assert "make wheel" in said["release"] and "path: dist/\n" in said["release"]
    recipes = (ROOT / "Makefile").read_text("utf-8")
    assert " docs build/docs\n" in recipes and "--wheel-dir dist" in recipes


def test_binder_installs_the_kit() -> None:
    assert (
        read(ROOT / ".binder" / "environment.yml")["channels"] == read(ROOT / "environment.yml")["channels"]
    )
    script = ROOT / ".binder" / "postBuild"
    assert os.access(script, os.X_OK), "Binder runs it"
    assert script.read_text("utf-8").splitlines()[-1].endswith("install --no-cache-dir .")
    if bash := shutil.which("bash"):
        subprocess.run([bash, "-n", script], check=True)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_an_issue_template_asks_something(path: Path) -> None:
    form = read(path)
    assert {"name", "description", "body"} <= set(form)
    assert len({part["id"] for part in form["body"]}) == len(form["body"])
    assert any(part["validations"]["required"] for part in form["body"])


def test_the_citation_is_of_this_version() -> None:
    citation = read(ROOT / "CITATION.cff")
    assert citation["version"] == snnlab.__version__ and citation["license"] == PROJECT["license"]
    assert [author["name"] for author in citation["authors"]] == [a["name"] for a in PROJECT["authors"]]


def test_before_a_commit_runs_ruff_alone() -> None:
    [local] = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local", "nothing is fetched but ruff"
    bound = next(line for line in PROJECT["optional-dependencies"]["test"] if line.startswith("ruff"))
    for hook in local["hooks"]:
        assert hook["entry"].startswith("ruff ") and hook["additional_dependencies"] == [bound]


def test_the_page_invents_no_address() -> None:
    assert "git+{REPOSITORY}" in PAGE
    addresses = set(re.findall(r"https?://[^\s`)\"]+", PAGE)) - {"https://github.com/OWNER/NAME"}
    ours = PROJECT.get("urls", {}).get("Repository")
    assert addresses == {"https://download.pytorch.org/whl/cpu", *filter(None, [ours])}
    assert ("<address of the repository>" in PAGE) == (ours is None)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that name the address, as they are before there is one."""
    for path in ("README.md", "pyproject.toml", "CITATION.cff", "docs/hosts.md"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def published(address: str, root: Path) -> dict[str, str]:
    """The files after the address was put there."""
    publish(address, root)
    return {path: (root / path).read_text("utf-8") for path in ("README.md", "CITATION.cff", "docs/hosts.md")}


def test_an_address_makes_badges_that_open_what_is_there(copy: Path) -> None:
    said = published("https://github.com/Some-One/spikes.git", copy)
    urls = tomllib.loads((copy / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
    assert urls["Repository"] == "https://github.com/Some-One/spikes"
    assert urls["Documentation"] == "https://some-one.github.io/spikes/"
    line = said["README.md"].splitlines()[2]
    links = dict(re.findall(r"\[!\[(\w+)\]\([^)]+\)\]\(([^)]+)\)", line))
    binder, colab = urlsplit(links["Binder"]), urlsplit(links["Colab"])
    assert binder.path == "/v2/gh/Some-One/spikes/HEAD"
    assert (ROOT / parse_qs(binder.query)["labpath"][0]).is_file()
    assert (copy / colab.path.removeprefix("/github/Some-One/spikes/blob/HEAD/")).is_file()
    workflow = urlsplit(links["tests"]).path.removeprefix("/Some-One/spikes/actions/workflows/")
    assert (ROOT / ".github" / "workflows" / workflow).is_file()
    assert yaml.safe_load(said["CITATION.cff"])["repository-code"] == urls["Repository"]
    assert "<address" not in said["docs/hosts.md"] and said["docs/hosts.md"].count(urls["Repository"]) == 2


def test_another_address_moves_them_all_and_the_same_one_changes_nothing(copy: Path) -> None:
    first, once = (published("https://github.com/one/kit", copy) for _ in range(2))
    assert first == once
    moved = published("https://github.com/two/kit/", copy)
    assert "one/kit" not in "".join(moved.values()) + (copy / "pyproject.toml").read_text("utf-8")
    assert moved == {path: text.replace("one/kit", "two/kit") for path, text in once.items()}


def test_colabs_page_fetches_the_kit_without_torch_runs_and_links_every_lesson(copy: Path) -> None:
    published("https://github.com/one/kit", copy)
    book = nbformat.read(copy / "docs" / "colab.ipynb", 4)
    nbformat.validate(book)
    fetch, explorer, convert = (cell["source"] for cell in book["cells"] if cell["cell_type"] == "code")
    assert 'REPOSITORY = "https://github.com/one/kit"' in fetch and "--no-deps git+{REPOSITORY}" in fetch
    exec(explorer, {})
    exec(convert.replace("epochs=12", "epochs=1"), {})
    linked = set(re.findall(r"blob/HEAD/(notebooks/[^)]+)", book["cells"][-1]["source"]))
    assert linked == {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}


@pytest.mark.parametrize(
    "address", ["", "one/kit", "http://github.com/one/kit", "https://github.com/one", "github.com/a/b/c"]
)
def test_another_form_of_address_is_refused_and_nothing_is_written(address: str, copy: Path) -> None:
    before = (copy / "README.md").read_bytes()
    with pytest.raises(SystemExit, match=r"an address is https://github.com/OWNER/NAME, not "):
        publish(address, copy)
    assert (copy / "README.md").read_bytes() == before


@pytest.mark.parametrize("path", ["pyproject.toml", "CITATION.cff", "docs/hosts.md"])
def test_a_file_without_a_place_is_named_and_nothing_is_written(path: str, copy: Path) -> None:
    (copy / path).write_text("nothing here\n", "utf-8")
    before = {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}
    with pytest.raises(SystemExit, match=f"^{path} has 0 places"):
        publish("https://github.com/one/kit", copy)
    assert before == {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}


def test_the_page_says_of_each_host_whether_it_was_tried() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("|")
    ]
    assert rows[0] == ["host", "what to do", "tried"]
    hosts = {name: tried for name, _, tried in rows[2:]}
    for name in ("Notebook 7", "JupyterHub", "Binder", "Colab", "Kaggle", "VS Code"):
        section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert hosts[name].startswith("no") == section.strip().startswith("Not tried")


def test_in_colab_every_dependency_is_there_or_installed_and_torch_is_not_replaced() -> None:
    [line] = re.findall(r"%pip install --quiet (?!--)(.*)", PAGE)
    needed = {Requirement(each).name for each in PROJECT["dependencies"]}
    assert set(line.split()) == needed - COLAB_HAS and needed >= COLAB_HAS
    assert "%pip install --quiet --no-deps git+" in PAGE
