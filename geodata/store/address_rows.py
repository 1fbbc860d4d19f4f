"""Standard addresses looked up by a part of their text."""

from __future__ import annotations

import sqlite3

from geodata.store.event_log import IN
from geodata.store.records import ENDED

_ESCAPED = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


def find_addresses(
    connection: sqlite3.Connection, text: str, *, most: int
) -> list[tuple[str, int, int]]:
    """Return standard addresses that hold a text, the shortest first, with x and y in mm."""
    rows = connection.execute(
        "SELECT id, x, y FROM record WHERE sort = 'addresses' AND x IS NOT NULL AND data <> ?1"
        " AND batch NOT IN (SELECT batch FROM batch WHERE state <> ?2)"
        r" AND id LIKE ?3 ESCAPE '\' GROUP BY id ORDER BY length(id), id LIMIT ?4",
        (ENDED, IN, f"%{text.translate(_ESCAPED)}%", most),
    )
    return [(str(text), int(x), int(y)) for text, x, y in rows]
