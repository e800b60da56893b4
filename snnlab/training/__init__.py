"""Train an ANN, save and load it; `recipes` prepare one for a method, `runs` are trainings of hours."""

from snnlab.converters.threads import threads_for
from snnlab.training.fitting import (
    SMOOTHING,
    WEIGHT_DECAY,
    accuracy,
    decayed_thresholds,
    fit,
    in_training,
    load,
    load_tensors,
    parameter_groups,
    save,
    save_tensors,
    step,
)

__all__ = [
    "SMOOTHING",
    "WEIGHT_DECAY",
    "accuracy",
    "decayed_thresholds",
    "fit",
    "in_training",
    "load",
    "load_tensors",
    "parameter_groups",
    "save",
    "save_tensors",
    "step",
    "threads_for",
]
