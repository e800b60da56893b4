"""`snnlab study`: many points by many workers."""

import argparse
from pathlib import Path

from snnlab.cli.options import stopped, threads


def study_options(study: argparse.ArgumentParser) -> None:
    """Those of `snnlab study`."""
    study.epilog = (
        "Points are kept as they are computed; stopped or killed, the same command goes on. A point that fails is a "
        "row with its reason."
    )
    study.add_argument("file", type=Path, metavar="STUDY", help="a file, study.yaml; or quick, comparison")
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of results.parquet")
    study.add_argument("--workers", type=threads, metavar="N", help="processes (one for each processor)")
    study.add_argument(
        "--report", action="store_true", help="render the table as DIR/report/report.html, too"
    )
    study.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="of Dask, or local to start a cluster here"
    )


def run_study(args: argparse.Namespace) -> str:
    """Run it; what to print. Raises: ValueError, OSError for a user's mistake."""
    from snnlab.studies import study

    try:
        done = study.run(args.file, args.out, workers=args.workers, scheduler=args.scheduler)
    except KeyboardInterrupt as stop:
        stopped(str(stop) or "stopped; what was known before is kept")
        raise
    if args.report:
        from snnlab import reports

        reports.run("study", {"table": str(done.table)}, done.table.parent / study.REPORT)
    failed = f", {done.failed} of them failed, see the column error" if done.failed else ""
    return f"written: {done.table} ({done.computed} points computed, {done.known} known before{failed})"
