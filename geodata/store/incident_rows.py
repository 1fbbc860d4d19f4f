"""The derived table of incidents: written from a fold, read as columns."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.store.database import Database
from geodata.store.event_rows import NO_PLACE
from geodata.store.long_columns import read_columns, read_long_columns
from geodata.store.rows import insert_columns

ASIDE = "incident_aside"
INCIDENTS_A_TRANSACTION = 8_000  # some 0.05 s

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
    reader sees the fold of before or of after, never a mixture. Only for small cities: it holds
    the writer's lock for as long as it takes.
    """
    connection.execute("DELETE FROM incident")
    insert_columns(connection, "incident", as_cells(columns))


def replace_incidents(
    connection: sqlite3.Connection, columns: dict[str, NDArray[Any]], *, table: str = "incident"
) -> None:
    """Replace the rows of these incidents alone inside the caller's transaction."""
    insert_columns(connection, table, as_cells(columns), replace=True)


# --- a whole table beside the one that readers see --------------------------------------------


def write_aside(database: Database, columns: dict[str, NDArray[Any]]) -> None:
    """
    Write the whole derived table beside the one in use, in small transactions.

    `show_aside` then puts it in its place. What a killed process left of it is cleared first.
    """
    clear_aside(database)
    with database.series() as series:
        with series.transaction() as connection:
            for statement in _statements_aside(connection):
                connection.execute(statement)
        for start in range(0, len(columns["inc"]), INCIDENTS_A_TRANSACTION):
            part = {
                name: values[start : start + INCIDENTS_A_TRANSACTION]
                for name, values in columns.items()
            }
            with series.transaction() as connection:
                insert_columns(connection, ASIDE, as_cells(part))
            series.breathe()


def show_aside(connection: sqlite3.Connection) -> None:
    """Put the table written aside in the place of the one in use, inside the caller's transaction.

    The old one stays aside, to be cleared in small transactions.
    """
    # A view or a trigger that names `incident` must mean the new one.
    connection.execute("PRAGMA legacy_alter_table=ON")
    for old, new in (("incident", "incident_old"), (ASIDE, "incident"), ("incident_old", ASIDE)):
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}")


def clear_aside(database: Database) -> None:
    """Remove the table that stands beside the one in use, in small transactions."""
    with database.read() as connection:
        if not connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name = ?", (ASIDE,)
        ).fetchone():
            return
    with database.series() as series:
        gone = 1
        while gone:
            with series.transaction() as connection:
                gone = connection.execute(
                    f"DELETE FROM {ASIDE} WHERE inc IN (SELECT inc FROM {ASIDE} LIMIT ?)",  # noqa: S608
                    (INCIDENTS_A_TRANSACTION,),
                ).rowcount
            series.breathe()
        with series.transaction() as connection:
            connection.execute(f"DROP TABLE IF EXISTS {ASIDE}")


def _statements_aside(connection: sqlite3.Connection) -> list[str]:
    """Return the statements that make a table like `incident`, with its indexes, beside it."""
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'incident' AND sql NOT NULL"
        " ORDER BY type DESC"
    ).fetchall()
    statements = []
    for sort, name, sql in rows:
        made = re.sub(r'"?\bincident\b"?', ASIDE, sql, count=1)
        if sort == "index":  # two indexes cannot have one name: a tilde comes and goes
            other = name.removesuffix("~") if name.endswith("~") else f"{name}~"
            made = re.sub(rf'"?{re.escape(name)}"?', f'"{other}"', sql, count=1)
            made = re.sub(r'ON\s+"?incident"?', f"ON {ASIDE}", made, count=1)
        statements.append(made)
    return statements


# --- reading ------------------------------------------------------------------------------------


def read_incident_columns(connection: sqlite3.Connection) -> dict[str, NDArray[Any]]:
    """
    Return every derived incident as columns: int64, places float64 with NaN for none.

    A large city's may be of a moment a little later than this connection's.
    """
    return _as_columns(read_long_columns(connection, _QUERY.format("inc >= ?1 AND inc < ?2"), ()))


def read_changed_columns(connection: sqlite3.Connection, revision: int) -> dict[str, NDArray[Any]]:
    """Return the incidents that a later revision derived anew, as `read_incident_columns` does."""
    changed = _QUERY.format("rev > 1 AND rev > ?1")
    return _as_columns(read_columns(connection, changed, (revision,)))


def _as_columns(found: list[NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = dict(zip(INCIDENT_COLUMNS, found, strict=True))
    for name in ("x", "y"):
        place = columns[name].astype(np.float64)
        place[columns[name] == NO_PLACE] = np.nan
        columns[name] = place
    return columns


_QUERY = "SELECT {} FROM incident WHERE {{}} ORDER BY inc".format(  # noqa: S608 - our own names
    ", ".join(
        f"ifnull({name}, {NO_PLACE}) AS c{place}"
        if name in ("x", "y")
        else f"ifnull({name}, 0) AS c{place}"
        for place, name in enumerate(INCIDENT_COLUMNS)
    )
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


def as_cells(columns: dict[str, NDArray[Any]]) -> dict[str, list[Any]]:
    """Return derived columns as lists that the store takes; NaN places become None."""
    cells: dict[str, list[Any]] = {}
    for name in INCIDENT_COLUMNS:
        values = columns[name]
        if values.dtype.kind == "f":
            nowhere = np.isnan(values)
            whole: list[Any] = np.where(nowhere, 0, values).astype(np.int64).tolist()
            for row in np.flatnonzero(nowhere).tolist():
                whole[row] = None
            cells[name] = whole
        else:
            cells[name] = values.astype(np.int64).tolist()
    return cells
