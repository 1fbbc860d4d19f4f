"""The append-only events of a city, in batches that become visible as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geodata.store.database import Database, insert_rows, raise_revision

# A transaction of this size holds the lock for some 0.1 s, so that live feeds go on beside a load.
ROWS_A_TRANSACTION = 8_000
LIVE_BATCH = 0
LOADING, IN, WITHDRAWN = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRows:
    """
    Events ready to append, one array entry each; times UTC seconds, places whole millimetres.

    `attributes` is canonical JSON or None; `hash` identifies the payload (contracts.md 4).
    A row with `placed` false and kind "" carries no payload.
    """

    source: str
    ids: list[str]
    seq: list[int]
    at: list[int]
    hash: list[int]
    stage: list[int]
    version: list[int]
    due: list[int | None]
    body: list[str]
    reason: list[str]
    x: list[int | None]
    y: list[int | None]
    kind: list[str]
    attributes: list[str | None]

    def __len__(self) -> int:
        return len(self.ids)


def open_batch(
    database: Database, what: str, *, file: str, at: int, file_hash: bytes | None = None
) -> int:
    """Start a batch that no reader sees yet; return its number."""
    with database.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO batch (what, file, file_hash, at, state) VALUES (?, ?, ?, ?, ?)",
            (what, file, file_hash, at, LOADING),
        )
        return int(cursor.lastrowid or 0)


def close_batch(database: Database, batch: int, *, rows: int, report: dict[str, Any]) -> int:
    """Make the whole batch visible in one small transaction; return the new revision."""
    with database.transaction() as connection:
        mark_batch(connection, batch, rows=rows, report=report)
        return raise_revision(connection)


def mark_batch(
    connection: sqlite3.Connection, batch: int, *, rows: int, report: dict[str, Any]
) -> None:
    """Mark a batch visible inside the caller's transaction."""
    connection.execute(
        "UPDATE batch SET state = ?, rows = ?, report = ? WHERE batch = ?",
        (IN, rows, orjson.dumps(report).decode(), batch),
    )


def drop_batch(database: Database, batch: int) -> None:
    """Remove a batch that was opened and will not be finished."""
    while True:  # in steps, so that a feed beside it never waits for long
        with database.transaction() as connection:
            gone = connection.execute(
                "DELETE FROM event WHERE (inc, seq, at, hash) IN (SELECT inc, seq, at, hash"
                " FROM event WHERE batch = ? AND batch > 0 LIMIT ?)",
                (batch, ROWS_A_TRANSACTION),
            ).rowcount
            if gone < ROWS_A_TRANSACTION:
                connection.execute("DELETE FROM event_copy WHERE batch = ?", (batch,))
                connection.execute("DELETE FROM record WHERE batch = ?", (batch,))
                connection.execute("DELETE FROM batch WHERE batch = ?", (batch,))
                return


def clear_broken_batches(database: Database) -> int:
    """Remove what a killed load left behind; return how many batches that were."""
    with database.read() as connection:
        rows = connection.execute("SELECT batch FROM batch WHERE state = ?", (LOADING,)).fetchall()
    for (batch,) in rows:
        drop_batch(database, batch)
    return len(rows)


def append_events(
    database: Database, rows: EventRows, *, batch: int, received: int
) -> Iterator[int]:
    """
    Append events in small transactions; yield the rows done so far.

    An event that is there already adds nothing; its second batch is remembered.
    """
    order = sorted(range(len(rows)), key=lambda i: rows.ids[i])
    for start in range(0, len(order), ROWS_A_TRANSACTION):
        part = order[start : start + ROWS_A_TRANSACTION]
        with database.transaction() as connection:
            _append_part(database, connection, rows, part, batch, received)
        yield start + len(part)


def _append_part(
    database: Database,
    connection: sqlite3.Connection,
    rows: EventRows,
    part: list[int],
    batch: int,
    received: int,
) -> None:
    (source,) = database.intern(connection, "source", [rows.source])
    keys = _intern_ids(connection, source, sorted({rows.ids[i] for i in part}))
    kinds = database.intern(connection, "kind", [rows.kind[i] for i in part])
    bodies = database.intern(connection, "body", [rows.body[i] for i in part])
    events = []
    payloads = []
    for i, kind, body in zip(part, kinds, bodies, strict=True):
        inc = keys[rows.ids[i]]
        events.append(
            (inc, rows.seq[i], rows.at[i], rows.hash[i], rows.stage[i], received, batch,
             rows.version[i], rows.due[i], body if rows.body[i] else None, rows.reason[i] or None)
        )  # fmt: skip
        if rows.x[i] is not None or rows.kind[i] or rows.attributes[i]:
            payloads.append(
                (inc, rows.hash[i], rows.x[i], rows.y[i], kind if rows.kind[i] else None,
                 rows.attributes[i])
            )  # fmt: skip
    events.sort(key=lambda row: row[:4])
    added = insert_rows(
        connection,
        "INSERT INTO event (inc, seq, at, hash, stage, received, batch, version, due, body,"
        " reason)",
        events,
        tail="ON CONFLICT DO NOTHING",
    )
    if added < len(events):
        connection.executemany(
            "INSERT INTO event_copy SELECT ?, inc, seq, at, hash FROM event WHERE inc = ?"
            " AND seq = ? AND at = ? AND hash = ? AND batch <> ? ON CONFLICT DO NOTHING",
            [(batch, *row[:4], batch) for row in events],
        )
    payloads.sort(key=lambda row: row[:2])
    insert_rows(
        connection,
        "INSERT INTO payload (inc, hash, x, y, kind, attributes)",
        payloads,
        tail="ON CONFLICT DO NOTHING",
    )


