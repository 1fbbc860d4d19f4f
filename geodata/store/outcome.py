"""What became of a batch: how much of it was new, and who owns what it tells of."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from geodata.store.batch_parts import read_batch_incidents
from geodata.store.event_log import IN

_INCIDENTS_A_QUESTION = 50_000
_KIND = "(SELECT kind FROM payload WHERE payload.inc = {0}.inc AND payload.hash = {0}.hash)"
# Of two reports of one batch the later one moves the other.
_TOLD_OTHERWISE = (
    "SELECT 1 FROM event o WHERE o.inc = event.inc AND o.stage = 0"  # noqa: S608
    f" AND ((o.batch <> ?2 AND o.batch NOT IN (SELECT batch FROM batch WHERE state <> {IN}))"
    " OR (o.at, o.hash) < (event.at, event.hash))"
    f" AND (o.at <> event.at OR {_KIND.format('o')} IS NOT {_KIND.format('event')})"
)


def read_outcome(connection: sqlite3.Connection, batch: int) -> dict[str, Any]:
    """
    Return what became of a visible batch.

    `events` and `reports` it was the first to bring (all stages, and the reported ones alone),
    and of the latter `moved`, those of a case that was reported at another time or of another kind;
    of the incidents it tells of: `rules` by ownership rule code, `near_line`, and `conflicts`,
    those with several contents of one event.
    """
    found = {"events": 0, "reports": 0, "moved": 0, "near_line": 0, "conflicts": 0}
    rules: dict[int, int] = {}
    incidents = read_batch_incidents(connection, batch)
    for start in range(0, len(incidents), _INCIDENTS_A_QUESTION):
        part = incidents[start : start + _INCIDENTS_A_QUESTION].tolist()
        among = "inc IN (SELECT value FROM json_each(?1))"
        listed = orjson.dumps(part).decode()
        counts = connection.execute(
            "SELECT count(*), ifnull(sum(stage = 0), 0),"  # noqa: S608
            f" ifnull(sum(stage = 0 AND EXISTS ({_TOLD_OTHERWISE})), 0) FROM event"
            f" WHERE {among} AND batch = ?2",
            (listed, batch),
        ).fetchone()
        for name, n in zip(("events", "reports", "moved"), counts, strict=True):
            found[name] += n
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
