"""convert: one declaration in, one network out; refusals speak of layers, not of code."""

import pytest
import torch
from torch import Tensor, nn

from snnlab import CATALOGUE, Method, convert, simulate
from snnlab.activations import QCFS
from snnlab.converters.choices.potentials import half
from snnlab.converters.choices.site import Site
from snnlab.converters.choices.thresholds import percentile
from snnlab.converters.conversion import _check_traced, _difference
from snnlab.converters.graph import trace
from snnlab.neurons import IF, State
from snnlab.training import runs


def mlp(activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(12, 20), nn.BatchNorm1d(20), activation(), nn.Linear(20, 9), activation(), nn.Linear(9, 4)
    )


def images(n: int = 64) -> Tensor:
    return torch.rand(n, 12, generator=torch.Generator().manual_seed(1))


def activations_of(ann: nn.Sequential, upto: int) -> Tensor:
    with torch.no_grad():
        return ann[: upto + 1].eval()(images())


def test_thresholds_are_what_the_rules_say() -> None:
    ann = mlp().eval()
    a = activations_of(ann, 2)
    assert torch.allclose(convert(ann, "max_norm", images(), 4).sites["2"].threshold, a.max(), atol=1e-6)
    robust = convert(ann, "robust_norm", images(), 4).sites["2"]
    assert torch.allclose(robust.threshold, torch.quantile(a.flatten(), 0.999), atol=1e-5) and robust.v0 == 0
    opi = convert(ann, "opi", images(), 4).sites["2"]
    assert torch.equal(opi.threshold, robust.threshold) and torch.equal(opi.v0, opi.threshold / 2)


def test_a_trained_threshold_is_taken_over() -> None:
    ann = mlp(QCFS).eval()
    with torch.no_grad():
        ann[2].threshold.fill_(1.25)
        ann[4].threshold.fill_(-0.5)  # the optimiser may push it below zero; its size counts
    sites = convert(ann, "qcfs", images(), 4).sites
    assert [float(n.threshold) for n in sites.values()] == [1.25, 0.5]
    assert [float(n.v0) for n in sites.values()] == [0.625, 0.25]


def test_the_network_handed_in_is_unchanged() -> None:
    ann = mlp().train()
    before = {name: value.clone() for name, value in ann.state_dict().items()}
    snn = convert(ann, "opi", images(), 4)
    simulate(snn, images())
    assert ann.training and all(torch.equal(before[name], value) for name, value in ann.state_dict().items())
    assert isinstance(ann[2], nn.ReLU)


def test_the_summary_says_what_became_of_every_layer() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.drop, self.unused = mlp(), nn.Dropout(0.2), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.drop(self.body(x.view(x.size(0), -1)))

    summary = convert(Net(), "opi", images(), 4).summary()
    for expected in ("body.0", "'body.1' folded in", "IF(threshold=", "drops nothing", "unused"):
        assert expected in summary
    assert "size()" not in summary and "view()" not in summary  # which ask for a shape, and change none


def test_a_layer_that_is_silent_on_the_calibration_images_gets_a_threshold() -> None:
    ann = mlp().eval()
    with torch.no_grad():
        ann[3].bias.fill_(-100.0)
    snn = convert(ann, "max_norm", images(), 4)
    assert float(snn.sites["4"].threshold) == 1.0
    assert simulate(snn, images()).firing_rate["4"] == 0.0


def test_the_same_network_converts_to_the_same_bits() -> None:
    first, second = (convert(mlp().eval(), "opi", images(), 8).state_dict() for _ in range(2))
    assert first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def layer_potential(site: Site) -> None:
    """v0 += T * mean over images of (activation - rate): a correction that a user might write."""
    gap = (site.target - site.rate()).mean(0)
    site.neuron.v0 = site.neuron.v0 + site.T * gap


def test_a_correction_sees_the_layers_converted_before_it() -> None:
    plain = Method("plain", "plain", "nobody", 2026, threshold=percentile(99.0))
    mended = Method(
        "mended",
        "mended",
        "nobody",
        2026,
        threshold=percentile(99.0),
        corrections=(layer_potential,),
        depends_on_T=True,
    )
    ann, T = mlp().eval(), 4
    with torch.no_grad():
        target = ann(images())
    errors = [
        (simulate(convert(ann, m, images(), T), images()).logits - target).abs().mean()
        for m in (plain, mended)
    ]
    assert errors[1] < 0.7 * errors[0]


