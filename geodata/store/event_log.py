"""The append-only events of a city, in batches that become visible as a whole."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geodata.store.database import ROWS_A_STATEMENT, Database, insert_rows, raise_revision
from geodata.store.event_rows import NO_PLACE, NO_TEXT, EventRows

# A transaction of this size holds the lock for some 0.1 s, so that live feeds go on beside a load.
ROWS_A_TRANSACTION = 8_000
INCIDENTS_A_TRANSACTION = 2_000
LIVE_BATCH = 0
NO_BATCH = -1
NOTHING_HIDDEN = "[]"  # what `hidden_batches` answers then
LOADING, IN, WITHDRAWN = 0, 1, 2


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
    with database.read() as connection:
        incidents = read_batch_incidents(connection, batch)
    # In steps, so that a feed beside it never waits for long.
    with database.series() as series:
        for start in range(0, len(incidents), INCIDENTS_A_TRANSACTION):
            with series.transaction() as connection:
                part = incidents[start : start + INCIDENTS_A_TRANSACTION].tolist()
                _drop_events(connection, batch, part)
            series.breathe()
        while True:
            with series.transaction() as connection:
                if not _drop_records(connection, batch):
                    break
        with series.transaction() as connection:
            for table in ("event_copy", "batch_part", "batch"):
                connection.execute(f"DELETE FROM {table} WHERE batch = ?", (batch,))  # noqa: S608


def _drop_events(connection: sqlite3.Connection, batch: int, incidents: list[int]) -> None:
    """Remove the events of a batch that tell of these incidents."""
    rows = connection.execute(
        "SELECT inc, seq, at, hash, (SELECT c.batch FROM event_copy c"
        " LEFT JOIN batch b ON b.batch = c.batch WHERE c.inc = event.inc"
        " AND c.seq = event.seq AND c.at = event.at AND c.hash = event.hash"
        " AND c.batch <> event.batch ORDER BY c.batch > 0 AND ifnull(b.state, 0) <> ?, c.batch"
        " LIMIT 1) FROM event WHERE inc IN (SELECT value FROM json_each(?)) AND batch = ?",
        (IN, orjson.dumps(incidents).decode(), batch),
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


def _drop_records(connection: sqlite3.Connection, batch: int) -> bool:
    """Remove some records of a batch; tell whether there may be more."""
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
    order = _order_by_id(rows)
    with database.series() as series:
        for start in range(0, len(order), ROWS_A_TRANSACTION):
            part = order[start : start + ROWS_A_TRANSACTION]
            with series.transaction() as connection:
                incidents, _ = _append_part(database, connection, rows, part, batch, received)
                _note_part(connection, batch, incidents)
            yield start + len(part)
            series.breathe()


def append_live(
    database: Database, connection: sqlite3.Connection, rows: EventRows, *, received: int
) -> tuple[set[int], int]:
    """
    Append live events inside the caller's transaction; return their incidents and how many are new.

    The caller refolds those incidents and raises the revision in the same transaction.
    """
    incidents, added = _append_part(
        database, connection, rows, _order_by_id(rows), LIVE_BATCH, received
    )
    return set(incidents.tolist()), added


def _order_by_id(rows: EventRows) -> NDArray[np.int64]:
    """Return the rows ordered by their ids' text, so that new ones lie side by side on the disk."""
    rank = np.empty(len(rows.ids.texts), np.int64)
    by_text = sorted(range(len(rank)), key=rows.ids.texts.__getitem__)
    rank[np.array(by_text, np.int64)] = np.arange(len(rank))
    return np.argsort(rank[rows.ids.code], kind="stable")


def _append_part(
    database: Database,
    connection: sqlite3.Connection,
    rows: EventRows,
    part: NDArray[np.int64],
    batch: int,
    received: int,
) -> tuple[NDArray[np.int64], int]:
    """Append some rows; return the incidents they tell of, ascending, and how many are new."""
    # STEP 1: numbers for texts
    (source,) = database.intern(connection, "source", [rows.source])
    codes, ids = rows.ids.used(part)
    numbers = _intern_ids(connection, source, ids)
    inc = numbers[np.searchsorted(codes, rows.ids.code[part])]
    # STEP 2: events in the order of their key
    order = np.lexsort((rows.hash[part], rows.at[part], rows.seq[part], inc))
    part, inc = part[order], inc[order]
    key = [values.tolist() for values in (inc, rows.seq[part], rows.at[part], rows.hash[part])]
    body = _terms_of(database, connection, "body", rows.body.used(part), rows.body.code[part])
    columns: dict[str, list[Any] | int | None] = {
        **dict(zip(_EVENT_KEY, key, strict=True)),
        "stage": rows.stage[part].tolist(),
        "received": received,
        "batch": batch,
        "version": rows.version[part].tolist() if rows.version[part].any() else 0,
        "due": _or_none(rows.due[part], 0),
        "body": body,
        "reason": rows.reason.cells(part) if (rows.reason.code[part] != NO_TEXT).any() else None,
    }
    added = _insert_columns(connection, "event", columns)
    if added < len(part):
        connection.executemany(
            "INSERT INTO event_copy SELECT ?, inc, seq, at, hash FROM event WHERE inc = ?"
            " AND seq = ? AND at = ? AND hash = ? AND batch <> ? ON CONFLICT DO NOTHING",
            [(batch, *row, batch) for row in zip(*key, strict=True)],
        )
    # STEP 3: what some of them carry
    told = np.flatnonzero(rows.has_payload[part])
    if len(told):
        _append_payloads(database, connection, rows, part[told], inc[told])
    return np.unique(inc), added


