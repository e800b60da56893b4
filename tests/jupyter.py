"""A real JupyterLab for the tests: started on a free port, opened in the browser, one notebook run."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page

NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
}


@contextmanager
def lab(folder: Path, *sources: str, dark: bool = False) -> Iterator[str]:
    """A JupyterLab over a folder with one notebook, a cell a source; gives the notebook's address."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell{k}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for k, source in enumerate(sources)
    ]
    (folder / "page.ipynb").write_text(json.dumps({**NOTEBOOK, "cells": cells}))
    _set(folder, "apputils-extension/themes", theme=f"JupyterLab {'Dark' if dark else 'Light'}")
    _set(folder, "notebook-extension/tracker", windowingMode="none")  # every cell is there, seen or not
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    options = [
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
        "--expose-app-in-browser",
    ]
    private = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
    }
    private |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen([*command, *options], env=os.environ | private, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/api?token={token}", folder / "server.log")
        yield f"http://127.0.0.1:{port}/lab/tree/page.ipynb?token={token}"
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _set(folder: Path, plugin: str, **settings: object) -> None:
    path = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings))


def _wait(address: str, log: Path) -> None:
    for _ in range(240):
        try:
            urlopen(address, timeout=10).close()
            return
        except (URLError, TimeoutError):
            time.sleep(0.25)
    raise TimeoutError(f"JupyterLab did not start:\n{log.read_text()}")


def opened(browser: Browser, address: str) -> Page:
    """The notebook's page with its cell run and an explorer in it."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(address)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=90_000)
    drawn = page.locator(".snnlab-membrane svg path.trace")
    for _ in range(60):  # JupyterLab loses a command that comes while the kernel is still connecting
        if drawn.count():
            return page
        if page.locator(".jp-Dialog-button.jp-mod-accept").count():
            page.locator(".jp-Dialog-button.jp-mod-accept").first.click()
        if page.locator(".jp-InputPrompt").first.inner_text().strip() in ("[ ]:", ""):
            page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
            page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(2000)
    raise TimeoutError(f"no explorer was drawn; the page says:\n{page.inner_text('body')}")


def run_all(browser: Browser, address: str, width: int = 1400) -> Page:
    """The notebook's page with every cell run, whatever they show."""
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.goto(address)
    idle = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
    page.wait_for_selector(idle, state="attached", timeout=90_000)  # hidden where the page is narrow
    asked = 0
    for k in range(120):
        if page.locator(".jp-Dialog-button.jp-mod-accept").count():
            page.locator(".jp-Dialog-button.jp-mod-accept").first.click()
        prompts = [prompt.strip() for prompt in page.locator(".jp-InputPrompt").all_text_contents()]
        if prompts and not any(prompt in ("", "[ ]:", "[*]:") for prompt in prompts):
            return page
        if (
            "[*]:" not in prompts and k >= asked
        ):  # a command that comes while the kernel is connecting is lost
            page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
            asked = k + 4
        page.wait_for_timeout(1000)
    raise TimeoutError(f"the cells did not run; the page says:\n{page.inner_text('body')}")
