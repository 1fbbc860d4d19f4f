"""Which alarms belong to a shift: those it saw begin, and those that somebody acted on in it."""

from __future__ import annotations

import sqlite3


def list_shift_alarms(
    connection: sqlite3.Connection, *, since: int, until: int, most: int
) -> list[int]:
    """Return the numbers of the alarms of [since, until) (UTC s), the newest first."""
    rows = connection.execute(
        "SELECT alarm FROM (SELECT alarm, first_at FROM alarm"
        " WHERE first_at >= ?1 AND first_at < ?2 UNION"
        " SELECT a.alarm, a.first_at FROM alarm_note n JOIN alarm a ON a.line = n.line"
        " AND n.first_at BETWEEN a.first_at AND a.last_at WHERE n.at >= ?1 AND n.at < ?2)"
        " ORDER BY first_at DESC LIMIT ?3",
        (since, until, most),
    )
    return [int(row[0]) for row in rows]
