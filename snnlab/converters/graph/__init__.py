"""What a network is to a converter: nodes of five kinds, traced from the ANN, walked, and unrolled over time."""

from snnlab.converters.graph.copies import plain_copy, unwrapped
from snnlab.converters.graph.graph import Graph, Node, walk
from snnlab.converters.graph.kinds import Average, Max, Move, Sum, Weighted
from snnlab.converters.graph.tracing import ACTIVATIONS, fold_bn, record, trace

__all__ = [
    "ACTIVATIONS",
    "Average",
    "Graph",
    "Max",
    "Move",
    "Node",
    "Sum",
    "Weighted",
    "fold_bn",
    "plain_copy",
    "record",
    "trace",
    "unwrapped",
    "walk",
]
