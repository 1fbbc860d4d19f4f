"""Takeover: a scheduled drawing comes into force, and what hangs on the grids follows, at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.access.scope import Scope
from geodata.audit.log import CONSOLE, write_entry
from geodata.city import City, writing
from geodata.drawings import NOBODY, Drawn, index_drawing
from geodata.errors import Fault, NotFound, Overtaken
from geodata.events.derive import derive_incidents, refold_incidents
from geodata.events.ground import read_ground_within
from geodata.grids import GridSystem
from geodata.ownership import RULES
from geodata.plans.lineage import Cases, trace_descent
from geodata.rounds import Rounds
from geodata.store.database import (
    Connection,
    carry_derived,
    raise_revision,
    read_ground_revision,
    read_revision,
)
from geodata.store.drawings import load_drawings, read_grids, read_next_change
from geodata.store.incident_rows import changed_since
from geodata.store.plans import IN_FORCE, RETIRED, append_act, change_plan, list_plans
from geodata.store.takeover import (
    find_due,
    put_in_force,
    read_decided,
    read_owners,
    read_touched_incidents,
    write_lineage,
    write_owners,
    write_transfers,
    write_transfers_aside,
)

MANY = 200_000  # incidents that change hands: more are derived beside the table in use
LOOK_EVERY_S = 1.0
_MANUAL, _NO_PLACE = (RULES.index(name) for name in ("manual", "no_place"))
_LOG = logging.getLogger(__name__)

Write = Callable[[Connection], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a drawing changed when it took effect."""

    drawing: int
    revision: int
    incidents: int  # whose owner, rule or nearness to a line changed
    transfers: int  # open cases that changed hands, each recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """The incidents that a new drawing owns otherwise than the old one, and how."""

    seen: int
    ground: int
    columns: dict[str, NDArray[Any]]
    before: NDArray[np.int64]
    open: NDArray[np.bool_]
    again: list[int]  # derived as a whole: decided on by a post, or reported since it began
    cases: Cases


def take_due(city: City, *, now: int) -> list[Taken]:
    """
    Put every scheduled drawing in force whose moment has come; return what each changed.

    Raises Busy while files are being loaded; then nothing has changed, and the next look does it.
    """
    with city.database.read() as connection:
        due = find_due(connection, now)
    if not due:
        return []
    with writing(city):
        return [take_effect(city, drawing, now=now, account=CONSOLE) for drawing in due]


def take_effect(
    city: City,
    drawing: int,
    *,
    now: int,
    account: Scope | str,
    write: Write | None = None,
    grids: GridSystem | None = None,
) -> Taken:
    """
    Put a drawing in force, own anew what it changes, and record each open case it moves.

    One transaction: a reader, or a kill, finds the old drawing with its owners or the new one with
    its own, never a mixture. `write` writes the drawing itself in that transaction and returns its
    number, `grids` are then what it writes; else `drawing` stands in the store. The caller holds
    the folder's loading lock.
    """
    with city.database.read() as connection:
        system = grids or _read_scheduled(connection, city, drawing)
        timeline = city.drawings.timeline(connection)
    old = _find_before(timeline, system)
    new = index_drawing(system)
    for _ in range(_TRIES):
        change = _find_changes(city, old, new)
        if len(change.columns["inc"]) + len(change.again) > MANY:
            return _take_many(city, old, new, change, now=now, account=account, write=write)
        taken = _take_few(city, old, new, change, now=now, account=account, write=write)
        if taken is not None:
            return taken
    raise Overtaken(Fault(key="plan_ground_moves"))


_TRIES = 3  # a reference table changed in between: rarely once, never often


class Takeover(Rounds):
    """Looks every second whether a scheduled drawing is due, until it is stopped."""

    def __init__(self, city: City, *, now: Callable[[], int]) -> None:
        # A city of its own: the terms it interns must not mix with those of a reader beside it.
        own = City(city.folder)

        def look() -> None:
            for taken in take_due(own, now=now()):
                _LOG.info("drawing %d is in force, %d incidents", taken.drawing, taken.incidents)

        super().__init__("takeover", look, every_s=LOOK_EVERY_S)


