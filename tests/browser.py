"""The browser that the tests drive: Chromium or Chrome as it is installed, or Playwright's own."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def executable() -> str | None:
    """Path of the browser to drive; $CHROME names one."""
    found = [os.environ.get("CHROME"), *map(shutil.which, NAMES)]
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return next((path for path in [*found, own] if path and Path(path).exists()), None)


@contextmanager
def browser(left_out: str) -> Iterator[Browser]:
    """A headless browser. Without one: skip, or fail if $SNNLAB_REQUIRE_BROWSER is set, and say what is left out."""
    path = executable()
    if path is None:
        message = f"no Chromium, Chrome or Playwright browser found: {left_out} not tested"
        (pytest.fail if os.environ.get("SNNLAB_REQUIRE_BROWSER") else pytest.skip)(message)
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as error:
            pytest.fail(f"{path} does not start: {error}")
        yield opened
        opened.close()


def ask(page: Page, module: str, settings: Any, function: str = "simulate") -> Any:
    """What a function that the module exports says of each of the settings."""
    script = """async ([module, settings, name]) => {
      const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
      const known = await import(url);
      return JSON.stringify(settings.map((p) => known[name](p)));
    }"""
    return json.loads(page.evaluate(script, [module, settings, function]))
