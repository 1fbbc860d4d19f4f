"""What is kept of each source: when it was heard, what is expected of it, when it went mad."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from geodata.store.event_log import IN

MINUTE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """
    One source; moments are UTC seconds, 0 for never.

    `fed` is its last post, `loaded` its last file; `every_s` is None where nobody said what to
    expect, 0 where nothing is expected; `planned_at` is when that was said.
    """

    source: str
    fed: int
    loaded: int
    mad_at: int
    mad_by: str
    every_s: int | None
    kind: str
    planned_at: int


def note_post(
    connection: sqlite3.Connection, source: int, *, now: int, fresh: int, burst: int, ahead: bool
) -> None:
    """
    Note a post of a source inside the caller's transaction.

    `fresh` new events happened just now; more than `burst` of them within one minute, or a time
    `ahead` of the clock, and the source counts as mad from now on for a while.
    """
    row = connection.execute(
        "SELECT minute, events, mad_at, mad_by FROM source WHERE source = ?", (source,)
    ).fetchone()
    minute, events, mad_at, mad_by = row or (0, 0, 0, "")
    events = fresh + (events if minute == now // MINUTE_S else 0)
    if ahead:
        mad_at, mad_by = now, "ahead"
    elif events > burst:
        mad_at, mad_by = now, "burst"
    connection.execute(
        "INSERT OR REPLACE INTO source (source, fed, minute, events, mad_at, mad_by)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (source, now, now // MINUTE_S, events, mad_at, mad_by),
    )


def set_plan(
    connection: sqlite3.Connection, source: int, *, every_s: int, kind: str, valid_from: int
) -> None:
    """Say inside the caller's transaction what is expected of a source from a moment on."""
    connection.execute(
        "INSERT OR REPLACE INTO source_plan (source, valid_from, every_s, kind)"
        " VALUES (?, ?, ?, ?)",
        (source, valid_from, every_s, kind),
    )


def read_source_rows(connection: sqlite3.Connection, *, at: int) -> list[SourceRow]:
    """Return every source that was heard or is expected, by name; reads no event."""
    rows = connection.execute(
        "SELECT t.text, ifnull(s.fed, 0), ifnull(b.loaded, 0), ifnull(s.mad_at, 0),"
        " ifnull(s.mad_by, ''), p.every_s, ifnull(p.kind, ''), ifnull(p.valid_from, 0)"
        " FROM term t LEFT JOIN source s ON s.source = t.term"
        " LEFT JOIN (SELECT l.source AS of, max(b.at) AS loaded FROM source_batch l"
        "  JOIN batch b ON b.batch = l.batch AND b.state = ?1 GROUP BY l.source) b ON b.of = t.term"
        " LEFT JOIN source_plan p ON p.source = t.term AND p.valid_from = (SELECT max(valid_from)"
        "  FROM source_plan WHERE source = t.term AND valid_from <= ?2)"
        " WHERE t.sort = 'source' AND (s.source IS NOT NULL OR b.of IS NOT NULL"
        "  OR p.source IS NOT NULL) ORDER BY t.text",
        (IN, at),
    ).fetchall()
    names = ("source", "fed", "loaded", "mad_at", "mad_by", "every_s", "kind", "planned_at")
    return [SourceRow(**dict(zip(names, row, strict=True))) for row in rows]


def read_as_of(connection: sqlite3.Connection) -> int:
    """Return when the newest visible data came in (UTC s), 0 where there is but the ground."""
    row = connection.execute(
        "SELECT max(ifnull((SELECT max(at) FROM batch WHERE state = ? AND what <> 'grids'), 0),"
        " ifnull((SELECT max(fed) FROM source), 0))",
        (IN,),
    ).fetchone()
    return int(row[0])


def count_by_source(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many incidents each source has told of; reads every incident."""
    rows = connection.execute(
        "SELECT t.text, n FROM (SELECT source, count(*) AS n FROM incident GROUP BY source) i"
        " JOIN term t ON t.term = i.source"
    )
    return dict(rows.fetchall())


def find_loaded(
    connection: sqlite3.Connection, digest: bytes, *, what: str, source: str | None
) -> int | None:
    """
    Return the visible batch that a file's content was loaded as, or None.

    `what` is the batch's kind; with `source` only a batch that brought events of that source. Of
    records the newest batch alone counts: loading an older state again means going back to it.
    """
    row = connection.execute(
        "SELECT b.batch, (SELECT max(n.batch) FROM batch n WHERE n.what = b.what AND n.state = ?1)"
        " FROM batch b WHERE b.file_hash = ?2 AND b.state = ?1 AND b.what = ?3 AND (?4 IS NULL OR"
        " EXISTS (SELECT 1 FROM source_batch l JOIN term t ON t.term = l.source"
        "  WHERE l.batch = b.batch AND t.sort = 'source' AND t.text = ?4))"
        " ORDER BY b.batch DESC LIMIT 1",
        (IN, digest, what, source),
    ).fetchone()
    if row is None or (what != "incidents" and row[0] != row[1]):
        return None
    return int(row[0])
