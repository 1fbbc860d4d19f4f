"""Drawings of the grids: complete, dated, never edited once in force."""

from __future__ import annotations

import math
import sqlite3
from typing import Any

import geopandas
import numpy as np
import orjson
import pandas as pd
import shapely

from geodata.store.database import Database, raise_revision

GRID_COLUMNS = (
    "uid", "code", "name", "level", "parent", "kind", "body", "households", "population",
)  # fmt: skip
IN_FORCE, DRAFT = "in_force", "draft"
# What nobody sees: taken back with its batch, or as it stood before a level was added. Their rows
# stay, so that no uid is ever given twice.
WITHDRAWN, BEFORE = "withdrawn", "before"


def save_drawing(database: Database, grids: geopandas.GeoDataFrame, **facts: Any) -> int:
    """Save a complete drawing as `write_drawing` does, in a transaction of its own."""
    with database.transaction() as connection:
        drawing = write_drawing(connection, grids, **facts)
        raise_revision(connection)
    return drawing


def write_drawing(
    connection: sqlite3.Connection,
    grids: geopandas.GeoDataFrame,
    *,
    system: str,
    state: str,
    valid_from: int | None,
    note: dict[str, Any],
    drawing: int | None = None,
) -> int:
    """
    Write a complete drawing inside the caller's transaction; return its number.

    `grids` has the contract's columns, coordinates in metres that are whole millimetres.
    With `drawing` that drawing's grids are replaced: only for adding a level to the first one.
    """
    extra = [name for name in grids.columns if name not in (*GRID_COLUMNS, "geometry")]
    wkb = shapely.to_wkb(grids.geometry.values)
    rows = [
        (*(_plain(row[name]) for name in GRID_COLUMNS), wkb[i],
         orjson.dumps({name: _plain(row[name]) for name in extra}).decode())
        for i, row in enumerate(grids.drop(columns="geometry").to_dict("records"))
    ]  # fmt: skip
    if drawing is None:
        cursor = connection.execute(
            "INSERT INTO drawing (system, valid_from, state, note) VALUES (?, ?, ?, ?)",
            (system, valid_from, state, orjson.dumps(note).decode()),
        )
        drawing = int(cursor.lastrowid or 0)
    else:
        connection.execute("DELETE FROM grid WHERE drawing = ?", (drawing,))
        connection.execute(
            "UPDATE drawing SET note = ? WHERE drawing = ?",
            (orjson.dumps(note).decode(), drawing),
        )
    connection.executemany(
        "INSERT INTO grid (drawing, uid, code, name, level, parent, kind, body, households,"
        " population, geometry, attributes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(drawing, *row) for row in rows],
    )
    return drawing


def keep_before(connection: sqlite3.Connection, drawing: int) -> int:
    """Keep a drawing as it stands inside the caller's transaction; return the copy's number."""
    cursor = connection.execute(
        "INSERT INTO drawing (system, valid_from, state, note)"
        " SELECT system, valid_from, ?, note FROM drawing WHERE drawing = ?",
        (BEFORE, drawing),
    )
    kept = int(cursor.lastrowid or 0)
    names = f"{', '.join(GRID_COLUMNS)}, geometry, attributes"
    connection.execute(
        f"INSERT INTO grid (drawing, {names}) SELECT ?, {names} FROM grid WHERE drawing = ?",  # noqa: S608
        (kept, drawing),
    )
    return kept


def find_drawn(connection: sqlite3.Connection, batch: int) -> dict[str, Any] | None:
    """
    Return the drawing that a batch of boundaries drew or added to; None for any other batch.

    One that was taken back is nobody's: the next batch may get its number.
    """
    row = connection.execute(
        "SELECT drawing, system, valid_from, state, json_extract(note, '$.before') FROM drawing"
        " WHERE json_extract(note, '$.batch') = ? AND state <> ? ORDER BY state = ? LIMIT 1",
        (batch, WITHDRAWN, BEFORE),
    ).fetchone()
    names = ("drawing", "system", "valid_from", "state", "before")
    return None if row is None else dict(zip(names, row, strict=True))


