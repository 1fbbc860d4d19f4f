"""Open incidents whose source books another grid than the one they lie in."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import orjson

from geodata.access.scope import Scope
from geodata.store.event_columns import hidden_batches, visible_event


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One open incident and the grid that its source names; `owner` is a uid, -1 for nobody."""

    source: str
    incident_id: str
    kind: str
    reported_at: int
    owner: int
    recorded: str


def list_booked(connection: sqlite3.Connection, scope: Scope, *, manual: int) -> list[Booked]:
    """
    Return the open incidents of a scope whose source names a grid, the oldest report first.

    Those that a post has decided (rule `manual`) are settled and not among them.
    """
    listed = None if scope.grids is None else orjson.dumps(sorted(scope.grids)).decode()
    rows = connection.execute(
        "SELECT s.text, k.ext_id, ifnull(c.text, ''), i.reported_at, i.owner,"  # noqa: S608
        " (SELECT json_extract(p.attributes, '$.recorded_grid') FROM event e"
        "  JOIN payload p ON p.inc = e.inc AND p.hash = e.hash WHERE e.inc = i.inc"
        "  AND p.attributes IS NOT NULL AND instr(p.attributes, '\"recorded_grid\":') > 0"
        f"  AND {visible_event(1)} ORDER BY e.version DESC, e.at DESC, e.hash DESC LIMIT 1) AS said"
        " FROM incident i JOIN incident_key k ON k.inc = i.inc JOIN term s ON s.term = k.source"
        " LEFT JOIN term c ON c.term = i.kind WHERE i.open = 1 AND i.rule <> ?2"
        " AND (?3 IS NULL OR i.owner IN (SELECT value FROM json_each(?3)))"
        " AND said IS NOT NULL AND said <> '' ORDER BY i.reported_at, i.inc",
        (hidden_batches(connection), manual, listed),
    )
    names = ("source", "incident_id", "kind", "reported_at", "owner", "recorded")
    return [Booked(**dict(zip(names, row, strict=True))) for row in rows]
