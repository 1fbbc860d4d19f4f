"""The append-only events of a city, in batches that become visible as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geodata.store.database import Database, insert_rows, raise_revision

# A transaction of this size holds the lock for some 0.1 s, so that live feeds go on beside a load.
ROWS_A_TRANSACTION = 8_000
LIVE_BATCH = 0
NO_BATCH = -1
NOTHING_HIDDEN = "[]"  # what `hidden_batches` answers then
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
    """
    Remove a batch that no reader sees (being loaded, or withdrawn), and all that is only its own.

    An event that stands in another batch too becomes that one's.
    """
    # In steps, so that a feed beside it never waits for long.
    while _drop_events(database, batch) or _drop_records(database, batch):
        pass
    with database.transaction() as connection:
        connection.execute("DELETE FROM event_copy WHERE batch = ?", (batch,))
        connection.execute("DELETE FROM batch WHERE batch = ?", (batch,))


def _drop_events(database: Database, batch: int) -> bool:
    """Remove some events of a batch; tell whether there may be more."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT inc, seq, at, hash, (SELECT c.batch FROM event_copy c"
            " LEFT JOIN batch b ON b.batch = c.batch WHERE c.inc = event.inc"
            " AND c.seq = event.seq AND c.at = event.at AND c.hash = event.hash"
            " AND c.batch <> event.batch ORDER BY c.batch > 0 AND ifnull(b.state, 0) <> ?, c.batch"
            " LIMIT 1) FROM event WHERE batch = ? AND batch > 0 LIMIT ?",
            (IN, batch, ROWS_A_TRANSACTION),
        ).fetchall()
        event = "inc = ? AND seq = ? AND at = ? AND hash = ?"
        inherited = [row for row in rows if row[4] is not None]
        connection.executemany(
            f"UPDATE event SET batch = ? WHERE {event}",  # noqa: S608
            [(row[4], *row[:4]) for row in inherited],
        )
        connection.executemany(
            f"DELETE FROM event_copy WHERE batch = ? AND {event}",  # noqa: S608
            [(row[4], *row[:4]) for row in inherited],
        )
        gone = [row[:4] for row in rows if row[4] is None]
        connection.executemany(f"DELETE FROM event WHERE {event}", gone)  # noqa: S608
        connection.executemany(
            "DELETE FROM payload WHERE inc = ?1 AND hash = ?2"
            " AND NOT EXISTS (SELECT 1 FROM event WHERE inc = ?1 AND hash = ?2)",
            {(row[0], row[3]) for row in gone},
        )
        connection.executemany(
            "DELETE FROM incident_key WHERE inc = ?1"
            " AND NOT EXISTS (SELECT 1 FROM event WHERE inc = ?1)"
            # A number given anew would hand what was decided to another incident.
            " AND NOT EXISTS (SELECT 1 FROM decision WHERE inc = ?1)",
            {(row[0],) for row in gone},
        )
    return len(rows) == ROWS_A_TRANSACTION


def _drop_records(database: Database, batch: int) -> bool:
    with database.transaction() as connection:
        gone = connection.execute(
            "DELETE FROM record WHERE (sort, id, valid_from, batch) IN (SELECT sort, id,"
            " valid_from, batch FROM record WHERE batch = ? LIMIT ?)",
            (batch, ROWS_A_TRANSACTION),
        ).rowcount
    return gone == ROWS_A_TRANSACTION


def clear_broken_batches(database: Database) -> int:
    """Remove what a killed load or withdrawal left behind; return how many batches that were."""
    with database.read() as connection:
        rows = connection.execute("SELECT batch FROM batch WHERE state <> ?", (IN,)).fetchall()
    for (batch,) in rows:
        drop_batch(database, batch)
    return len(rows)


def mark_withdrawn(connection: sqlite3.Connection, batch: int) -> None:
    """Hide a visible batch inside the caller's transaction; `drop_batch` then removes it."""
    connection.execute("UPDATE batch SET state = ? WHERE batch = ?", (WITHDRAWN, batch))


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
) -> tuple[set[int], int]:
    """Append some rows; return the incidents they tell of and how many rows are new."""
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
    return {row[0] for row in events}, added


def append_live(
    database: Database, connection: sqlite3.Connection, rows: EventRows, *, received: int
) -> tuple[set[int], int]:
    """
    Append live events inside the caller's transaction; return their incidents and how many are new.

    The caller refolds those incidents and raises the revision in the same transaction.
    """
    return _append_part(database, connection, rows, list(range(len(rows))), LIVE_BATCH, received)


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


def hidden_batches(
    connection: sqlite3.Connection, *, shown: int = NO_BATCH, left_out: int = NO_BATCH
) -> str:
    """Return the batches that a reader does not see, as JSON for `visible_event`."""
    rows = connection.execute(
        "SELECT batch FROM batch WHERE batch = ?1 OR (state <> ?2 AND batch <> ?3)",
        (left_out, IN, shown),
    )
    return orjson.dumps([row[0] for row in rows]).decode()


