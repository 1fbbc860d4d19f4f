"""Times in the columns of cases and events: read, refused, or left empty where nobody can tell."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import Fault
from geodata.events.moments import Moments, parse_moments
from geodata.loading.case_columns import is_doubtful
from geodata.loading.report import LoadReport
from geodata.loading.request import FUTURE_S

_NEEDED = ("reported_at", "at")
_DUE = "due_at"  # may well lie ahead, and a day alone is its end
_ROWS_NAMED = 5

Read = Callable[[str, str], tuple[Moments, NDArray[np.bool_]]]


def read_times(frame: pd.DataFrame, zone: ZoneInfo, report: LoadReport, *, now: int) -> Read:
    """
    Return what reads the column of a field (`read(field, column)`) as moments.

    It reports unreadable, missing and future times and returns which rows they refuse; what cannot
    be read is 0. A column known by a header that may mean another thing (办结: 是, 5天) refuses no
    row: its other cells are left empty, and the report says so. `frame` is indexed by row number.
    """

    def read(name: str, column: str) -> tuple[Moments, NDArray[np.bool_]]:
        moments = parse_moments(frame[column], zone, day_ends=name == _DUE)
        seconds, bad = moments.seconds, moments.bad
        missing = (seconds == 0) & (name in _NEEDED)
        future = ~bad & (seconds > now + FUTURE_S) & (name != _DUE)
        left = bad | future
        if is_doubtful(column) and name not in _NEEDED:
            _tell_left(column, frame.index[left], report)
            return moments.without(left), np.zeros(len(frame), np.bool_)
        for mask, key, kind in (
            (bad, "moment_unreadable", "text"),
            (missing, "moment_missing", "empty"),
            (future, "moment_future", "date"),
        ):
            report.faults += [
                Fault(key=key, row=int(row), field=column, value_kind=kind)
                for row in frame.index[mask]
            ]
        return moments.without(bad), left | missing

    return read


def keep_times(table: pd.DataFrame, name: str, moments: Moments) -> None:
    """Put moments into a column of `table`; a deadline that is not there is NaN."""
    table[name] = moments.seconds
    if name == _DUE:
        table[name] = table[name].where(table[name] > 0)


def _tell_left(column: str, rows: pd.Index[int], report: LoadReport) -> None:
    if len(rows):
        more = ("…",) if len(rows) > _ROWS_NAMED else ()
        named = (*(str(row) for row in rows[:_ROWS_NAMED]), *more)
        report.note("columns.no_moments", n=f"{len(rows):,}", column=column, rows=named)
