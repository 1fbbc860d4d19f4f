"""How the files of each department are read: saved with a load, applied at the next."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.store.event_log import IN


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBatch:
    """One load that is visible: what kind of rows it brought, from which file, when, how many."""

    batch: int
    what: str
    file: str
    at: int
    rows: int


def save_mapping(
    connection: sqlite3.Connection,
    source: str,
    kind: str,
    options: dict[str, Any],
    *,
    account: str,
    at: int,
) -> None:
    """Remember inside the caller's transaction how a source's files of one kind are read."""
    connection.execute(
        "INSERT OR REPLACE INTO mapping (source, kind, options, at, account)"
        " VALUES (?, ?, ?, ?, ?)",
        (source, kind, orjson.dumps(options).decode(), at, account),
    )


def find_mapping(connection: sqlite3.Connection, source: str, kind: str) -> dict[str, Any]:
    """Return how a source's files of one kind were read the last time; empty for never."""
    row = connection.execute(
        "SELECT options FROM mapping WHERE source = ? AND kind = ?", (source, kind)
    ).fetchone()
    return {} if row is None else dict(orjson.loads(row[0]))


def was_withdrawn(connection: sqlite3.Connection, batch: int) -> bool:
    """Tell whether a batch was withdrawn, as the log says, and no later one has its number."""
    return bool(
        connection.execute(
            "SELECT NOT EXISTS (SELECT 1 FROM batch WHERE batch = ?1 AND state = ?2) AND EXISTS"
            " (SELECT 1 FROM audit WHERE act = 'batch.withdraw' AND target = ?3)",
            (batch, IN, str(batch)),
        ).fetchone()[0]
    )


def list_batches(connection: sqlite3.Connection, *, most: int) -> tuple[list[LoadedBatch], int]:
    """Return the newest visible loads of files and how many there are."""
    total = connection.execute("SELECT count(*) FROM batch WHERE state = ?", (IN,)).fetchone()[0]
    rows = connection.execute(
        "SELECT batch, what, file, at, coalesce(json_extract(report, '$.accepted'), rows)"
        " FROM batch WHERE state = ? ORDER BY batch DESC LIMIT ?",
        (IN, most),
    )
    return [
        LoadedBatch(batch=batch, what=what, file=file, at=at, rows=rows)
        for batch, what, file, at, rows in rows
    ], int(total)
