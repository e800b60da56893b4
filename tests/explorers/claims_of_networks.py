"""What the network explorer's sentence claims, worked out once more by `simulate` and by the ANN itself."""

import re

import torch

from snnlab.explorers import NetworkExplorer
from tests.explorers.claims import N, Settings, number
from tests.explorers.playing import in_python

SENTENCE = re.compile(
    r"(?:A test image of class (.+?)\. |(The image is empty)\. )?After (\d+) of (\d+) steps? "
    rf"(?:the network says (.+?), {N} ahead of (.+?)|(no class is ahead yet))(?:; the ANN says (.+?))?\. "
    rf"(\d+) spikes? so far, {N} per neuron\.(?: With noise: draw (\d+)\.)?"
)


def network(p: Settings, widget: NetworkExplorer, text: str) -> list[str]:
    found = SENTENCE.fullmatch(text)
    if not found:
        return [f"an unknown sentence: {text}"]
    label, empty, t, T, says, ahead, second, tie, ann, sent, each, draw = found.groups()
    snn = widget.snns[p["method"]]
    image = torch.tensor(p["pixels"], dtype=torch.float32).reshape(1, *snn.example.shape[1:])
    steps = snn.T if snn.method.depends_on_T else p["T"]
    right = (int(T), int(t)) == (steps, min(p["t"], steps)) and bool(empty) == (not image.any() and not label)
    noise = p["coding"] == "poisson"
    right &= draw == (str(p["seed"]) if noise else None)
    run = in_python(snn, image, int(t), p["scale"], p["shift"], noise=noise, seed=p["seed"])
    evidence, order = run.logits[0], run.logits[0].argsort(descending=True, stable=True)
    gap = float(evidence[order[0]] - evidence[order[1]])
    if tie:
        right &= gap == 0
    else:
        right &= widget.classes[order[0]] == says and abs(number(ahead) - gap) <= 0.0051
        right &= float(evidence[widget.classes.index(second)]) == float(evidence[order[1]])
    neurons = run.spikes.shape[-1]
    right &= int(sent) == run.sent[0] and abs(number(each) - run.sent[0] / neurons) <= 0.0051
    known = [label for pixels, label in widget.choice if pixels == p["pixels"] and label is not None]
    right &= label == (widget.classes[known[0]] if known else None)
    with torch.inference_mode():
        right &= ann == widget.classes[int(widget.ann_of[p["method"]].eval()(image).argmax())]
    return [] if right else [f"untrue: {text} (logits {evidence.tolist()}, {run.sent} spikes)"]
