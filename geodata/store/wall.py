"""The wall in the store: its scenes, each change kept, and what the duty desk holds on it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRow:
    """The scenes as they were saved: by whom and when (UTC s); `version` 0 before the first."""

    version: int
    at: int
    account: str
    scenes: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """What is held on the wall: a "scene" by its name, an "alarm" by its number, or nothing."""

    hold: int
    at: int
    account: str
    what: str
    target: str
    until: int


def read_scene_row(connection: sqlite3.Connection) -> SceneRow | None:
    """Return the newest saved scenes, None before any."""
    row = connection.execute(
        "SELECT version, at, account, scenes FROM wall_scenes ORDER BY version DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    return SceneRow(version=row[0], at=row[1], account=row[2], scenes=orjson.loads(row[3]))


def append_scenes(
    connection: sqlite3.Connection, scenes: list[dict[str, Any]], *, account: str, at: int
) -> int:
    """Save the scenes inside the caller's transaction; return their version."""
    done = connection.execute(
        "INSERT INTO wall_scenes (at, account, scenes) VALUES (?, ?, ?)",
        (at, account, orjson.dumps(scenes).decode()),
    )
    return int(done.lastrowid or 0)


def read_hold_row(connection: sqlite3.Connection) -> HoldRow | None:
    """Return what was held on the wall last, whether or not it still is."""
    row = connection.execute(
        "SELECT hold, at, account, what, target, until FROM wall_hold ORDER BY hold DESC LIMIT 1"
    ).fetchone()
    names = ("hold", "at", "account", "what", "target", "until")
    return None if row is None else HoldRow(**dict(zip(names, row, strict=True)))


def append_hold(
    connection: sqlite3.Connection, *, what: str, target: str, until: int, account: str, at: int
) -> int:
    """Hold something on the wall inside the caller's transaction; return the hold's number."""
    done = connection.execute(
        "INSERT INTO wall_hold (at, account, what, target, until) VALUES (?, ?, ?, ?, ?)",
        (at, account, what, target, until),
    )
    return int(done.lastrowid or 0)
