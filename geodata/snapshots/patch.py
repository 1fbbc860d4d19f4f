"""A snapshot brought on by the incidents that changed, without reading the others again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.snapshots.snapshot import Snapshot

_PLACE = ("morton", "tile_x", "tile_y")
_COLUMNS = tuple(item.name for item in fields(Snapshot) if "NDArray" in str(item.type))
_THREADS = 2
Piece = tuple[Snapshot, slice]


def patch_snapshot(old: Snapshot, changed: Snapshot) -> Snapshot:
    """
    Return the snapshot with the changed incidents in the stead of their old rows.

    The same, row for row, as one built anew. Columns that no change touches are shared with the old
    one, which stays as it is: others may be reading it.
    """
    rows = find_rows(old, changed)
    if _stays(old, rows, changed):
        return _assemble(changed, old.placed, lambda name: _overwrite(old, changed, name, rows))
    gone = np.sort(rows[rows >= 0])
    pieces = _cut(old, changed, gone)
    placed = old.placed - int((gone < old.placed).sum()) + changed.placed

    def join(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(of, name)[part] for of, part in pieces])

    with ThreadPoolExecutor(_THREADS) as pool:  # copying lets other threads run
        joined = dict(zip(_COLUMNS, pool.map(join, _COLUMNS), strict=True))
    return _assemble(changed, placed, joined.__getitem__)


def leave_out(snapshot: Snapshot, incidents: NDArray[np.int64]) -> Snapshot:
    """Return the snapshot without some incidents: itself where it holds none of them."""
    if not len(incidents):
        return snapshot
    stays = ~np.isin(snapshot.incident, incidents)
    if stays.all():
        return snapshot
    return _assemble(
        snapshot,
        int(stays[: snapshot.placed].sum()),
        lambda name: getattr(snapshot, name)[stays],
    )


def _assemble(changed: Snapshot, placed: int, take: Callable[[str], NDArray[Any]]) -> Snapshot:
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        columns[name] = take(name)
        columns[name].flags.writeable = False
    return Snapshot(revision=changed.revision, drawing=changed.drawing, placed=placed, **columns)


def find_rows(old: Snapshot, changed: Snapshot) -> NDArray[np.int64]:
    """Return the row in the old snapshot of each changed incident, -1 for a new one."""
    rows = np.full(changed.n, -1, np.int64)
    order = np.argsort(changed.incident)
    wanted = changed.incident[order]
    if len(wanted):
        bits = np.zeros(int(wanted[-1]) // 64 + 1, np.uint64)
        np.bitwise_or.at(bits, wanted // 64, np.uint64(1) << (wanted % 64).astype(np.uint64))
        found = np.empty(len(wanted), np.int64)
        known = _find_marked(old.incident, bits, found)
        hits = found[:known]
        rows[order[np.searchsorted(wanted, old.incident[hits])]] = hits
    return rows


@compile_kernel
def _find_marked(incident: Any, bits: Any, found: Any) -> int:
    """Write the rows of the incidents whose bit is set; return how many there are."""
    n = 0
    top = len(bits) * 64
    for row in range(len(incident)):
        one = incident[row]
        if one < top and bits[one >> 6] >> np.uint64(one & 63) & np.uint64(1):
            found[n] = row
            n += 1
    return n


def _stays(old: Snapshot, rows: NDArray[np.int64], changed: Snapshot) -> bool:
    """Tell whether every changed incident is known and stays where it was."""
    if (rows < 0).any():
        return False
    if not np.array_equal(rows < old.placed, np.arange(changed.n) < changed.placed):
        return False
    return all(np.array_equal(getattr(old, name)[rows], getattr(changed, name)) for name in _PLACE)


def _overwrite(
    old: Snapshot, changed: Snapshot, name: str, rows: NDArray[np.int64]
) -> NDArray[Any]:
    before: NDArray[Any] = getattr(old, name)
    after = getattr(changed, name)
    if np.array_equal(before[rows], after):
        return before
    column = before.copy()
    column[rows] = after
    return column


def _cut(old: Snapshot, changed: Snapshot, gone: NDArray[np.int64]) -> list[Piece]:
    """Return the pieces of both snapshots that make the new one, in its order."""
    places = _find_places(old, changed).tolist()
    # At one place what comes in stands before what goes.
    steps = sorted(
        [(place, 0, row) for row, place in enumerate(places)]
        + [(row, 1, 0) for row in gone.tolist()]
    )
    pieces: list[Piece] = []
    begin = 0
    for place, goes, row in steps:
        if place > begin:
            pieces.append((old, slice(begin, place)))
        begin = max(begin, place + goes)
        if not goes:
            pieces.append((changed, slice(row, row + 1)))
    return [*pieces, (old, slice(begin, old.n))]


def _find_places(old: Snapshot, changed: Snapshot) -> NDArray[np.int64]:
    """Return before which row of the old snapshot each changed row comes."""
    morton = old.morton[: old.placed]
    first = np.searchsorted(morton, changed.morton[: changed.placed], side="left")
    last = np.searchsorted(morton, changed.morton[: changed.placed], side="right")
    nowhere = np.full(changed.n - changed.placed, old.placed)
    begins = np.concatenate([first, nowhere])
    ends = np.concatenate([last, np.full(len(nowhere), old.n)])
    # Incidents at one place stand in the order of their numbers.
    return begins + np.array(
        [
            np.searchsorted(old.incident[begin:end], incident)
            for begin, end, incident in zip(begins, ends, changed.incident, strict=True)
        ],
        np.int64,
    )


def warm() -> None:
    """Compile the kernel and keep the machine code on disk, for set-up."""
    incident = np.arange(1, 3)
    frozen = incident.copy()
    frozen.flags.writeable = False
    for column in (incident, frozen):
        _find_marked(column, np.ones(1, np.uint64), np.empty(2, np.int64))
