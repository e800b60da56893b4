"""How long from a key press on a slider to the painted picture, in a real JupyterLab in headless Chromium.

    python -m benchmarks.slider_latency          writes benchmarks/results/slider_latency.json

Three figures: from the key's own time stamp to the new picture in the page (drawn), and to the end of the frame that
shows it (painted; at 60 Hz a key waits 8 ms for its frame on average), over 200 presses, one at a time; and how many
of 90 changes sent at 60 Hz drew a picture of their own.
"""

import json
import os
import platform
import statistics
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Page

from tests.browser import browser
from tests.jupyter import lab, opened

RESULT = Path(__file__).with_name("results") / "slider_latency.json"
PRESSES, TICKS = 200, 90

WATCH = """() => {
  const slider = document.querySelector(".snnlab-membrane [name=current]");
  window.delays = [];
  slider.addEventListener("keydown", (event) => {
    const pressed = event.timeStamp;
    let drawn;
    slider.addEventListener("input", () => { drawn = performance.now() - pressed; }, { once: true });
    requestAnimationFrame(() => {          // runs after the input event drew, just before the frame is painted
      const channel = new MessageChannel(); // its message arrives once that frame has been handed to the compositor
      channel.port1.onmessage = () => window.delays.push([drawn, performance.now() - pressed]);
      channel.port2.postMessage(0);
    });
  });
}"""

DRAG = """async (ticks) => {
  const slider = document.querySelector(".snnlab-membrane [name=current]");
  const svg = document.querySelector(".snnlab-membrane svg");
  const frames = new Set();
  let last = svg.innerHTML;
  for (let i = 0; i < ticks; i++) {
    await new Promise(requestAnimationFrame);
    slider.value = -0.5 + i / 64;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    if (svg.innerHTML !== last) frames.add(i);
    last = svg.innerHTML;
  }
  return frames.size;
}"""


def presses(page: Page, n: int = PRESSES) -> list[list[float]]:
    """For each press the milliseconds to the drawn and to the painted picture."""
    page.evaluate(WATCH)
    page.focus(".snnlab-membrane [name=current]")
    for i in range(n):
        page.keyboard.press("ArrowRight" if i % 40 < 20 else "ArrowLeft")
        page.wait_for_timeout(30)
    page.wait_for_timeout(500)
    return page.evaluate("window.delays")


def measured(page: Page, n: int = PRESSES) -> dict:
    """Both figures, on a page with an explorer in it."""
    drawn, painted = map(sorted, zip(*presses(page, n), strict=True))
    return {
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day of the person who measures
        "machine": f"{os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}",
        "versions": {name: version(name) for name in ("jupyterlab", "anywidget")},
        "presses": len(drawn),
        **_summary("drawn", drawn),
        **_summary("painted", painted),
        "ticks_at_60_hz": TICKS,
        "frames_drawn": page.evaluate(DRAG, TICKS),
    }


def _summary(name: str, delays: list[float]) -> dict[str, float]:
    p95 = delays[int(0.95 * len(delays))]
    return {f"{name}_median_ms": round(statistics.median(delays), 1), f"{name}_p95_ms": round(p95, 1)}


def main() -> None:
    """Measure and write the result."""
    source = "from snnlab import explorers\nexplorers.membrane(T=32)"
    with (
        tempfile.TemporaryDirectory() as folder,
        browser("the slider's latency is") as chrome,
        lab(Path(folder), source) as address,
    ):
        page = opened(chrome, address)
        page.wait_for_timeout(3000)
        result = measured(page) | {"chromium": chrome.version}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
