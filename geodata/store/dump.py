"""The canonical dump: what a store says, whatever the order and the files it came by."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import orjson

from geodata.incidents import STAGES
from geodata.ownership import RULES
from geodata.store.decisions import dump_decisions
from geodata.store.event_columns import hidden_batches, visible_event

_EVENTS = (
    "SELECT s.text, k.ext_id, e.seq, e.at, e.hash, e.stage, e.version, e.due, b.text, e.reason,"
    " p.x, p.y, c.text, p.attributes"
    " FROM event e JOIN incident_key k ON k.inc = e.inc JOIN term s ON s.term = k.source"
    " LEFT JOIN term b ON b.term = e.body"
    " LEFT JOIN payload p ON p.inc = e.inc AND p.hash = e.hash"
    " LEFT JOIN term c ON c.term = p.kind"
)
_INCIDENTS = (
    "SELECT s.text, k.ext_id, i.x, i.y, c.text, b.text, i.stage, i.open, i.reported_at,"
    " i.registered_at, i.dispatched_at, i.handled_at, i.closed_at, i.evaluated_at, i.due_at,"
    " i.clock_from, i.suspended_since, i.returned, i.reopened, i.flags, i.owner, i.rule,"
    " i.distance_mm, i.near_line, i.owner_at_event"
    " FROM incident i JOIN incident_key k ON k.inc = i.inc JOIN term s ON s.term = k.source"
    " LEFT JOIN term c ON c.term = i.kind LEFT JOIN term b ON b.term = i.body"
    " ORDER BY s.text, k.ext_id"
)
_STAGE_OF_EVENT, _STAGE_OF_INCIDENT, _RULE = 5, 6, 21


def canonical_dump(connection: sqlite3.Connection) -> str:
    """
    Return the SHA-256, as hexadecimal text, of every visible event and decision, and what follows.

    Ordered by source name and incident id, with texts instead of interned numbers, without batch,
    revision and time of receipt: equal for equal facts (contracts.md 4).
    """
    digest = hashlib.sha256()
    for row in canonical_rows(connection):
        digest.update(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return digest.hexdigest()


def canonical_rows(connection: sqlite3.Connection) -> Iterator[list[Any]]:
    """Yield the rows that the dump is made of: first events, then incidents, then decisions."""
    hidden = hidden_batches(connection)
    query = f"{_EVENTS} WHERE {visible_event(1)} ORDER BY s.text, k.ext_id, e.seq, e.at, e.hash"
    for row in connection.execute(query, (hidden,)):
        plain = list(row)
        plain[_STAGE_OF_EVENT] = STAGES[row[_STAGE_OF_EVENT]]
        yield ["event", *plain]
    for row in connection.execute(_INCIDENTS):
        plain = list(row)
        plain[_STAGE_OF_INCIDENT] = STAGES[row[_STAGE_OF_INCIDENT]]
        plain[_RULE] = RULES[row[_RULE]]
        yield ["incident", *plain]
    for row in dump_decisions(connection):
        yield ["decision", *row]
