"""Batches taken back: hidden in one moment, removed in small steps after it."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.access.scope import Scope
from geodata.audit.log import CONSOLE, write_entry
from geodata.city import City
from geodata.errors import BadSetting, Fault
from geodata.events.derive import derive_incidents
from geodata.grids import GridSystem
from geodata.store.database import Connection, raise_revision
from geodata.store.drawings import (
    BEFORE,
    IN_FORCE,
    find_drawn,
    find_follower,
    read_grids,
    take_back,
)
from geodata.store.event_log import drop_batch, mark_withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """What a batch of boundaries drew: its drawing, and as it stood before for an added level."""

    drawing: int
    before: int | None
    owns: GridSystem | None  # what owns the incidents without it; None where it owned none


def withdraw_batch(city: City, batch: int, *, now: int, account: Scope | str = CONSOLE) -> int:
    """
    Take back a loaded batch as a whole; return the new revision.

    It vanishes in one transaction and is removed in small ones after it; what is left of it after
    a kill, the next load clears. Events that another batch brought too stay. Boundaries vanish as
    they came, a level at a time, the last one first; a coordinate system that nothing needs any
    more is let go. Raises BadSetting for boundaries that a later level, a later drawing or an open
    plan stands on.
    """
    drawn = _find_drawn(city, batch)

    def log(connection: Connection) -> None:
        write_entry(connection, account=account, act="batch.withdraw", target=str(batch), at=now)
        if drawn is not None:
            _check_last(connection, drawn.drawing)  # a plan may have been opened meanwhile
            take_back(connection, drawn.drawing, before=drawn.before)

    if drawn is not None and drawn.owns is None:
        with city.database.transaction() as connection:
            log(connection)
            mark_withdrawn(connection, batch)
            revision = raise_revision(connection)
    else:
        grids = drawn.owns if drawn is not None else None
        revision = derive_incidents(city, now=now, without=batch, grids=grids, also=log)
    drop_batch(city.database, batch)
    city.release_crs()
    return revision


def _find_drawn(city: City, batch: int) -> _Drawn | None:
    """Return what a batch drew, None for any other; raises BadSetting where others stand on it."""
    with city.database.read() as connection:
        row = find_drawn(connection, batch)
        if row is None:
            return None
        if row["state"] == BEFORE:
            raise BadSetting(Fault(key="batch_level_later"))
        _check_last(connection, row["drawing"])
        grids = read_grids(connection, row["before"] or row["drawing"], crs=city.crs_text)
    owns = None
    if row["state"] == IN_FORCE and city.first_system == row["system"]:
        owns = GridSystem(
            system=row["system"],
            drawing=0,
            valid_from=row["valid_from"],
            valid_to=None,
            grids=grids if row["before"] else grids.iloc[:0],
        )
    return _Drawn(drawing=row["drawing"], before=row["before"], owns=owns)


def _check_last(connection: Connection, drawing: int) -> None:
    if find_follower(connection, drawing):
        raise BadSetting(Fault(key="batch_drawing_followed"))
