"""Key files: secrets of one city that are made at first need and never leave its folder."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from geodata.errors import Fault, NotAllowed, StoreDamaged

KEY_BYTES = 32
SUFFIX = ".key"
_OWNER_ONLY = 0o600
_OTHERS = 0o077


def make_key(path: Path) -> bytes:
    """
    Return the key in a file that only its owner reads, made now if it is not there.

    Two processes that make it at once get the same one, and a power cut leaves all of it or none.
    """
    while (key := read_key(path)) is None:
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            with os.fdopen(file, "wb") as stream:
                stream.write(secrets.token_hex(KEY_BYTES).encode())
                stream.flush()
                os.fsync(stream.fileno())
            _put(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
        _sync_folder(path.parent)
    return key


def read_key(path: Path) -> bytes | None:
    """
    Return the key in a file, or None where there is no file.

    Raises NotAllowed for a file that others may read, StoreDamaged for one that holds no key.
    """
    try:
        if path.stat().st_mode & _OTHERS and _keeps_rights(path.parent):
            raise NotAllowed(Fault(key="key_readable"), file=path.name)
        key = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreDamaged(Fault(key="key_damaged"), file=path.name) from error
    if len(key) != KEY_BYTES:
        raise StoreDamaged(Fault(key="key_damaged"), file=path.name)
    return key


def check_keys(folder: Path) -> None:
    """Refuse a city while one of its keys is damaged or may be read by others."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        read_key(path)


def _put(fresh: Path, path: Path) -> None:
    """Give a whole new file its name, unless another process was first."""
    try:
        os.link(fresh, path)  # unlike a rename it never replaces another's key
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            fresh.rename(path)


def _keeps_rights(folder: Path) -> bool:
    """Tell whether a file can be its owner's alone here: some file systems know no rights."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".rights.") as probe:
        return not Path(probe.name).stat().st_mode & _OTHERS


def _sync_folder(folder: Path) -> None:
    """Write a folder's list of files to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
