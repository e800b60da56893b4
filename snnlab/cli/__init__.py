"""The command line: `snnlab lab`, `methods`, `report`, `study`, `compare`, `train`, `bench`, `student`, `export`, ...

Whatever is slow to import is imported by the command that needs it, so that help and mistakes are answered at
once. A user's mistake is one line on stderr and exit code 2, never a traceback.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import snnlab
from snnlab.cli.compare import compare_options, run_compare
from snnlab.cli.doctor import doctor_options, run_doctor
from snnlab.cli.lab import lab_options, notebooks, run_lab
from snnlab.cli.options import (
    Mistake,
    bench_options,
    completion_option,
    export_options,
    gather_options,
    learning_options,
    quiet_option,
    stopped,
    student_options,
    train_options,
)  # fmt: skip
from snnlab.cli.report import report_options, run_report
from snnlab.cli.study import run_study, study_options
from snnlab.files import place, short
from snnlab.files.language import LANGUAGES

SETTINGS = (
    *("network", "data", "activation", "levels", "width", "epochs", "batch", "seed"),
    *("threshold", "threshold_decay", "norm_decay", "smoothing", "jitter"),
)
MOST_SAID = 1500
"""Characters of a message."""
CHOICES = ("activation", "threshold", "v0", "corrections", "neuron", "tuning")
CODES = "0; 1 a report or a check that failed; 2 a mistake, told in one line; 130 Ctrl-C; 143 SIGTERM"
EXAMPLES = {
    "lab": "--no-browser",
    "methods": "--json",
    "report": "conversion -p method=qcfs -p T=16 --out out/qcfs",
    "train": "cnn --data digits --epochs 20 --out cnn.safetensors",
    "student": "--out out/class",
    "gather": "handed-in/ --out class.html",
    "export": "03 --out lesson.html",
    "doctor": "--json",
    "bench": "--quick",
    "compare": "out/qcfs out/opi",
    "study": "quick --out out/quick",
}
"""One of each command, as its help shows it."""


class Parser(argparse.ArgumentParser):
    """argparse with its error in one line, and help that ends in an example and the exit codes."""

    def format_help(self) -> str:
        """What `--help` prints."""
        example = EXAMPLES.get(self.prog.rpartition(" ")[2], "COMMAND --help")
        return f"{super().format_help()}\nexample: {self.prog} {example}\nexit codes: {CODES}\n"

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the help is, and leave with code 2."""
        self.exit(2, f"{self.prog}: {_cut(message)}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0; 2 for a user's mistake; 1 for a failed report; 130 after Ctrl-C."""
    with contextlib.suppress(ValueError):  # outside the main thread a signal is somebody else's
        signal.signal(signal.SIGTERM, _end)
    try:
        args = parser().parse_args(argv)
        if chosen := getattr(args, "language", None):
            os.environ["SNNLAB_LANGUAGE"] = chosen  # kernels hear of it too
        if args.quiet:
            os.environ["SNNLAB_PROGRESS"] = "none"
        args.run(args)
    except Mistake as mistake:
        print(f"snnlab: {_cut(str(mistake))}", file=sys.stderr)
        return mistake.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _end(*_: object) -> NoReturn:
    """Answer SIGTERM like Ctrl-C: what was begun is cleared away on the way out."""
    raise SystemExit(143)


def _cut(message: str) -> str:
    """One line of a message, with what somebody gave that is longer than any name cut."""
    line = re.sub(r"\S{400,}", lambda long: f"{long[0][:60]}...{long[0][-20:]}", " ".join(message.split()))
    return line if len(line) <= MOST_SAID else f"{line[: MOST_SAID - 60]} ... {line[-50:]}"


def parser() -> Parser:
    """The commands and their options."""
    whole = Parser(prog="snnlab", description="See how an ANN becomes a spiking network.", allow_abbrev=False)
    whole.add_argument("--version", action="version", version=f"snnlab {snnlab.__version__}")
    completion_option(whole)
    commands = whole.add_subparsers(required=True, metavar="COMMAND", dest="command")

    def command(run: Any, name: str, text: str, **more: Any) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, allow_abbrev=False, **more)
        quiet_option(added)
        added.set_defaults(run=run)
        return added

    lab_options(command(run_lab, "lab", "open JupyterLab on the first lesson"))

    methods = command(_methods, "methods", "list the conversion methods of the catalogue")
    methods.add_argument("--json", action="store_true", help="as JSON, with everything a method declares")

    report_options(command(_report, "report", "run a report and write its folder", add_help=False))

    train = command(_train, "train", "train a network for hours, and keep it as a checkpoint")
    train_options(train)
    learning_options(train)

    student = command(
        _student, "student", "copies of the lessons for a class: students', instructor's, slides"
    )
    student_options(student)

    gather = command(_gather, "gather", "one page of what a class has predicted, without names")
    gather_options(gather)

    export = command(
        _export, "export", "the course, or one lesson, as pages that need no Python and no network"
    )
    export_options(export)

    doctor_options(command(run_doctor, "doctor", "check this machine, and say what to do"))

    bench = command(_bench, "bench", "how fast simulating is, against other simulators and the ANN itself")
    bench_options(bench)

    compare_options(command(_compare, "compare", "what differs between two reports, or two studies"))

    study_options(command(_study, "study", "many methods, networks and seeds, by many workers, in one table"))
    return whole


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
    return (", ".join(value) or "none") if isinstance(value, list) else str(value or "none")


