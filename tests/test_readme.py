"""The README's Python runs as it stands, block after block."""

import re
from pathlib import Path

import pytest
import torch

from snnlab import simulate

README = Path(__file__).parents[1] / "README.md"


def blocks() -> list[str]:
    """Indented blocks that begin with an import of Python, in their order."""
    text = README.read_text(encoding="utf-8")
    found = re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE)
    code = ["\n".join(line[4:] for line in block.splitlines()).strip() for block in found]
    return [block for block in code if re.match(r"(import|from) \w", block)]


def test_the_blocks_of_python_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks()
    assert len(found) == 3 and "write_nir" in found[1] and "import_from_nir" in found[2]
    names: dict[str, object] = {}
    for block in found:
        exec(compile(block, "README.md", "exec"), names)
    said = capsys.readouterr().out
    assert "conv1.act" in said and re.search(r"0\.9\d", said)
    run = simulate(names["snn"], names["images"])
    logits = run.logits
    assert min(run.firing_rate.values()) > 0, "nothing spikes, so nothing is compared"
    assert torch.allclose(names["total"].double() / 16, logits, rtol=0, atol=1e-5 * float(logits.abs().max()))
