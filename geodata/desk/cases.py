"""A case: everything known of one incident, for its page and for whoever has to answer for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from geodata.access.scope import Scope
from geodata.city import City
from geodata.desk.case_context import measure_recorded
from geodata.desk.decisions import Standing
from geodata.desk.trays import ADDRESS, RECORDED, find_lying
from geodata.drawings import Drawn, find_in_force, measure_line
from geodata.events.clock import clock_state
from geodata.events.deadlines import find_calendar, find_kind
from geodata.events.history import fold_columns
from geodata.events.incidents import FLAG_CONFLICT, FLAG_DISORDER, SIX_STEPS, STAGES, Folded
from geodata.ownership import RULES
from geodata.store.database import Connection, read_revision
from geodata.store.decisions import Decision, read_decisions
from geodata.store.desk_rows import Head, read_attributes, read_history
from geodata.store.event_columns import read_event_columns, read_payloads
from geodata.store.event_log import LIVE_BATCH
from geodata.store.records import read_records, read_versions
from geodata.words import LANGS

DeadlineBy = Literal["source", "limit", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One event as it was told; times UTC seconds, `late_s` how long after it we heard of it."""

    at: int
    received_at: int
    stage: str
    seq: int | None
    version: int
    due_at: int | None
    body: str
    reason: str
    x: int | None
    y: int | None
    kind: str
    live: bool  # posted by its source; else it came in a file, whenever that was loaded
    rivals: int  # other contents told of the same event; the newest holds

    @property
    def late_s(self) -> int:
        """Return how long after it happened we heard of it, 0 where clocks disagree."""
        return max(self.received_at - self.at, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The time used between two steps that were reached, in seconds."""

    since: str
    until: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """
    How a deadline came about (contracts.md 5).

    By the `source` itself, or by the kind's `limit` in `unit` from `clock_from`; either is moved on
    by `suspended_s`. `guessed` years have no calendar: there Monday to Friday counts as working.
    """

    by: DeadlineBy
    due_at: int
    clock_from: int
    suspended_s: int
    suspended_since: int
    state: int  # a place in clock.STATES
    limit: float = 0.0
    unit: str = ""
    guessed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A grid that owns or owned the case; `uid` -1 for nobody."""

    uid: int
    code: str
    name: str
    path: str
    line_m: float | None  # from the case's place to the grid's line


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident with its whole history, at one revision."""

    head: Head
    revision: int
    rule: str
    kind_names: dict[str, str]  # by language, where the city's table has them
    address: str
    recorded: str  # the owner that the source's own books name
    recorded_m: float | None  # from the case's place to that grid; None where it is unknown
    events: tuple[CaseEvent, ...]
    legs: tuple[Leg, ...]
    deadline: Deadline
    owner: Owner
    owner_at_event: Owner
    decisions: tuple[Decision, ...]
    standing: Standing
    conflict: bool
    disorder: bool
    returned: int
    reopened: int

    @property
    def agrees(self) -> bool | None:
        """Tell whether the source's recorded owner is ours; None where it recorded none."""
        return None if not self.recorded else self.recorded == self.owner.code


def read_case(
    connection: Connection, city: City, scope: Scope, source: str, incident_id: str, *, now: int
) -> Case:
    """
    Return everything known of one incident that an account may see.

    Raises NotFound, with the same words for what does not exist and for what is hidden.
    """
    lying = find_lying(connection, scope, source, incident_id)
    head, inc = lying.head, lying.head.inc
    folded, _ = fold_columns(
        read_event_columns(connection, only=[inc]), read_payloads(connection, only=[inc])
    )
    kinds = read_records(connection, "kinds", at=now)
    row = kinds[kinds["id"] == head.kind]
    timeline = city.drawings.timeline(connection)
    attributes = read_attributes(connection, inc)
    steps = {name: int(at) for name, at in zip(SIX_STEPS, folded.times[0], strict=True)}
    flags = int(folded.flags[0])
    return Case(
        head=head,
        revision=read_revision(connection),
        rule=RULES[head.rule],
        kind_names=_name_kind(row),
        address=str(attributes.get(ADDRESS, "")),
        recorded=str(attributes.get(RECORDED, "")),
        recorded_m=measure_recorded(timeline, head, str(attributes.get(RECORDED, "")), at=now),
        events=_tell_events(read_history(connection, inc)),
        legs=_find_legs(steps),
        deadline=_explain_deadline(connection, city, folded, head, now=now),
        owner=_find_owner(timeline, head.owner, head, at=now),
        owner_at_event=_find_owner(timeline, head.owner_at_event, head, at=head.reported_at or now),
        decisions=tuple(read_decisions(connection, only=[inc])),
        standing=lying.standing,
        conflict=bool(flags & FLAG_CONFLICT),
        disorder=bool(flags & FLAG_DISORDER),
        returned=int(folded.returned[0]),
        reopened=int(folded.reopened[0]),
    )


def _name_kind(row: pd.DataFrame) -> dict[str, str]:
    """Return the names of a kind by language; `row` holds its record, or nothing."""
    names = {lang: row[f"name_{lang}"] for lang in LANGS if f"name_{lang}" in row and len(row)}
    return {lang: str(name.iat[0]) for lang, name in names.items() if isinstance(name.iat[0], str)}


def _tell_events(rows: list[dict[str, Any]]) -> tuple[CaseEvent, ...]:
    """Return the events by time; versions of one event stay, each with the number of its rivals."""
    told: dict[Any, int] = {}
    for row in rows:
        told[_identity(row)] = told.get(_identity(row), 0) + 1
    return tuple(
        CaseEvent(
            at=row["at"],
            received_at=row["received_at"],
            stage=STAGES[row["stage"]],
            seq=None if row["seq"] < 0 else row["seq"],
            version=row["version"],
            due_at=row["due_at"],
            body=row["body"] or "",
            reason=row["reason"] or "",
            x=row["x"],
            y=row["y"],
            kind=row["kind"] or "",
            live=row["batch"] == LIVE_BATCH,
            rivals=told[_identity(row)] - 1,
        )
        for row in rows
    )


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return what names an event: its number, else its stage and time (contracts.md 4)."""
    return (row["seq"],) if row["seq"] >= 0 else (row["stage"], row["at"])


def _find_legs(steps: dict[str, int]) -> tuple[Leg, ...]:
    """Return the time between each two of the six steps that were reached, in order of time."""
    reached = sorted((at, SIX_STEPS.index(name), name) for name, at in steps.items() if at)
    return tuple(
        Leg(since=one[2], until=other[2], seconds=other[0] - one[0])
        for one, other in pairwise(reached)
    )


def _explain_deadline(
    connection: Connection, city: City, folded: Folded, head: Head, *, now: int
) -> Deadline:
    due_at = head.due_at
    state = clock_state(
        open=folded.open,
        due_at=np.array([due_at], np.int64),
        clock_from=folded.clock_from,
        closed_at=np.array([head.closed_at], np.int64),
        suspended_since=folded.suspended_since,
        now=now,
    )
    facts: dict[str, Any] = {
        "due_at": due_at,
        "clock_from": int(folded.clock_from[0]),
        "suspended_s": int(folded.suspended_s[0]),
        "suspended_since": int(folded.suspended_since[0]),
        "state": int(state[0]),
    }
    if folded.due_at[0] or not due_at:
        return Deadline(by="source" if due_at else "none", **facts)
    rows = read_records(connection, "calendar", at=now)
    calendar = find_calendar(city, rows, folded.clock_from, now)
    kind = find_kind(read_versions(connection, "kinds"), head.kind, int(folded.clock_from[0]))
    return Deadline(
        by="limit",
        limit=float(kind["limit"].iat[0]),
        unit=str(kind["limit_unit"].iat[0]),
        guessed=not _years_of(city, folded, due_at) <= calendar.known_years,
        **facts,
    )


def _years_of(city: City, folded: Folded, due_at: int) -> set[int]:
    """Return the local years that the clock ran through."""
    moments = (int(folded.clock_from[0]), due_at)
    zone = city.settings.zone
    begin, end = (datetime.fromtimestamp(at, UTC).astimezone(zone).year for at in moments)
    return set(range(begin, end + 1))


def _find_owner(timeline: tuple[Drawn, ...], uid: int, head: Head, *, at: int) -> Owner:
    """Return a grid as the drawing of a moment names it, with the metres to its line."""
    (place,) = find_in_force(timeline, np.array([at], np.int64)).tolist()
    drawn = timeline[place] if place >= 0 else None
    rows = np.flatnonzero(drawn.uids == uid) if drawn is not None else np.empty(0, np.int64)
    if drawn is None or not len(rows):
        return Owner(uid=-1, code="", name="", path="", line_m=None)
    grid = drawn.system.finest().iloc[int(rows[0])]
    line_m = None
    if head.x is not None and head.y is not None:
        line_m = measure_line(grid.geometry, head.x, head.y)
    path = " › ".join(drawn.system.path_names(uid)[:-1])
    return Owner(uid=uid, code=str(grid["code"]), name=str(grid["name"]), path=path, line_m=line_m)