def visible_event(place: int) -> str:
    """Return the SQL condition that event `e` is in a batch not hidden; `place` of its argument."""
    listed = f"IN (SELECT value FROM json_each(?{place}))"  # noqa: S608
    return (
        f"(e.batch NOT {listed} OR EXISTS (SELECT 1 FROM event_copy o WHERE o.inc = e.inc"  # noqa: S608
        f" AND o.seq = e.seq AND o.at = e.at AND o.hash = e.hash AND o.batch NOT {listed}))"
    )


def read_event_columns(
    connection: sqlite3.Connection,
    *,
    with_batch: int = NO_BATCH,
    without_batch: int = NO_BATCH,
    only: Sequence[int] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """
    Return the columns of every visible event, grouped by incident, as int64 arrays.

    With `only` the events of those incidents alone.

    `with_batch` is seen although it is not visible yet, `without_batch` is not although it still
    is: the fold that will show or hide it needs that.
    """
    hidden = hidden_batches(connection, shown=with_batch, left_out=without_batch)
    names = ("inc", "seq", "at", "hash", "stage", "version", "due", "body", "has_place", "has_kind")
    rows = connection.execute(
        "SELECT e.inc, e.seq, e.at, e.hash, e.stage, e.version, ifnull(e.due, 0),"  # noqa: S608
        " ifnull(e.body, 0), p.x IS NOT NULL, p.kind IS NOT NULL"
        " FROM event e LEFT JOIN payload p ON p.inc = e.inc AND p.hash = e.hash"
        f" WHERE {visible_event(1)} AND {_among('e.inc', only, 2)}"
        " ORDER BY e.inc, e.seq, e.at, e.hash",
        (hidden, _listed(only)),
    ).fetchall()
    table = np.array(rows, np.int64).reshape(-1, len(names))
    return {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(names)}


def _among(column: str, only: Sequence[int] | None, place: int) -> str:
    """Return the SQL condition that a column is in the list given as that argument."""
    if only is None:
        return f"?{place} IS NULL"
    return f"{column} IN (SELECT value FROM json_each(?{place}))"  # noqa: S608


def _listed(only: Sequence[int] | None) -> str | None:
    return None if only is None else orjson.dumps([int(inc) for inc in only]).decode()


def read_payloads(
    connection: sqlite3.Connection, *, only: Sequence[int] | None = None
) -> dict[str, NDArray[Any]]:
    """Return place and kind of every payload: inc, hash, x, y (mm, NaN for none), kind (0 none)."""
    rows = connection.execute(
        "SELECT inc, hash, x, y, ifnull(kind, 0) FROM payload"  # noqa: S608
        f" WHERE {_among('inc', only, 1)} ORDER BY inc, hash",
        (_listed(only),),
    ).fetchall()
    columns: list[Any] = [*zip(*rows, strict=True)] if rows else [()] * 5
    return {
        "inc": np.array(columns[0], np.int64),
        "hash": np.array(columns[1], np.int64),
        "x": np.array(columns[2], np.float64),
        "y": np.array(columns[3], np.float64),
        "kind": np.array(columns[4], np.int64),
    }


def read_outcome(connection: sqlite3.Connection, batch: int) -> dict[str, Any]:
    """
    Return what became of a visible batch.

    `events` and `reports` it was the first to bring (all stages, and the reported ones alone);
    of the incidents it tells of: `rules` by ownership rule code, `near_line`, and `conflicts`,
    those with several contents of one event.
    """
    events, reports = connection.execute(
        "SELECT count(*), ifnull(sum(stage = 0), 0) FROM event WHERE batch = ?", (batch,)
    ).fetchone()
    told = (
        "SELECT rule, near_line, flags & 1 FROM incident WHERE inc IN (SELECT inc FROM event"
        " WHERE batch = ?1 UNION SELECT inc FROM event_copy WHERE batch = ?1)"
    )
    rules: dict[int, int] = {}
    near_line = conflicts = 0
    for rule, near, conflict in connection.execute(told, (batch,)):
        rules[rule] = rules.get(rule, 0) + 1
        near_line += near
        conflicts += conflict
    return {
        "events": events,
        "reports": reports,
        "rules": dict(sorted(rules.items())),
        "near_line": near_line,
        "conflicts": conflicts,
    }


def read_as_of(connection: sqlite3.Connection) -> int:
    """Return when the newest visible data came in (UTC s), 0 for an empty store."""
    row = connection.execute(
        "SELECT max(ifnull((SELECT max(at) FROM batch WHERE state = ?), 0),"
        " ifnull((SELECT max(received) FROM event WHERE batch = 0), 0))",
        (IN,),  # 0 is LIVE_BATCH, in so many words: SQLite uses the index of live events only then
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
