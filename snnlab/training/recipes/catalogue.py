"""The trainings that published methods ask for, as declarations.

References: the papers that `snnlab.converters.methods` names; each recipe's title says which of them it serves.
"""

from functools import partial

from torch import nn

from snnlab.activations import QCFS, Clip, NoisyQuantClip, QuantClip, RateNorm
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.methods import Method
from snnlab.files import short
from snnlab.files.words import meant
from snnlab.neurons.door import door
from snnlab.training.recipes.stages import Recipe, Stage, learn_share

RELU = Stage("relu", nn.ReLU)
CLIP = Stage("clip", Clip)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("relu", "ReLU, for every method that takes a network as it is", (RELU,)),
        Recipe(
            "clip_joint",
            "TCL: weights and clipping thresholds together (Ho & Chang 2021)",
            (Stage("clip_decayed", Clip, threshold_decay=5e-4),),
        ),
        Recipe(
            "qcfs", "QCFS from scratch, 8 levels, rounded to the nearest (Bu 2022)", (Stage("qcfs", QCFS),)
        ),
        Recipe(
            "qc_ann",
            "ReLU, then fine-tuned with 8 levels rounded down, thresholds learned (Xiong 2025)",
            (RELU, Stage("quant_clip", QuantClip, epochs=5, lr=0.01, start=99.9)),
        ),
        Recipe(
            "dual_phase",
            "Clip, then fine-tuned with T levels and one value in ten unrounded (Wang 2022, arXiv 2205.07473)",
            (CLIP, Stage("noisy_quant_clip", NoisyQuantClip, epochs=5, lr=0.01, levels_are_T=True)),
        ),
        Recipe(
            "rate_norm",
            "RateNorm, then one learned share of the largest activations (Ding 2021)",
            (
                Stage("rate_norm", RateNorm),
                Stage("share", None, epochs=5, lr=0.02, learn=partial(learn_share, weight=0.05)),
            ),
        ),
        Recipe(
            "qat",
            "ReLU, then batch norms folded, weights of 8 bits and T levels of activations (Gao 2023)",
            (RELU, Stage("qat", QCFS, epochs=5, lr=0.01, start=99.9, weight_bits=8, levels_are_T=True)),
        ),
    )
}
"""By name; each stage that two recipes share is trained once."""


_OF_ACTIVATION: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.ReLU6: "relu",
    Clip: "clip_joint",
    RateNorm: "rate_norm",
    QuantClip: "qc_ann",
    QCFS: "qcfs",
    NoisyQuantClip: "dual_phase",
}
_OF_METHOD = {"ca_lif": "qat"}  # where the activation alone does not say it


@door
def find(name: str | Recipe | Method) -> Recipe:
    """The recipe of that name, or the one that a method of the catalogue, or of your own, asks for.

    Raises: ValueError with the names there are, or for a method whose activation no recipe trains with.
    """
    if isinstance(name, Recipe):
        return name
    if isinstance(name, str) and name in RECIPES:
        return RECIPES[name]
    method = CATALOGUE.get(name) if isinstance(name, str) else name
    if not isinstance(method, Method):
        raise ValueError(
            f"recipe = {short(name)}, but it is one of {', '.join(RECIPES)}, a method of the catalogue, or a Recipe of "
            f"your own{meant(name, [*RECIPES, *CATALOGUE])}"
        )
    kind = type(method.activation())
    if method.name not in _OF_METHOD and kind not in _OF_ACTIVATION:
        raise ValueError(
            f"method {method.name!r} needs a network trained with {kind.__name__}, which no recipe does: write a "
            f"Recipe with a Stage of activation={kind.__name__}"
        )
    return RECIPES[_OF_METHOD.get(method.name) or _OF_ACTIVATION[kind]]
