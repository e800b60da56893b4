"""The command line: `snnlab lab`, `snnlab methods` and `snnlab report`.

Whatever is slow to import is imported by the command that needs it, so that help and mistakes are answered at
once. A user's mistake is one line on stderr and exit code 2, never a traceback.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import snnlab

FIRST_LESSON = "01_a_neuron_that_counts.ipynb"
CHOICES = ("activation", "threshold", "v0", "corrections", "neuron", "tuning")


class Mistake(ValueError):
    """What ends a command: its text becomes the one line on stderr, its code the exit code."""

    def __init__(self, text: str, code: int = 2) -> None:
        super().__init__(text)
        self.code = code


class Parser(argparse.ArgumentParser):
    """argparse with its error in one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the help is, and leave with code 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0; 2 for a user's mistake; 1 for a failed report; 130 after Ctrl-C."""
    try:
        args = parser().parse_args(argv)
        args.run(args)
    except Mistake as mistake:
        print(f"snnlab: {mistake}", file=sys.stderr)
        return mistake.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def parser() -> Parser:
    """The commands and their options."""
    whole = Parser(prog="snnlab", description="See how an ANN becomes a spiking network.", allow_abbrev=False)
    whole.add_argument("--version", action="version", version=f"snnlab {snnlab.__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND", dest="command")

    def command(run: Any, name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        added.set_defaults(run=run)
        return added

    lab = command(_lab, "lab", "open JupyterLab on the first lesson")
    lab.add_argument(
        "--port", type=_port, default=8888, metavar="N", help="8888; if taken, the next free one"
    )
    lab.add_argument("--no-browser", action="store_true", help="print the address, open no browser")

    methods = command(_methods, "methods", "list the conversion methods of the catalogue")
    methods.add_argument("--json", action="store_true", help="as JSON, with everything a method declares")

    report = command(_report, "report", "run a report and write its folder")
    report.add_argument("name", metavar="NAME", help="which report, for instance: conversion")
    report.add_argument("-p", dest="params", type=_param, action="append", default=[], metavar="KEY=VALUE")
    report.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    return whole


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 65535):
        raise argparse.ArgumentTypeError(f"a port is a whole number from 1 to 65535, not {text!r}")
    return int(text)


def _param(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"a parameter is written KEY=VALUE, not {text!r}")
    return key, value


def _lab(args: argparse.Namespace) -> None:
    folder = notebooks()
    from jupyterlab.labapp import LabApp

    # the printed address leads to the lesson too, and Ctrl-C asks no question
    options = [f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}"]
    options += ["--ServerApp.answer_yes=True", f"--port={args.port}"]
    options += ["--no-browser"] if args.no_browser else []
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container everybody is root
        options += ["--allow-root"]
    LabApp.launch_instance(argv=options)


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


def _methods(args: argparse.Namespace) -> None:
    described = [method.describe() for method in snnlab.CATALOGUE.values()]
    print(json.dumps(described, indent=2, ensure_ascii=False) if args.json else "\n".join(_table(described)))


def _table(described: list[dict[str, Any]]) -> Iterable[str]:
    head = ["name", *CHOICES, "for one T"]
    rows = [[_cell(method[key]) for key in [*head[:-1], "depends_on_T"]] for method in described]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in [head, ["-" * width for width in widths], *rows]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for method in described:
        yield f"\n{method['name']}: {method['title']}"
        yield f"  {method['paper']}, {method['year']}"
        yield f"  needs {method['needs']}"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


def _report(args: argparse.Namespace) -> None:
    keys = [key for key, _ in args.params]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise Mistake(f"parameter {twice[0]!r} is given {keys.count(twice[0])} times, but once is allowed")
    from snnlab import reports

    try:
        print(f"written: {reports.run(args.name, dict(args.params), args.out)}")
    except reports.ParameterError as mistake:
        raise Mistake(str(mistake)) from None
    except reports.ReportError as failure:
        raise Mistake(str(failure), code=1) from None
