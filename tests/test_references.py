"""Every paper that a lesson names has its full reference there, the same in all lessons, with its link."""

import re
from pathlib import Path

import pytest

from snnlab import CATALOGUE
from tests.test_links import FOLDER, LESSONS, text_of

KNOWN = re.findall(r"(?m)^- (.+)$", text_of(FOLDER / "references.md"))
ENTRY = re.compile(
    r"(?P<authors>.+?) \((?P<year>\d{4})\): \*(?P<title>[^*]+)\*\. (?P<venue>.*?)\[(?P<name>[^\]]+)\]"
)
LINKS = {"arXiv:": "https://arxiv.org/abs/", "doi:": "https://doi.org/"}
UNTITLED = ("Xiong et al. (2025): ",)
"""Known by its journal and pages alone: its title and authors are in no source that this project could check."""

AUTHORS = r"\b([A-Z][a-z]+)(?:(?:, [A-Z][a-z]+)* & [A-Z][a-z]+| et al\.)"
NAMED = re.compile(rf"{AUTHORS}?,? \(?((?:19|20)\d\d)\b(?:, ([A-Z]{{4,5}})\b)?")
UNDATED = re.compile(AUTHORS)
METHODS = {
    "MaxNorm": "Diehl", "RobustNorm": "Rueckauer", "TCL": "Ho", "RateNorm": "Ding", "OPI": "low-latency",
    "QCFS": "ultra-low-latency", "SNM": "signed neuron with memory", "Ca-LIF": "Gao", "Fast-SNN": "Hu", "ST-BIF": "You",
    "QC-ANN": "Xiong", "LMPC": "Xiong", "LWC": "Xiong", "COS": "calibrating offset spikes", "Opt": "Deng",
}  # fmt: skip
"""A method's short name, and what stands in its reference: an author, or words of the title."""
NO_NAMES = {"Table", "Figure", "November", "Section"}


def parts(text: str) -> tuple[str, list[str]]:
    """What a lesson says, without addresses and code, and the entries of its list "To read"."""
    body, _, read = text.partition("## To read")
    body = re.sub(r"`[^`]*`", "", re.sub(r"\]\([^)]*\)", "]", body))
    return " ".join(body.split()), re.findall(r"(?m)^- (.+)$", read)


def missing(text: str) -> set[str]:
    """The works that a lesson names and does not list."""
    body, read = parts(text)
    found = set()
    for author, year, venue in NAMED.findall(body):
        if author not in NO_NAMES and not any(
            re.match(rf"[^(]*\b{author}\b[^(]*\({year}\)", entry) and venue in entry for entry in read
        ):
            found.add(f"{author} {year} {venue}".strip())
    authors = {re.split(r" \(| et al|, ", entry)[0].split()[-1] for entry in read}
    found |= {f"{author} et al." for author in UNDATED.findall(body) if author not in authors}
    for method, word in METHODS.items():
        named = re.search(rf"(?<![\w-]){method}(?![\w-])", body)
        if named and not any(word in entry or word in entry.lower() for entry in read):
            found.add(method)
    return found


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_paper_that_a_lesson_names_is_listed_there(path: Path) -> None:
    assert not missing(text_of(path))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("So say Knuth et al. (1997).", {"Knuth 1997", "Knuth et al."}),
        ("(Ho & Kim 1999)", {"Ho 1999", "Ho et al."}),
        ("Horowitz 2015", {"Horowitz 2015"}),
        ("Rueckauer et al. (2017, section 2.2)", set()),
        ("(Rueckauer et al. 2017, IJCAI)", {"Rueckauer 2017 IJCAI"}),
        ("COS looks ahead.", {"COS"}),
        ("Li, Jones & Furber (2023)", {"Li 2023", "Li et al."}),
    ],
)
def test_a_paper_without_its_reference_is_found(said: str, wanted: set[str]) -> None:
    read = "\n".join(f"- {entry}" for entry in KNOWN if entry.startswith(("B. Rue", "M. Horo")))
    assert missing(f"{said}\n\n## To read\n\n{read}") <= wanted
    assert missing(f"{said}\n\n## To read\n\n{read}") or not wanted


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lessons_references_are_those_of_the_common_list(path: Path) -> None:
    for entry in parts(text_of(path))[1]:
        dated = re.match(r"[^:]*\((19|20)\d\d\):", entry)
        assert not dated or any(entry.startswith(known) for known in KNOWN), entry


def test_a_reference_has_authors_title_venue_year_and_a_link_that_is_what_it_says() -> None:
    assert len(KNOWN) == len(set(KNOWN)) > 20
    for entry in KNOWN:
        if entry.startswith(UNTITLED):
            continue
        found = ENTRY.match(entry)
        assert found, entry
        kind = next(kind for kind in LINKS if found["name"].startswith(kind))
        assert entry.endswith(f"({LINKS[kind]}{found['name'].removeprefix(kind)})."), entry
        assert found["venue"] or kind == "arXiv:", entry
        assert kind != "arXiv:" or re.fullmatch(r"arXiv:\d{4}\.\d{4,5}", found["name"])


def test_the_catalogues_papers_are_all_in_the_list() -> None:
    for method in CATALOGUE.values():
        author = re.match(r"(?:after )?([A-Z]\w+)(?: et al\.| &)", method.paper)
        assert author is None or any(
            f"{author[1]}" in entry and f"({method.year})" in entry for entry in KNOWN
        ), (method.name, method.paper)
