"""`snnlab lab`: JupyterLab on the first lesson, private, and settled in its own way."""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from snnlab.cli.options import Mistake, language_option, port
from snnlab.files import in_checkout, is_writable, kit, marked, place, regained

FIRST_LESSON = "00_why_spikes_and_why_convert.ipynb"
LESSONS = "[0-9][0-9]_*.ipynb"
COPY = "snnlab-lessons"
"""The folder of a reader's own copy, unless another is named."""
ROOM = 5 * 10**6
"""Bytes that a copy takes, at most."""
KEPT_AT_HOME = (
    *("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"),
    *("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"),
)
"""Folders of Jupyter's, by the variables that set them."""
DEFAULTS = {
    "@jupyterlab/notebook-extension:tracker": {"codeCellConfig": {"lineWrap": True}},
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
}
"""The lab's defaults: long lines are wrapped, so that nothing scrolls sideways; a link to the glossary opens what is
read, not its source. A reader's own setting wins."""


def lab_options(lab: argparse.ArgumentParser) -> None:
    """Those of `snnlab lab`."""
    lab.epilog = (
        "Without FOLDER the lessons of a checkout that can be written are opened where they lie. Else they are copied, "
        f"into {COPY} of the current folder, or of the home folder. A copy in which you have worked stays as it is. A "
        "FOLDER in which lessons lie, such as student/ of `snnlab student`, is opened as it is."
    )
    lab.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="its lessons, or a place for them"
    )
    lab.add_argument("--port", type=port, default=8888, metavar="N", help="8888; if taken, the next free one")
    lab.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    language_option(lab)


def notebooks() -> Path:
    """The folder of the lessons, as the kit has them."""
    folder = kit("notebooks")
    if not (folder / FIRST_LESSON).is_file():
        raise Mistake(f"there is no {FIRST_LESSON} in {folder}: {regained('notebooks')}")
    return folder


def to_work_in(named: Path | None = None) -> tuple[Path, bool]:
    """The folder in which a reader works, with `notebooks` in it, and whether the lessons are to be copied there."""
    if named is not None:
        return named, True
    for folder in ([kit()] if in_checkout() else []) + [Path.cwd()]:
        if (folder / "notebooks" / FIRST_LESSON).is_file() and is_writable(folder / "notebooks"):
            return folder, False
    return (Path.cwd() if is_writable(Path.cwd()) else Path.home()) / COPY, True


def run_lab(args: argparse.Namespace) -> None:
    """Start JupyterLab on the first lesson, in the reader's language, and stay until it ends."""
    folder = _handed_out(args.folder) or _readers(_opened(args.folder))
    with contextlib.ExitStack() as held:
        runtime = held.enter_context(_private())  # with the token in it, and gone with the server
        os.environ.setdefault("JUPYTER_RUNTIME_DIR", str(runtime / "runtime"))
        (runtime / "labconfig").mkdir()
        (runtime / "labconfig" / "default_setting_overrides.json").write_text(
            json.dumps(DEFAULTS), encoding="utf-8"
        )
        paths = [str(runtime), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
        os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)
        if not is_writable(Path.home()):
            print(
                f"snnlab: {Path.home()} cannot be written, so the lab forgets its settings", file=sys.stderr
            )
            for name in KEPT_AT_HOME:
                os.environ.setdefault(name, str(runtime / name.lower()))
        from jupyterlab.labapp import LabApp

        from snnlab.cli.serving import Server

        LabApp.serverapp_class = Server
        # the printed address leads to the lesson too, and Ctrl-C asks no question
        lesson = min(path.name for path in folder.glob(LESSONS))
        first = f"{folder.name}/{lesson}"  # the lessons' links to docs/ lead out of their folder
        options = [f"--ServerApp.root_dir={folder.parent}", f"--LabApp.default_url=/lab/tree/{first}"]
        options += ["--ServerApp.answer_yes=True", f"--port={args.port}"]
        # the search for language servers starts npm, which hangs where home cannot be written, and Ctrl-C with it
        options += ["--LanguageServerManager.autodetect=False"]
        options += ["--no-browser"] if args.no_browser else []
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container everybody is root
            options += ["--allow-root"]
        server = LabApp.initialize_server(argv=options)
        for warning in _open_doors(server):
            print(f"snnlab: {warning}", file=sys.stderr)
        server.start()


def _handed_out(named: Path | None) -> Path | None:
    """The named folder, if lessons lie in it: a copy for a class, or some of it, in whatever language."""
    if named is None:
        return None
    try:
        folder = place(named)
    except ValueError as mistake:
        raise Mistake(f"{mistake}; see snnlab lab --help") from None
    if any(folder.glob(LESSONS)):
        return folder
    copies = sorted({str(path.parent) for path in folder.glob(f"*/{LESSONS}")})
    if copies and not any(folder.glob(f"notebooks/{LESSONS}")):
        raise Mistake(f"{folder} has the lessons in folders of its own: name one, {' or '.join(copies)}")
    return None


def _opened(named: Path | None) -> Path:
    """The folder of the lessons to open; a copy is made, if there is none, and told of."""
    source = notebooks().parent
    try:
        folder, copy = to_work_in(named)
        folder = place(folder)
        if copy:
            left = marked.copied(folder, ROOM, partial(_fill, source), f"notebooks/{LESSONS}")
            stays = ", as you left them; name another folder for new ones" if left else ""
            print(f"snnlab: the lessons are in {folder}{stays}", file=sys.stderr)
    except (ValueError, OSError) as mistake:
        raise Mistake(f"{mistake}; see snnlab lab --help") from None
    return folder / "notebooks"


def _fill(source: Path, new: Path) -> None:
    """The lessons, and the pages to which they lead."""
    for pattern in ("notebooks/[0-9]*.ipynb", "notebooks/*.md", "docs/*.md", "docs/img/*.svg"):
        for path in source.glob(pattern):
            copy = new / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _readers(lessons: Path) -> Path:
    """The folder of the lessons in the reader's language."""
    if os.environ.get("SNNLAB_LANGUAGE") in (None, "", "en"):
        return lessons  # at once
    from snnlab.course import translation

    try:
        folder, older = translation.readers(lessons)
    except (ValueError, OSError) as mistake:
        raise Mistake(str(mistake)) from None
    if older:
        print(f"snnlab: {folder} is as you left it; move it away for a new one", file=sys.stderr)
    return folder


@contextlib.contextmanager
def _private() -> Iterator[Path]:
    """A folder that nobody else can read, gone at the end; what a killed lab left is cleared."""
    from snnlab.files import scratch

    try:
        with scratch(Path(tempfile.gettempdir()), "snnlab-lab-") as folder:
            yield folder
    except OSError as error:
        raise Mistake(
            f"the lab needs a folder for temporary files, but {error.filename} cannot be written ({error.strerror}): "
            "set TMPDIR to one"
        ) from None


def _open_doors(server: Any) -> Iterable[str]:
    """What in a user's own Jupyter configuration lets others in."""
    if server.ip not in ("localhost", "127.0.0.1", "::1"):
        yield (
            f"your Jupyter configuration opens the lab to other machines (ip = {server.ip!r}): whoever has its address "
            "and token can run code as you; to close it: --ServerApp.ip=localhost in the configuration"
        )
    provider = server.identity_provider
    if not provider.auth_enabled:
        yield (
            "your Jupyter configuration asks for no token and no password: whoever reaches the lab, also another user "
            "of this machine, can run code as you"
        )