def take_back(connection: sqlite3.Connection, drawing: int, *, before: int | None) -> None:
    """
    Hide what a batch drew inside the caller's transaction.

    With `before`, a level was added: the drawing is again as it stood then.
    """
    hidden = drawing
    if before is not None:
        hidden = before
        for was, now in ((drawing, -1), (before, drawing), (-1, before)):
            connection.execute("UPDATE grid SET drawing = ? WHERE drawing = ?", (now, was))
        notes = dict(
            connection.execute(
                "SELECT drawing, note FROM drawing WHERE drawing IN (?, ?)", (drawing, before)
            ).fetchall()
        )
        for number, other in ((drawing, before), (before, drawing)):
            connection.execute(
                "UPDATE drawing SET note = ? WHERE drawing = ?", (notes[other], number)
            )
    connection.execute("UPDATE drawing SET state = ? WHERE drawing = ?", (WITHDRAWN, hidden))


def find_follower(connection: sqlite3.Connection, drawing: int) -> bool:
    """Tell whether a later drawing of its system, or an open plan, stands on a drawing."""
    (found,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM drawing d JOIN drawing o ON o.drawing = ?1"
        " WHERE d.system = o.system AND d.drawing <> ?1 AND o.state = 'in_force'"
        " AND d.state IN ('in_force', 'scheduled'))"
        " OR EXISTS (SELECT 1 FROM plan WHERE (base = ?1 OR start = ?1)"
        " AND state IN ('draft', 'review', 'approved', 'scheduled'))",
        (drawing,),
    ).fetchone()
    return bool(found)


def load_drawings(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return every drawing without its grids, oldest first."""
    names = ("drawing", "system", "valid_from", "valid_to", "state", "note")
    rows = connection.execute(f"SELECT {', '.join(names)} FROM drawing ORDER BY drawing")  # noqa: S608
    return [dict(zip(names, row, strict=True)) for row in rows]


def read_next_change(connection: sqlite3.Connection, now: int) -> float:
    """Return when a dated record or drawing takes over after `now` (UTC s), else infinity."""
    (moment,) = connection.execute(
        "SELECT min(at) FROM (SELECT valid_from AS at FROM record"
        " UNION ALL SELECT valid_from FROM drawing UNION ALL SELECT valid_to FROM drawing)"
        " WHERE at > ?",
        (now,),
    ).fetchone()
    return math.inf if moment is None else float(moment)


def read_grids(connection: sqlite3.Connection, drawing: int, *, crs: str) -> geopandas.GeoDataFrame:
    """Return one drawing's grids with the contract's columns, ordered by uid."""
    rows = connection.execute(
        "SELECT uid, code, name, level, parent, kind, body, households, population, geometry"
        " FROM grid WHERE drawing = ? ORDER BY uid",
        (drawing,),
    ).fetchall()
    frame = pd.DataFrame(rows, columns=[*GRID_COLUMNS, "geometry"])
    frame["geometry"] = shapely.from_wkb(frame["geometry"].to_numpy(object))
    frame = frame.astype({"uid": np.int64, "parent": np.int64})
    for name in ("households", "population"):
        frame[name] = pd.to_numeric(frame[name]).astype(float)
    return geopandas.GeoDataFrame(frame, geometry="geometry", crs=crs)


def measure_drawing(connection: sqlite3.Connection, drawing: int) -> tuple[int, int]:
    """Return the grids of a drawing and the bytes of their shapes: what a level added changes."""
    found = connection.execute(
        "SELECT count(*), ifnull(sum(length(geometry)), 0) FROM grid WHERE drawing = ?", (drawing,)
    ).fetchone()
    return int(found[0]), int(found[1])


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or pd.isna(value):
        return None
    return value
