"""No name becomes code: from a network, a file of tensors, a NIR graph, a folder. An audit hook listens for it."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import nir
import numpy as np
import pytest
import torch
from cases import LONG, names
from PIL import Image
from torch import Tensor, nn

from snnlab import convert, simulate, training
from snnlab.datasets import folders
from snnlab.exchange import read_nir, saving, write_nir
from snnlab.exchange.nir import contents
from snnlab.training import runs

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = list(names(500 * LONG))
IMAGES = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
    "pickle.find_class",
)
READER = [sys.executable, "-P", contents.__file__]
"""The process that reads a NIR file is started; what is handed to it is the file's path alone."""
wanted: list[str] = []
"""The names that are being tried; empty while nobody listens."""
heard: list[str] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not wanted:
        return
    if event in FORBIDDEN and not (event == "subprocess.Popen" and args[1][:-1] == READER):
        heard.append(f"{event} {args!r}")
    elif event in ("exec", "compile"):
        texts = [text for text in _texts(args[0]) if "mark" in text]
        heard.extend(f"{event} of {name!r}" for name in wanted if any(name in text for text in texts))


def _texts(code: Any) -> Iterator[str]:
    if isinstance(code, CodeType):
        yield from (code.co_name, code.co_filename, *code.co_names, *code.co_varnames)
        for constant in code.co_consts:
            yield from _texts(constant)
    elif isinstance(code, str | bytes):
        yield code if isinstance(code, str) else code.decode(errors="replace")


sys.addaudithook(_hook)


@pytest.fixture
def listening() -> Iterator[Callable[[list[str]], None]]:
    """Called with the names that must not be executed; at the end nothing must have been heard."""
    heard.clear()
    yield lambda few: wanted.extend(name for name in few if "mark" in name)  # a word alone stands in any code
    wanted.clear()
    assert heard == []


def test_the_hook_hears_a_name_that_is_executed() -> None:
    wanted.append("mark_of_the_hook")
    exec(compile("x = 'mark_of_the_hook'", "made up", "exec"))
    wanted.clear()
    assert {entry.split()[0] for entry in heard} == {"exec", "compile"}


class Named(nn.Module):
    """A small network whose layers have names that somebody else chose."""

    def __init__(self, chosen: list[str]) -> None:
        super().__init__()
        self.chosen = chosen
        torch.manual_seed(0)
        for k, name in enumerate(chosen):
            self._modules[name] = nn.ReLU() if k % 2 else nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for name in self.chosen:
            x = self._modules[name](x)  # type: ignore[misc]
        return x.flatten(1)


GROUPS = [[name.replace(".", "") for name in NAMES[k : k + 20]] for k in range(0, len(NAMES), 20)]


@pytest.mark.parametrize("number", range(len(GROUPS)))
def test_a_network_with_hostile_names_is_converted_run_written_and_read(
    number: int, listening: Callable[[list[str]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = list(
        dict.fromkeys(name for name in GROUPS[number] if name not in ("training", ""))
    )  # PyTorch's own, on a module
    chosen = chosen[: len(chosen) // 2 * 2]
    listening(chosen)
    ann = Named(chosen).eval()
    snn = convert(ann, "max_norm", IMAGES, 2)
    logits = simulate(snn, IMAGES, 2).logits
    assert set(snn.sites) == set(chosen[1::2])
    saving.save(snn, "snn.safetensors")
    assert torch.equal(simulate(saving.load(Named(chosen), "snn.safetensors"), IMAGES, 2).logits, logits)
    write_nir(snn, "snn.nir")
    assert torch.equal(simulate(read_nir("snn.nir"), IMAGES, 2).logits, logits)
    training.save(ann, "ann.safetensors", **{name: name for name in chosen if name not in ("snnlab", "sum")})
    assert training.load(ann, "ann.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ann.safetensors",
        "snn.nir",
        "snn.safetensors",
    ]


def test_a_foreign_nir_graph_with_hostile_names_is_read_or_refused(
    listening: Callable[[list[str]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listening(NAMES)
    ones = np.ones((1, 4, 4))
    for a, b, c in zip(NAMES[0::3], NAMES[1::3], NAMES[2::3], strict=False):
        nodes = {a: nir.Input({"input": np.array([1, 4, 4])}), b: nir.IF(ones, ones)}
        nodes[c] = nir.Output({"output": np.array([1, 4, 4])})
        snn = read_nir(nir.NIRGraph(nodes, [(a, b), (b, c)], {b: a}), T=2)
        assert list(snn.sites) == [b] and simulate(snn, IMAGES, 2).logits.isfinite().all()
    assert list(tmp_path.iterdir()) == []


def test_class_folders_with_hostile_names_are_only_names(
    listening: Callable[[list[str]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "images"
    for name in NAMES:
        plain = name.encode()[:200].decode(errors="ignore").replace("/", "")
        if plain.strip(".") and not plain.startswith("."):
            (root / plain).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4)).save(root / plain / "1.png")
            Image.new("RGB", (4, 4)).save(root / plain / "2.png")
    monkeypatch.chdir(tmp_path)
    classes = sorted(path.name for path in root.iterdir())
    listening(classes)
    assert folders.load(root, 4).classes == tuple(classes) and len(classes) > 400
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_a_checkpoint_whose_words_are_hostile_is_refused_by_its_file_name(
    listening: Callable[[list[str]], None], tmp_path: Path
) -> None:
    listening(NAMES)
    path, settings = tmp_path / "net.safetensors", json.loads(runs.Settings("cnn", "digits").text())
    ann, fields = runs.Settings("cnn", "digits").build(), list(settings)
    for k, name in enumerate(NAMES[:: max(1, len(NAMES) // 60)]):
        wrong = settings | {fields[k % len(fields)]: name} if k % 3 else settings | {name: 1}
        training.save(ann, path, settings=json.dumps(wrong))
        with pytest.raises(ValueError, match=r"net\.safetensors") as refused:
            runs.load(path)
        assert len(str(refused.value)) < 1000 and "\n" not in str(refused.value)
