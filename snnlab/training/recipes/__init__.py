"""What a method's network goes through before its conversion: trained once, in stages, and kept."""

from snnlab.training.recipes.catalogue import RECIPES, find
from snnlab.training.recipes.kept import prepare
from snnlab.training.recipes.stages import Learner, Recipe, Stage, learn_share, learn_weights
from snnlab.training.recipes.swap import average_pools, fold_batch_norms, swap_activations
from snnlab.training.recipes.weights import bake_weights, quantize_weights

__all__ = [
    "RECIPES",
    "Learner",
    "Recipe",
    "Stage",
    "average_pools",
    "bake_weights",
    "find",
    "fold_batch_norms",
    "learn_share",
    "learn_weights",
    "prepare",
    "quantize_weights",
    "swap_activations",
]
