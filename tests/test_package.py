"""What `import snnlab` offers by itself: the public names, at once, and each of them on first use."""

import subprocess
import sys

import snnlab


def fresh(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_tab_key_offers_the_public_names_without_waiting_for_torch() -> None:
    offered = fresh("import sys, snnlab; print(*dir(snnlab)); assert 'torch' not in sys.modules").split()
    assert {*snnlab.__all__, "datasets", "explorers", "energy", "recipes"} <= set(offered)
    assert "os" not in offered and "Any" not in offered


def test_every_name_that_is_offered_is_there() -> None:
    assert all(getattr(snnlab, name) is not None for name in dir(snnlab))


def test_a_wing_needs_no_import_of_its_own() -> None:
    assert fresh("import snnlab; print(len(snnlab.datasets.load('digits').train))") == "1347\n"
