"""Bad settings of rules, corrections, tunings and methods: each is named, with what is allowed."""

from collections.abc import Callable

import pytest

from snnlab import Method
from snnlab.converters.choices.corrections import lmpc, lwc
from snnlab.converters.choices.thresholds import balanced, mmse, percentile
from snnlab.converters.choices.tuning import threshold_feedback, threshold_finetune
from snnlab.neurons import OffsetSpikeIF


def _method(*corrections: object, **choices: object) -> Method:
    return Method("trial", "trial", "nobody", 2026, **{"corrections": corrections, **choices})  # type: ignore[arg-type]


BAD = [
    (lambda: lmpc(0), "passes = 0"),
    (lambda: lmpc(1.5), "passes = 1.5.*whole number"),  # type: ignore[arg-type]
    (lambda: lmpc(True), "passes = True.*whole number"),
    (lambda: lmpc(1, "layer"), "per = 'layer', but it must be one of 'neuron', 'channel'"),  # type: ignore[arg-type]
    (lambda: lwc(0), "epochs = 0"),
    (lambda: lwc(2.5), "epochs = 2.5.*whole number"),  # type: ignore[arg-type]
    (lambda: lwc(1, lr=-1.0), "lr = -1.0.*greater than 0"),
    (lambda: lwc(1, lr=float("nan")), "lr = nan.*finite"),
    (lambda: lwc(1, batch=0), "batch = 0.*whole number"),
    (lambda: lwc(1, through="space"), "through = 'space'"),  # type: ignore[arg-type]
    (lambda: mmse("pixel"), "per = 'pixel'.*'layer', 'channel', 'neuron'"),  # type: ignore[arg-type]
    (lambda: mmse(shift=1.0), r"shift = 1.0.*\[0, 1\)"),
    (lambda: mmse(grid=1), "grid = 1.*2 or more"),
    (lambda: mmse(grid=2.5), "grid = 2.5.*whole number"),  # type: ignore[arg-type]
    (lambda: balanced(rate=0.0), "rate = 0.0.*greater than 0"),
    (lambda: balanced(rate=float("inf")), "rate = inf.*finite"),
    (lambda: balanced(batch=0), "batch = 0.*whole number"),
    (lambda: balanced(passes=0.5), "passes = 0.5.*whole number"),  # type: ignore[arg-type]
    (lambda: balanced("image"), "per = 'image'.*'layer', 'channel', 'neuron'"),  # type: ignore[arg-type]
    (lambda: percentile(0), r"p = 0.*\(0, 100\]"),
    (lambda: percentile(101), "p = 101"),
    (lambda: percentile("99"), "p = '99', but it must be a finite number"),  # type: ignore[arg-type]
    (lambda: percentile(99, "all"), "per = 'all'"),  # type: ignore[arg-type]
    (lambda: threshold_finetune(0), "epochs = 0"),
    (lambda: threshold_finetune(lr=0.0), "lr = 0.0.*greater than 0"),
    (lambda: threshold_finetune(batch=1.5), "batch = 1.5"),  # type: ignore[arg-type]
    (lambda: threshold_feedback(0), "rounds = 0.*whole number"),
    (lambda: threshold_feedback(gain=0), "gain = 0.*greater than 0"),
    (lambda: _method(corrections=lmpc()), r"corrections is a function.*\(correction,\)"),
    (lambda: _method(threshold=99.9), "threshold = 99.9.*a function"),
    (lambda: _method(None), r"corrections = \(None,\), but .*each value a function"),  # type: ignore[arg-type]
    (lambda: _method(tuning=3), "tuning = 3"),
    (lambda: OffsetSpikeIF(passes=0), "passes = 0"),
]


@pytest.mark.parametrize(("wrong", "message"), BAD, ids=[message for _, message in BAD])
def test_a_bad_setting_is_named(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()
