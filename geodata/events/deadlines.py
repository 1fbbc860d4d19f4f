"""Deadlines: the source's own, else the kind's limit over the city's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.city import City
from geodata.events.clock import UNITS, Calendar, add_limit, make_calendar
from geodata.events.incidents import Folded

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
    """Return the source's own deadline, else the kind's limit from registration or report."""
    due = folded.due_at.copy()
    missing = due == 0
    if not missing.any() or "limit" not in kinds:
        return due
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
