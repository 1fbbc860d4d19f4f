"""What an auditor looks for among events, decisions and reference tables, found in the store."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.access.scope import Scope
from geodata.events.incidents import STAGE_CODE, STAGES
from geodata.store.decisions import WHATS
from geodata.store.event_columns import hidden_batches, visible_event
from geodata.store.event_log import IN, LIVE_BATCH

# In so many words, not as arguments: SQLite takes a partial index only where it sees its condition.
_EXTENDED, _CLOSED, _REOPENED = (STAGE_CODE[name] for name in ("extended", "closed", "reopened"))
STEERING = ("kinds", "matrix", "calendar", "counts", "bodies")
_OWNED = "(?3 IS NULL OR i.owner IN (SELECT value FROM json_each(?3)))"
_WHO = "i.inc, s.text, k.ext_id, i.owner, ifnull(b.text, '')"
_NAMES = (
    "JOIN incident_key k ON k.inc = i.inc JOIN term s ON s.term = k.source"
    " LEFT JOIN term b ON b.term = i.body"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From one moment to another (UTC s, the second left out), for whom."""

    scope: Scope
    from_at: int
    to_at: int

    def values(self) -> tuple[object, ...]:
        """Return the arguments that every question here begins with."""
        grids = self.scope.grids
        listed = None if grids is None else orjson.dumps(sorted(grids)).decode()
        return self.from_at, self.to_at, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One incident that a rule found: `at` is the act's moment, `other_at` the one it is held against.

    Both UTC seconds; `owner` is the uid of its grid, `body` the responsible one's name.
    """

    inc: int
    source: str
    incident_id: str
    owner: int
    body: str
    at: int
    other_at: int
    before: str = ""
    after: str = ""
    post: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One event by its place in the order of its incident's, for what stood before it."""

    case: Case
    kind: int  # the incident's, a term
    stage: int
    seq: int
    hash: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of a source's and body's events a rule found."""

    source: str
    body: str
    part: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """What one batch changed in one reference table."""

    batch: int
    sort: str
    file: str
    at: int
    changed: int
    added: int
    earliest: int  # the first day (UTC s) from which what it changed holds


def find_extensions(connection: sqlite3.Connection, window: Window) -> list[Act]:
    """Return every extension made in the window, newest first."""
    rows = connection.execute(
        f"SELECT {_WHO}, e.at, i.kind, e.stage, e.seq, e.hash FROM event e"  # noqa: S608
        f" JOIN incident i ON i.inc = e.inc {_NAMES}"
        f" WHERE e.stage = {_EXTENDED} AND e.at >= ?1 AND e.at < ?2 AND {_OWNED}"
        f" AND {visible_event(4)} ORDER BY e.at DESC, e.inc",
        (*window.values(), hidden_batches(connection)),
    )
    return [_act(row) for row in rows]


def find_reopened(connection: sqlite3.Connection, window: Window, *, within_s: int) -> list[Case]:
    """Return every case reopened in the window within so long after its closing, newest first."""
    rows = connection.execute(
        f"SELECT {_WHO}, e.at, (SELECT max(c.at) FROM event c WHERE c.inc = e.inc"  # noqa: S608
        f" AND c.stage = {_CLOSED} AND c.at <= e.at) AS closed"
        f" FROM event e JOIN incident i ON i.inc = e.inc {_NAMES}"
        f" WHERE e.stage = {_REOPENED} AND e.at >= ?1 AND e.at < ?2 AND {_OWNED}"
        f" AND {visible_event(4)} AND e.at - closed <= ?5 ORDER BY e.at DESC, e.inc",
        (*window.values(), hidden_batches(connection), within_s),
    )
    return [_case(row) for row in rows]


def find_backdated(
    connection: sqlite3.Connection, window: Window, *, over_s: int, most: int
) -> list[Case]:
    """Return events posted live in the window longer than so after they happened, newest first."""
    rows = connection.execute(
        f"SELECT {_WHO}, e.at, e.received FROM event e"  # noqa: S608
        f" JOIN incident i ON i.inc = e.inc {_NAMES}"
        f" WHERE e.batch = {LIVE_BATCH} AND e.received >= ?1 AND e.received < ?2 AND {_OWNED}"
        " AND e.received - e.at > ?4 ORDER BY e.received DESC, e.inc LIMIT ?5",
        (*window.values(), over_s, most),
    )
    return [_case(row) for row in rows]


def count_backdated(connection: sqlite3.Connection, window: Window, *, over_s: int) -> list[Share]:
    """Return how many live events of each source and body came so late, the most first."""
    rows = connection.execute(
        "SELECT s.text, ifnull(b.text, ''), n.part, n.whole FROM (SELECT i.source AS source,"  # noqa: S608
        " i.body AS body, sum(e.received - e.at > ?4) AS part, count(*) AS whole FROM event e"
        f" JOIN incident i ON i.inc = e.inc WHERE e.batch = {LIVE_BATCH}"
        f" AND e.received >= ?1 AND e.received < ?2 AND {_OWNED} GROUP BY 1, 2) n"
        " JOIN term s ON s.term = n.source LEFT JOIN term b ON b.term = n.body"
        " WHERE n.part > 0 ORDER BY n.part DESC, s.text, b.text",
        (*window.values(), over_s),
    )
    return [Share(source=row[0], body=row[1], part=row[2], of=row[3]) for row in rows]


def find_handovers(connection: sqlite3.Connection, window: Window) -> list[Act]:
    """
    Return every event of the window that named another body than the one before it.

    Only of incidents whose deadline had not passed before the window.
    """
    rows = connection.execute(
        "WITH moved AS (SELECT e.inc FROM incident i JOIN event e ON e.inc = i.inc"  # noqa: S608
        f" WHERE i.due_at >= ?1 AND i.reported_at < ?2 AND {_OWNED} AND e.body IS NOT NULL"
        " GROUP BY e.inc HAVING min(e.body) <> max(e.body)),"
        " named AS (SELECT e.inc, e.at, e.stage, e.seq, e.hash, e.body, lag(e.body) OVER"
        " (PARTITION BY e.inc ORDER BY e.at, e.stage, e.seq, e.hash) AS held"
        f" FROM moved m JOIN event e ON e.inc = m.inc WHERE e.body IS NOT NULL"
        f" AND {visible_event(4)})"
        f" SELECT {_WHO}, n.at, i.kind, n.stage, n.seq, n.hash, h.text, g.text FROM named n"
        f" JOIN incident i ON i.inc = n.inc {_NAMES}"
        " JOIN term h ON h.term = n.held JOIN term g ON g.term = n.body"
        " WHERE n.held <> n.body AND n.at >= ?1 AND n.at < ?2 ORDER BY n.at DESC, n.inc",
        (*window.values(), hidden_batches(connection)),
    )
    return [_act(row) for row in rows]


def find_decisions(connection: sqlite3.Connection, window: Window) -> list[tuple[str, Act]]:
    """
    Return ("owner" or "pin", act) of every decision of the window, newest first.

    `before` and `after` are uids of grids. Its stage comes after all others: it is no event.
    """
    wanted = orjson.dumps([WHATS.index(name) for name in ("owner", "pin")]).decode()
    rows = connection.execute(
        f"SELECT {_WHO}, d.at, i.kind, ?5, 0, 0, d.held, ifnull(d.grid, i.owner), d.post, d.what"  # noqa: S608
        f" FROM decision d JOIN incident i ON i.inc = d.inc {_NAMES}"
        f" WHERE d.at >= ?1 AND d.at < ?2 AND {_OWNED}"
        " AND d.what IN (SELECT value FROM json_each(?4)) ORDER BY d.at DESC, d.inc",
        (*window.values(), wanted, len(STAGES)),
    )
    return [(WHATS[row[-1]], _act(row[:-1])) for row in rows]


def find_table_changes(connection: sqlite3.Connection, window: Window) -> list[TableChange]:
    """
    Return what each batch of the window changed in the tables that steer figures, newest first.

    A row counts as changed when another value of the same id stood before it.
    """
    listed = orjson.dumps(STEERING).decode()
    rows = connection.execute(
        "SELECT r.batch, r.sort, b.file, b.at, sum(r.old IS NOT NULL AND r.old <> r.data),"
        " sum(r.old IS NULL), min(r.valid_from) FROM (SELECT sort, batch, valid_from, data,"
        " lag(data) OVER (PARTITION BY sort, id ORDER BY batch, valid_from) AS old FROM record"
        " WHERE sort IN (SELECT value FROM json_each(?3))) r JOIN batch b ON b.batch = r.batch"
        " WHERE b.at >= ?1 AND b.at < ?2 AND b.state = ?4 AND (r.old IS NULL OR r.old <> r.data)"
        " GROUP BY r.batch, r.sort ORDER BY b.at DESC, r.batch DESC, r.sort",
        (window.from_at, window.to_at, listed, IN),
    )
    return [
        TableChange(
            batch=row[0], sort=row[1], file=row[2], at=row[3], changed=row[4], added=row[5],
            earliest=row[6],
        )
        for row in rows
    ]  # fmt: skip


def _case(row: tuple[Any, ...]) -> Case:
    inc, source, incident_id, owner, body, at, other_at, *named = row
    before, after, post = (*(str(name) for name in named), "", "", "")[:3]
    return Case(
        inc=inc, source=source, incident_id=incident_id, owner=owner, body=body, at=at,
        other_at=other_at, before=before, after=after, post=post,
    )  # fmt: skip


def _act(row: tuple[Any, ...]) -> Act:
    who, (at, kind, stage, seq, digest, *named) = row[:5], row[5:]
    case = _case((*who, at, 0, *named))
    return Act(case=case, kind=kind or 0, stage=stage, seq=seq, hash=digest)
