"""`snnlab doctor`: is this machine ready for the lessons, where does everything lie, and what is to be done.

Nothing here imports PyTorch, so what is wrong with PyTorch is said, too; the kernel that is tried does.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple

import snnlab
from snnlab.files import answers_file, data_folder, is_writable, kit, regained

OLDEST = (3, 11)
LESSON = 0.9e9
"""Bytes that the kernel of a lesson holds at most, measured over all lessons."""
SMALL_DISK = 1e9
"""Bytes under which a word is said."""
ANSWERS_WITHIN = 60
"""Seconds in which a kernel starts and has imported PyTorch, if it ever does."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox", "msedge")
KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(startup_timeout=50)
reply = client.execute_interactive("import torch, snnlab", timeout=50, output_hook=lambda _: None)
manager.shutdown_kernel(now=True)
content = reply["content"]
if content["status"] != "ok":
    raise SystemExit(f"{content['ename']}: {content['evalue']}")
"""


class Check(NamedTuple):
    """One line: of what, how it is ("trouble" keeps lessons from running), what was found, what to do."""

    name: str
    state: Literal["ok", "warning", "trouble"]
    found: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.state:8}{self.name}: {self.found}" + (f". {self.todo}" if self.todo else "")


def doctor_options(doctor: argparse.ArgumentParser) -> None:
    """Those of `snnlab doctor`."""
    doctor.epilog = "Ends with code 1 if something keeps lessons from running, else with 0. Changes nothing."
    doctor.add_argument("--json", action="store_true", help="as JSON: a list of name, state, found, todo")


def run_doctor(args: argparse.Namespace) -> None:
    """Make and print every check. Raises: SystemExit(1) if one says trouble."""
    found = []
    for check in every():
        found.append(check)
        if not args.json:
            print(check, flush=True)
    if args.json:
        print(json.dumps([check._asdict() for check in found], indent=2, ensure_ascii=False))
    if any(check.state == "trouble" for check in found):
        raise SystemExit(1)


def every() -> Iterator[Check]:
    """All checks, the quick ones first."""
    parts: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("Python", _python), ("packages", _packages), ("memory", _memory), ("disk", _disk),
        ("lessons", _lessons), ("explorers", _explorers), ("places", _places), ("browser", _browser),
        ("threads", _threads), ("kernel", _kernel),
    )  # fmt: skip
    for name, part in parts:
        try:
            yield from part()
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            yield Check(name, "warning", f"cannot be checked: {_line(str(error))}")


def _python() -> Iterator[Check]:
    found = f"{sys.version.split()[0]}, {sys.executable}"
    if sys.version_info >= OLDEST:
        yield Check("Python", "ok", found)
    else:
        yield Check(
            "Python", "trouble", found, "snnlab needs Python 3.11 or newer: install one, and snnlab into it"
        )


def _packages() -> Iterator[Check]:
    """What the kit asks for, against what is installed; nothing is imported."""
    asked = [line for line in metadata.requires("snnlab") or [] if "extra ==" not in line]
    found = []
    for line in asked:
        name, least = re.match(r"([\w.-]+)(?:>=([\d.]+))?", line).groups(default="0")  # type: ignore[union-attr]
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Check(name, "trouble", "is not installed", f'To do: {_pip()} install "{name}>={least}"')
            continue
        if _numbers(version) < _numbers(least):
            todo = f'The tests ran with {least} or newer. To do: {_pip()} install "{name}>={least}"'
            yield Check(name, "warning", f"is version {version}", todo)
        else:
            found.append(f"{name} {version}")
    yield Check("packages", "ok", ", ".join(found))


def _memory() -> Iterator[Check]:
    free = _free_memory()
    fit = int(free / LESSON)
    found = f"{free / 1e9:.1f} GB free; a lesson left open holds up to {LESSON / 1e9:.1f} GB"
    if fit == 0:
        yield Check(
            "memory",
            "trouble",
            found,
            "Close other programs, or lessons that are open (Kernel, Shut Down All)",
        )
    else:
        todo = "Shut a lesson's kernel down before you open the next (Kernel, Shut Down)" if fit == 1 else ""
        room = f"{fit} {'lesson fits' if fit == 1 else 'lessons fit'}"
        yield Check("memory", "warning" if todo else "ok", f"{found}: {room}", todo)


def _free_memory() -> float:
    """Bytes that can be had, by the machine and by the limit of a container."""
    import psutil

    free = float(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):  # no container, or no limit: "max"
        limit, used = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
        free = min(free, float(limit - used))
    return free


def _disk() -> Iterator[Check]:
    folder = _there(data_folder())
    free = shutil.disk_usage(folder).free
    todo = "Clear some: data sets and trained networks are kept there" if free < SMALL_DISK else ""
    yield Check("disk", "warning" if todo else "ok", f"{free / 1e9:.1f} GB free in {folder}", todo)


def _lessons() -> Iterator[Check]:
    from snnlab.cli.lab import notebooks
    from snnlab.cli.options import Mistake

    try:
        folder = notebooks()
    except Mistake as mistake:
        yield Check("lessons", "trouble", str(mistake))
        return
    taught = [path.stem[-2:] for path in _package("course").glob("lesson_[0-9][0-9].py")]
    missing = [number for number in sorted(taught) if not any(folder.glob(f"{number}_*.ipynb"))]
    if missing:
        yield Check("lessons", "trouble", f"{', '.join(missing)} not in {folder}", regained("notebooks"))
    else:
        yield Check("lessons", "ok", f"{len(taught)} in {folder}")


def _explorers() -> Iterator[Check]:
    folder = _package("explorers")
    asked = {
        name for path in folder.glob("*.py") for name in re.findall(r'"(\w+\.js)"', path.read_text("utf-8"))
    }
    missing = sorted(name for name in asked if not (folder / name).is_file())
    if missing:
        todo = "Install snnlab again"
        yield Check("explorers", "trouble", f"{', '.join(missing)} not in {folder}", todo)
    else:
        yield Check("explorers", "ok", f"{len(asked)} files in {folder}")


def _places() -> Iterator[Check]:
    """Where everything lies, and whether it can be written there."""
    yield Check("what comes with the kit", "ok", str(kit()))
    data = data_folder()
    yield _place(
        "data",
        data,
        "trouble",
        "Set SNNLAB_DATA to a folder that can be written: lessons keep networks there",
    )
    yield _place("trained networks", data_folder(part="trained"), "trouble", "SNNLAB_DATA moves them, too")
    from snnlab.cli.lab import to_work_in

    folder, copy = to_work_in()
    yield Check(
        "lessons to work in", "ok", f"{folder}, a copy that `snnlab lab` makes" if copy else str(folder)
    )
    todo = "Answers are not kept: set SNNLAB_ANSWERS to a file that can be written"
    yield _place("predictions", answers_file(folder / "notebooks").absolute(), "warning", todo)
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError:
        todo = "Set TMPDIR to a folder that can be written"
        yield Check("temporary files", "trouble", "no folder for them can be written", todo)
    else:
        yield _place("temporary files", temporary, "trouble", "Set TMPDIR to a folder that can be written")
    todo = "The lab forgets its settings; lessons run"
    yield _place("settings of Jupyter", Path.home(), "warning", todo)


def _place(name: str, path: Path, state: Literal["warning", "trouble"], todo: str) -> Check:
    if is_writable(path.parent if path.is_file() else path):
        return Check(name, "ok", str(path))
    return Check(name, state, f"{path} cannot be written", todo)


def _browser() -> Iterator[Check]:
    try:
        opened = webbrowser.get()
        yield Check("browser", "ok", str(getattr(opened, "name", type(opened).__name__)))
    except webbrowser.Error:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        todo = "To do: snnlab lab --no-browser, and open the address that it prints in a browser elsewhere"
        yield Check("browser", "ok", found) if found else Check("browser", "warning", "none is found", todo)


def _threads() -> Iterator[Check]:
    named = [
        f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "GOMP_SPINCOUNT") if name in os.environ
    ]
    cores = os.cpu_count() or 1
    found = f"{cores} processors; {', '.join(named)}"
    many = os.environ.get("OMP_NUM_THREADS", "")
    if many.isdecimal() and int(many) > cores:
        todo = f"More threads than processors wait for each other: set OMP_NUM_THREADS to at most {cores}"
        yield Check("threads", "warning", found, todo)
    else:
        yield Check("threads", "ok", found)


def _kernel() -> Iterator[Check]:
    """A kernel is started as the lab does it, in a process of its own: what it says and how it ends is its own."""
    with tempfile.TemporaryDirectory(prefix="snnlab-doctor-", ignore_cleanup_errors=True) as private:
        environment = os.environ | {"JUPYTER_RUNTIME_DIR": private}
        if not is_writable(Path.home()):
            environment |= {"IPYTHONDIR": private, "JUPYTER_DATA_DIR": private}
        try:
            done = subprocess.run(
                [sys.executable, "-c", KERNEL], env=environment, capture_output=True, text=True,
                timeout=ANSWERS_WITHIN, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            said = f"does not answer within {ANSWERS_WITHIN} seconds"
            yield Check("kernel", "trouble", said, "Close other programs, and try again")
            return
    if done.returncode == 0:
        yield Check("kernel", "ok", "starts, answers, and imports PyTorch")
        return
    said = _line((done.stderr.strip().splitlines() or ["no word"])[-1])
    todo = f"To do: {_pip()} install --force-reinstall ipykernel torch torchvision"
    yield Check("kernel", "trouble", f"does not run: {said}", todo)


def _package(wing: str) -> Path:
    return Path(snnlab.__file__).resolve().parent / wing


def _pip() -> str:
    return f"{Path(sys.executable).name} -m pip"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.partition("+")[0])]


def _line(text: str) -> str:
    return " ".join(text.split())[:300]


def _there(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next((one for one in (path, *path.parents) if one.is_dir()), path)
