"""The append-only events of a city, in batches that become visible as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from itertools import repeat
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geodata.audit.log import CONSOLE, write_entry
from geodata.store.batch_parts import note_part, note_source, read_batch_incidents
from geodata.store.database import Database, raise_revision
from geodata.store.event_cells import EventCells, make_ahead, make_cells, or_none
from geodata.store.event_rows import NO_TEXT, EventRows
from geodata.store.room import check_room
from geodata.store.rows import insert_columns

# Transactions of these sizes hold the lock for some 0.1 s, so that live feeds go on beside a load.
ROWS_A_TRANSACTION = 10_000
EVENTS_A_TRANSACTION = 25_000
INCIDENTS_A_TRANSACTION = 2_000
LIVE_BATCH = 0
NO_BATCH = -1
LOADING, IN, WITHDRAWN = 0, 1, 2


def open_batch(
    database: Database, what: str, *, file: str, at: int, file_hash: bytes | None = None
) -> int:
    """
    Start a batch that no reader sees yet; return its number.

    Raises StoreFull where the disk has not room for twice the store.
    """
    check_room(database.path.parent, database.path)
    with database.transaction() as connection:
        return add_batch(connection, what, file=file, at=at, file_hash=file_hash)


def add_batch(
    connection: sqlite3.Connection, what: str, *, file: str, at: int, file_hash: bytes | None
) -> int:
    """Start a batch inside the caller's transaction; return its number."""
    cursor = connection.execute(
        "INSERT INTO batch (what, file, file_hash, at, state) VALUES (?, ?, ?, ?, ?)",
        (what, file, file_hash, at, LOADING),
    )
    return int(cursor.lastrowid or 0)


@contextmanager
def filling(
    database: Database, what: str, *, file: str, at: int, file_hash: bytes | None = None
) -> Iterator[int]:
    """
    Yield a new batch, which is dropped whole when what fills it is refused or stopped.

    One that has become visible by then stays: who stops a load a moment too late has loaded it.
    """
    batch = open_batch(database, what, file=file, at=at, file_hash=file_hash)
    with ExitStack() as undo:
        undo.callback(_drop_unseen, database, batch)
        yield batch
        undo.pop_all()


def _drop_unseen(database: Database, batch: int) -> None:
    with database.read() as connection:
        found = connection.execute("SELECT state FROM batch WHERE batch = ?", (batch,)).fetchone()
    if found == (LOADING,):
        drop_batch(database, batch)


def close_batch(database: Database, batch: int, *, rows: int, report: dict[str, Any]) -> int:
    """Make the whole batch visible in one small transaction; return the new revision."""
    with database.transaction() as connection:
        mark_batch(connection, batch, rows=rows, report=report)
        return raise_revision(connection)


def mark_batch(
    connection: sqlite3.Connection, batch: int, *, rows: int, report: dict[str, Any]
) -> None:
    """Mark a batch visible inside the caller's transaction, and log who loaded it."""
    connection.execute(
        "UPDATE batch SET state = ?, rows = ?, report = ? WHERE batch = ?",
        (IN, rows, orjson.dumps(report).decode(), batch),
    )
    what, file, file_hash, at = connection.execute(
        "SELECT what, file, file_hash, at FROM batch WHERE batch = ?", (batch,)
    ).fetchone()
    detail = {"batch": batch, "what": what, "sha": file_hash.hex() if file_hash else ""}
    write_entry(
        connection,
        account=str(report.get("account") or CONSOLE),
        act="batch.load",
        target=file,
        n=rows,
        at=at,
        detail=detail,
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
            for table in ("event_copy", "batch_part", "source_batch", "batch"):
                connection.execute(f"DELETE FROM {table} WHERE batch = ?", (batch,))  # noqa: S608


def _drop_events(connection: sqlite3.Connection, batch: int, incidents: list[int]) -> None:
    """Remove the events of a batch that tell of these incidents."""
    listed = orjson.dumps(incidents).decode()
    # Few events stand in two batches: where none does, nobody asks each one.
    if connection.execute("SELECT 1 FROM event_copy LIMIT 1").fetchone():
        _hand_over(connection, batch, listed)
    among = "inc IN (SELECT value FROM json_each(?1))"
    connection.execute(f"DELETE FROM event WHERE {among} AND batch = ?2", (listed, batch))  # noqa: S608
    connection.execute(
        f"DELETE FROM payload WHERE {among} AND NOT EXISTS"  # noqa: S608
        " (SELECT 1 FROM event e WHERE e.inc = payload.inc AND e.hash = payload.hash)",
        (listed,),
    )
    connection.execute(
        f"DELETE FROM incident_key WHERE {among}"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM event e WHERE e.inc = incident_key.inc)"
        # A number given anew would hand what was decided to another incident.
        " AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.inc = incident_key.inc)",
        (listed,),
    )


