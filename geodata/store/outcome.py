"""What became of a batch: how much of it was new, and who owns what it tells of."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from geodata.store.batch_parts import read_batch_incidents

_INCIDENTS_A_QUESTION = 50_000


def read_outcome(connection: sqlite3.Connection, batch: int) -> dict[str, Any]:
    """
    Return what became of a visible batch.

    `events` and `reports` it was the first to bring (all stages, and the reported ones alone);
    of the incidents it tells of: `rules` by ownership rule code, `near_line`, and `conflicts`,
    those with several contents of one event.
    """
    found = {"events": 0, "reports": 0, "near_line": 0, "conflicts": 0}
    rules: dict[int, int] = {}
    incidents = read_batch_incidents(connection, batch)
    for start in range(0, len(incidents), _INCIDENTS_A_QUESTION):
        part = incidents[start : start + _INCIDENTS_A_QUESTION].tolist()
        among = "inc IN (SELECT value FROM json_each(?1))"
        listed = orjson.dumps(part).decode()
        events, reports = connection.execute(
            "SELECT count(*), ifnull(sum(stage = 0), 0) FROM event"  # noqa: S608
            f" WHERE {among} AND batch = ?2",
            (listed, batch),
        ).fetchone()
        found["events"] += events
        found["reports"] += reports
        told = connection.execute(
            "SELECT rule, count(*), sum(near_line), sum(flags & 1) FROM incident"  # noqa: S608
            f" WHERE {among} GROUP BY rule",
            (listed,),
        )
        for rule, n, near_line, conflicts in told:
            rules[rule] = rules.get(rule, 0) + n
            found["near_line"] += near_line
            found["conflicts"] += conflicts
    return {**found, "rules": dict(sorted(rules.items()))}


def note_copies(connection: sqlite3.Connection, batch: int, copies: int) -> None:
    """Keep inside the caller's transaction how many rows of a batch were there already."""
    connection.execute(
        "UPDATE batch SET report = json_set(report, '$.copies', ?) WHERE batch = ?",
        (copies, batch),
    )
