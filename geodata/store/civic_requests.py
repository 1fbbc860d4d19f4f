"""Requests of civic clients in the store: one source's own incidents, by id or by when."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One incident as a request; times UTC seconds (0 for none), places mm or None."""

    incident_id: str
    kind: str
    body: str
    stage: int
    open: bool
    reported_at: int
    updated_at: int
    due_at: int
    x: int | None
    y: int | None
    said: dict[str, str]


_ROWS = (
    "SELECT k.ext_id, ifnull(c.text, ''), ifnull(b.text, ''), i.stage, i.open, i.reported_at,"
    " (SELECT max(e.at) FROM event e WHERE e.inc = i.inc), i.due_at, i.x, i.y,"
    " (SELECT json_group_array(p.attributes) FROM payload p WHERE p.inc = i.inc"
    "  AND p.attributes IS NOT NULL)"
    " FROM term t JOIN incident_key k ON k.source = t.term JOIN incident i ON i.inc = k.inc"
    " LEFT JOIN term c ON c.term = i.kind LEFT JOIN term b ON b.term = i.body"
    " WHERE t.sort = 'source' AND t.text = ?1"
)


def read_requests_by_id(
    connection: sqlite3.Connection, source: str, ids: Sequence[str]
) -> list[RequestRow]:
    """Return a source's own incidents of these ids, by id."""
    return _rows(
        connection,
        _ROWS + " AND k.ext_id IN (SELECT value FROM json_each(?2)) ORDER BY k.ext_id",  # noqa: S608
        (source, orjson.dumps(list(ids)).decode()),
    )


def read_requests_between(
    connection: sqlite3.Connection,
    source: str,
    *,
    first_id: str,
    last_id: str,
    kinds: Sequence[str] | None,
    open: bool | None,
    most: int,
    skip: int,
) -> list[RequestRow]:
    """
    Return a source's incidents whose ids lie in [first_id, last_id), the newest first.

    The ids carry their moment, so that this reads no other incident of the source.
    """
    return _rows(
        connection,
        _ROWS + " AND k.ext_id >= ?2 AND k.ext_id < ?3"  # noqa: S608
        " AND (?4 IS NULL OR c.text IN (SELECT value FROM json_each(?4)))"
        " AND (?5 IS NULL OR i.open = ?5) ORDER BY k.ext_id DESC LIMIT ?6 OFFSET ?7",
        (source, first_id, last_id, None if kinds is None else orjson.dumps(list(kinds)).decode(),
         open, most, skip),
    )  # fmt: skip


def _rows(connection: sqlite3.Connection, query: str, values: tuple[Any, ...]) -> list[RequestRow]:
    names = ("incident_id", "kind", "body", "stage", "open", "reported_at", "updated_at", "due_at",
             "x", "y")  # fmt: skip
    found = []
    for row in connection.execute(query, values):
        said: dict[str, str] = {}
        for text in orjson.loads(row[-1]):
            said |= orjson.loads(text)
        found.append(RequestRow(**dict(zip(names, row[:-1], strict=True)), said=said))
    return found
