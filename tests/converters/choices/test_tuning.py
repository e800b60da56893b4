"""Tunings: what is learned once the whole network spikes is judged by images held out, and never worse."""

import pytest
import torch
from torch import nn

from snnlab import SNN, convert, simulate
from snnlab.converters.choices import largest, percentile, threshold_feedback, threshold_finetune, tuning
from snnlab.datasets import Split
from tests.converters.choices.test_corrections import Net, T, images, method


def labelled() -> Split:
    with torch.no_grad():
        return Split(images(), Net()(images()).argmax(1))


def test_thresholds_learned_in_the_loop_lower_the_loss_and_leave_the_weights() -> None:
    start = method(threshold=largest)
    tuned = method(threshold=largest, tuning=threshold_finetune(6, lr=0.05, batch=8))
    data = labelled()
    before, after = (convert(Net(), m, data, T, exact=False) for m in (start, tuned))
    losses = [
        float(nn.functional.cross_entropy(simulate(snn, data.images).logits, data.labels))
        for snn in (before, after)
    ]
    assert losses[1] < losses[0]
    weights = (dict(snn.graph.tensors()) for snn in (before, after))
    one, other = ({n: v for n, v in held.items() if n.endswith(("weight", "bias"))} for held in weights)
    assert one and all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(ValueError, match="labels are needed"):
        convert(Net(), tuned, images(), T)


def test_feedback_keeps_the_best_and_only_ever_raises() -> None:
    plain = convert(Net(), method(threshold=largest), labelled(), T).sites
    fed = convert(Net(), method(threshold=largest, tuning=threshold_feedback()), labelled(), T).sites
    assert all(float(fed[name].threshold) >= float(plain[name].threshold) for name in plain)


def worst(snn: SNN, data: Split) -> tuple[float, float]:
    """How far the logits are from the ANN's for the fifth that is held out, and their cross-entropy."""
    held = data[len(data) - len(data) // 5 :]
    logits = simulate(snn, held.images).logits
    with torch.no_grad():
        gap = (logits - Net()(held.images)).abs().mean()
    return float(gap), float(nn.functional.cross_entropy(logits, held.labels))


def test_tunings_are_judged_by_the_images_held_out_and_keep_the_best() -> None:
    data = labelled()
    fitting, held = tuning._parts(data)
    assert torch.equal(torch.cat([fitting.images, held.images]), data.images) and len(held) == len(data) // 5
    for threshold, gets_better in ((largest, False), (percentile(60.0), True)):
        start = worst(convert(Net(), method(threshold=threshold), data, T, exact=False), data)
        fed = method(threshold=threshold, tuning=threshold_feedback(3, gain=2.0))
        gap = worst(convert(Net(), fed, data, T, exact=False), data)[0]
        assert gap < start[0] if gets_better else gap <= start[0] + 1e-6
        wild = method(threshold=threshold, tuning=threshold_finetune(2, lr=3.0, batch=8))
        assert worst(convert(Net(), wild, data, T, exact=False), data)[1] <= start[1] + 1e-6
