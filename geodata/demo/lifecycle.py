"""The life of each case: six stages with plausible lags, deadlines, returns, a tail overdue."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.demo.bodies import street_body
from geodata.demo.cases import SOURCES, Incidents
from geodata.demo.plan import Plan
from geodata.demo.workdays import DAY_S, ZONE_S, add_limit

CLOSED_SHARE = 0.972879  # of the registered cases
_REFUSED_SHARE = 0.01
_LATE_SHARE = 0.068
_RETURNED_SHARE = 0.03
_EXTENDED_SHARE = 0.025
_REOPENED_SHARE = 0.006
_TAIL_DAYS = 24.0  # how far back the forgotten cases reach, as a mean
_TAIL_STATES = ("overdue", "suspended", "extended")
_TAIL_SHARES = (0.26, 0.36, 0.38)

Ints = NDArray[np.int64]
_NEVER = np.int64(2**62)


def live_through(
    plan: Plan,
    incidents: Incidents,
    kinds: pd.DataFrame,
    calendar: pd.DataFrame,
    *,
    street_of: Ints,
    now: int,
    rng: np.random.Generator,
    first: int = 0,
) -> pd.DataFrame:
    """
    Return the event table of contracts.md 3, in order of time, without places.

    `street_of` is the serial of the street that each incident lies in (0 none). Columns: row
    (position of the incident), source, incident_id, seq, stage, at, due_at (Int64), body, reason.
    `first` is how many incidents were numbered before.
    """
    n = len(incidents.kind)
    limit = kinds["limit"].to_numpy()[incidents.kind]
    unit = kinds["limit_unit"].to_numpy().astype(object)[incidents.kind]
    registered = incidents.reported_at + _lag(rng, n, median_s=900, spread=0.9)
    due = add_limit(registered, limit, unit, calendar)
    refused = rng.random(n) < _REFUSED_SHARE
    dispatched = registered + _lag(rng, n, median_s=1100, spread=0.8)
    span = np.maximum(due - dispatched, 600)
    late = rng.random(n) < _LATE_SHARE
    used = np.where(late, 1 + rng.gamma(1.1, 0.45, n), rng.beta(2.2, 2.0, n) * 0.93)
    closed = dispatched + np.maximum(used * span, 420).astype(np.int64)
    handled = dispatched + np.maximum(
        (closed - dispatched) * rng.uniform(0.55, 0.95, n), 240
    ).astype(np.int64)
    evaluated = closed + _lag(rng, n, median_s=DAY_S, spread=0.5)
    tail = _leave_open(closed, registered, refused, now, rng)
    body = _bodies(plan, incidents, kinds, street_of, rng)

    book = _Book(incidents, plan, now, first)
    every = np.arange(n)
    book.write(every, "reported", incidents.reported_at)
    book.write(every[refused], "not_registered", registered[refused], reason="不属于受理范围")
    alive = ~refused
    book.write(every[alive], "registered", registered[alive], due=due[alive])
    book.write(every[alive], "dispatched", dispatched[alive], due=due[alive], body=body[alive])
    _write_returns(
        book, every[alive & (rng.random(n) < _RETURNED_SHARE)], dispatched, handled, due, body, rng
    )
    going = alive & (tail == 0)
    _write_extensions(
        book, every[going & late & (rng.random(n) < 4 * _EXTENDED_SHARE)], due, closed, rng
    )
    book.write(every[going], "handled", handled[going], body=body[going])
    book.write(every[going], "closed", closed[going])
    book.write(every[going], "evaluated", evaluated[going])
    done = going & (evaluated < now - 6 * DAY_S) & (rng.random(n) < _REOPENED_SHARE)
    _write_reopened(book, every[done], evaluated, body, rng)
    _write_tail(book, tail, dispatched, due, body, now, rng)
    return book.table()


class _Book:
    """Collects events column by column; what lies after `now` has not happened yet."""

    def __init__(self, incidents: Incidents, plan: Plan, now: int, first: int) -> None:
        self.incidents, self.now = incidents, now
        self.prefix, self.first = plan.prefix, first
        self.parts: list[pd.DataFrame] = []

    def write(
        self,
        row: Ints,
        stage: str,
        at: Ints,
        *,
        due: Ints | None = None,
        body: NDArray[np.object_] | None = None,
        reason: str = "",
    ) -> None:
        """Add one event for each row."""
        past = at < self.now
        part = pd.DataFrame({"row": row[past], "at": at[past]})
        part["stage"] = stage
        part["due_at"] = pd.array(
            due[past] if due is not None else [pd.NA] * len(part), dtype="Int64"
        )
        part["body"] = body[past] if body is not None else ""
        part["reason"] = reason
        self.parts.append(part)

    def table(self) -> pd.DataFrame:
        """Return all events in order of incident and time, numbered within the incident."""
        table = pd.concat(self.parts, ignore_index=True)
        table = table.sort_values(["row", "at"], kind="stable", ignore_index=True)
        table["seq"] = table.groupby("row").cumcount()
        row = table["row"].to_numpy()
        table["source"] = np.array(SOURCES, object)[self.incidents.source[row]]
        table["incident_id"] = self._ids()[row]
        columns = ["row", "source", "incident_id", "seq", "stage", "at", "due_at", "body", "reason"]
        return table[columns].sort_values(["at", "row"], kind="stable", ignore_index=True)

    def _ids(self) -> NDArray[np.object_]:
        days = (self.incidents.reported_at + ZONE_S) // DAY_S
        year = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        serial = pd.Series(year).groupby(year).cumcount() + 1 + self.first
        return np.array(
            [f"{self.prefix}{y}-{s:07d}" for y, s in zip(year, serial, strict=True)], object
        )


def _lag(rng: np.random.Generator, n: int, *, median_s: float, spread: float) -> Ints:
    return np.maximum(rng.lognormal(np.log(median_s), spread, n), 40).astype(np.int64)


def _leave_open(
    closed: Ints, registered: Ints, refused: NDArray[np.bool_], now: int, rng: np.random.Generator
) -> NDArray[np.int8]:
    """
    Return which cases nobody has closed: 0 none of them, else 1 + position in the tail states.

    As many as are missing to the wanted share of closed cases; old ones are fewer.
    """
    cases = ~refused & (registered < now)
    wanted = int(cases.sum()) - round(CLOSED_SHARE * int(cases.sum()))
    natural = int((cases & (closed >= now)).sum())
    tail = np.zeros(len(closed), np.int8)
    missing = wanted - natural
    eligible = np.flatnonzero(cases & (closed < now))
    age_days = (now - registered[eligible]) / DAY_S
    chance = np.exp(-age_days / _TAIL_DAYS)
    if missing > 0:
        chosen = rng.choice(eligible, missing, replace=False, p=chance / chance.sum())
        tail[chosen] = 1 + rng.choice(len(_TAIL_STATES), missing, p=_TAIL_SHARES)
    elif missing < 0:  # too many still open: the last ones are closed just before now
        running = np.flatnonzero(cases & (closed >= now))
        hurry = running[np.argsort(closed[running], kind="stable")[:-missing]]
        closed[hurry] = now - rng.integers(60, 3600, len(hurry))
    return tail


def _bodies(
    plan: Plan, incidents: Incidents, kinds: pd.DataFrame, street_of: Ints, rng: np.random.Generator
) -> NDArray[np.object_]:
    """Return who handles: the kind's own body, or the street where the matter lies."""
    body: NDArray[np.object_] = kinds["body"].to_numpy().astype(object)[incidents.kind]
    local = kinds["category"].isin(["市容环境", "民生服务"]).to_numpy()[incidents.kind]
    to_street = (street_of > 0) & (rng.random(len(body)) < np.where(local, 0.55, 0.12))
    if plan.streets:
        codes = np.array([street_body(serial) for serial in range(plan.streets + 1)], object)
        body[to_street] = codes[street_of[to_street]]
    return body


