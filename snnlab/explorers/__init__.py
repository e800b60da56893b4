"""The interactive pieces: each a small JavaScript module that simulates in the browser, hosted by anywidget."""

from snnlab.explorers.membrane import Membrane, membrane

__all__ = ["Membrane", "membrane"]
