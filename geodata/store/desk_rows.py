"""What the desk and the page of a case read: single incidents and the lists of those to decide."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.store.event_columns import hidden_batches, visible_event

# The conditions of the partial indexes of the schema, word for word: SQLite takes them only so.
_UNPLACED = "i.rule IN (3, 4)"
_NEAR = "i.open = 1 AND (i.near_line = 1 OR i.rule = 2)"
_HEAD = (
    "i.inc, s.text, k.ext_id, c.text, i.open, i.stage, i.reported_at, i.owner, i.owner_at_event,"
    " i.rule, i.x, i.y, i.distance_mm, i.near_line, i.due_at, i.closed_at"
)
_JOINS = (
    " FROM incident i JOIN incident_key k ON k.inc = i.inc JOIN term s ON s.term = k.source"
    " LEFT JOIN term c ON c.term = i.kind"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    One incident as the derive left it: whose it is and why, where it lies, when it came.

    `owner` and `owner_at_event` are uids, -1 for nobody; `rule` a place in RULES; `x`, `y` mm in
    the city's CRS or None; `distance_mm` -1 for none.
    """

    inc: int
    source: str
    incident_id: str
    kind: str
    open: bool
    stage: int
    reported_at: int
    owner: int
    owner_at_event: int
    rule: int
    x: int | None
    y: int | None
    distance_mm: int
    near_line: bool
    due_at: int  # UTC s, 0 for none
    closed_at: int


def read_head(connection: sqlite3.Connection, inc: int) -> Head | None:
    """Return one incident, None where it is not (or no longer) derived."""
    row = connection.execute(f"SELECT {_HEAD}{_JOINS} WHERE i.inc = ?", (inc,)).fetchone()
    return None if row is None else _head(row)


def read_heads(connection: sqlite3.Connection, incidents: Collection[int]) -> list[Head]:
    """Return some incidents, the oldest report first."""
    rows = connection.execute(
        f"SELECT {_HEAD}{_JOINS} WHERE i.inc IN (SELECT value FROM json_each(?))"  # noqa: S608
        " ORDER BY i.reported_at, i.inc",
        (orjson.dumps(sorted(incidents)).decode(),),
    )
    return [_head(row) for row in rows]


def list_unplaced(
    connection: sqlite3.Connection, *, closed: bool, source: str | None, most: int
) -> tuple[list[Head], int]:
    """Return incidents without a place or outside every grid, the oldest first, and their count."""
    where = f"{_UNPLACED} AND (?1 OR i.open = 1) AND (?2 IS NULL OR s.text = ?2)"
    return _list(connection, where, (int(closed), source), most=most)


def list_near(
    connection: sqlite3.Connection,
    *,
    grids: Collection[int] | None,
    source: str | None,
    most: int,
) -> tuple[list[Head], int]:
    """
    Return open incidents near their owner's line or owned by nearness, and their count.

    `grids` are the uids whose incidents count, None for all.
    """
    among = "(?1 IS NULL OR i.owner IN (SELECT value FROM json_each(?1)))"
    where = f"{_NEAR} AND (?2 IS NULL OR s.text = ?2) AND {among}"
    listed = None if grids is None else orjson.dumps(sorted(grids)).decode()
    return _list(connection, where, (listed, source), most=most)


def list_disputed(connection: sqlite3.Connection) -> list[int]:
    """Return the incidents over which there ever was a dispute."""
    rows = connection.execute("SELECT DISTINCT inc FROM decision WHERE what = 4 ORDER BY inc")
    return [row[0] for row in rows]


def read_attributes(connection: sqlite3.Connection, inc: int) -> dict[str, Any]:
    """Return what the events of an incident carry beside the contract's columns, newest last."""
    rows = connection.execute(
        "SELECT p.attributes FROM event e JOIN payload p ON p.inc = e.inc AND p.hash = e.hash"  # noqa: S608
        f" WHERE e.inc = ?2 AND p.attributes IS NOT NULL AND {visible_event(1)}"
        " ORDER BY e.version, e.at, e.hash",
        (hidden_batches(connection), inc),
    )
    found: dict[str, Any] = {}
    for (text,) in rows:
        found |= orjson.loads(text)
    return found


def read_history(connection: sqlite3.Connection, inc: int) -> list[dict[str, Any]]:
    """Return every visible event of an incident by time: what, when, when heard of, and where."""
    names = (
        "at", "received_at", "stage", "seq", "version", "due_at", "body", "reason", "x", "y",
        "kind", "hash", "batch",
    )  # fmt: skip
    rows = connection.execute(
        "SELECT e.at, e.received, e.stage, e.seq, e.version, e.due, b.text, e.reason, p.x, p.y,"  # noqa: S608
        " c.text, e.hash, e.batch FROM event e LEFT JOIN term b ON b.term = e.body"
        " LEFT JOIN payload p ON p.inc = e.inc AND p.hash = e.hash"
        " LEFT JOIN term c ON c.term = p.kind"
        f" WHERE e.inc = ?2 AND {visible_event(1)} ORDER BY e.at, e.stage, e.seq, e.hash",
        (hidden_batches(connection), inc),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def list_sources(connection: sqlite3.Connection) -> list[str]:
    """Return the name of every source."""
    rows = connection.execute("SELECT text FROM term WHERE sort = 'source' ORDER BY text")
    return [row[0] for row in rows]


def _list(
    connection: sqlite3.Connection, where: str, values: tuple[Any, ...], *, most: int
) -> tuple[list[Head], int]:
    (count,) = connection.execute(
        f"SELECT count(*){_JOINS} WHERE {where}",
        values,
    ).fetchone()
    rows = connection.execute(
        f"SELECT {_HEAD}{_JOINS} WHERE {where} ORDER BY i.reported_at, i.inc LIMIT ?3",
        (*values, most),
    )
    return [_head(row) for row in rows], int(count)


def _head(row: tuple[Any, ...]) -> Head:
    return Head(
        inc=row[0],
        source=row[1],
        incident_id=row[2],
        kind=row[3] or "",
        open=bool(row[4]),
        stage=row[5],
        reported_at=row[6],
        owner=row[7],
        owner_at_event=row[8],
        rule=row[9],
        x=row[10],
        y=row[11],
        distance_mm=row[12],
        near_line=bool(row[13]),
        due_at=row[14],
        closed_at=row[15],
    )
