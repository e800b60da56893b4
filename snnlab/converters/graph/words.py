"""Why a layer cannot be carried through by spikes, and what to do: one line for each kind of layer."""

ADVICE = {  # the first whose words a layer's or function's name contains
    (
        "softmax",
        "softmin",
    ): "at the end it belongs to the loss, not to the network: return the logits before it; "
    "inside, it divides by a statistic of the values themselves, which spikes do not have yet",
    (
        "maxpool",
        "max_pool",
    ): "a maximum of spikes is not the spikes of the maximum, unless nothing spikes yet; use "
    "nn.AvgPool2d and retrain: snnlab.training.recipes.average_pools(ann, images), then training.fit for a few epochs",
    ("clamp", "clip", "hardtanh"): "a neuron says values from 0 to its threshold, and no other; use "
    "snnlab.activations.Clip, which cuts at 0 and at an upper end that is learned, and retrain",
    ("max", "min"): "a maximum of spikes is not the spikes of the maximum; use a mean and retrain",
    ("dropout",): "it drops values in evaluation mode too; pass training=self.training, or use nn.Dropout",
    (
        "attention",
        "bmm",
        "einsum",
        "matmul",
    ): "it multiplies activations with each other; no neuron here does that",
    (
        "lstm",
        "gru",
        "rnn",
    ): "it multiplies activations with each other, step after step; no neuron here does that",
    (
        "leakyrelu",
        "leaky_relu",
        "prelu",
        "rrelu",
    ): "below zero it passes on a share of its input, where a neuron sends nothing; use nn.ReLU and retrain",
    (
        "hardsigmoid",
    ): "a clip from 0 to 1, but not of its input: at 0 it is one half; use snnlab.activations.Clip and "
    "retrain",
    (
        "hardswish",
        "shrink",
        "threshold",
    ): "it is no ReLU: a neuron's rate rises evenly from an input of 0 on; use nn.ReLU and retrain",
    (
        "sigmoid",
    ): "a curve, so no spike count equals it; at the end it belongs to the loss: return the logits before "
    "it; inside, use nn.ReLU and retrain",
    (
        "gelu",
        "tanh",
        "silu",
        "swish",
        "mish",
        "elu",
        "softplus",
        "softsign",
    ): "a curve, not piecewise linear, so no spike count equals it; use nn.ReLU and retrain",
    (
        "norm",
    ): "it divides by a statistic of the values themselves, which spikes do not have yet; use nn.BatchNorm2d, "
    "which folds into the layer before it, and retrain",
    (
        "add",
        "sub",
        "mul",
        "div",
        "pow",
        "square",
        "truediv",
    ): "only sums of layers and products with a number can be carried by spikes; fold others into a layer",
    ("setitem",): "it writes into a part of a tensor; put the parts together with torch.cat or F.pad",
}
NOT_KNOWN = (
    "how it acts on spikes is not known; use convolution, linear, average pooling, ReLU, sums and reshapes"
)
BATCH = (
    "an image's output depends on the other images of its batch (a mean or a reshape over axis 0); leave axis 0, the "
    "batch, alone"
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
        if any(word in name.lower() for name in names for word in words):
            return text
    return NOT_KNOWN