def _report(args: argparse.Namespace) -> None:
    from snnlab.reports.parameters import ParameterError

    try:
        print(run_report(args))
    except ParameterError as mistake:
        raise Mistake(str(mistake)) from None
    except RuntimeError as failure:  # ReportError, whose file would take PyTorch's time to import
        raise Mistake(str(failure), code=1) from None


def _student(args: argparse.Namespace) -> None:
    from snnlab.course import copies

    try:
        print(f"written: {copies.write(notebooks(), args.out)}, with {', '.join(copies.COPIES)}")
    except (ValueError, OSError) as mistake:
        raise Mistake(str(mistake)) from None


def _gather(args: argparse.Namespace) -> None:
    from snnlab import files
    from snnlab.course import gathering

    try:
        out = files.probe(args.out)
        if out.exists() and not gathering.own(out.read_text("utf-8", "replace")):
            raise ValueError(f"--out is {short(str(args.out))}, which is no such page: name a new file")
        files.write(out, gathering.page(args.folders).encode())
        for path in gathering.without_answers(args.folders):
            print(f"snnlab: {path} holds no answer, and is left out", file=sys.stderr)
    except (ValueError, OSError) as mistake:
        raise Mistake(str(mistake)) from None
    print(f"written: {out}")


def _export(args: argparse.Namespace) -> None:
    from snnlab import reports
    from snnlab.course import translation
    from snnlab.reports import site

    if args.lesson and args.both:
        raise Mistake("--both is for the whole course: leave LESSON out, or name one --language")
    try:
        if args.lesson:
            with translation.source(notebooks()) as folder:
                done = site.write_one(folder, args.lesson, args.out)
        else:
            done = site.write(notebooks(), args.out, LANGUAGES if args.both else ())
    except (ValueError, OSError) as mistake:
        raise Mistake(str(mistake)) from None
    except reports.ReportError as failure:
        raise Mistake(str(failure), code=1) from None
    print(f"written: {done}")


def _augment(args: argparse.Namespace) -> tuple[str, ...]:
    if args.augment is None:  # a mirrored digit is no digit
        return ("crop", "flip") if args.data.startswith("cifar") else ("crop",)
    return () if args.augment == "none" else tuple(args.augment.split(","))


def _train(args: argparse.Namespace) -> None:
    import torch

    from snnlab import datasets
    from snnlab.training import runs

    if args.threads is not None:
        torch.set_num_threads(args.threads)
    try:
        settings = runs.Settings(
            **{name: getattr(args, name) for name in SETTINGS},
            lr=args.lr if args.lr is not None else 0.01 if args.start else 0.1,
            augment=_augment(args),
            bf16=args.bf16 == "on" or (args.bf16 == "auto" and runs.bf16_pays()),
            start=runs.sha256(place(args.start)) if args.start and place(args.start).is_file() else "",
        )
        runs.place_for(settings, args.out, force=args.force)  # before images are loaded, which may take long
        data = datasets.load(settings.data, args.root)
        options = {"start": args.start, "fresh": args.fresh, "force": args.force}
        trained = runs.run(settings, data, args.out, **options)
    except (ValueError, OSError) as mistake:
        raise Mistake(str(mistake)) from None
    except KeyboardInterrupt as stop:
        stopped(stop)
        raise
    print(
        f"written: {args.out} (test accuracy {float(trained.about['accuracy']):.2%}, sha256 {runs.sha256(args.out)})"
    )


def _compare(args: argparse.Namespace) -> None:
    try:
        print(run_compare(args))
    except (ValueError, OSError) as mistake:
        raise Mistake(str(mistake)) from None


def _study(args: argparse.Namespace) -> None:
    try:
        print(run_study(args))
    except (ValueError, OSError) as mistake:
        raise Mistake(str(mistake)) from None
    except RuntimeError as failure:  # of the report; the table is written
        raise Mistake(str(failure), code=1) from None


def _bench(args: argparse.Namespace) -> None:
    given = {"networks": args.network, "steps": args.T, "rounds": args.rounds}
    given |= {"images": args.images, "wide_images": args.images}
    try:
        from snnlab.studies import bench

        settings = bench.settings(args.quick, **{name: value for name, value in given.items() if value})
        rows, missing = bench.run(settings)
    except (ValueError, OSError) as mistake:
        raise Mistake(str(mistake)) from None
    except KeyboardInterrupt:
        stopped("stopped; what was measured so far is not kept")
        raise
    print(bench.as_json(rows) if args.json else "\n".join(bench.table(rows)))
    for line in missing:
        print(line, file=sys.stderr if args.json else sys.stdout)
