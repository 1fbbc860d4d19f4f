"""The visible events of a city read back as columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geodata.store.event_log import IN, NO_BATCH

NOTHING_HIDDEN = "[]"  # what `hidden_batches` answers then


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
