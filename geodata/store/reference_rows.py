"""Rows of the reference tables as a page lists them, with every version of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.store.event_log import IN
from geodata.store.records import ENDED

# Named so that it can be listed and counted alike; a constant, never built from input.
_IN_FORCE = """
  SELECT id, valid_from, batch, x, y, data FROM (SELECT *, row_number() OVER
    (PARTITION BY id ORDER BY valid_from DESC, batch DESC) AS place FROM record
    WHERE sort = :sort AND valid_from <= :at
      AND batch NOT IN (SELECT batch FROM batch WHERE state <> :state))
  WHERE place = 1 AND data <> :ended
    AND (:text = '' OR instr(lower(id), :text) > 0 OR instr(lower(data), :text) > 0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRow:
    """
    One version of one row; `valid_from` UTC seconds, x and y mm of the city's CRS or None.

    `data` is None where the row was ended from that moment on. `at` and `file` tell of the load or
    the change that brought it.
    """

    id: str
    valid_from: int
    batch: int
    x: int | None
    y: int | None
    data: dict[str, Any] | None
    at: int = 0
    file: str = ""


def list_rows(
    connection: sqlite3.Connection, sort: str, *, at: int, text: str, skip: int, most: int
) -> tuple[list[ReferenceRow], int]:
    """Return some rows in force at a moment that hold a text, and how many of these there are."""
    asked = _asked(sort, at=at, text=text)
    found = connection.execute(
        f"{_IN_FORCE} ORDER BY id LIMIT :most OFFSET :skip", asked | {"most": most, "skip": skip}
    )
    rows = [_row(row) for row in found]
    total = connection.execute(f"SELECT count(*) FROM ({_IN_FORCE})", asked).fetchone()[0]  # noqa: S608
    return rows, int(total)


def list_cells(
    connection: sqlite3.Connection, sort: str, names: Sequence[str], *, at: int
) -> list[tuple[Any, ...]]:
    """Return the rows in force at a moment as (id, x, y, cells of these names), None for none."""
    cells = "".join(f", json_extract(data, '$.' || :name{place})" for place in range(len(names)))
    asked = _asked(sort, at=at, text="") | {f"name{place}": n for place, n in enumerate(names)}
    query = f"SELECT id, x, y{cells} FROM ({_IN_FORCE}) ORDER BY id"  # noqa: S608
    return connection.execute(query, asked).fetchall()


def find_row(connection: sqlite3.Connection, sort: str, id: str, *, at: int) -> ReferenceRow | None:
    """Return the version of a row in force at a moment; None where there is none."""
    for row in list_versions(connection, sort, id):
        if row.valid_from <= at:
            return row if row.data is not None else None
    return None


def list_versions(connection: sqlite3.Connection, sort: str, id: str) -> list[ReferenceRow]:
    """Return every version of a row, the one that holds longest into the future first."""
    rows = connection.execute(
        "SELECT r.id, r.valid_from, r.batch, r.x, r.y, r.data, ifnull(b.at, 0),"
        " ifnull(b.file, '') FROM record r LEFT JOIN batch b ON b.batch = r.batch"
        " WHERE r.sort = ? AND r.id = ? AND (b.batch IS NULL OR b.state = ?)"
        " ORDER BY r.valid_from DESC, r.batch DESC",
        (sort, id, IN),
    )
    return [_row(row) for row in rows]


def put_row(
    connection: sqlite3.Connection,
    sort: str,
    id: str,
    *,
    valid_from: int,
    batch: int,
    place: tuple[int, int] | None,
    data: Mapping[str, Any] | None,
) -> None:
    """Write one version of a row inside the caller's transaction; None as `data` ends it."""
    x, y = place or (None, None)
    text = ENDED if data is None else orjson.dumps(dict(data)).decode()
    connection.execute(
        "INSERT OR REPLACE INTO record (sort, id, valid_from, batch, x, y, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (sort, id, valid_from, batch, x, y, text),
    )


def _asked(sort: str, *, at: int, text: str) -> dict[str, Any]:
    return {"sort": sort, "at": at, "state": IN, "ended": ENDED, "text": text.lower()}


def _row(row: tuple[Any, ...]) -> ReferenceRow:
    id, valid_from, batch, x, y, data, *brought = row
    at, file = brought or (0, "")
    return ReferenceRow(
        id=id, valid_from=valid_from, batch=batch, x=x, y=y, data=orjson.loads(data), at=at,
        file=file,
    )  # fmt: skip
