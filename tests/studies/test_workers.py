"""The processes that share the work of a study: a Ctrl-C is their parent's alone, from their first moment on."""

import multiprocessing
import signal
from pathlib import Path

import pytest

from snnlab.studies.workers import Task, Workers


def deaf(pid: int | None) -> bool:
    """Whether a process ignores Ctrl-C, as the system sees it: also while its Python has not yet begun."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = next(line for line in lines if line.startswith("SigIgn:")).split()[1]
    return bool(int(mask, 16) >> (signal.SIGINT - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux what processes ignore")
@pytest.mark.parametrize("count", [2, 5])
def test_all_workers_are_there_at_once_and_none_ever_hears_ctrl_c(count: int) -> None:
    with Workers(count) as crew:
        first = multiprocessing.active_children()
        assert len(first) == count and all(deaf(child.pid) for child in first)
        done = [future.result() for _, future in crew.work(Task(int, f"{number}") for number in range(9))]
        assert sorted(done) == list(range(9))
        after = multiprocessing.active_children()
        assert {child.pid for child in after} == {child.pid for child in first}, (
            "one began later, and heard it"
        )
        crew.renew()
        assert len([child for child in multiprocessing.active_children() if deaf(child.pid)]) >= count
    assert not multiprocessing.active_children()
