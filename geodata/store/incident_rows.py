"""The derived table of incidents: written from a fold, read as columns."""

from __future__ import annotations

import math
import sqlite3
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.store.database import insert_rows

INCIDENT_COLUMNS = (
    "inc", "x", "y", "kind", "body", "stage", "open", "reported_at", "registered_at",
    "dispatched_at", "handled_at", "closed_at", "evaluated_at", "due_at", "clock_from",
    "suspended_since", "source", "returned", "reopened", "flags", "owner", "rule",
    "distance_mm", "near_line", "owner_at_event", "rev",
)  # fmt: skip


def write_incidents(connection: sqlite3.Connection, columns: dict[str, NDArray[Any]]) -> None:
    """
    Replace the whole derived table inside the caller's transaction; NaN places become NULL.

    The caller sets the batch visible and raises the revision in the same transaction, so that a
    reader sees the fold of before or of after, never a mixture.
    """
    table = [_as_sql(columns[name]) for name in INCIDENT_COLUMNS]
    connection.execute("DELETE FROM incident")
    insert_rows(
        connection,
        f"INSERT INTO incident ({', '.join(INCIDENT_COLUMNS)})",
        list(zip(*table, strict=True)),
    )


def read_incident_columns(connection: sqlite3.Connection) -> dict[str, NDArray[Any]]:
    """Return every derived incident as columns: int64, places float64 with NaN for none."""
    rows = connection.execute(
        f"SELECT {', '.join(INCIDENT_COLUMNS)} FROM incident ORDER BY inc"  # noqa: S608
    ).fetchall()
    columns: list[Any] = [*zip(*rows, strict=True)] if rows else [()] * len(INCIDENT_COLUMNS)
    kinds = {name: np.float64 if name in ("x", "y") else np.int64 for name in INCIDENT_COLUMNS}
    return {
        name: np.array(values, kinds[name])
        for name, values in zip(INCIDENT_COLUMNS, columns, strict=True)
    }


def replace_incidents(connection: sqlite3.Connection, columns: dict[str, NDArray[Any]]) -> None:
    """Replace the rows of these incidents alone inside the caller's transaction."""
    table = [_as_sql(columns[name]) for name in INCIDENT_COLUMNS]
    insert_rows(
        connection,
        f"INSERT OR REPLACE INTO incident ({', '.join(INCIDENT_COLUMNS)})",
        list(zip(*table, strict=True)),
    )


def changed_since(connection: sqlite3.Connection, revision: int) -> list[int]:
    """Return the incidents that a later revision derived anew."""
    # Said twice: the index covers `rev > 1` only, and SQLite takes it only when it is told so.
    rows = connection.execute(
        "SELECT inc FROM incident WHERE rev > 1 AND rev > ? ORDER BY inc", (revision,)
    )
    return [row[0] for row in rows]


def read_incident(connection: sqlite3.Connection, inc: int) -> dict[str, Any] | None:
    """Return one incident with its source and own id, or None."""
    row = connection.execute(
        "SELECT t.text, k.ext_id FROM incident_key k JOIN term t ON t.term = k.source"
        " WHERE k.inc = ?",
        (inc,),
    ).fetchone()
    return None if row is None else {"source": row[0], "incident_id": row[1]}


def _as_sql(values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind == "f":
        return [None if math.isnan(value) else int(value) for value in values.tolist()]
    return [int(value) for value in values.tolist()]
