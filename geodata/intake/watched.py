"""The watched folder: what appears in it is loaded once, whole or not at all, and put away."""

from __future__ import annotations

import contextlib
import os
import stat
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from geodata.city import City, writing
from geodata.errors import BadSetting, Busy, Fault, GetuError, StoreFull, explain_system
from geodata.intake.limits import limits_of
from geodata.loading import KINDS, load_files
from geodata.loading.contracts import RECORD_KINDS
from geodata.loading.report import LoadReport
from geodata.loading.request import LoadRequest, hash_file
from geodata.notes import Note
from geodata.rounds import Rounds
from geodata.store.sources import find_loaded
from geodata.store.tokens import clean_source

DONE, REFUSED, CLAIMED = "done", "refused", ".loading"
# Grids would become drafts unseen, and a base map replaces the one on every screen: both by hand.
WATCHED_KINDS = tuple(kind for kind in KINDS if kind not in ("grids", "basemap"))
_NO_SOURCE = "_"
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", "~")
_LONGEST_NAME = 100
_MOST_A_ROUND = 1_000

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What became of one file: `kept` is where it lies now, beside its report."""

    name: str
    taken: bool
    kept: Path
    report: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    path: Path
    kind: str
    source: str | None
    regular: bool


class Watch:
    """
    One city's watched folder: `kind/file` or `kind/source/file`, then done/ or refused/.

    A file is taken when it has not changed for `watched_settle_s`. First it is claimed by a rename,
    so that nobody writes into it any more and a kill leaves it where the next round looks first.
    The store knows its content by hash: what was loaded before the kill is not loaded again.
    """

    def __init__(self, city: City, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._city = city
        self._clock = clock
        self._seen: dict[Path, tuple[Stamp, float]] = {}
        self.folder = find_folder(city)

    def look(self, *, now: int) -> list[Handled]:
        """
        Take every file that is ready; return what became of each.

        Raises Busy when another load is at work and StoreFull when there is no room: what was
        claimed by then waits for the next look.
        """
        self._claim()
        if not any(True for _ in self._claimed()):
            return []
        with writing(self._city):
            # Asked again: another process may have put away what it had claimed.
            return [self._take(found, now=now) for found in list(self._claimed())]

    def waiting(self) -> int:
        """Return how many files lie there that are not ready yet."""
        return len(self._seen)

    def _claimed(self) -> Iterator[_Found]:
        """Yield what was claimed and not put away, by this round or one that was killed."""
        yield from self._walk(self.folder / CLAIMED)

    def _claim(self) -> None:
        """Rename each file that is ready to where nobody else looks."""
        now, seen = self._clock(), self._seen
        self._seen = {}
        for found in self._walk(self.folder):
            stamp = find_stamp(found.path)
            if stamp is None:
                continue
            since = seen[found.path][1] if seen.get(found.path, (None,))[0] == stamp else now
            if now - since < self._city.settings.watched_settle_s:
                self._seen[found.path] = (stamp, since)
                continue
            place = self.folder / CLAIMED / found.kind / (found.source or _NO_SOURCE)
            place.mkdir(parents=True, exist_ok=True)
            target = _free_name(place, clean_name(found.path.name))
            with contextlib.suppress(FileNotFoundError):  # taken back
                found.path.rename(target)

    @staticmethod
    def _walk(folder: Path) -> Iterator[_Found]:
        """Yield what lies in the kinds' folders and one level below; follows no link."""
        for kind in WATCHED_KINDS:
            for entry in _entries(folder / kind):
                if entry.is_dir(follow_symlinks=False):
                    source = None if entry.name == _NO_SOURCE else entry.name
                    yield from (
                        _found(inner, kind, source)
                        for inner in _entries(Path(entry.path))
                        if not inner.is_dir(follow_symlinks=False)
                    )
                else:
                    yield _found(entry, kind, None)

    def _take(self, found: _Found, *, now: int) -> Handled:
        """Load one claimed file and put it away with its report."""
        name = found.path.name
        try:
            if not found.regular:
                raise BadSetting(Fault(key="watched_link"), file=name)
            source = None if found.source is None else clean_source(found.source)
            digest = hash_file(found.path)
            if self._is_known(digest, found.kind, source):
                report = LoadReport(file=name, notes=[Note(key="watched.known")])
                return self._put_away(found, DONE, report.as_json(self._lang), now=now)
            limits = limits_of(self._city.settings)
            request = LoadRequest(now=now, source=source, isolated=True, limits=limits)
            reports, errors = load_files(
                self._city, found.kind, [found.path], request, progress=lambda _key, _share: None
            )
            if errors:
                raise errors[0]
        except (Busy, StoreFull):
            raise
        except OSError as error:
            raise explain_system(error, file=name) from error
        except GetuError as error:
            refused = LoadReport(file=name, faults=error.faults)
            return self._put_away(found, REFUSED, refused.as_json(self._lang), now=now)
        return self._put_away(found, DONE, reports[0].as_json(self._lang), now=now)

    @property
    def _lang(self) -> Any:
        return self._city.settings.lang

    def _is_known(self, digest: bytes, kind: str, source: str | None) -> bool:
        what, whose = (kind, None) if kind in RECORD_KINDS else ("incidents", source)
        with self._city.database.read() as connection:
            return find_loaded(connection, digest, what=what, source=whose) is not None

    def _put_away(self, found: _Found, where: str, report: dict[str, Any], *, now: int) -> Handled:
        """Write the report beside where the file will lie, then move the file: in this order."""
        place = self.folder / where / found.kind / (found.source or "")
        place.mkdir(parents=True, exist_ok=True)
        target = _free_name(place, found.path.name)
        beside = target.with_name(f"{target.name}.report.json")
        if not beside.exists():  # else a kill came between the two: that one says more
            part = target.with_name(f"{target.name}.report.part")
            part.write_bytes(orjson.dumps({**report, "at": now}, option=orjson.OPT_INDENT_2))
            part.replace(beside)
        found.path.rename(target)
        taken = where == DONE
        return Handled(name=found.path.name, taken=taken, kept=target, report=report)