def _read_scheduled(connection: Connection, city: City, drawing: int) -> GridSystem:
    for row in load_drawings(connection):
        if row["drawing"] == drawing:
            return GridSystem(
                system=row["system"],
                drawing=drawing,
                valid_from=row["valid_from"],
                valid_to=None,
                grids=read_grids(connection, drawing, crs=city.crs_text),
            )
    raise NotFound(Fault(key="drawing_unknown", values={"drawing": drawing}))


def _find_before(timeline: tuple[Drawn, ...], system: GridSystem) -> Drawn:
    """Return the drawing that a new one ends."""
    begin = system.valid_from
    assert begin is not None
    for drawn in reversed(timeline):
        if drawn.system.in_force(begin):
            return drawn
    raise NotFound(Fault(key="city_without_grids"))


def _find_changes(city: City, old: Drawn, new: Drawn) -> _Change:
    """Return which incidents the new drawing owns otherwise; looks at those of changed grids."""
    with city.database.read() as connection:
        seen, ground = read_revision(connection), read_ground_revision(connection)
        changed = _changed_uids(old, new)
        begin = new.system.valid_from or 0
        found = read_touched_incidents(connection, changed.tolist(), since=begin)
        again = {*read_decided(connection)}
    late = (found["reported_at"] >= begin) | (found["reported_at"] == 0)
    again |= {*found["inc"][late].tolist()}
    meant = (found["rule"] != 0) | np.isin(found["owner"], changed)
    found = {name: values[meant] for name, values in found.items()}
    rows = np.flatnonzero((found["rule"] != _NO_PLACE) & (found["rule"] != _MANUAL))
    owned = new.index.own(
        found["x"][rows],
        found["y"][rows],
        near_m=city.settings.near_m,
        near_line_m=city.settings.near_line_m,
        threads=city.settings.ownership_threads,
    )
    owner = np.append(new.uids, NOBODY)[owned.owner]
    distance = np.nan_to_num(owned.distance_m.astype(float) * 1000, nan=-1.0)
    columns = {
        "inc": found["inc"][rows],
        "owner": owner,
        "rule": owned.rule,
        "distance_mm": np.rint(distance).astype(np.int64),
        "near_line": owned.near_line,
    }
    differs = np.zeros(len(rows), np.bool_)
    for name in ("owner", "rule", "distance_mm", "near_line"):
        differs |= columns[name] != found[name][rows]
    differs &= ~np.isin(columns["inc"], np.fromiter(again, np.int64))
    hands = owner != found["owner"][rows]
    return _Change(
        seen=seen,
        ground=ground,
        columns={name: values[differs] for name, values in columns.items()},
        before=found["owner"][rows][differs],
        open=found["open"][rows][differs].astype(np.bool_),
        again=sorted(again),
        cases=_count_cases(found, rows[hands], owner[hands]),
    )


def _changed_uids(old: Drawn, new: Drawn) -> NDArray[np.int64]:
    """Return the uids of old grids whose shape is another in the new drawing, or gone."""
    shapes = dict(zip(new.uids.tolist(), new.system.finest().geometry.to_numpy(), strict=True))
    before = old.system.finest().geometry.to_numpy()
    after = np.array([shapes.get(uid) for uid in old.uids.tolist()], object)
    changed: NDArray[np.int64] = old.uids[~shapely.equals_exact(before, after, 0.0)]
    return changed


