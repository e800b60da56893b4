"""Where a file or folder is, and how much of what was given a message repeats."""

import errno
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


def short(value: object, most: int = MOST_SHOWN) -> str:
    """A value as a message repeats it: as Python writes it, cut in the middle."""
    try:
        text = repr(value[: most + 1] if isinstance(value, str) else value)
    except ValueError:  # Python writes no whole number of thousands of digits
        return "a number of thousands of digits"
    if isinstance(value, str) and len(value) > most:
        return f"{text[: most // 2]}...' ({len(value):,} characters)"
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-most // 4 :]}"