class Watcher(Rounds):
    """Looks into a city's watched folder every few seconds, until it is stopped."""

    def __init__(self, city: City, *, now: Callable[[], int]) -> None:
        watch = Watch(city)

        def look() -> None:
            watch.look(now=now())

        super().__init__("watched folder", look, every_s=city.settings.watched_every_s)


def find_folder(city: City) -> Path:
    """
    Return a city's watched folder, with the folders of the kinds in it.

    Raises BadSetting where none is set, or where it holds the city itself.
    """
    text = city.settings.watched_folder
    if not text:
        raise BadSetting(Fault(key="watched_unset"))
    folder = (city.folder / text).absolute()
    if city.folder.resolve().is_relative_to(folder.resolve()):
        raise BadSetting(Fault(key="watched_city"))
    for kind in WATCHED_KINDS:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    return folder


def clean_name(name: str) -> str:
    """Return a file's name as it can be stored, printed and lengthened; its ending stays."""
    kept = "".join(
        sign if sign.isprintable() and sign not in '/\\:*?"<>|' else "_"
        for sign in unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    )
    suffix = "".join(Path(kept).suffixes[-2:])[-20:]
    stem = kept.removesuffix(suffix)[: _LONGEST_NAME - len(suffix)]
    return f"{stem.lstrip('.') or '_'}{suffix}"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what lies in a folder, oldest name first; nothing where it is none or a link."""
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return []
        with os.scandir(folder) as found:
            entries = [entry for entry in found if _is_meant(entry.name)]
    except FileNotFoundError:
        return []
    return sorted(entries, key=lambda entry: entry.name)[:_MOST_A_ROUND]


def _is_meant(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(_UNFINISHED)


def _found(entry: os.DirEntry[str], kind: str, source: str | None) -> _Found:
    regular = entry.is_file(follow_symlinks=False)
    return _Found(path=Path(entry.path), kind=kind, source=source, regular=regular)


def find_stamp(path: Path) -> Stamp | None:
    """Return what changes with a file's content, None where it has gone."""
    try:
        now = path.lstat()
    except FileNotFoundError:
        return None
    return (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def _free_name(folder: Path, name: str) -> Path:
    """Return a name that nothing in the folder has: the name, else with a number."""
    target, stem, suffix = folder / name, Path(name).stem, Path(name).suffix
    number = 2
    while os.path.lexists(target):
        target = folder / f"{stem}-{number}{suffix}"
        number += 1
    return target
