"""A converted network as one ONNX graph: its T steps one after the other, written with plain operators.

The graph holds the network as it runs, on its grid (converters/grid/), so a runtime that computes float32 as float32
and float64 as float64 gives the bits of `simulate`. What each step does is a handful of operators of ONNX itself
(MatMul, Conv, Add, Mul, Round, GreaterOrEqual, ...): no operator of anybody's own, no loop, no state.

- Input `image`, float32 [N, ...]; output `logits`, float64, the mean output over the steps. N is any number.
- Layers over spikes are Conv and MatMul in float32, in which no sum on the grid rounds. What sums up an image's own
  values is float64; runtimes seldom convolve in float64, so there a convolution is written as shifted copies and a
  MatMul.
- Potentials are float64.
- A runtime that computes float32 in fewer bits (TF32, bfloat16) or convolves by way of Winograd's transform rounds, and
  its spikes are others: turn that off.
"""

from snnlab.exchange.onnx.writing import to_onnx, write_onnx

__all__ = ["to_onnx", "write_onnx"]
