"""The options of the commands that have many, how what was typed becomes a number, and what a mistake is."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from snnlab.files import short
from snnlab.files.language import LANGUAGES

MOST_THREADS = 256
SHELLS = ("bash", "zsh", "tcsh")
"""Those that completion is written for."""


class Mistake(ValueError):
    """What ends a command: its text becomes the one line on stderr, its code the exit code."""

    def __init__(self, text: str, code: int = 2) -> None:
        super().__init__(text)
        self.code = code


def train_options(train: argparse.ArgumentParser) -> None:
    """Those of `snnlab train`: what is trained on what, and where it goes."""
    train.epilog = (
        "After every epoch all is kept beside FILE; stopped or killed, the same command goes on from there, to the "
        "same bits (same seed, same number of threads). Only training images are looked at, but for the last line."
    )
    train.add_argument("network", metavar="NETWORK", help="cnn, resnet, resnet18, resnet20, vgg16")
    train.add_argument("--data", default="cifar10", help="cifar10; or digits, mnist, fashion_mnist, cifar100")
    train.add_argument(
        "--root", type=Path, metavar="DIR", help="folder of the images (else $SNNLAB_DATA, or data/)"
    )
    train.add_argument(
        "--activation", default="relu", metavar="NAME",
        help="relu; or clip, quant_clip, qcfs, noisy_quant_clip, rate_norm",
    )  # fmt: skip
    train.add_argument("--levels", type=int, default=8, metavar="L", help="8; of activations that round")
    train.add_argument("--width", type=int, metavar="N", help="channels of the first layer (the paper's)")
    train.add_argument(
        "--augment",
        metavar="LIST",
        help="some of crop,flip,cutout,autoaugment, or none (crop,flip for CIFAR, else crop)",
    )
    train.add_argument("--seed", type=int, default=0, metavar="N", help="0")
    train.add_argument(
        "--bf16", choices=("auto", "on", "off"), default="auto", help="auto: where it is faster"
    )
    train.add_argument("--threads", type=threads, metavar="N", help="of the CPU (as many as PyTorch takes)")
    train.add_argument(
        "--start", type=Path, metavar="FILE", help="a checkpoint to go on from, as fine-tuning"
    )
    train.add_argument(
        "--fresh", action="store_true", help="begin anew, whatever a stopped training has left"
    )
    train.add_argument(
        "--force", action="store_true", help="replace FILE, whatever it is, not only one of the same settings"
    )
    train.add_argument("--out", type=Path, required=True, metavar="FILE", help="the checkpoint to write")


def learning_options(train: argparse.ArgumentParser) -> None:
    """Those of `snnlab train` that say how it learns."""
    learning = train.add_argument_group("how it learns", "SGD with momentum 0.9; weights decay by 0.0005")

    def rate(option: str, default: float | None, text: str) -> None:
        learning.add_argument(option, type=float, default=default, metavar="X", help=text)

    learning.add_argument("--epochs", type=int, default=100, metavar="N", help="100")
    learning.add_argument("--batch", type=int, default=128, metavar="N", help="128 images a step")
    rate("--lr", None, "0.1, or 0.01 with --start; falls to 0 along a cosine")
    rate(
        "--threshold",
        None,
        "learned thresholds start here: 2, or with --start at a percentile; QCFS's paper 8",
    )
    rate("--threshold-decay", 0.0, "0; TCL and QCFS take 0.0005")
    rate("--norm-decay", 0.0, "of batch norms and biases: 0; QCFS takes 0.0005")
    rate("--smoothing", 0.1, "of labels: 0.1; the papers take 0")
    rate(
        "--jitter",
        0.0,
        "activations that round are moved by so many levels in training: 0; more loses less in few steps",
    )


def student_options(student: argparse.ArgumentParser) -> None:
    """Those of `snnlab student`."""
    student.epilog = (
        "Students get the lessons without solutions, which run with every exercise open; the instructor gets open "
        "solutions, all answers, and the usual mistakes with their hints; slides are for RISE, or for "
        "`jupyter nbconvert --to slides --execute`. `snnlab lab DIR/student` opens a copy."
    )
    student.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    language_option(student)


def quiet_option(command: argparse.ArgumentParser) -> None:
    """Of every command."""
    command.add_argument("-q", "--quiet", action="store_true", help="show no progress")


class _Completion(argparse.Action):
    """Print what completes commands and options in a shell, and leave."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: object, values: Any, option_string: object = None
    ) -> NoReturn:
        import shtab

        for one in _every(parser):
            for action in one._actions:
                if action.type is Path:
                    action.complete = shtab.DIR if action.metavar == "DIR" else shtab.FILE  # type: ignore[attr-defined]
        print(shtab.complete(parser, shell=values))
        parser.exit()


