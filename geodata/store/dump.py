"""The canonical dump: what a store says, whatever the order and the files it came by."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.events.incidents import STAGES
from geodata.ownership import RULES
from geodata.store.database import read_terms
from geodata.store.decisions import dump_decisions
from geodata.store.event_columns import hidden_batches, visible_event
from geodata.store.event_rows import NO_PLACE
from geodata.store.incident_rows import INCIDENT_COLUMNS
from geodata.store.long_columns import (
    cut_incidents,
    join_columns,
    read_columns,
    read_texts,
)

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


class IncidentDigest:
    """
    Digests of tables of derived incidents, as columns: millions in seconds.

    They say what the incidents' part of the canonical dump says, in its order: texts instead of
    interned numbers, no revision.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        sources = read_terms(connection, "source")
        self._terms = {sort: read_terms(connection, sort) for sort in ("kind", "body")}
        ids: list[str | None] = []
        parts = []
        for ends in pairwise(cut_incidents(connection)):
            among = "FROM incident_key WHERE inc >= ?1 AND inc < ?2 ORDER BY inc"
            ids += read_texts(connection, f"SELECT ext_id AS c0 {among}", ends)
            parts.append(read_columns(connection, f"SELECT inc AS c0, source AS c1 {among}", ends))
        self._incidents, source = join_columns(parts)
        by_name = {
            term: place
            for place, (_, term) in enumerate(
                sorted((text, term) for term, text in sources.items())
            )
        }
        rank = np.array([by_name[term] for term in source.tolist()], np.int64)
        keys = pa.table({"source": rank, "id": pa.array(ids, pa.string())})
        self._order = pc.sort_indices(
            keys, sort_keys=[("source", "ascending"), ("id", "ascending")]
        ).to_numpy()
        self._place = np.empty(len(self._order), np.int64)
        self._place[self._order] = np.arange(len(self._order))
        self._head = hashlib.sha256()
        names = [text for text, _ in sorted((text, term) for term, text in sources.items())]
        self._head.update(orjson.dumps([names, STAGES, RULES]))
        self._ids = keys["id"]

    def of(self, columns: Mapping[str, NDArray[Any]]) -> str:
        """Return the SHA-256, as hexadecimal text, of a table of derived incidents."""
        digest = self._head.copy()
        rows = np.searchsorted(self._incidents, columns["inc"])
        order = np.argsort(self._place[rows], kind="stable")
        told = pa.chunked_array([self._ids.take(pa.array(rows[order])).combine_chunks()])
        for chunk in told.chunks:
            for part in chunk.buffers()[1:]:  # where each id ends, and all of them
                digest.update(part)
        for name in INCIDENT_COLUMNS:
            if name in ("inc", "rev", "source"):
                continue
            values = columns[name][order]
            if name in self._terms:
                numbers, values = np.unique(values, return_inverse=True)
                texts = [self._terms[name].get(number, "") for number in numbers.tolist()]
                by_text = np.argsort(np.array(texts, object), kind="stable")
                place = np.empty(len(by_text), np.int64)
                place[by_text] = np.arange(len(by_text))
                values = place[values]
                digest.update(orjson.dumps(sorted(texts)))
            elif values.dtype.kind == "f":
                values = np.where(np.isnan(values), NO_PLACE, values)
            digest.update(np.ascontiguousarray(values, "<i8").data)
        return digest.hexdigest()
