"""Deadlines: the source's own, else the kind's limit over the city's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.city import City
from geodata.events.clock import UNITS, Calendar, add_limit, make_calendar
from geodata.events.incidents import Folded
from geodata.store.records import ALWAYS

_UNIT_CODES = {name: code for code, name in enumerate(UNITS)}
_CALENDAR_YEARS_AHEAD = 2


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
        first=first.date() - timedelta(days=7),
        last=date(last.year + _CALENDAR_YEARS_AHEAD, 12, 31),
    )


def find_deadlines(
    folded: Folded,
    kind: NDArray[np.float64],
    kinds: pd.DataFrame,
    calendar: Calendar,
    codes: dict[int, str],
) -> NDArray[np.int64]:
    """
    Return the source's own deadline, else the kind's limit from registration or report.

    `kinds` are all versions of the kinds table, as `read_versions` gives them: the limit is that
    of the day on which the clock began, so that a limit changed today makes nothing of last year
    late. The first version of a kind reaches back without end. `codes` is each kind by its number.
    """
    due = folded.due_at.copy()
    missing = due == 0
    if not missing.any() or "limit" not in kinds:
        return due
    began = folded.clock_from[missing]
    number = kind[missing].astype(np.int64)
    limit, unit = np.zeros(len(began)), np.zeros(len(began), np.int8)
    first = ~kinds["id"].duplicated()
    for moment, part in kinds.groupby(kinds["valid_from"].where(~first, ALWAYS), sort=True):
        limits = pd.to_numeric(part["limit"], errors="coerce").fillna(0)
        units = part.get("limit_unit", pd.Series("", index=part.index)).map(_UNIT_CODES).fillna(0)
        changed = {code: row for row, code in enumerate(part["id"])}
        row_of = {number: changed[text] for number, text in codes.items() if text in changed}
        rows = pd.Series(number).map(row_of).fillna(-1).to_numpy(np.int64)
        held = (rows >= 0) & (began >= moment)
        limit[held] = limits.to_numpy(float)[rows[held]]
        unit[held] = units.to_numpy(np.int8)[rows[held]]
    added = add_limit(began, limit=limit, unit=unit, calendar=calendar)
    due[missing] = np.where(added > 0, added + folded.suspended_s[missing], 0)
    return due


def find_kind(kinds: pd.DataFrame, code: str, began: int) -> pd.DataFrame:
    """Return the version of a kind, among all of them, whose limit holds for a clock's begin."""
    own = kinds[kinds["id"] == code]
    held = own[own["valid_from"] <= began]
    return held.tail(1) if len(held) else own.head(1)
