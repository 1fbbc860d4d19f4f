"""Which incidents a batch tells of, and of which sources it brings events."""

from __future__ import annotations

import sqlite3
import zlib

import numpy as np
from numpy.typing import NDArray

from geodata.store.database import Database


def note_part(connection: sqlite3.Connection, batch: int, incidents: NDArray[np.int64]) -> None:
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


def note_source(
    database: Database, connection: sqlite3.Connection, batch: int, source: str
) -> None:
    """Note that a batch brings events of a source."""
    connection.execute(
        "INSERT INTO source_batch (source, batch) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (*database.intern(connection, "source", [source]), batch),
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
