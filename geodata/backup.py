"""Backups: a city copied whole while it is served and fed, and made anew from its copy."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from geodata.audit.log import KEY_FILE, audit_head
from geodata.city import BASE_FOLDER, City, check_no_city
from geodata.errors import BadFile, BadSetting, Fault
from geodata.settings import SETTINGS_FILE
from geodata.store.database import STORE_FILE, Database, read_revision
from geodata.store.room import check_room, sync

CONTENTS_FILE = "backup.json"
FORMAT = 1
_FILES = (STORE_FILE, SETTINGS_FILE, KEY_FILE)
_PRIVATE = 0o600
_BLOCK = 1024 * 1024

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds: each file's bytes and SHA-256 by name, the revision, the log's head."""

    folder: Path
    revision: int
    head: str
    files: dict[str, dict[str, Any]]

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(int(one["bytes"]) for one in self.files.values())

    @property
    def has_keys(self) -> bool:
        """Tell whether the log's key is in it: without it no copy of the log can be verified."""
        return KEY_FILE in self.files

    def as_json(self) -> dict[str, Any]:
        """Return what `backup.json` and `--json` say."""
        return {
            "format": FORMAT,
            "revision": self.revision,
            "head": self.head,
            "files": self.files,
        }


def back_up(city: City, folder: Path, *, progress: Progress) -> Backup:
    """
    Copy a city to a new folder: store, settings, keys and base map, and what they are.

    The store is one moment of it; a server and its feeds go on meanwhile. Each file is on the disk
    for good before the folder gets its name. Raises BadFile where the folder exists, StoreFull
    where there is no room.
    """
    if folder.exists():
        raise BadFile(Fault(key="backup_exists"), file=str(folder))
    check_room(folder.absolute().parent, city.database.path)
    with _new_folder(folder) as part:
        progress("progress.backup", 0.0)
        city.database.copy_to(part / STORE_FILE)
        progress("progress.backup", 0.5)
        copied = Database(part / STORE_FILE)
        with copied.read() as connection:
            revision, head = read_revision(connection), audit_head(connection)
        for name in _names_in(city.folder):
            _copy(city.folder / name, part / name)
        files = {name: _describe(part / name) for name in [STORE_FILE, *_names_in(part)]}
        made = Backup(folder=folder, revision=revision, head=head, files=files)
        contents = part / CONTENTS_FILE
        contents.write_bytes(orjson.dumps(made.as_json(), option=orjson.OPT_INDENT_2))
        _settle(contents)
        progress("progress.backup", 1.0)
    return made


def restore(backup: Path, folder: Path, *, progress: Progress) -> Backup:
    """
    Make a city of a backup, in a new folder, every file proved equal to the backup's.

    Its sessions end: an account signs in anew. Raises BadSetting where there is a city already,
    BadFile where the folder exists or the backup is not whole, StoreFull where there is no room;
    then nothing is left.
    """
    check_no_city(folder)
    if folder.exists():
        raise BadFile(Fault(key="backup_exists"), file=str(folder))
    found = read_backup(backup)
    check_room(folder.absolute().parent, backup / STORE_FILE)
    with _new_folder(folder) as part:
        for place, (name, described) in enumerate(found.files.items()):
            progress("progress.restore", place / len(found.files))
            _copy(backup / name, part / name)
            if _describe(part / name) != described:
                raise _broken(name, backup)
        database = Database(part / STORE_FILE)
        database.check()
        if database.revision() != found.revision:
            raise _broken(CONTENTS_FILE, backup)
        database.settle()
        progress("progress.restore", 1.0)
    return Backup(folder=folder, revision=found.revision, head=found.head, files=dict(found.files))


def read_backup(folder: Path) -> Backup:
    """Return what a backup says of itself; raises BadFile where it is none, or not one of ours."""
    try:
        plain = orjson.loads((folder / CONTENTS_FILE).read_bytes())
        found = Backup(
            folder=folder,
            revision=int(plain["revision"]),
            head=str(plain["head"]),
            files=dict(plain["files"]),
        )
        known = plain["format"] == FORMAT
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadFile(Fault(key="backup_none"), file=str(folder)) from error
    if not known or STORE_FILE not in found.files:
        raise BadFile(Fault(key="backup_none"), file=str(folder))
    for name in found.files:
        path = folder / name
        # A name is one of ours, or a file of the base map: no way leads out of the folder.
        ours = name in _FILES or (Path(name).parts[:-1] == (BASE_FOLDER,) and ".." not in name)
        if not ours or path.is_symlink() or not path.is_file():
            raise _broken(name, folder)
    return found


def _broken(name: str, folder: Path) -> BadFile:
    return BadFile(Fault(key="backup_broken", values={"name": name}), file=str(folder))


def _names_in(folder: Path) -> list[str]:
    """Return what is copied beside the store: settings, keys, base map."""
    base = sorted((folder / BASE_FOLDER).glob("*"))
    listed = [folder / SETTINGS_FILE, folder / KEY_FILE, *base]
    return [str(path.relative_to(folder)) for path in listed if path.is_file()]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(source, target)
    _settle(target)


def _settle(path: Path) -> None:
    path.chmod(_PRIVATE)
    sync(path)


def _describe(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _is_running(process: str) -> bool:
    """Tell whether a process of this number runs; what is no number is not ours to judge."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError, OverflowError):
        return True
    return True


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder that gets its name once everything in it is there; else nothing is left."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f"{glob.escape(folder.name)}.*.part"):
        if not _is_running(left.suffixes[-2][1:]):
            shutil.rmtree(left, ignore_errors=True)  # a run that was killed
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    part.mkdir(mode=0o700)
    try:
        yield part
        for inner in (part / BASE_FOLDER, part):
            if inner.is_dir():
                sync(inner)
        if folder.exists():  # made by somebody in the meantime
            raise BadSetting(Fault(key="backup_exists"), file=str(folder))
        part.rename(folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
