"""MBTiles: pictures in an SQLite file that somebody else made, opened to be read only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from geodata.errors import BadFile, Fault

_MOST_BYTES = 2_000_000


def read_mbtile(path: Path, z: int, x: int, y: int) -> bytes | None:
    """
    Return one tile, y counted from the north, None where there is none.

    Raises BadFile for what is no MBTiles. Nothing of the file's own is run: no triggers or views
    that call functions, no extension.
    """
    row_from_south = (1 << z) - 1 - y
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as line:
            line.execute("PRAGMA trusted_schema=OFF")
            line.execute("PRAGMA query_only=ON")
            line.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
            row = line.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ?"
                " AND tile_row = ?",
                (z, x, row_from_south),
            ).fetchone()
    except sqlite3.Error as error:
        raise BadFile(Fault(key="picture_map_file"), file=path.name) from error
    return bytes(row[0]) if row is not None and isinstance(row[0], bytes) else None
