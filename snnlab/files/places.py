"""Where a file or folder is, and how much of what was given a message repeats."""

import errno
import os
import tempfile
from pathlib import Path

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


def data_folder(root: str | Path | None = None) -> Path:
    """Where downloads and trained networks are kept: root, or $SNNLAB_DATA, or the checkout's `data/`, or ~/.snnlab."""
    wanted = root if root is not None else os.environ.get("SNNLAB_DATA", "")
    if root is not None or wanted:
        return place(wanted)
    checkout = Path(__file__).parents[2]
    return checkout / "data" if (checkout / "pyproject.toml").is_file() else Path.home() / ".snnlab"


def answers_file(notebook: str | Path = "") -> Path:
    """Where predictions are kept: $SNNLAB_ANSWERS, or `.snnlab/predictions.json` in the folder of the notebook."""
    return Path(os.environ.get("SNNLAB_ANSWERS") or Path(notebook) / ".snnlab" / "predictions.json")


def is_writable(folder: Path) -> bool:
    """Whether a file can be made in the folder, by trying: what permissions say is not all."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def short(value: object, most: int = MOST_SHOWN) -> str:
    """A value as a message repeats it: as Python writes it, cut in the middle."""
    try:
        text = repr(value[: most + 1] if isinstance(value, str) else value)
    except ValueError:  # Python writes no whole number of thousands of digits
        return "a number of thousands of digits"
    if isinstance(value, str) and len(value) > most:
        return f"{text[: most // 2]}...' ({len(value):,} characters)"
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-most // 4 :]}"
