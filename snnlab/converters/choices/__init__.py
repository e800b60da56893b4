"""The choices that a method makes, each a function of one layer: thresholds, potentials, corrections, tunings."""

from snnlab.converters.choices.corrections import calibrate_bias, calibrate_offset, lmpc, lwc, shift_bias
from snnlab.converters.choices.potentials import half, offset_or_half, offset_rule, zero
from snnlab.converters.choices.site import Correction, Rule, Site
from snnlab.converters.choices.thresholds import (
    balanced,
    largest,
    largest_per_neuron,
    mmse,
    percentile,
    trained,
)
from snnlab.converters.choices.tuning import Tuning, threshold_feedback, threshold_finetune

__all__ = [
    "Correction",
    "Rule",
    "Site",
    "Tuning",
    "balanced",
    "calibrate_bias",
    "calibrate_offset",
    "half",
    "largest",
    "largest_per_neuron",
    "lmpc",
    "lwc",
    "mmse",
    "offset_or_half",
    "offset_rule",
    "percentile",
    "shift_bias",
    "threshold_feedback",
    "threshold_finetune",
    "trained",
    "zero",
]
