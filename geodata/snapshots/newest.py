"""The newest snapshot: from memory or file brought on by what changed, else read as a whole."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.events.incidents import FLAG_DRILL
from geodata.grids import GridSystem
from geodata.snapshots.patch import find_rows, leave_out, patch_snapshot
from geodata.snapshots.snapshot import Snapshot, build_snapshot, open_newest, save_snapshot
from geodata.snapshots.timeline import Rows
from geodata.store.database import Connection, read_derived_revision
from geodata.store.incident_rows import (
    SHOWN_COLUMNS,
    read_changed_columns,
    read_incident_columns,
)
from geodata.store.takeover import read_finest_uids

_SAVE_AFTER = 100  # revisions after which a start writes the file of the snapshot anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What has changed since a snapshot: incidents as they were there, and as they are now."""

    gone: Rows
    new: Rows


def read_snapshot(
    connection: Connection,
    city: City,
    system: GridSystem,
    category_of: dict[int, int],
    *,
    revision: int,
    known: Snapshot | None,
) -> tuple[Snapshot, Change | None]:
    """
    Return the snapshot of the newest revision, and what has changed since the `known` one.

    From the `known` one or the newest file where they were made since every incident was derived:
    then only what changed is read, by whatever drawing they were made. Else every incident is read.
    The change is None where more may have than single incidents.
    """
    given = known
    derived = read_derived_revision(connection)
    in_memory = known is not None
    if known is None or known.revision < derived:
        known = open_newest(city.folder, since=derived, until=revision)
    if known is not None:
        known = _follow_drawing(connection, known, system)
    if known is not None:
        saved, before = known.revision, known
        columns, drills = _part_drills(
            read_changed_columns(connection, known.revision, SHOWN_COLUMNS)
        )
        changed = make_snapshot(city, system, columns, category_of, revision)
        if changed.n:
            known = patch_snapshot(known, changed)
        fresh = replace(leave_out(known, drills), revision=revision)
        snapshot = _with_categories(fresh, category_of)
        if not in_memory and revision > saved + _SAVE_AFTER:
            _save(snapshot, city.folder)
        alike = before is given and snapshot is fresh
        return snapshot, _find_change(before, changed, drills) if alike else None
    columns, _ = _part_drills(read_incident_columns(connection, SHOWN_COLUMNS))
    snapshot = make_snapshot(city, system, columns, category_of, revision)
    # A large city's rows may be of a moment later than the revision: so are these, at the latest.
    _save(snapshot, city.folder)
    return snapshot, None


def _find_change(before: Snapshot, changed: Snapshot, drills: NDArray[np.int64]) -> Change:
    """Return what a snapshot loses to the changed incidents and to drills, and what it gains."""
    gone = find_rows(before, changed)
    gone = gone[gone >= 0]
    if len(drills):
        gone = np.append(gone, np.flatnonzero(np.isin(before.incident, drills)))
    return Change(gone=Rows.of_snapshot(before, gone), new=Rows.of_snapshot(changed))


def _follow_drawing(connection: Connection, known: Snapshot, system: GridSystem) -> Snapshot | None:
    """
    Return the snapshot with its owners' rows in another drawing: each grid that stays keeps its.

    Incidents of grids that are no more are among those that changed: their rows are read anew. None
    where the store does not know the snapshot's own drawing.
    """
    if known.drawing == system.drawing:
        return known
    before = read_finest_uids(connection, known.drawing)
    if len(before) <= int(known.owner.max(initial=-1)):
        return None
    now = system.finest()["uid"].to_numpy(np.int64)
    row = np.searchsorted(now, before)
    row[row == len(now)] = 0
    rows = np.append(np.where(now[row] == before, row, -1), -1).astype(np.int32)
    owner = rows[known.owner]
    owner.flags.writeable = False
    return replace(known, owner=owner, drawing=system.drawing)


def _part_drills(
    columns: dict[str, NDArray[Any]],
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Return the incidents that count, and the numbers of drills: these count nowhere."""
    drill = (columns["flags"] & FLAG_DRILL) > 0
    if not drill.any():
        return columns, np.empty(0, np.int64)
    return {name: cells[~drill] for name, cells in columns.items()}, columns["inc"][drill]


def _save(snapshot: Snapshot, folder: Path) -> None:
    with contextlib.suppress(OSError):  # it only saves time: a full disk stops no screen
        save_snapshot(snapshot, folder)


def _with_categories(snapshot: Snapshot, category_of: dict[int, int]) -> Snapshot:
    """Return the snapshot with the categories' numbers of today: a new kind may shift them."""
    category = _look_up(snapshot.kind, category_of)
    if np.array_equal(category, snapshot.category):
        return snapshot
    category.flags.writeable = False
    return replace(snapshot, category=category)


def _look_up(kind: NDArray[Any], category_of: dict[int, int]) -> NDArray[np.int32]:
    table = np.zeros(max(category_of, default=0) + 1, np.int32)
    table[list(category_of)] = list(category_of.values())
    numbers: NDArray[np.int32] = table[np.where(kind < len(table), kind, 0)]
    return numbers


def make_snapshot(
    city: City,
    system: GridSystem,
    columns: dict[str, NDArray[Any]],
    category_of: dict[int, int],
    revision: int,
) -> Snapshot:
    """Return the snapshot of derived incidents: `columns` as the store reads them."""
    lon, lat = to_lonlat(columns["x"] / 1000, columns["y"] / 1000, city.crs)
    uids = system.finest()["uid"].to_numpy()
    order = np.argsort(uids)
    place = np.searchsorted(uids, columns["owner"], sorter=order)
    row = order[np.minimum(place, len(uids) - 1)]
    owner_row = np.where(uids[row] == columns["owner"], row, -1)
    return build_snapshot(
        columns,
        revision=revision,
        drawing=system.drawing,
        lon=lon,
        lat=lat,
        owner_row=owner_row.astype(np.int32),
        category=_look_up(columns["kind"], category_of),
    )
