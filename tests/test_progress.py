"""Progress bars: in a notebook one output a cell, whatever runs inside what; in a terminal tqdm's own."""

from collections.abc import Iterator

import pytest
from jupyter_client.manager import start_new_kernel
from tqdm import tqdm

from snnlab.progress import progress_bar

NESTED = """
from snnlab.progress import progress_bar

def nested():
    for _ in progress_bar(range(2), "outer", delay=0.0, mininterval=0.0):
        for _ in progress_bar(range(3), "inner", delay=0.0, mininterval=0.0):
            pass
"""


@pytest.fixture(scope="module")
def outputs() -> Iterator:
    """What a cell of a real kernel sends to the page, message by message: (type, content)."""
    manager, client = start_new_kernel()

    def run(code: str) -> list[tuple[str, dict]]:
        client.execute(code)
        found = []
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message["content"].get("execution_state") == "idle":
                return [(kind, content) for kind, content in found if kind not in ("status", "execute_input")]
            found.append((message["msg_type"], message["content"]))

    run(NESTED)
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_bars_inside_bars_are_one_output_and_nothing_is_left_of_it(outputs) -> None:
    sent = outputs("nested()\nnested()")
    assert [kind for kind, _ in sent].count("display_data") == 1 and {kind for kind, _ in sent} == {
        "display_data",
        "update_display_data",
    }
    assert len({content["transient"]["display_id"] for _, content in sent}) == 1
    texts = [content["data"]["text/plain"] for _, content in sent]
    assert any(t.startswith("outer:  50%") and "\ninner:  67%" in t for t in texts), (
        "both are seen, the outer first"
    )
    assert max(t.count("\n") for t in texts) == 1 and texts[-1] == sent[-1][1]["data"]["text/html"] == ""


def test_each_cell_has_its_own_and_what_is_over_at_once_is_not_shown(outputs) -> None:
    first, second = (outputs("nested()")[0][1]["transient"]["display_id"] for _ in range(2))
    assert first != second
    assert outputs("for _ in progress_bar(range(3)): pass") == []


def test_a_bar_that_an_error_breaks_off_is_taken_away(outputs) -> None:
    *bars, error = outputs("for _ in progress_bar(range(3), 'broken', delay=0.0): raise KeyboardInterrupt")
    assert error[0] == "error" and bars[-1][1]["data"]["text/plain"] == ""
    assert not any("broken" in content["data"]["text/plain"] for _, content in outputs("nested()"))


def test_a_kernel_may_be_asked_for_text_and_a_terminal_has_it(outputs) -> None:
    asked = "import os; os.environ['SNNLAB_PROGRESS'] = 'text'; nested(); del os.environ['SNNLAB_PROGRESS']"
    assert {content.get("name") for _, content in outputs(asked)} == {"stderr"}
    assert type(progress_bar(range(3))) is tqdm
