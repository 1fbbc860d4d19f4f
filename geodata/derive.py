"""What follows from the events: the fold, deadlines and owners of every incident."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.city import City
from geodata.clock import UNITS, Calendar, add_limit, make_calendar
from geodata.grids import GridSystem
from geodata.incidents import Folded, fold_events
from geodata.ownership import RULES, OwnerIndex, Ownership
from geodata.store.database import raise_revision
from geodata.store.event_log import LIVE_BATCH, mark_batch, read_event_columns, read_payloads
from geodata.store.incident_rows import read_sources, write_incidents
from geodata.store.records import read_records

_CALENDAR_YEARS_AHEAD = 2
_NO_OWNER = -1


def derive_incidents(
    city: City,
    *,
    now: int,
    batch: int = LIVE_BATCH,
    rows: int = 0,
    report: dict[str, Any] | None = None,
) -> int:
    """
    Fold every event anew, find each incident's owner, and show the result in one transaction.

    With `batch` that batch becomes visible in the same transaction. Returns the new revision.
    """
    # STEP 1: read one moment of the store
    with city.database.read() as connection:
        events = read_event_columns(connection, with_batch=batch)
        payloads = read_payloads(connection)
        sources = read_sources(connection)
        kinds = read_records(connection, "kinds", at=now)
        calendar_rows = read_records(connection, "calendar", at=now)
    system = city.grids_in_force(now)
    # STEP 2: fold, place, owner, deadline
    folded = fold_columns(events)
    place = _join_payload(folded, payloads)
    owned = own_places(city, system, place["x"], place["y"])
    calendar = _calendar_of(city, calendar_rows, folded.times[:, 0], now)
    due = _deadlines(city, folded, place["kind"], kinds, calendar)
    columns = _columns_of(folded, place, owned, system, due, sources)
    # STEP 3: old or new, never between
    with city.database.transaction() as connection:
        revision = raise_revision(connection)
        columns["rev"] = np.full(len(folded.incident), revision, np.int64)
        write_incidents(connection, columns)
        if batch != LIVE_BATCH:
            mark_batch(connection, batch, rows=rows, report=report or {})
    return revision


def fold_columns(events: dict[str, NDArray[np.int64]]) -> Folded:
    """Fold the columns that `store.event_log.read_event_columns` returns."""
    return fold_events(
        events["inc"],
        seq=events["seq"],
        at=events["at"],
        hash=events["hash"],
        stage=events["stage"].astype(np.uint8),
        due=events["due"],
        version=events["version"],
        body=events["body"],
        has_payload=events["has_payload"].astype(np.bool_),
    )


def own_places(
    city: City, system: GridSystem | None, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64]
) -> Ownership:
    """Return the owner of each place (mm in the city's CRS, NaN for none) by a drawing."""
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
    return index_of(system).own(
        x_mm,
        y_mm,
        near_m=city.settings.near_m,
        near_line_m=city.settings.near_line_m,
        threads=city.settings.ownership_threads,
    )


def index_of(system: GridSystem) -> OwnerIndex:
    """
    Build the ownership index of a drawing's finest grids, in uid order.

    Special grids were carved out of the general ones when the drawing was made, so nothing overlaps
    and a shared edge goes to the smaller uid, special or not.
    """
    return OwnerIndex.of_metres(system.finest().geometry.to_numpy())


def _join_payload(
    folded: Folded, payloads: dict[str, NDArray[Any]]
) -> dict[str, NDArray[np.float64]]:
    wanted = pd.DataFrame({"inc": folded.incident, "hash": folded.payload})
    found = wanted.merge(pd.DataFrame(payloads), on=["inc", "hash"], how="left")
    return {
        "x": found["x"].to_numpy(float),
        "y": found["y"].to_numpy(float),
        "kind": found["kind"].fillna(0).to_numpy(float),
    }


def _calendar_of(city: City, rows: pd.DataFrame, reported: NDArray[np.int64], now: int) -> Calendar:
    zone = city.settings.zone
    known = reported[reported > 0]
    first = datetime.fromtimestamp(int(known.min()) if len(known) else now, UTC).astimezone(zone)
    last = datetime.fromtimestamp(now, UTC).astimezone(zone)
    entries = {}
    if len(rows):
        entries = dict(
            zip(rows["id"], rows["working"].isin(["yes", "1", "true", "是", True]), strict=True)
        )
    return make_calendar(
        entries,
        zone=zone,
        working_hours=city.settings.working_hours,
        first=first.date() - timedelta(days=7),
        last=date(last.year + _CALENDAR_YEARS_AHEAD, 12, 31),
    )


def _deadlines(
    city: City,
    folded: Folded,
    kind: NDArray[np.float64],
    kinds: pd.DataFrame,
    calendar: Calendar,
) -> NDArray[np.int64]:
    """Return the source's own deadline, else the kind's limit from registration or report."""
    due = folded.due_at.copy()
    missing = due == 0
    if not missing.any() or "limit" not in kinds:
        return due
    codes = city.database.terms("kind")
    limits = pd.to_numeric(kinds.set_index("id")["limit"], errors="coerce")
    units = (
        kinds.set_index("id")
        .get("limit_unit", pd.Series(dtype=str))
        .map({name: code for code, name in enumerate(UNITS)})
    )
    names = pd.Series(kind[missing].astype(np.int64)).map(codes)
    limit = names.map(limits).fillna(0).to_numpy(float)
    unit = names.map(units).fillna(0).to_numpy(np.int8)
    added = add_limit(folded.clock_from[missing], limit=limit, unit=unit, calendar=calendar)
    due[missing] = np.where(added > 0, added + folded.suspended_s[missing], 0)
    return due


def _columns_of(
    folded: Folded,
    place: dict[str, NDArray[np.float64]],
    owned: Ownership,
    system: GridSystem | None,
    due: NDArray[np.int64],
    sources: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:
    uids = np.array([_NO_OWNER]) if system is None else system.finest()["uid"].to_numpy()
    owner = np.where(owned.owner >= 0, uids[np.maximum(owned.owner, 0)], _NO_OWNER)
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
        "rule": owned.rule,
        "distance_mm": np.rint(distance).astype(np.int64),
        "near_line": owned.near_line,
    }
