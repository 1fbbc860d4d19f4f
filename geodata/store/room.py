"""Room on the disk: asked for before what needs much of it, so that nothing ends half-way."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from geodata.errors import Fault, StoreFull

# What a change may need at once: the rows it adds, and the old ones beside the new.
TIMES_THE_STORE = 2
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
