"""`snnlab lab`: JupyterLab on the first lesson, private, and settled in its own way."""

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import snnlab
from snnlab.cli.options import Mistake
from snnlab.files import is_writable

FIRST_LESSON = "00_why_spikes_and_why_convert.ipynb"
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


def notebooks() -> Path:
    """The folder of the lessons: beside the package in a checkout, or in the current folder."""
    folders = [Path(snnlab.__file__).resolve().parents[1] / "notebooks", Path.cwd() / "notebooks"]
    for folder in folders:
        if (folder / FIRST_LESSON).is_file():
            return folder
    raise Mistake(
        f"there is no {FIRST_LESSON} in {' or '.join(map(str, dict.fromkeys(folders)))}: the lessons come with the "
        "project's checkout, so clone it, and in its folder run `make lab` (or `pip install -e .` and `snnlab lab`)"
    )


def run_lab(args: argparse.Namespace) -> None:
    """Start JupyterLab on the first lesson, in the reader's language, and stay until it ends."""
    folder = _readers(notebooks())
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

        # the printed address leads to the lesson too, and Ctrl-C asks no question
        first = f"{folder.name}/{FIRST_LESSON}"  # the lessons' links to docs/ lead out of their folder
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