def _write_returns(
    book: _Book,
    row: Ints,
    dispatched: Ints,
    handled: Ints,
    due: Ints,
    body: NDArray[np.object_],
    rng: np.random.Generator,
) -> None:
    back = dispatched[row] + ((handled - dispatched)[row] * rng.uniform(0.1, 0.4, len(row))).astype(
        np.int64
    )
    again = back + ((handled[row] - back) * rng.uniform(0.1, 0.5, len(row))).astype(np.int64)
    book.write(row, "returned", back, body=body[row], reason="职责不符，申请改派")
    book.write(row, "dispatched", again, due=due[row], body=body[row])


def _write_extensions(
    book: _Book, row: Ints, due: Ints, closed: Ints, rng: np.random.Generator
) -> None:
    asked = due[row] - rng.integers(1800, 7200, len(row))
    moved = np.maximum(closed[row] + rng.integers(3600, DAY_S, len(row)), due[row] + 3600)
    book.write(row, "extended", asked, due=moved, reason="需采购配件，申请延期")


def _write_reopened(
    book: _Book, row: Ints, evaluated: Ints, body: NDArray[np.object_], rng: np.random.Generator
) -> None:
    at = evaluated[row] + rng.integers(3600, 2 * DAY_S, len(row))
    book.write(row, "reopened", at, reason="回访不满意")
    fixed = at + rng.integers(3600, 2 * DAY_S, len(row))
    book.write(row, "handled", fixed, body=body[row])
    book.write(row, "closed", fixed + rng.integers(1800, DAY_S, len(row)))


def _write_tail(
    book: _Book,
    tail: NDArray[np.int8],
    dispatched: Ints,
    due: Ints,
    body: NDArray[np.object_],
    now: int,
    rng: np.random.Generator,
) -> None:
    """Write what happens to the cases that stay open: urged, suspended or given more time."""
    late = np.flatnonzero((tail == 1) & (due < now - DAY_S))
    urged = late[rng.random(len(late)) < 0.6]
    book.write(
        urged, "escalated", due[urged] + rng.integers(3600, DAY_S, len(urged)), reason="超期督办"
    )
    for code, stage, reason in (
        (2, "suspended", "涉及多方协调，挂账处理"),
        (3, "extended", "施工条件受限，申请延期"),
    ):
        row = np.flatnonzero(tail == code)
        at = dispatched[row] + ((due - dispatched)[row] * rng.uniform(0.3, 0.9, len(row))).astype(
            np.int64
        )
        moved = now + rng.integers(-DAY_S // 2, 14 * DAY_S, len(row))
        book.write(
            row,
            stage,
            at,
            due=moved if stage == "extended" else None,
            body=body[row],
            reason=reason,
        )


def calendar_span(now: int) -> tuple[dt.date, dt.date]:
    """Return the first and last day that the calendar of a demo city covers."""
    today = dt.date(1970, 1, 1) + dt.timedelta(days=(now + ZONE_S) // DAY_S)
    return today - dt.timedelta(days=400), today + dt.timedelta(days=120)
