"""Reference records: kinds, bodies, cameras, places and the like, each dated."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from geodata.store.database import Database
from geodata.store.event_log import IN, NO_BATCH, ROWS_A_TRANSACTION
from geodata.store.rows import insert_rows

ALWAYS = -(2**62)  # valid_from of a record that reaches back without end
ENDED = "null"  # the data of a record that holds no more from its day on


def save_records(
    database: Database,
    sort: str,
    frame: pd.DataFrame,
    *,
    key: str,
    batch: int,
    valid_from: int = ALWAYS,
) -> int:
    """
    Save records of one sort in small transactions; return how many ids.

    `frame` may hold x_mm, y_mm (whole millimetres, NaN for none); every other column is kept as
    JSON. Of records with the same key and date the newest batch's counts, once it is visible.
    """
    plain = [name for name in frame.columns if name not in ("x_mm", "y_mm")]
    nowhere = pd.Series(np.nan, index=frame.index)
    xs, ys = (frame.get(name, nowhere).to_numpy(float) for name in ("x_mm", "y_mm"))
    rows = []
    for record, x, y in zip(frame[plain].to_dict("records"), xs, ys, strict=True):
        data = {name: value for name, value in record.items() if not pd.isna(value) and value != ""}
        text = orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode()
        place = [None if np.isnan(value) else int(value) for value in (x, y)]
        rows.append((sort, str(record[key]), valid_from, batch, *place, text))
    rows.sort(key=lambda row: str(row[1]))
    for start in range(0, len(rows), ROWS_A_TRANSACTION):
        with database.transaction() as connection:
            insert_rows(
                connection,
                "INSERT OR REPLACE INTO record (sort, id, valid_from, batch, x, y, data)",
                rows[start : start + ROWS_A_TRANSACTION],
            )
    return len({row[1] for row in rows})


@dataclass(frozen=True, slots=True)
class Seen:
    """The batches that were visible at one moment: those up to `newest` that were not hidden."""

    newest: int
    hidden: str  # JSON, a list of batches


def read_seen(connection: sqlite3.Connection) -> Seen:
    """Return which batches are visible now, so that records can be read as of now later on."""
    newest = connection.execute("SELECT ifnull(max(batch), 0) FROM batch").fetchone()[0]
    rows = connection.execute("SELECT batch FROM batch WHERE state <> ?", (IN,)).fetchall()
    return Seen(newest=int(newest), hidden=orjson.dumps([row[0] for row in rows]).decode())


_ALL = Seen(newest=2**62, hidden="[]")
_IN_FORCE = (
    "FROM (SELECT id, x, y, data, row_number() OVER"
    " (PARTITION BY id ORDER BY valid_from DESC, batch DESC) AS place FROM record"
    " WHERE sort = ? AND valid_from <= ?"
    " AND batch NOT IN (SELECT batch FROM batch WHERE state <> ? AND batch <> ?)"
    " AND batch <= ? AND batch NOT IN (SELECT value FROM json_each(?)))"
    " WHERE place = 1 AND data <> ? ORDER BY id"
)


def read_records(
    connection: sqlite3.Connection,
    sort: str,
    *,
    at: int,
    with_batch: int = NO_BATCH,
    seen: Seen = _ALL,
) -> pd.DataFrame:
    """
    Return the records of one sort in force at a moment, one row an id.

    `with_batch` is seen although it is not visible yet; of the visible ones those that were so at
    `seen` too. A batch withdrawn since is gone. Columns: id, x_mm, y_mm (NaN for none) and
    whatever the records carry. One that was ended is not among them.
    """
    rows = connection.execute(
        f"SELECT id, x, y, data {_IN_FORCE}",
        (sort, at, IN, with_batch, seen.newest, seen.hidden, ENDED),
    ).fetchall()
    frame = pd.DataFrame([_row(row) for row in rows])
    if frame.empty:
        return pd.DataFrame({"id": pd.Series(dtype=str), "x_mm": [], "y_mm": []})
    return frame


def read_record_places(
    connection: sqlite3.Connection, sort: str, *, at: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """
    Return x, y (mm, NaN for none) and the kind ("" for none) of the records in force, by id.

    Of a city's components nothing else is read: their other facts would take ten times as long.
    """
    rows = connection.execute(
        f"SELECT x, y, ifnull(json_extract(data, '$.kind'), '') {_IN_FORCE}",
        (sort, at, IN, NO_BATCH, _ALL.newest, _ALL.hidden, ENDED),
    ).fetchall()
    x, y, kinds = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(x, np.float64), np.array(y, np.float64), [str(kind) for kind in kinds]


def read_versions(
    connection: sqlite3.Connection, sort: str, *, with_batch: int = NO_BATCH
) -> pd.DataFrame:
    """
    Return every version of every record of one sort, by id and the moment it holds from.

    Of versions from the same moment the newest batch's; one that was ended has its id alone.
    Columns as `read_records`, and valid_from (UTC s).
    """
    rows = connection.execute(
        "SELECT id, x, y, data, valid_from FROM (SELECT id, x, y, data, valid_from, row_number()"
        " OVER (PARTITION BY id, valid_from ORDER BY batch DESC) AS place FROM record"
        " WHERE sort = ? AND batch NOT IN"
        " (SELECT batch FROM batch WHERE state <> ? AND batch <> ?))"
        " WHERE place = 1 ORDER BY id, valid_from",
        (sort, IN, with_batch),
    ).fetchall()
    frame = pd.DataFrame([{**_row(row), "valid_from": row[4]} for row in rows])
    if frame.empty:
        return pd.DataFrame({"id": pd.Series(dtype=str), "valid_from": []})
    return frame


def read_tables_version(connection: sqlite3.Connection) -> int:
    """Return a number that grows whenever a reference table changes."""
    found = connection.execute("SELECT ifnull(max(batch), 0) FROM record").fetchone()
    return int(found[0])


def count_records(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many ids of each sort there are, without those whose newest version is an end."""
    visible = "batch NOT IN (SELECT batch FROM batch WHERE state <> ?1)"
    counted = dict(
        connection.execute(
            f"SELECT sort, count(DISTINCT id) FROM record WHERE {visible} GROUP BY sort",  # noqa: S608
            (IN,),
        ).fetchall()
    )
    ended = connection.execute(
        f"SELECT sort, count(*) FROM record AS r WHERE data = ?2 AND {visible} AND NOT EXISTS ("  # noqa: S608
        f"SELECT 1 FROM record n WHERE n.sort = r.sort AND n.id = r.id AND n.{visible}"
        " AND (n.valid_from, n.batch) > (r.valid_from, r.batch)) GROUP BY sort",
        (IN, ENDED),
    )
    for sort, n in ended:
        counted[sort] -= n
    return {sort: n for sort, n in counted.items() if n}


def _row(row: tuple[Any, ...]) -> dict[str, Any]:
    x, y = (float("nan") if value is None else float(value) for value in row[1:3])
    return {**(orjson.loads(row[3]) or {}), "id": row[0], "x_mm": x, "y_mm": y}
