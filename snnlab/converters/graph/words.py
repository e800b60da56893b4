"""Why a layer cannot be carried through by spikes, and what to do: one line for each kind of layer."""

_RELU, _CLIP = "use nn.ReLU and retrain", "use snnlab.activations.Clip and retrain"
_LOSS = "at the end it belongs to the loss, not to the network: return the logits before it; inside, "
_MAX = "a maximum of spikes is not the spikes of the maximum"
_EACH_OTHER = "it multiplies activations with each other"
ADVICE = {  # the first of whose words a layer's or function's name contains one
    "softmax softmin": _LOSS
    + "it divides by a statistic of the values themselves, which spikes do not have yet",
    "maxpool max_pool": _MAX + ", unless nothing spikes yet; use nn.AvgPool2d and retrain: "
    "snnlab.training.recipes.average_pools(ann, images), then training.fit for a few epochs",
    "clamp clip hardtanh": "a neuron says values from 0 to its threshold, and no other; " + _CLIP,
    "minimum": "a minimum of spikes is not the spikes of the minimum; to cut off at a number, " + _CLIP,
    "max min": _MAX + "; use a mean and retrain",
    "dropout": "it drops values in evaluation mode too; pass training=self.training, or use nn.Dropout",
    "einsum": "what it does with each value is not followed; write it as a permutation, F.linear or x @ matrix",
    "attention bmm matmul": _EACH_OTHER
    + ", or a matrix comes on the left; only x @ matrix can be carried by spikes",
    "lstm gru rnn": _EACH_OTHER + ", step after step; no neuron here does that",
    "leakyrelu leaky_relu prelu rrelu": "below zero it passes on a share of its input, and a neuron nothing; "
    + _RELU,
    "hardsigmoid": "a clip from 0 to 1, but not of its input: at 0 it is one half; " + _CLIP,
    "hardswish shrink threshold": "it is no ReLU: a neuron's rate rises evenly from an input of 0 on; "
    + _RELU,
    "sigmoid": "a curve, so no spike count equals it; " + _LOSS + _RELU,
    "gelu tanh silu swish mish elu softplus softsign": "a curve, not piecewise linear, so no spike count equals it; "
    + _RELU,
    "norm": "it divides by a statistic of the values themselves, which spikes do not have yet; use nn.BatchNorm2d, "
    "which folds into the layer before it, and retrain",
    "add sub mul div pow square": "only sums of layers and products with a number can be carried by spikes; fold "
    "others into a layer",
    "setitem": "it writes into a part of a tensor; put the parts together with torch.cat or F.pad",
}
NOT_KNOWN = (
    "how it acts on spikes is not known; use convolution, linear, average pooling, ReLU, sums and reshapes"
)
BATCH = (
    "it averages or reshapes axis 0, the batch, so that an image's output may depend on the other images of its batch; "
    "leave axis 0 alone"
)
NO_STATISTICS = (
    "it has no running statistics, so each image's result depends on its batch; track them and retrain"
)
NOT_FOLLOWED = (
    "what it computes cannot be followed (a torch.autograd.Function, compiled code, NumPy); write it with PyTorch's "
    "functions"
)


def advice(*names: str) -> str:
    """Why a layer of these names (its type, the function called) cannot be carried through, and what to do."""
    for words, text in ADVICE.items():
        if any(word in name.lower() for name in names for word in words.split()):
            return text
    return NOT_KNOWN
