"""Names that are imported when they are first used: who asks for one need not wait for what the others need."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazily(
    package: str, files: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__`, which has each name from the file that holds it, and its `__dir__`, for Tab."""

    def found(name: str) -> Any:
        for file, held in files.items():
            if name in held:
                return getattr(import_module(f"{package}.{file}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return found, lambda: sorted(name for held in files.values() for name in held)
