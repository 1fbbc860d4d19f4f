"""The city's metric coordinate system in the store: chosen once, let go when nothing needs it."""

from __future__ import annotations

import sqlite3

from geodata.store.drawings import BEFORE, WITHDRAWN


def fix_crs(connection: sqlite3.Connection, text: str) -> None:
    """Fix the coordinate system inside the caller's transaction where none is fixed yet."""
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('crs', ?)", (text,))


def release_crs(connection: sqlite3.Connection) -> None:
    """Let it go inside the caller's transaction where the store holds no drawing and no place."""
    (located,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM drawing WHERE state NOT IN (?, ?))"
        " OR EXISTS (SELECT 1 FROM payload WHERE x NOT NULL)"
        " OR EXISTS (SELECT 1 FROM record WHERE x NOT NULL)"
        " OR EXISTS (SELECT 1 FROM decision WHERE x NOT NULL)",
        (WITHDRAWN, BEFORE),
    ).fetchone()
    if not located:
        connection.execute("DELETE FROM meta WHERE name = 'crs'")
