"""Room on the disk, asked for before what needs much of it; and files for nobody else's eyes."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from geodata.errors import Fault, StoreFull

# What a change may need at once: the rows it adds, and the old ones beside the new.
TIMES_THE_STORE = 2
PRIVATE = 0o600  # SQLite gives the log and its index the mode of the store
_MB = 1024 * 1024


def check_room(folder: Path, store: Path) -> None:
    """
    Raise StoreFull when a folder's disk has not room for twice the store (contracts.md 1).

    The folder need not exist yet.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    need = TIMES_THE_STORE * (store.stat().st_size if store.exists() else 0)
    free = shutil.disk_usage(folder).free
    if free < need:
        values = {"need_mb": f"{need / _MB:,.0f}", "free_mb": f"{free / _MB:,.0f}"}
        raise StoreFull(Fault(key="store_room", values=values), file=store.name)


def sync(path: Path) -> None:
    """Bring a file, or what a folder lists, onto the disk for good."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def make_private(path: Path) -> None:
    """Make an empty file that nobody else may read; one that is there keeps what it has."""
    with contextlib.suppress(FileExistsError, FileNotFoundError, PermissionError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))


def clear_parts(copy: Path) -> None:
    """Remove what killed processes left of a copy; others may be making theirs at this moment."""
    for part in copy.parent.glob(f"{copy.stem}.*.part*"):
        process = part.name.removeprefix(f"{copy.stem}.").split("-")[0]
        try:
            os.kill(int(process), 0)
        except (ProcessLookupError, ValueError):
            part.unlink(missing_ok=True)
        except PermissionError:  # it lives, as somebody else's
            continue
