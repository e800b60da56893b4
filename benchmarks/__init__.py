"""Measurements of hours, each a command: `python -m benchmarks.NAME`, run by hand, their results committed."""

import snnlab  # noqa: F401  before torch: it says how threads wait
