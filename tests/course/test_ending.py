"""The buttons at a lesson's end, pressed in a real JupyterLab; and where there is no kernel."""

import json
import os
from pathlib import Path

import pytest

from snnlab.course import end_kernel
from tests.browser import browser
from tests.jupyter import lab, run_all

SOURCES = "import os; print(os.getpid())", "from snnlab.course import end_kernel\nend_kernel()"


@pytest.mark.skipif(os.name != "posix", reason="a process is looked for in /proc or by its number")
def test_the_button_ends_the_kernel_and_the_page_stays(tmp_path: Path) -> None:
    with browser("the button that ends a kernel is") as chrome, lab(tmp_path, *SOURCES) as address:
        page = run_all(chrome, address)
        page.wait_for_selector(".snnlab-end")
        kernel = int(page.locator(".jp-OutputArea-output").first.inner_text())
        os.kill(kernel, 0)
        page.click(".snnlab-end")
        page.get_by_text("The kernel has ended.").wait_for()
        with pytest.raises(ProcessLookupError):
            os.kill(kernel, 0)
        assert page.locator(".jp-OutputArea-output").first.inner_text().strip() == str(kernel)


def test_where_the_server_does_not_answer_the_menu_is_named(tmp_path: Path) -> None:
    with browser("the button that ends a kernel is") as chrome, lab(tmp_path, *SOURCES) as address:
        page = run_all(chrome, address)
        page.wait_for_selector(".snnlab-end")
        page.route("**/api/kernels/**", lambda route: route.abort())
        page.click(".snnlab-end")
        page.get_by_text("choose Kernel, Shut Down Kernel").wait_for()


def test_the_answers_are_saved_as_a_file_to_hand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNNLAB_ANSWERS", raising=False)
    with browser("the button that saves answers is") as chrome, lab(tmp_path, SOURCES[1]) as address:
        page = run_all(chrome, address)
        page.click(".snnlab-save")
        page.get_by_text("No answer has been recorded yet.").wait_for()
        (tmp_path / ".snnlab").mkdir()
        answers = {"01.1": [{"answer": 5, "at": ""}]}
        (tmp_path / ".snnlab" / "predictions.json").write_text(json.dumps(answers))
        with page.expect_download() as saved:
            page.click(".snnlab-save")
        assert saved.value.suggested_filename == "predictions.json"
        assert json.loads(Path(saved.value.path()).read_text(encoding="utf-8")) == answers


def test_without_a_kernel_it_is_a_sentence() -> None:
    made = end_kernel()
    assert made.kernel == "" and repr(made) == made.texts["why"] and made.lasting() == ""
