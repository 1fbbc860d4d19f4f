"""Deadlines: the source's own, else the kind's limit over the city's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.city import City
from geodata.events.clock import UNITS, Calendar, add_limit, make_calendar
from geodata.events.ground import Ground
from geodata.events.incidents import Folded
from geodata.store.records import ALWAYS

_UNIT_CODES = {name: code for code, name in enumerate(UNITS)}
_CALENDAR_YEARS_AHEAD = 2


def keep_calendar(city: City, ground: Ground, starts: NDArray[np.int64]) -> Calendar:
    """Return the calendar over the incidents' time: while the ground stands, one for each year."""
    known = starts[starts > 0]
    first = int(known.min()) if len(known) else ground.now
    years = [datetime.fromtimestamp(at, city.settings.zone) for at in (first, ground.now)]
    key = ("calendar", _first_day(years[0].date()), years[1].year)
    return ground.keep(key, lambda: find_calendar(city, ground.calendar_rows, starts, ground.now))


def _first_day(day: date) -> date:
    """Return the first day of the year a week before."""
    return date((day - timedelta(days=7)).year, 1, 1)


def find_calendar(city: City, rows: pd.DataFrame, starts: NDArray[np.int64], now: int) -> Calendar:
    """
    Return the city's calendar over the time of its incidents.

    `rows` are its calendar records, `starts` when each incident's clock began (UTC s, 0 unknown).
    """
    zone = city.settings.zone
    known = starts[starts > 0]
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
        first=_first_day(first.date()),
        last=date(last.year + _CALENDAR_YEARS_AHEAD, 12, 31),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The limits of all kinds by their numbers, each from a moment on: arrays (moments, numbers).

    `held` says where a version holds; a number that no version names has no limit.
    """

    moments: NDArray[np.int64]  # UTC seconds, ascending
    held: NDArray[np.bool_]
    limit: NDArray[np.float64]
    unit: NDArray[np.int8]  # places in UNITS


def find_limits(kinds: pd.DataFrame, codes: dict[int, str]) -> Limits:
    """
    Return the limits of all kinds from all versions of their table, as `read_versions` gives them.

    The first version of a kind reaches back without end. `codes` is each kind by its number.
    """
    if "limit" not in kinds or not codes:
        return Limits(
            moments=np.empty(0, np.int64), held=np.empty((0, 0), np.bool_),
            limit=np.empty((0, 0)), unit=np.empty((0, 0), np.int8),
        )  # fmt: skip
    first = ~kinds["id"].duplicated()
    versions = list(kinds.groupby(kinds["valid_from"].where(~first, ALWAYS), sort=True))
    shape = (len(versions), max(codes) + 1)
    found = Limits(
        moments=np.array([moment for moment, _ in versions], np.int64),
        held=np.zeros(shape, np.bool_),
        limit=np.zeros(shape),
        unit=np.zeros(shape, np.int8),
    )
    for place, (_, part) in enumerate(versions):
        limits = pd.to_numeric(part["limit"], errors="coerce").fillna(0).to_numpy(float)
        units = part.get("limit_unit", pd.Series("", index=part.index)).map(_UNIT_CODES)
        changed = {code: row for row, code in enumerate(part["id"])}
        named = {number: changed[text] for number, text in codes.items() if text in changed}
        numbers, rows = list(named), list(named.values())
        found.held[place, numbers] = True
        found.limit[place, numbers] = limits[rows]
        found.unit[place, numbers] = units.fillna(0).to_numpy(np.int8)[rows]
    return found


def keep_limits(ground: Ground, codes: dict[int, str]) -> Limits:
    """Return the limits of the ground's kinds: while it stands and no kind is new, made once."""
    return ground.keep(("limits", tuple(codes.items())), lambda: find_limits(ground.kinds, codes))


def find_deadlines(
    folded: Folded, kind: NDArray[np.float64], limits: Limits, calendar: Calendar
) -> NDArray[np.int64]:
    """
    Return the source's own deadline, else the kind's limit from registration or report.

    The limit is that of the day on which the clock began, so that a limit changed today makes
    nothing of last year late.
    """
    due = folded.due_at.copy()
    missing = due == 0
    if not missing.any() or not len(limits.moments):
        return due
    began = folded.clock_from[missing]
    number = kind[missing].astype(np.int64)
    number = np.where(number < limits.held.shape[1], number, 0)
    limit, unit = np.zeros(len(began)), np.zeros(len(began), np.int8)
    for place, moment in enumerate(limits.moments):
        held = limits.held[place, number] & (began >= moment)
        limit[held] = limits.limit[place, number[held]]
        unit[held] = limits.unit[place, number[held]]
    added = add_limit(began, limit=limit, unit=unit, calendar=calendar)
    due[missing] = np.where(added > 0, added + folded.suspended_s[missing], 0)
    return due


def find_kind(kinds: pd.DataFrame, code: str, began: int) -> pd.DataFrame:
    """Return the version of a kind, among all of them, whose limit holds for a clock's begin."""
    own = kinds[kinds["id"] == code]
    held = own[own["valid_from"] <= began]
    return held.tail(1) if len(held) else own.head(1)
