"""A snapshot brought on by the incidents that changed, without reading the others again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.snapshots.snapshot import Snapshot

_PLACE = ("morton", "tile_x", "tile_y")
Piece = tuple[Snapshot, slice]


def patch_snapshot(old: Snapshot, changed: Snapshot) -> Snapshot:
    """
    Return the snapshot with the changed incidents in the stead of their old rows.

    The same, row for row, as one built anew. Columns that no change touches are shared with the old
    one, which stays as it is: others may be reading it.
    """
    rows = _find_rows(old, changed)
    if _stays(old, rows, changed):
        return _assemble(
            old, changed, old.placed, lambda name: _overwrite(old, changed, name, rows)
        )
    gone = np.sort(rows[rows >= 0])
    pieces = _cut(old, changed, gone)
    placed = old.placed - int((gone < old.placed).sum()) + changed.placed
    return _assemble(
        old,
        changed,
        placed,
        lambda name: np.concatenate([getattr(of, name)[part] for of, part in pieces]),
    )


def leave_out(snapshot: Snapshot, incidents: NDArray[np.int64]) -> Snapshot:
    """Return the snapshot without some incidents: itself where it holds none of them."""
    if not len(incidents):
        return snapshot
    stays = ~np.isin(snapshot.incident, incidents)
    if stays.all():
        return snapshot
    return _assemble(
        snapshot,
        snapshot,
        int(stays[: snapshot.placed].sum()),
        lambda name: getattr(snapshot, name)[stays],
    )


def _assemble(
    old: Snapshot, changed: Snapshot, placed: int, take: Callable[[str], NDArray[Any]]
) -> Snapshot:
    columns: dict[str, Any] = {}
    for item in fields(Snapshot):
        if isinstance(getattr(old, item.name), np.ndarray):
            columns[item.name] = take(item.name)
            columns[item.name].flags.writeable = False
    return Snapshot(revision=changed.revision, drawing=changed.drawing, placed=placed, **columns)


def _find_rows(old: Snapshot, changed: Snapshot) -> NDArray[np.int64]:
    """Return the row in the old snapshot of each changed incident, -1 for a new one."""
    top = max(int(old.incident.max(initial=0)), int(changed.incident.max(initial=0)))
    row_of = np.full(top + 1, -1, np.int32)
    row_of[changed.incident] = np.arange(changed.n, dtype=np.int32)
    hits = np.flatnonzero(row_of[old.incident] >= 0)
    rows = np.full(changed.n, -1, np.int64)
    rows[row_of[old.incident[hits]]] = hits
    return rows


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
