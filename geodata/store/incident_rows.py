"""The derived table of incidents: written from a fold, read as columns."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
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
_HIDDEN = ("distance_mm", "owner_at_event", "rev")
SHOWN_COLUMNS = tuple(name for name in INCIDENT_COLUMNS if name not in _HIDDEN)


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


def write_aside(database: Database, parts: Iterable[dict[str, NDArray[Any]]]) -> Iterator[int]:
    """
    Write the derived table beside the one in use, in small transactions; yield how many are done.

    `parts` are its incidents in stretches, each made when the one before it is written.

    `show_aside` then puts it in its place. What a killed process left of it is cleared first.
    """
    clear_aside(database)
    with database.series() as series:
        with series.transaction() as connection:
            for statement in _statements_aside(connection):
                connection.execute(statement)
        done = 0
        for columns in parts:
            for start in range(0, len(columns["inc"]), INCIDENTS_A_TRANSACTION):
                some = {
                    name: values[start : start + INCIDENTS_A_TRANSACTION]
                    for name, values in columns.items()
                }
                with series.transaction() as connection:
                    insert_columns(connection, ASIDE, as_cells(some))
                done += len(some["inc"])
                yield done
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


def read_incident_columns(
    connection: sqlite3.Connection, names: Sequence[str] = INCIDENT_COLUMNS
) -> dict[str, NDArray[Any]]:
    """
    Return these columns of every derived incident: int64, places float64 with NaN for none.

    A large city's may be of a moment a little later than this connection's.
    """
    query = _query(names, "inc >= ?1 AND inc < ?2", order="inc")
    return _as_columns(names, read_long_columns(connection, query, ()))


def read_changed_columns(
    connection: sqlite3.Connection, revision: int, names: Sequence[str] = INCIDENT_COLUMNS
) -> dict[str, NDArray[Any]]:
    """Return the incidents that a later revision derived anew, as `read_incident_columns` does."""
    query = _query(names, f"{_CHANGED}1", order="+inc")
    return _as_columns(names, read_columns(connection, query, (revision,)))


# Narrow columns share cells, each with so many bits: what a cell costs is not its digits.
_SHARED = (
    {"stage": 8, "open": 1, "rule": 8, "near_line": 1, "flags": 8},
    {"returned": 31, "reopened": 31},
)


def _share(names: Sequence[str]) -> list[dict[str, int]]:
    """Return for each cell of a row the columns it holds, with the first bit of each."""
    cells: list[dict[str, int]] = []
    for widths in _SHARED:
        first, cell = 0, {}
        for name, bits in widths.items():
            if name in names:
                cell[name] = first
                first += bits
        cells.append(cell)
    shared = {name for cell in cells for name in cell}
    return [cell for cell in cells if cell] + [{name: 0} for name in names if name not in shared]


def _query(names: Sequence[str], condition: str, *, order: str) -> str:
    cells = [
        " | ".join(f"({_BARE.get(name, name)} << {bit})" for name, bit in cell.items())
        for cell in _share(names)
    ]
    listed = ", ".join(f"{cell} AS c{place}" for place, cell in enumerate(cells))
    return f"SELECT {listed} FROM incident WHERE {condition} ORDER BY {order}"  # noqa: S608


_BARE = {
    **{name: f"ifnull({name}, {NO_PLACE})" for name in ("x", "y")},
    **{name: f"ifnull({name}, 0)" for name in ("kind", "body")},
}


def _as_columns(names: Sequence[str], found: list[NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
    widths = {name: bits for shared in _SHARED for name, bits in shared.items()}
    columns: dict[str, NDArray[Any]] = {}
    for held, values in zip(_share(names), found, strict=True):
        for name, bit in held.items():
            if name in widths:
                columns[name] = values >> bit & (1 << widths[name]) - 1
            elif name in ("x", "y"):
                place = values.astype(np.float64)
                place[values == NO_PLACE] = np.nan
                columns[name] = place
            else:
                columns[name] = values
    return columns


# Said twice: the index covers `rev > 1` only, and SQLite takes it only when it is told so. And it
# reads the whole table, which lies in the order of `inc`, where the order is asked for by its name:
# hence `+inc`.
_CHANGED = "rev > 1 AND rev > ?"


def changed_since(connection: sqlite3.Connection, revision: int) -> list[int]:
    """Return the incidents that a later revision derived anew."""
    rows = connection.execute(
        f"SELECT inc FROM incident WHERE {_CHANGED} ORDER BY +inc",  # noqa: S608
        (revision,),
    )
    return [row[0] for row in rows]


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
