"""Open incidents whose place was found by their address, or could not be."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.access.scope import Scope
from geodata.store.event_columns import hidden_batches, visible_event


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressedRow:
    """
    One open incident with what the address library said of it.

    `x`, `y` mm of the city's CRS or None; `owner` a uid, -1 for nobody; `score` 0 to 1; `level` of
    `addresses.LEVELS`; `guesses` are standard addresses, the best first.
    """

    inc: int
    source: str
    incident_id: str
    reported_at: int
    owner: int
    x: int | None
    y: int | None
    address: str
    level: str
    score: float
    standard: str
    guesses: tuple[str, ...]


def list_addressed(
    connection: sqlite3.Connection, scope: Scope, *, between: str
) -> list[AddressedRow]:
    """
    Return the open incidents of a scope that were asked of the address library, the oldest first.

    Those without an owner are nobody's: only who sees the whole city sees them. `between` parts
    the guesses as loading wrote them.
    """
    listed = None if scope.grids is None else orjson.dumps(sorted(scope.grids)).decode()
    rows = connection.execute(
        "SELECT i.inc, s.text, k.ext_id, i.reported_at, i.owner, i.x, i.y,"  # noqa: S608
        " (SELECT p.attributes FROM event e JOIN payload p ON p.inc = e.inc AND p.hash = e.hash"
        "  WHERE e.inc = i.inc AND p.attributes IS NOT NULL"
        "  AND instr(p.attributes, '\"place_level\":') > 0"
        f"  AND {visible_event(1)} ORDER BY e.version DESC, e.at DESC, e.hash DESC LIMIT 1) AS told"
        " FROM incident i JOIN incident_key k ON k.inc = i.inc JOIN term s ON s.term = k.source"
        " WHERE i.open = 1 AND (?2 IS NULL OR i.owner IN (SELECT value FROM json_each(?2)))"
        " AND told IS NOT NULL ORDER BY i.reported_at, i.inc",
        (hidden_batches(connection), listed),
    )
    return [_row(row[:7], orjson.loads(row[7]), between) for row in rows]


def _row(row: tuple[Any, ...], told: dict[str, Any], between: str) -> AddressedRow:
    inc, source, incident_id, reported_at, owner, x, y = row
    given = {name: str(told.get(name, "")) for name in ("address", "place_address", "place_level")}
    return AddressedRow(
        inc=inc, source=source, incident_id=incident_id, reported_at=reported_at, owner=owner,
        x=x, y=y, address=given["address"], level=given["place_level"],
        score=float(str(told.get("place_score") or 0)), standard=given["place_address"],
        guesses=tuple(filter(None, str(told.get("place_guesses", "")).split(between))),
    )  # fmt: skip
