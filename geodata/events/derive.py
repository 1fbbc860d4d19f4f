"""What follows from the events: the fold, deadlines and owners of every incident."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.city import City
from geodata.desk.decisions import fold_decisions, give_manual_owners, place_pins
from geodata.drawings import Drawn, find_in_force, index_of, own_at_event
from geodata.events.alarms import Said, flag_drills, place_devices
from geodata.events.deadlines import find_deadlines, keep_calendar, keep_limits
from geodata.events.ground import Ground, name_as_meant, read_ground_within
from geodata.events.history import fold_columns
from geodata.events.incidents import Folded
from geodata.events.standing import is_standing, note_derived
from geodata.grids import GridSystem
from geodata.ownership import RULES, OwnerIndex, Ownership
from geodata.store.alarms import read_said, refold_alarms
from geodata.store.batch_parts import read_batch_incidents
from geodata.store.database import (
    Connection,
    raise_revision,
    read_ground_revision,
    read_revision,
    read_terms,
)
from geodata.store.decisions import Decision, read_decisions
from geodata.store.event_columns import read_event_columns, read_payloads, read_sources
from geodata.store.event_log import (
    NO_BATCH,
    mark_batch,
    mark_withdrawn,
)
from geodata.store.incident_rows import (
    ASIDE,
    INCIDENTS_A_TRANSACTION,
    changed_since,
    clear_aside,
    replace_incidents,
    show_aside,
    write_aside,
    write_incidents,
)
from geodata.store.long_columns import cut_incidents

_NO_OWNER = -1
INCIDENTS_AT_ONCE = 200_000  # derived in some 250 MB
FEW_INCIDENTS = 4_000  # derived in some 0.2 s, so long the writer's lock may be held


def derive_incidents(
    city: City,
    *,
    now: int,
    batch: int = NO_BATCH,
    rows: int = 0,
    report: dict[str, Any] | None = None,
    without: int = NO_BATCH,
    grids: GridSystem | None = None,
    also: Callable[[Connection], object] | None = None,
    progress: Callable[[float], object] = lambda _share: None,
) -> int:
    """
    Fold every event anew, find each incident's owner, and show the result in one transaction.

    In the same transaction the batch `batch` becomes visible, `without` is withdrawn, and `also`
    writes what belongs to this change. `grids` own the incidents instead of the drawing in force:
    the one that `also` writes. Returns the new revision.

    No transaction holds the writer's lock for long: a large table is written aside in small ones,
    and a small batch on ground that stands derives its own incidents alone. `progress` hears the
    share that is done; what it raises stops the work and leaves nothing of it.
    """

    def show(connection: Connection) -> None:
        if also is not None:
            also(connection)
        if batch != NO_BATCH:
            mark_batch(connection, batch, rows=rows, report=report or {})
        if without != NO_BATCH:
            mark_withdrawn(connection, without)

    if batch != NO_BATCH and grids is None and without == NO_BATCH:
        revision = _derive_batch(city, batch, show, now=now)
        if revision is not None:
            return revision
    # STEP 1: fold, place, owner, deadline; a large city's some at a time
    basis = _read_basis(city, now=now, batch=batch, without=without, grids=grids)
    ground, seen, total = basis.ground, basis.seen, basis.cuts[-1] - basis.cuts[0]
    aside = total > INCIDENTS_A_TRANSACTION
    columns = {} if aside else _derive_stretch(city, basis, (basis.cuts[0], basis.cuts[-1]))
    # STEP 2: old or new, never between
    with ExitStack() as after:
        after.callback(clear_aside, city.database)
        if aside:
            parts = (_derive_stretch(city, basis, ends) for ends in pairwise(basis.cuts))
            for done in write_aside(city.database, parts):
                progress(min(done / total, 1.0))
            seen = _follow_feed(city, ground, seen, batch=batch, without=without)
        with city.database.transaction() as connection:
            fed = changed_since(connection, seen)
            show(connection)
            revision = raise_revision(connection)
            if aside:
                show_aside(connection)
            else:
                write_incidents(connection, columns)
            refold_alarms(connection, revision=revision, window_s=city.settings.alarm_window_s)
            if fed:  # a live feed wrote between the reading and now
                refold_incidents(connection, city, ground, fed, revision=revision)
            note_derived(connection, city, ground, revision)
    return revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """Every incident as derived from the events that revision `seen` knew."""

    columns: dict[str, NDArray[Any]]
    seen: int


def derive_again(city: City, *, now: int) -> Derived:
    """Derive every incident from the events and write nothing; see `derive_incidents`."""
    basis = _read_basis(city, now=now)
    columns = _derive_stretch(city, basis, (basis.cuts[0], basis.cuts[-1]))
    return Derived(columns=columns, seen=basis.seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basis:
    """What every incident is derived from beside its events, and where to cut the incidents."""

    ground: Ground
    seen: int
    decisions: list[Decision]
    said: Said
    cuts: list[int]
    batch: int
    without: int


def _read_basis(
    city: City,
    *,
    now: int,
    batch: int = NO_BATCH,
    without: int = NO_BATCH,
    grids: GridSystem | None = None,
) -> _Basis:
    with city.database.read() as connection:
        return _Basis(
            seen=read_revision(connection),
            decisions=read_decisions(connection),
            said=read_said(connection, with_batch=batch),
            ground=read_ground_within(connection, city, now=now, with_batch=batch, grids=grids),
            cuts=cut_incidents(connection, size=INCIDENTS_AT_ONCE),
            batch=batch,
            without=without,
        )


def _derive_stretch(city: City, basis: _Basis, ends: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """Return the derived incidents from one to before another; what a feed adds is followed."""
    with city.database.read() as connection:
        events = read_event_columns(
            connection, with_batch=basis.batch, without_batch=basis.without, within=ends
        )
        payloads = read_payloads(connection, within=ends)
        sources = read_sources(connection, within=ends)
    columns = derive_columns(
        city,
        basis.ground,
        events,
        payloads,
        sources,
        decisions=basis.decisions,
        said=basis.said,
    )
    columns["rev"] = np.full(len(columns["inc"]), 1, np.int64)
    return columns


def _derive_batch(
    city: City, batch: int, show: Callable[[Connection], None], *, now: int
) -> int | None:
    """
    Show a small batch of events by deriving its incidents alone; return the new revision.

    None where every incident has to be derived: the batch is large or brings no events, or what
    they stand on has changed since they were derived.
    """
    with city.database.read() as connection:
        (what,) = connection.execute("SELECT what FROM batch WHERE batch = ?", (batch,)).fetchone()
        incidents = read_batch_incidents(connection, batch)
        few = what == "incidents" and 0 < len(incidents) <= FEW_INCIDENTS
        if not few or not is_standing(connection, city, now=now):
            return None
        ground = read_ground_within(connection, city, now=now)
    with city.database.transaction() as connection:
        if not is_standing(connection, city, now=now) or (
            ground.ground_revision != read_ground_revision(connection)
        ):
            return None
        show(connection)
        revision = raise_revision(connection, same_ground=True)
        refold_incidents(connection, city, ground, incidents.tolist(), revision=revision)
    return revision


def _follow_feed(city: City, ground: Ground, seen: int, *, batch: int, without: int) -> int:
    """Bring what a live feed wrote since `seen` into the table aside, until little is left."""
    while True:
        with city.database.read() as connection:
            fed, newest = changed_since(connection, seen), read_revision(connection)
        if len(fed) <= FEW_INCIDENTS // 10:
            return seen
        for start in range(0, len(fed), FEW_INCIDENTS):
            with city.database.transaction() as connection:
                columns = _derive_some(
                    connection,
                    city,
                    ground,
                    fed[start : start + FEW_INCIDENTS],
                    with_batch=batch,
                    without_batch=without,
                )
                columns["rev"] = np.full(len(columns["inc"]), 1, np.int64)
                replace_incidents(connection, columns, table=ASIDE)
        seen = newest


def refold_incidents(
    connection: Connection,
    city: City,
    ground: Ground,
    incidents: Sequence[int],
    *,
    revision: int,
) -> None:
    """
    Derive some incidents anew inside the caller's transaction, exactly as `derive_incidents` would.

    The caller has appended their events in the same transaction.
    """
    columns = _derive_some(connection, city, ground, incidents)
    columns["rev"] = np.full(len(columns["inc"]), revision, np.int64)
    replace_incidents(connection, columns)
    refold_alarms(
        connection, only=incidents, revision=revision, window_s=city.settings.alarm_window_s
    )


def _derive_some(
    connection: Connection,
    city: City,
    ground: Ground,
    incidents: Sequence[int],
    *,
    with_batch: int = NO_BATCH,
    without_batch: int = NO_BATCH,
) -> dict[str, NDArray[Any]]:
    return derive_columns(
        city,
        ground,
        read_event_columns(
            connection, only=incidents, with_batch=with_batch, without_batch=without_batch
        ),
        read_payloads(connection, only=incidents),
        read_sources(connection, only=incidents),
        decisions=read_decisions(connection, only=incidents),
        said=read_said(connection, only=incidents, with_batch=with_batch),
        kind_codes=read_terms(connection, "kind"),
    )


def derive_columns(
    city: City,
    ground: Ground,
    events: dict[str, NDArray[np.int64]],
    payloads: dict[str, NDArray[Any]],
    sources: NDArray[np.int64],
    *,
    decisions: list[Decision],
    said: Said,
    kind_codes: dict[int, str] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the derived table of these events: fold, place, owner, deadline."""
    folded, place = fold_columns(events, payloads)
    place = place_devices(place, folded.incident, said)
    standings = fold_decisions(decisions)
    place = place_pins(place, folded.incident, standings)
    folded, place = name_as_meant(folded, place, ground.aliases)
    drawn = ground.drawn
    owned = own_places(
        city,
        drawn.system if drawn else None,
        place["x"],
        place["y"],
        index=drawn.index if drawn else None,
    )
    calendar = keep_calendar(city, ground, folded.clock_from)
    codes = city.database.terms("kind") if kind_codes is None else kind_codes
    due = find_deadlines(folded, place["kind"], keep_limits(ground, codes), calendar)
    columns = _columns_of(folded, place, owned, drawn, due, sources)
    columns["flags"] = flag_drills(folded.flags, folded.incident, said)
    # The day of an incident is that of its report, else of the first step known of it.
    steps = np.where(folded.times > 0, folded.times, np.iinfo(np.int64).max).min(axis=1)
    day = np.where(folded.times[:, 0] > 0, folded.times[:, 0], steps)
    which = find_in_force(ground.timeline, day)
    columns["owner_at_event"] = own_at_event(
        city,
        ground.timeline,
        which=which,
        current=ground.current,
        x_mm=place["x"],
        y_mm=place["y"],
        owner_now=columns["owner"],
    )
    give_manual_owners(
        columns, standings, timeline=ground.timeline, which=which, current=ground.current
    )
    return columns


