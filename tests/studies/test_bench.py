"""The bench: everybody computes the same network, rows are whole, mistakes are one line. No time is judged."""

import copy
import json
import warnings
from dataclasses import fields, replace

import pytest
import torch

from benchmarks import performance
from snnlab import CATALOGUE, SNN, Method, cli, convert, datasets, networks, simulate
from snnlab.converters.choices.potentials import half
from snnlab.converters.choices.thresholds import percentile
from snnlab.studies import bench, peers, stopwatch
from snnlab.studies.peers import Peer

T = 9
IMAGES = datasets.load("digits").test.images[:12]
BY_CHANNEL = replace(
    CATALOGUE["robust_norm"], name="by_channel", threshold=percentile(99.0, "channel"), v0=half
)
METHODS = (CATALOGUE["robust_norm"], BY_CHANNEL)


def converted(method: Method) -> SNN:
    ann = networks.resnet(seed=3)
    return convert(ann, method, datasets.load("digits").calibration.images[:50], T, progress=False)


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    try:
        code = cli.main(("bench", *argv))
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1), (code, out, err)
    return err


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_plain_loop_in_float64_gives_the_same_output(method: Method) -> None:
    snn = converted(method)
    exact = SNN(copy.deepcopy(snn.graph).double(), None, snn.method, T, snn.rows, snn.example)
    plain = bench.in_batches(bench.plain_loop(exact))(IMAGES.double(), T)
    assert torch.allclose(plain, simulate(snn, IMAGES, T).output, rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("name", ["SpikingJelly, single-step", "SpikingJelly, multi-step", "snnTorch"])
def test_other_simulators_give_the_same_output_and_start_anew(name: str, method: Method) -> None:
    snn = converted(method)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # their own
        theirs = bench.in_batches(peers.PEERS[name].build(snn))  # type: ignore[misc]
        first, again = theirs(IMAGES, T), theirs(IMAGES, T)
    assert torch.equal(first, again)
    assert torch.allclose(first.double(), simulate(snn, IMAGES, T).output, rtol=0, atol=1e-5)


def test_neurons_that_others_do_not_have_are_named() -> None:
    signed = convert(networks.cnn(), "snm", IMAGES, T, progress=False)
    with pytest.raises(ValueError, match="IF that resets by subtraction"):
        peers.spikingjelly_single(signed)


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Peer("no_such_package", "pip install it", peers.spikingjelly_single)
    monkeypatch.setattr(peers, "PEERS", {"Nobody": absent, "Broken": Peer("json", "it is broken", None)})
    assert peers.found() == (
        {},
        [
            "Nobody is not here (No module named 'no_such_package'): pip install it",
            "Broken does not run: it is broken",
        ],
    )


def test_another_simulator_that_fails_is_said_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: SNN) -> peers.Simulator:
        def run(*_: object) -> torch.Tensor:
            raise TypeError("an argument\nthat is new")

        return run

    monkeypatch.setattr(peers, "PEERS", {"Newer": Peer("json", "pip install it", broken)})
    monkeypatch.setattr(stopwatch, "cores", lambda: 1)
    made = bench.Bench("resnet20", 2)
    assert list(made.simulators) == [*bench.WAYS, "plain loop"]
    assert made.missing == ["Newer fails in the version that is here: an argument that is new"]


def test_what_is_named_twice_is_measured_once() -> None:
    chosen = bench.settings(True, networks=("vgg16", "vgg16"), steps=(4, 2, 4))
    assert (chosen.networks, chosen.steps) == (("vgg16",), (4, 2))


def test_rows_say_who_took_what_and_agree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {name: peers.PEERS[name] for name in ("SpikingJelly, single-step", "nengo-dl")}
    monkeypatch.setattr(peers, "PEERS", few)
    monkeypatch.setattr(
        stopwatch, "cores", lambda: 1
    )  # threads that wait for each other on a busy machine take long
    argv = ("--quick", "--json", "--network=resnet20", "--T=1,3", "--images=2", "--rounds=2")
    assert cli.main(("bench", *argv)) == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert "nengo-dl does not run" in err
    names = [bench.DENSE, *bench.WAYS, "plain loop", "SpikingJelly, single-step"]
    assert [(row["simulator"], row["T"]) for row in rows] == [
        (name, steps) for steps in (1, 3) for name in names
    ]
    for row in rows:
        assert list(row) == [field.name for field in fields(bench.Row)]
        assert row["network"] == "resnet20" and row["peak_mb"] is None
        assert min(row["seconds"], row["wall_seconds"], row["ratio_to_dense"]) > 0
        assert row["spread"] >= 0
        assert (row["max_difference"] is None) == (row["simulator"] == bench.DENSE)
        if row["simulator"] in ("snnlab", "snnlab, float64"):
            assert row["max_difference"] == 0.0
    lines = list(bench.table([bench.Row(**row) for row in rows]))
    assert len(lines) == 2 + len(rows) and len({line.count("|") for line in lines}) == 1


def test_memory_at_its_peak_is_what_was_held_and_no_longer_is() -> None:
    assert stopwatch.peak(lambda: torch.ones(2**25)) > 100  # 128 MiB
    ((steps, mb),) = json.loads(bench.child(json.dumps(["resnet20", "plain loop", 2, [1]])))
    assert steps == 1 and mb >= 0


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--network=resnet", "network = 'resnet', but the networks are resnet20, vgg16, vgg16-64"),
        ("--T=0", "1 to 10,000, not '0'"),
        ("--T=4,,8", "not ''"),
        ("--T=4.5", "not '4.5'"),
        ("--images=257", "images = 257, but it must be 1 to 256"),
        ("--images=2,3", "not '2,3'"),
        ("--rounds=-1", "not '-1'"),
        ("--rounds=many", "not 'many'"),
        ("--slow", "--slow"),
    ],
)
def test_a_bad_option_is_one_line(capsys: pytest.CaptureFixture[str], option: str, said: str) -> None:
    assert said in refused(capsys, option)


def test_ctrl_c_is_one_line_and_130(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: bench.Settings) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "run", stopped)
    assert cli.main(("bench", "--quick")) == 130
    assert capsys.readouterr().err == "snnlab: stopped; what was measured so far is not kept\n"


def test_the_page_shows_the_rows_that_are_kept() -> None:
    kept = json.loads(performance.RESULT.read_text(encoding="utf-8"))
    rows = [bench.Row(**row) for row in kept["rows"]]
    assert {row.network for row in rows} == set(bench.NETWORKS) and {row.T for row in rows} == {4, 16, 64}
    shown = performance.PAGE.read_text(encoding="utf-8").split(performance.MARK)[1]
    assert shown.strip() == performance.block(kept, rows).strip()
