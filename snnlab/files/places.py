"""Where a file or folder is, and how much of what was given a message repeats."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Literal

PACKAGE = Path(__file__).resolve().parents[1]
MOST_SHOWN = 80
"""Characters of a value that a message repeats."""


def place(path: str | Path) -> Path:
    """The path that somebody wrote, absolute, its `~` and its links followed.

    Raises: ValueError for the home of an unknown user, links in a circle, and a name that no file can have.
    """
    try:
        found = Path(path).expanduser().resolve()
        found.lstat()
    except RuntimeError as error:  # what pathlib raises for both
        reason = "its links run in a circle" if "loop" in str(error) else "there is no such user"
        raise ValueError(f"{short(str(path))} leads nowhere: {reason}; write the path in full") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise ValueError(f"{short(str(path))} is no name of a file: it is too long") from None
        # nothing is there, or cannot be looked at: whoever opens it says so
    except ValueError:  # a zero byte, or what the file system cannot encode
        raise ValueError(
            f"{short(str(path))} is no name of a file: it has letters that no name can have"
        ) from None
    return found


def kit(part: str = "") -> Path:
    """Where a part of the kit that is no code lies: `notebooks`, `data/results`, `studies`, ...

    In a checkout that is beside the package; a wheel brings them inside it.
    """
    packed = PACKAGE / "_shipped"
    return (packed if packed.is_dir() else PACKAGE.parent) / part


def in_checkout() -> bool:
    """Whether this package lies in a checkout of the project, not where an installer put it."""
    return (PACKAGE.parent / "pyproject.toml").is_file()


def regained(part: str) -> str:
    """What brings a missing or damaged part of the kit back, as the end of a message."""
    if not in_checkout():
        return "install snnlab again, and it is back"
    return f"`git checkout -- {part}` brings it back"


def data_folder(root: str | Path | None = None, part: str = "") -> Path:
    """Where downloads and trained networks are written: the first that there is of

    root, $SNNLAB_DATA, the checkout's `data/` if it can be written, the user's cache folder.

    Args:
        part: folder in it, `trained`, say.
    """
    wanted = root if root is not None else os.environ.get("SNNLAB_DATA", "")
    if root is not None or wanted:
        return place(wanted) / part
    if in_checkout() and is_writable(kit("data") / part):
        return kit("data") / part
    return _of_the_user("cache") / part


def kept(name: str) -> Path:
    """Where to read what may be there already, `trained/x.safetensors`, say: in `data_folder`, or else beside the kit.

    So users of a checkout that only one person can write find what that person had downloaded and trained.
    """
    part, _, rest = name.partition("/")
    own, common = data_folder(part=part) / rest, kit("data") / name
    return common if common.exists() and not own.exists() else own


def answers_file(notebook: str | Path = "") -> Path:
    """Where predictions are kept: $SNNLAB_ANSWERS, or `.snnlab/predictions.json` in the folder of the notebook.

    Where nothing can be written beside the notebook, they lie in the user's own folder for data of programs.
    """
    if chosen := os.environ.get("SNNLAB_ANSWERS"):
        return Path(chosen)
    beside = Path(notebook) / ".snnlab"
    return (beside if is_writable(beside) else _of_the_user("data")) / "predictions.json"


def is_writable(folder: Path) -> bool:
    """Whether a file can be made in the folder, or the folder be made, by trying: what permissions say is not all."""
    there = next((one for one in (folder, *folder.absolute().parents) if os.path.lexists(one)), folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            return True
    except OSError:
        return False


def _of_the_user(kind: Literal["cache", "data"]) -> Path:
    import platformdirs

    return (
        platformdirs.user_cache_path("snnlab") if kind == "cache" else platformdirs.user_data_path("snnlab")
    )


def short(value: object, most: int = MOST_SHOWN) -> str:
    """A value as a message repeats it: as Python writes it, cut in the middle."""
    try:
        text = repr(value[: most + 1] if isinstance(value, str) else value)
    except ValueError:  # Python writes no whole number of thousands of digits
        return "a number of thousands of digits"
    if isinstance(value, str) and len(value) > most:
        return f"{text[: most // 2]}...' ({len(value):,} characters)"
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-most // 4 :]}"