def _append_payloads(
    database: Database,
    connection: sqlite3.Connection,
    rows: EventRows,
    part: NDArray[np.int64],
    inc: NDArray[np.int64],
) -> None:
    order = np.lexsort((rows.hash[part], inc))
    part, inc = part[order], inc[order]
    columns = {
        "inc": inc.tolist(),
        "hash": rows.hash[part].tolist(),
        "x": _or_none(rows.x[part], NO_PLACE),
        "y": _or_none(rows.y[part], NO_PLACE),
        "kind": _terms_of(database, connection, "kind", rows.kind.used(part), rows.kind.code[part]),
        "attributes": rows.attributes.cells(part),
    }
    _insert_columns(connection, "payload", columns)


_EVENT_KEY = ("inc", "seq", "at", "hash")


def _insert_columns(
    connection: sqlite3.Connection, table: str, columns: dict[str, list[Any] | int | None]
) -> int:
    """
    Insert rows given as columns a hundred to a statement; return how many were not there yet.

    A column that is no list has one value for every row, bound once a statement.
    """
    before = connection.total_changes
    fixed = [value for value in columns.values() if not isinstance(value, list)]
    lists = [value for value in columns.values() if isinstance(value, list)]
    bound = iter(range(1, len(fixed) + 1))
    one = ", ".join("?" if isinstance(value, list) else f"?{next(bound)}" for value in columns.values())
    rows = len(lists[0])
    flat = list(chain.from_iterable(zip(*lists, strict=True)))
    begin = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608
    step = ROWS_A_STATEMENT * len(lists)
    for start in range(0, len(flat), step):
        cells = flat[start : start + step]
        marks = _marks(one, len(fixed), len(cells) // len(lists))
        connection.execute(f"{begin}{marks} ON CONFLICT DO NOTHING", [*fixed, *cells])
    assert rows * len(lists) == len(flat)
    return connection.total_changes - before


def _terms_of(
    database: Database,
    connection: sqlite3.Connection,
    sort: str,
    used: tuple[NDArray[np.int64], list[str]],
    code: NDArray[np.int64],
) -> list[int | None] | None:
    """Return the numbers of a column of texts, None for no text; None alone where all are none."""
    codes, texts = used
    if not texts:
        return None
    terms = np.array([*database.intern(connection, sort, texts), 0], np.int64)
    place = np.where(code == NO_TEXT, len(texts), np.searchsorted(codes, code))
    return _or_none(terms[place], 0)


def _or_none(values: NDArray[np.int64], empty: int) -> list[int | None]:
    cells: list[int | None] = values.tolist()
    return [None if cell == empty else cell for cell in cells] if (values == empty).any() else cells


def _intern_ids(connection: sqlite3.Connection, source: int, ids: list[str]) -> NDArray[np.int64]:
    """Return the incident of each id of a source, numbering new ones in the order given."""
    listed = orjson.dumps(ids).decode()
    found = dict(
        connection.execute(
            "SELECT ext_id, inc FROM incident_key WHERE source = ?"
            " AND ext_id IN (SELECT value FROM json_each(?))",
            (source, listed),
        ).fetchall()
    )
    new = [ext_id for ext_id in ids if ext_id not in found]
    if new:
        # The writer's lock is held: nobody else gives numbers now.
        (last,) = connection.execute("SELECT ifnull(max(inc), 0) FROM incident_key").fetchone()
        given = range(last + 1, last + 1 + len(new))
        _insert_columns(
            connection,
            "incident_key",
            {"inc": list(given), "source": source, "ext_id": list(new)},
        )
        found.update(zip(new, given, strict=True))
    return np.array([found[ext_id] for ext_id in ids], np.int64)


# --- which incidents a batch tells of -----------------------------------------------------------


def _note_part(connection: sqlite3.Connection, batch: int, incidents: NDArray[np.int64]) -> None:
    """
    Note which incidents one transaction of a batch told of.

    An index of the events by batch would say the same and take as much room as the events.
    """
    steps = np.diff(incidents, prepend=0).astype("<i8")
    connection.execute(
        "INSERT INTO batch_part (batch, part, incidents) VALUES (?1,"
        " (SELECT count(*) FROM batch_part WHERE batch = ?1), ?2)",
        (batch, zlib.compress(steps.tobytes(), 1)),
    )


def read_batch_incidents(connection: sqlite3.Connection, batch: int) -> NDArray[np.int64]:
    """Return the incidents that a batch tells of, ascending."""
    parts = [
        np.cumsum(np.frombuffer(zlib.decompress(row[0]), "<i8"))
        for row in connection.execute("SELECT incidents FROM batch_part WHERE batch = ?", (batch,))
    ]
    if parts:
        return np.unique(np.concatenate(parts))
    # A batch from before parts were noted: its events have to be looked through.
    rows = connection.execute(
        "SELECT inc FROM event WHERE batch = ?1 AND ?1 > 0"
        " UNION SELECT inc FROM event_copy WHERE batch = ?1 ORDER BY 1",
        (batch,),
    )
    return np.array([row[0] for row in rows], np.int64)


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