def own_places(
    city: City,
    system: GridSystem | None,
    x_mm: NDArray[np.float64],
    y_mm: NDArray[np.float64],
    *,
    index: OwnerIndex | None = None,
) -> Ownership:
    """Return the owner of each place (mm, NaN for none) by a drawing; `index` is that drawing's."""
    if system is None or not len(x_mm):
        n = len(x_mm)
        placed = np.isfinite(x_mm)
        rule = np.where(placed, RULES.index("none"), RULES.index("no_place")).astype(np.uint8)
        return Ownership(
            owner=np.full(n, _NO_OWNER, np.int32),
            rule=rule,
            distance_m=np.full(n, np.nan, np.float32),
            near_line=np.zeros(n, np.bool_),
        )
    return (index or index_of(system)).own(
        x_mm,
        y_mm,
        near_m=city.settings.near_m,
        near_line_m=city.settings.near_line_m,
        threads=city.settings.ownership_threads,
    )


def _columns_of(
    folded: Folded,
    place: dict[str, NDArray[np.float64]],
    owned: Ownership,
    drawn: Drawn | None,
    due: NDArray[np.int64],
    sources: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:
    uids = np.array([], np.int64) if drawn is None else drawn.uids
    owner = np.append(uids, _NO_OWNER)[owned.owner]
    distance = np.nan_to_num(owned.distance_m.astype(float) * 1000, nan=-1.0)
    source = sources[np.searchsorted(sources[:, 0], folded.incident), 1]
    steps = ("reported", "registered", "dispatched", "handled", "closed", "evaluated")
    return {
        "inc": folded.incident,
        **place,
        "kind": place["kind"].astype(np.int64),
        "body": folded.body,
        "stage": folded.stage,
        "open": folded.open,
        **{f"{name}_at": folded.times[:, i] for i, name in enumerate(steps)},
        "due_at": due,
        "clock_from": folded.clock_from,
        "suspended_since": folded.suspended_since,
        "source": source,
        "returned": folded.returned,
        "reopened": folded.reopened,
        "flags": folded.flags,
        "owner": owner,
        "rule": owned.rule.copy(),
        "distance_mm": np.rint(distance).astype(np.int64),
        "near_line": owned.near_line.copy(),
    }