def _hand_over(connection: sqlite3.Connection, batch: int, listed: str) -> None:
    """Make the events of a batch that stand in another one too that one's."""
    rows = connection.execute(
        "SELECT inc, seq, at, hash, (SELECT c.batch FROM event_copy c"
        " LEFT JOIN batch b ON b.batch = c.batch WHERE c.inc = event.inc"
        " AND c.seq = event.seq AND c.at = event.at AND c.hash = event.hash"
        " AND c.batch <> event.batch ORDER BY c.batch > 0 AND ifnull(b.state, 0) <> ?, c.batch"
        " LIMIT 1) AS other FROM event WHERE inc IN (SELECT value FROM json_each(?)) AND batch = ?"
        " AND other NOT NULL",
        (IN, listed, batch),
    ).fetchall()
    event = "inc = ? AND seq = ? AND at = ? AND hash = ?"
    inherited = [(row[4], *row[:4]) for row in rows]
    connection.executemany(f"UPDATE event SET batch = ? WHERE {event}", inherited)  # noqa: S608
    connection.executemany(
        f"DELETE FROM event_copy WHERE batch = ? AND {event}",  # noqa: S608
        inherited,
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
) -> Generator[int]:
    """
    Append events in small transactions; yield the rows done so far.

    An event that is there already adds nothing; its second batch is remembered.
    """
    with database.read() as connection:
        numbers = _find_ids(connection, rows)
    order = _order_rows(rows, numbers)
    parts = [
        order[start : start + EVENTS_A_TRANSACTION]
        for start in range(0, len(order), EVENTS_A_TRANSACTION)
    ]
    done = 0
    with database.series() as series:
        for cells in make_ahead(rows, parts):
            with series.transaction() as connection:
                incidents, _ = _append_part(
                    database, connection, rows, cells, numbers, batch=batch, received=received
                )
                note_part(connection, batch, incidents)
                note_source(database, connection, batch, rows.source)
            done += len(cells.part)
            yield done
            series.breathe()


def append_live(
    database: Database, connection: sqlite3.Connection, rows: EventRows, *, received: int
) -> tuple[set[int], int]:
    """
    Append live events inside the caller's transaction; return their incidents and how many are new.

    The caller refolds those incidents and raises the revision in the same transaction.
    """
    numbers = _find_ids(connection, rows)
    order = _order_rows(rows, numbers)
    incidents, added = _append_part(
        database,
        connection,
        rows,
        make_cells(rows, order),
        numbers,
        batch=LIVE_BATCH,
        received=received,
    )
    return set(incidents.tolist()), added


def _find_ids(connection: sqlite3.Connection, rows: EventRows) -> NDArray[np.int64]:
    """Return the incident of each of the rows' ids, 0 for one that is not known yet."""
    found = dict(
        connection.execute(
            "SELECT ext_id, inc FROM incident_key WHERE source ="
            " (SELECT term FROM term WHERE sort = 'source' AND text = ?)"
            " AND ext_id IN (SELECT value FROM json_each(?))",
            (rows.source, orjson.dumps(rows.ids.texts).decode()),
        ).fetchall()
    )
    if not found:
        return np.zeros(len(rows.ids.texts), np.int64)
    return np.array(list(map(found.get, rows.ids.texts, repeat(0))), np.int64)


def _order_rows(rows: EventRows, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows by incident, new ones last and by their ids: as they lie on the disk."""
    new = np.flatnonzero(numbers == 0).tolist()
    rank = numbers.copy()
    rank[sorted(new, key=rows.ids.texts.__getitem__)] = np.arange(len(new)) + _NEW
    return np.argsort(rank[rows.ids.code], kind="stable")


_NEW = 2**62


def _append_part(
    database: Database,
    connection: sqlite3.Connection,
    rows: EventRows,
    cells: EventCells,
    numbers: NDArray[np.int64],
    *,
    batch: int,
    received: int,
) -> tuple[NDArray[np.int64], int]:
    """
    Append some rows; return the incidents they tell of, ascending, and how many are new.

    `numbers` holds the incident of each id; those of new ones are written into it.
    """
    # STEP 1: numbers for texts
    codes = rows.ids.code[cells.part]
    new = np.unique(codes[numbers[codes] == 0]).tolist()
    if new:
        (source,) = database.intern(connection, "source", [rows.source])
        new.sort(key=rows.ids.texts.__getitem__)
        numbers[new] = _intern_ids(connection, source, [rows.ids.texts[code] for code in new])
    inc = numbers[codes]
    if (inc[1:] < inc[:-1]).any():  # another process has numbered some: as they lie on the disk
        order = np.argsort(inc, kind="stable")
        cells, inc = make_cells(rows, cells.part[order]), inc[order]
    # STEP 2: events side by side
    part = cells.part
    columns: dict[str, list[Any] | int | None] = {
        "inc": inc.tolist(),
        **cells.event,
        "received": received,
        "batch": batch,
        "body": _terms_of(database, connection, "body", rows.body.used(part), rows.body.code[part]),
    }
    added = insert_columns(connection, "event", columns)
    if added < len(part):
        connection.executemany(
            "INSERT INTO event_copy SELECT ?, inc, seq, at, hash FROM event WHERE inc = ?"
            " AND seq = ? AND at = ? AND hash = ? AND batch <> ? ON CONFLICT DO NOTHING",
            [
                (batch, *row, batch)
                for row in zip(*(columns[name] for name in _EVENT_KEY), strict=True)
            ],
        )
    # STEP 3: what some of them carry
    if len(cells.told):
        telling = part[cells.told]
        kinds = rows.kind.used(telling), rows.kind.code[telling]
        payload = {
            "inc": inc[cells.told].tolist(),
            **cells.payload,
            "kind": _terms_of(database, connection, "kind", *kinds),
        }
        insert_columns(connection, "payload", payload)
    return np.unique(inc), added


_EVENT_KEY = ("inc", "seq", "at", "hash")


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
    return or_none(terms[place], 0)


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
        insert_columns(
            connection,
            "incident_key",
            {"inc": list(given), "source": source, "ext_id": list(new)},
        )
        found.update(zip(new, given, strict=True))
    return np.array([found[ext_id] for ext_id in ids], np.int64)
