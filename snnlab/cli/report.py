"""`snnlab report`: list reports and their parameters, or run one."""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from snnlab.cli.options import language_option, param, stopped
from snnlab.files import short


def report_options(report: argparse.ArgumentParser) -> None:
    """Those of `snnlab report`."""
    report.epilog = "NAME --help lists a report's parameters. A mistake is told before anything is started."
    report.add_argument("name", metavar="NAME", nargs="?", help="one of --list, or a notebook: my.ipynb")
    report.add_argument("-h", "--help", action="store_true", help="show this, or with NAME its parameters")
    report.add_argument("--list", action="store_true", help="list the kit's reports")
    report.add_argument("-p", dest="params", type=param, action="append", default=[], metavar="KEY=VALUE")
    report.add_argument("--out", type=Path, metavar="DIR", help="the folder to write")
    language_option(report, "of the report")
    report.set_defaults(usage=report.format_help)


def run_report(args: argparse.Namespace) -> str:
    """Run it, or list what is asked for; what to print. Raises: ParameterError, ReportError."""
    from snnlab.reports import parameters

    if args.list:
        return "\n".join(f"{name:12}  {_title(parameters.find(name))}" for name in parameters.names())
    if args.help:
        return "\n".join(_parameters(args.name)) if args.name else str(args.usage()).rstrip()
    keys = [key for key, _ in args.params]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise parameters.ParameterError(
            f"parameter {short(twice[0])} is given {keys.count(twice[0])} times, but once is allowed"
        )
    if args.name is None or args.out is None:
        missing = "--out DIR, the folder to write" if args.name else "NAME, the report"
        raise parameters.ParameterError(f"{missing}, is missing; see snnlab report --help")
    from snnlab.reports import folder

    parameters.check(args.name, dict(args.params))  # as the folder, before PyTorch is waited for
    folder.probe(folder.target(args.out))
    return _run(args)


def _run(args: argparse.Namespace) -> str:
    # jsonschema, which nbformat imports, would build a grammar of internet addresses for a second; no notebook has any
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from snnlab import reports
    from snnlab.reports.folder import FailedError

    try:
        return f"written: {reports.run(args.name, dict(args.params), args.out)}"
    except FailedError as failure:
        plain = not sys.stderr.isatty() or "NO_COLOR" in os.environ
        told = re.sub(r"\x1b\[[0-9;]*m", "", failure.traceback) if plain else failure.traceback
        print(told, file=sys.stderr, end="\n" if told else "")
        raise
    except (KeyboardInterrupt, SystemExit):
        stopped(f"stopped; {args.out} is as it was, and whole networks trained so far are kept")
        raise


def _title(path: Path) -> str:
    from snnlab.reports import cells

    first = cells.load(path)["cells"][0]["source"].partition("\n")[0]
    return str(first.lstrip("# "))


def _parameters(name: str) -> Iterator[str]:
    from snnlab.reports import parameters

    found = parameters.declared(name)
    yield f"snnlab report {name} [-p KEY=VALUE ...] --out DIR\n"
    for one in found:
        yield f"  {one.name} = {one.default!r}  {one.help}\n      {one.listed}"
    example = f" -p {found[0].name}={found[0].default}" if found else ""
    yield f"\nExample: snnlab report {name}{example} --out out/{Path(name).stem}"