def _intern_ids(connection: sqlite3.Connection, source: int, ids: list[str]) -> dict[str, int]:
    insert_rows(
        connection,
        "INSERT INTO incident_key (source, ext_id)",
        [(source, ext_id) for ext_id in ids],
        tail="ON CONFLICT DO NOTHING",
    )
    found = connection.execute(
        "SELECT ext_id, inc FROM incident_key WHERE source = ?"
        " AND ext_id IN (SELECT value FROM json_each(?))",
        (source, orjson.dumps(ids).decode()),
    )
    return dict(found.fetchall())


def read_event_columns(
    connection: sqlite3.Connection, *, with_batch: int = LIVE_BATCH
) -> dict[str, NDArray[np.int64]]:
    """
    Return the columns of every visible event, grouped by incident, as int64 arrays.

    `with_batch` is seen too although it is not visible yet: the fold that will show it needs it.
    """
    names = ("inc", "seq", "at", "hash", "stage", "version", "due", "body", "has_payload")
    rows = connection.execute(
        "SELECT e.inc, e.seq, e.at, e.hash, e.stage, e.version, ifnull(e.due, 0),"
        " ifnull(e.body, 0), p.inc IS NOT NULL"
        " FROM event e LEFT JOIN payload p ON p.inc = e.inc AND p.hash = e.hash"
        " WHERE e.batch NOT IN (SELECT batch FROM batch WHERE state <> ? AND batch <> ?)"
        " ORDER BY e.inc, e.seq, e.at, e.hash",
        (IN, with_batch),
    ).fetchall()
    table = np.array(rows, np.int64).reshape(-1, len(names))
    return {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(names)}


def read_payloads(connection: sqlite3.Connection) -> dict[str, NDArray[Any]]:
    """Return place and kind of every payload: inc, hash, x, y (mm, NaN for none), kind (0 none)."""
    rows = connection.execute(
        "SELECT inc, hash, x, y, ifnull(kind, 0) FROM payload ORDER BY inc, hash"
    ).fetchall()
    columns: list[Any] = [*zip(*rows, strict=True)] if rows else [()] * 5
    return {
        "inc": np.array(columns[0], np.int64),
        "hash": np.array(columns[1], np.int64),
        "x": np.array(columns[2], np.float64),
        "y": np.array(columns[3], np.float64),
        "kind": np.array(columns[4], np.int64),
    }


def read_as_of(connection: sqlite3.Connection) -> int:
    """Return when the newest visible data came in (UTC s), 0 for an empty store."""
    row = connection.execute(
        "SELECT max(ifnull((SELECT max(at) FROM batch WHERE state = ?), 0),"
        " ifnull((SELECT max(received) FROM event WHERE batch = ?), 0))",
        (IN, LIVE_BATCH),
    ).fetchone()
    return int(row[0])


def read_source_ages(connection: sqlite3.Connection, *, now: int) -> list[dict[str, Any]]:
    """
    Return each source with its incidents and the seconds since its data came in.

    The state is "loaded" for what came by files: their age is no fault. Live feeds will have an
    expected interval and be "late" or "out" by it.
    """
    rows = connection.execute(
        "SELECT t.text, count(*) FROM incident i JOIN term t ON t.term = i.source"
        " GROUP BY i.source ORDER BY t.text"
    ).fetchall()
    received = dict(
        connection.execute(
            "SELECT t.text, max(e.received) FROM event e JOIN incident_key k ON k.inc = e.inc"
            " JOIN term t ON t.term = k.source GROUP BY k.source"
        ).fetchall()
    )
    return [
        {
            "source": source,
            "incidents": count,
            "age_s": max(now - received.get(source, now), 0),
            "state": "loaded",
        }
        for source, count in rows
    ]