def test_a_method_of_ones_own_may_bring_its_neuron_and_activation() -> None:
    class Doubled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x)

    class Lazy(IF):
        def spikes(self, state: State) -> Tensor:
            return (state.v >= 2 * self.threshold).to(self.threshold.dtype)

    method = Method("own", "own", "nobody", 2026, activation=Doubled, v0=half, neuron=Lazy)
    snn = convert(mlp(Doubled).eval(), method, images(), 4)
    assert all(isinstance(neuron, Lazy) for neuron in snn.sites.values())
    assert simulate(snn, images()).firing_rate["2"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "qfcs"}, "method = 'qfcs'.*max_norm, robust_norm, .*qcfs"),
        ({"method": "qcfs"}, r"activation '2' is ReLU\(\).*'qcfs' needs a network trained with QCFS"),
        ({"T": 0}, "T = 0.*1 or more"),
        ({"T": 1.5}, "T = 1.5.*whole number"),
        (
            {"calibration": torch.zeros(0, 12)},
            r"calibration holds no images but shape \[0, 12\].*N of 1 or more",
        ),
        ({"calibration": [1, 2]}, "calibration holds int, but images are floating-point numbers"),
        ({"calibration": torch.full((2, 12), float("nan"))}, "calibration holds NaN"),
        (
            {"calibration": None},
            "calibration is None, but method 'opi' needs a network trained with ReLU; calibration images: hand in",
        ),
        (
            {"calibration": torch.rand(2, 3, 12)},
            r"the network's forward fails in layer '1' on images \[N, 3, 12\]",
        ),
    ],
)
def test_a_bad_argument_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        convert(mlp(), **{"method": "opi", "calibration": images(), "T": 4} | arguments)


def test_a_method_made_for_relu_refuses_a_trained_staircase() -> None:
    with pytest.raises(ValueError, match="'max_norm' needs a network trained with ReLU"):
        convert(mlp(QCFS), "max_norm", images(), 4)


def test_a_forward_that_mixes_the_images_of_a_batch_is_refused() -> None:
    class Centred(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x) - x.mean(0)

    with pytest.raises(ValueError, match="other images of its batch"):
        convert(nn.Sequential(Centred()), "opi", images(), 4)


def test_a_forward_that_reads_a_random_number_is_refused() -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x) * float(torch.rand(()))

    with pytest.raises(ValueError, match="computes something else"):
        convert(nn.Sequential(Noisy()), "opi", images(), 4)


def test_a_network_that_rounds_is_not_refused_for_a_level_that_folding_moved() -> None:
    """In float32 its logits differ from the graph's for some images, by more than any tolerance of their size."""
    ann, moved = runs.shipped("resnet20-qcfs").ann, 0
    for seed in range(16):
        images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
        with torch.inference_mode():
            graph = trace(ann, images, (QCFS,))
            moved += bool(_difference(ann, graph, images))
            _check_traced(ann, graph, images, QCFS)
    assert moved


def test_a_network_that_rounds_is_refused_for_a_random_number() -> None:
    class Random(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act, self.fc = QCFS(4, 1.0), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.act(x)) * float(torch.rand(()))

    with pytest.raises(ValueError, match="a random number"):
        convert(Random(), "qcfs", torch.rand(8, 4), 4)


def test_every_entry_of_the_catalogue_is_described() -> None:
    keys = {
        "name",
        "title",
        "paper",
        "year",
        "activation",
        "threshold",
        "v0",
        "corrections",
        "neuron",
        "tuning",
        "needs",
        "depends_on_T",
    }
    for name, method in CATALOGUE.items():
        described = method.describe()
        assert described["name"] == name and set(described) == keys
        assert described["paper"] and 2015 <= described["year"] <= 2030
    assert CATALOGUE["qcfs"].needs == "a network trained with QCFS; one image, for the shapes"


def test_bad_declarations_are_named() -> None:
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        Method("my method", "t", "p", 2026)
    with pytest.raises(ValueError, match=r"p = 0.*\(0, 100\]"):
        percentile(0)
