"""Spiking networks to and from NIR, the field's exchange format.

NIR (Pedersen et al. 2024, Nature Communications 15:8122) is a graph of layers and neurons in continuous time; several
edges into a node are their sum. What a simulator makes of it in steps is its own choice. A graph of this kit means

    v <- v + I,   s = 1 if v >= 1,   v <- v - s            steps of length 1, r = 1, v_threshold = 1, spikes of 1

with the image as the input of every step, and the mean of the output over the steps as the logits.

- Units: thresholds are in the weights (W theta_before / theta), since many simulators read one threshold a layer. The
  weights are those that the simulator here computes with (converters/grid/), on which no sum of spikes rounds. So
  another simulator that keeps to the line above sends the same spikes, not only similar ones. What the image makes of
  the first layer, and shortcuts, are rounded to the grid, which the others do not do. With convert(..., bits=24) the
  grid is so fine there that it makes no difference, if they run in float64.
- Reset: in continuous time a potential never exceeds the threshold, so to subtract the threshold and to reset to
  v_reset = 0 are one. In steps they are not. Each IF node's metadata say which is meant, "reset": "subtract" or "zero".
  A reader that ignores them does what it always does; most can be told (SpikingJelly's IFNode: `v_reset = None`).
- Initial potentials: NIR has none. They stand in the IF node's metadata, "v0", in thresholds, in the node's shape.
  A reader that ignores them starts at zero: tell it, or convert with a method whose v0 is 0.
- Firing: NIR's text says v > v_threshold, this kit and most simulators say >=. That differs at a tie only.
- Shortcuts: a change of unit is a convolution over one position, its matrix diagonal. Few simulators read nir.Scale.
- Averages: a convolution, too, over all channels, its window in the metadata, "average". Few read nir.AvgPool2d.
- Flatten: axes counted from the last, so that readers that count the batch and those that do not mean the same.
"""

from snnlab.exchange.nir.reading import read_nir
from snnlab.exchange.nir.writing import to_nir, write_nir

__all__ = ["read_nir", "to_nir", "write_nir"]
