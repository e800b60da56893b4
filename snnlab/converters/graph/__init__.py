"""What a network is to a converter."""

from snnlab.converters.graph.tracing import (
    ACTIVATIONS,
    Graph,
    evaluate,
    fold_bn,
    free,
    mark,
    read,
    source,
    trace,
    walk,
)

__all__ = ["ACTIVATIONS", "Graph", "evaluate", "fold_bn", "free", "mark", "read", "source", "trace", "walk"]
