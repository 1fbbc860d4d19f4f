"""Decisions of posts on owners, places and disputes: append-only rows beside the events."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

# Order is identity: what a decision is, is stored as its place here.
WHATS = (
    "owner", "pin", "owner_withdrawn", "pin_withdrawn", "dispute", "answer", "decided",
    "dispute_withdrawn",
)  # fmt: skip
_FIELDS = "inc, at, hash, what, held, grid, x, y, reason, post, rev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """
    One decision on one incident; never changed, only followed by another.

    `held` is the uid of the grid that had it until then, -1 for none; `grid` the one given,
    proposed or decided for; `x`, `y` the pin (mm in the city's CRS); `at` UTC seconds; `hash` tells
    two decisions of one second apart; `rev` the revision it made.
    """

    inc: int
    at: int
    hash: int
    what: str
    held: int
    grid: int | None = None
    x: int | None = None
    y: int | None = None
    reason: str
    post: str
    rev: int = 0


def append_decision(connection: sqlite3.Connection, decision: Decision) -> bool:
    """Append a decision inside the caller's transaction; tell whether it is new."""
    made = connection.execute(
        f"INSERT INTO decision ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        " ON CONFLICT DO NOTHING",
        (
            decision.inc, decision.at, decision.hash, WHATS.index(decision.what), decision.held,
            decision.grid, decision.x, decision.y, decision.reason, decision.post, decision.rev,
        ),
    )  # fmt: skip
    return made.rowcount > 0


def read_decisions(
    connection: sqlite3.Connection, *, only: Sequence[int] | None = None
) -> list[Decision]:
    """Return every decision, or those on some incidents, by incident and then in their order."""
    where, listed = "", ()  # type: str, tuple[str, ...]
    if only is not None:
        where = "WHERE inc IN (SELECT value FROM json_each(?))"
        listed = (orjson.dumps([int(inc) for inc in only]).decode(),)
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM decision {where} ORDER BY inc, at, hash",  # noqa: S608
        listed,
    )
    return [_decision(row) for row in rows]


def read_decisions_since(
    connection: sqlite3.Connection, revision: int, *, source: str
) -> list[tuple[str, Decision]]:
    """Return (incident id, decision) of one source after a revision, in the order of making."""
    rows = connection.execute(
        f"SELECT k.ext_id, {', '.join(f'd.{name}' for name in _FIELDS.split(', '))}"  # noqa: S608
        " FROM decision d JOIN incident_key k ON k.inc = d.inc JOIN term t ON t.term = k.source"
        " WHERE d.rev > ? AND t.text = ? ORDER BY d.rev, k.ext_id, d.at, d.hash",
        (revision, source),
    )
    return [(row[0], _decision(row[1:])) for row in rows]


def list_decided_alike(
    connection: sqlite3.Connection, *, kind: str, owner: int, but: int
) -> list[int]:
    """Return the other incidents of a kind in a grid that were ever decided on, the newest 50."""
    rows = connection.execute(
        "SELECT d.inc FROM decision d JOIN incident i ON i.inc = d.inc"
        " JOIN term c ON c.term = i.kind WHERE c.text = ? AND i.owner = ? AND d.inc <> ?"
        " GROUP BY d.inc ORDER BY max(d.at) DESC LIMIT 50",
        (kind, owner, but),
    )
    return [int(row[0]) for row in rows]


def dump_decisions(connection: sqlite3.Connection) -> Iterator[list[Any]]:
    """Yield what the canonical dump says of each decision: no number of ours, no revision."""
    rows = connection.execute(
        "SELECT s.text, k.ext_id, d.at, d.hash, d.what, d.held, d.grid, d.x, d.y, d.reason, d.post"
        " FROM decision d JOIN incident_key k ON k.inc = d.inc JOIN term s ON s.term = k.source"
        " ORDER BY s.text, k.ext_id, d.at, d.hash"
    )
    for row in rows:
        yield [*row[:4], WHATS[row[4]], *row[5:]]


def find_incident(connection: sqlite3.Connection, source: str, incident_id: str) -> int | None:
    """Return the number of a source's incident, None where there is none."""
    row = connection.execute(
        "SELECT k.inc FROM incident_key k JOIN term t ON t.term = k.source AND t.sort = 'source'"
        " WHERE t.text = ? AND k.ext_id = ?",
        (source, incident_id),
    ).fetchone()
    return None if row is None else int(row[0])


def _decision(row: tuple[Any, ...]) -> Decision:
    names = _FIELDS.split(", ")
    values = dict(zip(names, row, strict=True))
    return Decision(**{**values, "what": WHATS[values["what"]]})
