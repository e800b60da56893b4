"""An ONNX graph as it grows: values with their precision, operators, constants."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper, numpy_helper
from torch import Tensor

SINGLE, DOUBLE, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.BOOL
OPSET, IR = 17, 8
"""Of 2022: what reads ONNX at all reads these."""


class Value(NamedTuple):
    """A result in the graph: its name, and whether it is float64."""

    name: str
    wide: bool


class Drawing:
    """Nodes and constants of one graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[tuple[Any, ...], str] = {}
        self.initializers: list[onnx.TensorProto] = []

    def put(self, operator: str, *inputs: str, **options: Any) -> str:
        """One operator; the name of its result."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **options))
        return name

    def compute(self, operator: str, *values: "Value | Tensor", **options: Any) -> Value:
        """One operator over numbers, in float64 if one of the values is; constants are taken as it needs them."""
        wide = any(value.wide for value in values if isinstance(value, Value))
        names = [
            self.cast(value, wide).name if isinstance(value, Value) else self.constant(value, wide)
            for value in values
        ]
        return Value(self.put(operator, *names, **options), wide)

    def cast(self, value: Value, wide: bool) -> Value:
        """The same numbers in that precision."""
        if value.wide == wide:
            return value
        return Value(self.put("Cast", value.name, to=DOUBLE if wide else SINGLE), wide)

    def constant(self, value: Tensor, wide: bool) -> str:
        """Numbers that stand in the graph."""
        return self._held(value.detach().cpu().numpy().astype(np.float64 if wide else np.float32))

    def whole(self, numbers: Sequence[int]) -> str:
        """Whole numbers, for shapes and places."""
        return self._held(np.asarray(numbers, dtype=np.int64))

    def _held(self, array: Any) -> str:
        array = np.ascontiguousarray(array)
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = f"constant_{len(self.constants)}"
            self.initializers.append(numpy_helper.from_array(array, self.constants[key]))
        return self.constants[key]

    def reshape(self, value: Value, shape: Sequence[int]) -> Value:
        """Other axes behind the batch."""
        return Value(self.put("Reshape", value.name, self.whole([0, *shape])), value.wide)

    def model(self, shape: Sequence[int], result: Value, size: Sequence[int]) -> onnx.ModelProto:
        """The whole: from `image`, float32 [N, *shape], to `logits`, float64 [N, *size]."""
        self.nodes.append(helper.make_node("Identity", [result.name], ["logits"], "logits"))
        image = helper.make_tensor_value_info("image", SINGLE, ["N", *shape])
        logits = helper.make_tensor_value_info("logits", DOUBLE, ["N", *size])
        graph = helper.make_graph(self.nodes, "snn", [image], [logits], self.initializers)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, producer_name="snnlab", opset_imports=[opset], ir_version=IR)


def plain(value: Tensor) -> Tensor:
    """One number where all are the same: it broadcasts."""
    flat = value.flatten()
    return flat[0].reshape(()) if bool((flat == flat[0]).all()) else value