def _count_cases(
    found: dict[str, NDArray[Any]], rows: NDArray[np.int64], owner: NDArray[np.int64]
) -> Cases:
    """Return how many cases go from each old grid to each new one, those that stay included."""
    before, after = found["owner"], found["owner"].copy()
    after[rows] = owner
    # Counted by place in one table: sorting a million pairs takes a second.
    uids = np.unique(np.concatenate([np.unique(before), np.unique(owner), [NOBODY]]))
    wide = len(uids)
    cell = np.searchsorted(uids, before) * wide + np.searchsorted(uids, after)
    every = np.bincount(cell, minlength=wide * wide)
    opened = np.bincount(cell, found["open"], minlength=wide * wide)
    there = np.flatnonzero(every)
    keys = [(int(uids[at // wide]), int(uids[at % wide])) for at in there.tolist()]
    return Cases(
        cases=dict(zip(keys, every[there].tolist(), strict=True)),
        open_cases=dict(zip(keys, opened[there].astype(np.int64).tolist(), strict=True)),
    )


def _take_few(
    city: City,
    old: Drawn,
    new: Drawn,
    change: _Change,
    *,
    now: int,
    account: Scope | str,
    write: Write | None,
) -> Taken | None:
    """Write what changes, in one transaction; None where the ground moved in between."""
    descent = [row.row() for row in trace_descent(old.system.finest(), new.system.finest(),
                                                  change.cases)]  # fmt: skip
    with ExitStack() as undo, city.database.transaction() as connection:
        if read_ground_revision(connection) != change.ground:
            return None
        fed = changed_since(connection, change.seen)
        number = new.system.drawing if write is None else write(connection)
        put_in_force(connection, number, base=old.system.drawing)
        revision = raise_revision(connection)
        carry_derived(connection, before=change.ground, until=read_next_change(connection, now))
        again = sorted({*change.again, *fed})
        before = read_owners(connection, again)
        write_owners(connection, change.columns, revision=revision)
        undo.callback(city.drawings.forget, number)
        city.drawings.keep(connection, replace(new, system=replace(new.system, drawing=number)))
        if again:
            ground = read_ground_within(connection, city, now=now)
            refold_incidents(connection, city, ground, again, revision=revision)
        after = read_owners(connection, again)
        hands = change.open & (change.columns["owner"] != change.before)
        moved = [
            *zip(
                change.columns["inc"][hands].tolist(),
                change.before[hands].tolist(),
                change.columns["owner"][hands].tolist(),
                strict=True,
            ),
            *(
                (inc, before[inc][0], uid)
                for inc, (uid, opened) in after.items()
                if opened and before.get(inc, (uid, opened))[0] != uid
            ),
        ]
        once = {inc: row for row in moved for inc in row[:1]}
        write_transfers(connection, number, once.values(), at=now)
        write_lineage(connection, number, descent)
        _finish(connection, number, old.system.drawing, now=now, account=account, n=len(once))
        undo.pop_all()
    return Taken(
        drawing=number,
        revision=revision,
        incidents=len(change.columns["inc"]) + len(again),
        transfers=len(once),
    )


def _take_many(
    city: City,
    old: Drawn,
    new: Drawn,
    change: _Change,
    *,
    now: int,
    account: Scope | str,
    write: Write | None,
) -> Taken:
    """Derive every incident beside the table in use; old or new shows in one short transaction."""
    descent = [row.row() for row in trace_descent(old.system.finest(), new.system.finest(),
                                                  change.cases)]  # fmt: skip
    made: dict[str, int] = {}

    def also(connection: Connection) -> None:
        number = new.system.drawing if write is None else write(connection)
        put_in_force(connection, number, base=old.system.drawing)
        made["transfers"] = write_transfers_aside(connection, number, at=now)
        write_lineage(connection, number, descent)
        _finish(
            connection, number, old.system.drawing, now=now, account=account, n=made["transfers"]
        )
        made["drawing"] = number

    revision = derive_incidents(city, now=now, grids=new.system, also=also)
    return Taken(
        drawing=made["drawing"],
        revision=revision,
        incidents=len(change.columns["inc"]) + len(change.again),
        transfers=made["transfers"],
    )


def _finish(
    connection: Connection, number: int, base: int, *, now: int, account: Scope | str, n: int
) -> None:
    """Move the plans on: the drawing's own is in force, the one before it retired."""
    name = account if isinstance(account, str) else account.account
    for plan in list_plans(connection):
        if plan.drawing == number:
            change_plan(connection, plan.plan, state=IN_FORCE)
            append_act(connection, plan.plan, "in_force", account=name, at=now, transfers=n)
        elif plan.drawing == base and plan.state == IN_FORCE:
            change_plan(connection, plan.plan, state=RETIRED)
            append_act(connection, plan.plan, "retired", account=name, at=now, drawing=number)
    write_entry(
        connection,
        account=account,
        act="drawing.in_force",
        target=str(number),
        n=max(n, 1),
        at=now,
        detail={"before": base, "transfers": n},
    )