def completion_option(whole: argparse.ArgumentParser) -> None:
    """Of `snnlab` itself."""
    text = 'print what the Tab key needs: eval "$(snnlab --print-completion bash)"'
    whole.add_argument("--print-completion", action=_Completion, choices=SHELLS, help=text)


def _every(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def language_option(command: argparse._ActionsContainer, what: str = "of the lessons") -> None:
    """What the lessons, or a report, are read in."""
    command.add_argument("--language", choices=LANGUAGES, help=f"{what}: en, or zh, Chinese")


def gather_options(gather: argparse.ArgumentParser) -> None:
    """Those of `snnlab gather`."""
    gather.add_argument("folders", nargs="+", metavar="DIR", help="folders, or files, that hold answers")
    gather.add_argument("--out", type=Path, required=True, metavar="FILE", help="the page to write")
    language_option(gather, "of the page")


def export_options(export: argparse.ArgumentParser) -> None:
    """Those of `snnlab export`."""
    export.epilog = (
        "Each lesson is run, some five minutes for all on two cores. Explorers compute in the page, predictions are "
        "kept in the browser; exercises want `snnlab lab`."
    )
    export.add_argument("lesson", nargs="?", metavar="LESSON", help="its number; all, if there is none")
    out = "a folder; for one lesson a file"
    export.add_argument("--out", type=Path, required=True, metavar="PATH", help=out)
    either = export.add_mutually_exclusive_group()
    language_option(either)
    both = "the course in each language, every page linked with its twin"
    either.add_argument("--both", action="store_true", help=both)


def bench_options(bench: argparse.ArgumentParser) -> None:
    """Those of `snnlab bench`."""
    bench.epilog = (
        "The yardstick, dense work, is T times the ANN's own forward pass, channels-last, in the batch size that is "
        "fastest. CPU seconds are of one thread, wall seconds of one for each core. What is not installed is said."
    )
    bench.add_argument(
        "--quick", action="store_true",
        help="within a minute: T = 16, 8 images (the wide network 3), two rounds, no memory",
    )  # fmt: skip
    bench.add_argument("--json", action="store_true", help="the rows as JSON")
    bench.add_argument(
        "--network", type=names, metavar="LIST", help="some of resnet20,vgg16,vgg16-64 (all of them)"
    )
    bench.add_argument("--T", type=numbers, metavar="LIST", help="numbers of steps (4,16,64)")
    bench.add_argument("--images", type=number, metavar="N", help="32, for the wide network 8; 256 at most")
    bench.add_argument("--rounds", type=number, metavar="N", help="3; everybody runs once in each")


def names(text: str) -> tuple[str, ...]:
    """A list, a,b,c."""
    return tuple(text.split(","))


def numbers(text: str) -> tuple[int, ...]:
    """A list of whole numbers, 1,2,3."""
    return tuple(map(number, text.split(",")))


def number(text: str) -> int:
    """A whole number from 1 to 10,000."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 10_000):
        raise argparse.ArgumentTypeError(f"it takes whole numbers from 1 to 10,000, not {short(text)}")
    return int(text)


def port(text: str) -> int:
    """The number of a port."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 65535):
        raise argparse.ArgumentTypeError(f"a port is a whole number from 1 to 65535, not {short(text)}")
    return int(text)


def threads(text: str) -> int:
    """A number of threads."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_THREADS):
        raise argparse.ArgumentTypeError(
            f"threads are a whole number from 1 to {MOST_THREADS}, not {short(text)}"
        )
    return int(text)


def param(text: str) -> tuple[str, str]:
    """KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"a parameter is written KEY=VALUE, not {short(text)}")
    return key, value


def stopped(line: object) -> None:
    """Say at the end, after Ctrl-C, what is kept; in a terminal over a progress bar that nobody could close."""
    over = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{over}snnlab: {line}", file=sys.stderr)
