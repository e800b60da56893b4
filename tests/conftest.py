"""What every test runs under: one thread in each parallel worker, and a loud word about what was left out."""

import os
import signal
import sys
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("shared machine", deadline=None)  # an example that waits for others is no failure
settings.load_profile("shared machine")

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores; the kernels they start inherit this
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background, where every child would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """Each test draws its own numbers, the same in each run: one that fails fails again."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For small layers, which wait for their threads longer than they compute."""
    import torch  # after the environment is set

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section(f"LEFT OUT: {len(skipped)} tests did not run", sep="!", red=True, bold=True)
        for reason, count in sorted(_reasons(skipped).items()):
            terminalreporter.line(f"{count} because: {reason}")


def _reasons(skipped: list[pytest.TestReport]) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for report in skipped:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = text.removeprefix("Skipped: ")
        reasons[reason] = reasons.get(reason, 0) + 1
    return reasons
