"""`snnlab compare`: what differs between two reports, or two studies."""

import argparse
import dataclasses
import json
from pathlib import Path


def compare_options(compare: argparse.ArgumentParser) -> None:
    """Those of `snnlab compare`."""
    compare.epilog = "Accuracies have 95 % intervals (Wilson)."
    for name in ("one", "other"):
        compare.add_argument(name, type=Path, metavar="DIR", help="the folder of a report or of a study")
    compare.add_argument("--json", action="store_true", help="the differences as JSON")


def run_compare(args: argparse.Namespace) -> str:
    """What to print. Raises: ValueError, OSError for a user's mistake."""
    from snnlab.reports import comparing

    found = comparing.differences(args.one, args.other)
    if args.json:
        return json.dumps([dataclasses.asdict(one) for one in found], indent=2)
    return "\n".join(one.line for one in found) or "no difference"
