"""Alarms in the store: what events say of them, folded line by line as it comes in."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from geodata.events.alarms import (
    CLEARS,
    AlarmEvent,
    AlarmNote,
    Mark,
    Run,
    Said,
    end_run,
    fold_line,
    marks_of,
    repeat_run,
    start_run,
)
from geodata.store.event_columns import hidden_batches, visible_event
from geodata.store.event_log import IN, NO_BATCH

# In the very words of the indexes: SQLite uses them only then.
_ALARMING = (
    "(instr(attributes, '\"alarm_level\":') > 0 OR instr(attributes, '\"cleared_at\":') > 0)"
)
_MARK = "inc, at, over, hash, line, wide, level, received"
_RUN = "line, wide, inc, level, first_at, last_at, received, count, cleared_at"


_GONE = "alarms_gone"


def refold_alarms(
    connection: sqlite3.Connection,
    *,
    only: Sequence[int] | None = None,
    revision: int,
    window_s: int,
) -> None:
    """
    Bring the alarms up to what the visible events say, inside the caller's transaction.

    With `only` those of these incidents. A mark that comes after all others of its line costs the
    same however long the line is; any other has its line folded anew.
    """
    incidents = _alarming(connection, only)
    if not incidents:
        return
    fresh = _marks(connection, incidents)
    held = _held_marks(connection, incidents)
    gone = held - fresh
    _drop_marks(connection, gone)
    anew: dict[str, str] = {mark.line: mark.wide for mark in gone}
    for mark in sorted(fresh - held):
        _keep_mark(connection, mark)
        if mark.line not in anew and not _append_mark(connection, mark, revision, window_s):
            anew[mark.line] = mark.wide
    for line in sorted(_with_whole_devices(connection, anew)):
        _refold_line(connection, line, revision=revision, window_s=window_s)


def _alarming(connection: sqlite3.Connection, only: Sequence[int] | None) -> list[int]:
    """Return the incidents among these that carry or carried an alarm."""
    among, listed = "", []
    if only is not None:
        among = "AND inc IN (SELECT value FROM json_each(?1))"
        listed = [orjson.dumps([int(inc) for inc in only]).decode()]
    rows = connection.execute(
        f"SELECT inc FROM payload WHERE {_ALARMING} {among}"  # noqa: S608
        f" UNION SELECT inc FROM alarm_mark WHERE true {among}",
        listed,
    )
    return [row[0] for row in rows]


def _marks(connection: sqlite3.Connection, incidents: list[int]) -> set[Mark]:
    hidden = hidden_batches(connection)
    rows = connection.execute(
        "SELECT e.inc, k.source, e.seq, e.at, e.hash, e.stage, e.version, e.received,"  # noqa: S608
        " ifnull(p.kind, 0), p.attributes FROM event e JOIN incident_key k ON k.inc = e.inc"
        " LEFT JOIN payload p ON p.inc = e.inc AND p.hash = e.hash"
        f" WHERE e.inc IN (SELECT value FROM json_each(?2)) AND {visible_event(1)}",
        (hidden, orjson.dumps(incidents).decode()),
    )
    names = ("inc", "source", "seq", "at", "hash", "stage", "version", "received", "kind")
    by_incident: dict[int, list[AlarmEvent]] = defaultdict(list)
    for row in rows:
        said = orjson.loads(row[-1]) if row[-1] else {}
        one = AlarmEvent(**dict(zip(names, row[:-1], strict=True)), said=said)
        by_incident[one.inc].append(one)
    return {mark for events in by_incident.values() for mark in marks_of(events)}


def _held_marks(connection: sqlite3.Connection, incidents: list[int]) -> set[Mark]:
    rows = connection.execute(
        f"SELECT {_MARK} FROM alarm_mark"  # noqa: S608
        " WHERE inc IN (SELECT value FROM json_each(?))",
        (orjson.dumps(incidents).decode(),),
    )
    return {_mark(row) for row in rows}


def _mark(row: tuple[Any, ...]) -> Mark:
    inc, at, over, hash_, line, wide, level, received = row
    return Mark(inc=inc, at=at, over=bool(over), hash=hash_, line=line, wide=wide, level=level,
                received=received)  # fmt: skip


def _drop_marks(connection: sqlite3.Connection, gone: Iterable[Mark]) -> None:
    connection.executemany(
        "DELETE FROM alarm_mark WHERE inc = ? AND at = ? AND over = ? AND hash = ?",
        [(one.inc, one.at, one.over, one.hash) for one in gone],
    )


def _keep_mark(connection: sqlite3.Connection, mark: Mark) -> None:
    connection.execute(
        f"INSERT INTO alarm_mark ({_MARK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [getattr(mark, name) for name in _MARK.split(", ")],
    )


def _append_mark(connection: sqlite3.Connection, mark: Mark, revision: int, window_s: int) -> bool:
    """Take a mark that comes after all others of its line; tell whether it was one."""
    if mark.level == CLEARS and mark.line == mark.wide:
        return False  # of a whole device: each of its lines is folded anew
    # Nothing of the line, nor of its whole device, may come after it.
    behind = connection.execute(
        "SELECT 1 FROM alarm_mark WHERE line IN (?1, ?2) AND at >= ?3"
        " AND (at, over, hash) > (?3, ?4, ?5) LIMIT 1",
        (mark.line, mark.wide or mark.line, mark.at, mark.over, mark.hash),
    ).fetchone()
    if behind is not None:
        return False
    if mark.level == CLEARS:
        rows = connection.execute(
            f"SELECT alarm, {_RUN} FROM alarm WHERE line = ? AND cleared_at = 0",  # noqa: S608
            (mark.line,),
        ).fetchall()
        for row in rows:
            _update(connection, row[0], end_run(Run(**_run(row[1:])), mark.at), revision)
        return True
    last = connection.execute(
        f"SELECT alarm, {_RUN} FROM alarm WHERE line = ?"  # noqa: S608
        " ORDER BY last_at DESC, alarm DESC LIMIT 1",
        (mark.line,),
    ).fetchone()
    again = repeat_run(Run(**_run(last[1:])), mark, window_s=window_s) if last else None
    if again is None:
        _insert(connection, start_run(mark), revision)
    else:
        _update(connection, last[0], again, revision)
    return True


def _with_whole_devices(connection: sqlite3.Connection, lines: Mapping[str, str]) -> set[str]:
    """Return the lines, and where a whole device is among them each line of that device."""
    found = set(lines)
    for line, wide in lines.items():
        if line == wide:
            found |= {
                row[0]
                for row in connection.execute(
                    "SELECT DISTINCT line FROM alarm WHERE wide = ?", (wide,)
                )
            }
    return found


def _refold_line(
    connection: sqlite3.Connection, line: str, *, revision: int, window_s: int
) -> None:
    """Fold a whole line anew; an alarm that stays keeps its number."""
    rows = connection.execute(
        f"SELECT {_MARK} FROM alarm_mark WHERE line = ?1 OR (level = {CLEARS} AND line IN"  # noqa: S608
        " (SELECT wide FROM alarm_mark WHERE line = ?1))",
        (line,),
    )
    marks = [_mark(row) for row in rows]
    # A whole device's end ends nothing on a line of its own.
    runs = fold_line(marks, window_s=window_s) if any(one.line == line for one in marks) else []
    runs = [replace(run, line=line) for run in runs]
    held = {
        row[0]: Run(**_run(row[1:]))
        for row in connection.execute(
            f"SELECT alarm, {_RUN} FROM alarm WHERE line = ? ORDER BY alarm",  # noqa: S608
            (line,),
        )
    }
    for run in runs:
        number = next(
            (n for n, old in held.items() if run.first_at <= old.first_at <= run.last_at), None
        )
        if number is None:
            _insert(connection, run, revision)
        elif held.pop(number) != run:
            _update(connection, number, run, revision)
    if held:  # they became part of another: who asks what changed is to be told all anew
        connection.executemany("DELETE FROM alarm WHERE alarm = ?", [(number,) for number in held])
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_GONE, str(revision)))


def _run(row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(_RUN.split(", "), row, strict=True))


def _values(run: Run) -> tuple[Any, ...]:
    return tuple(getattr(run, name) for name in _RUN.split(", "))


def _insert(connection: sqlite3.Connection, run: Run, revision: int) -> None:
    connection.execute(
        f"INSERT INTO alarm ({_RUN}, judged, rev)"  # noqa: S608
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ifnull((SELECT verdict <> 'real' FROM"
        " alarm_note WHERE line = ?1 AND first_at BETWEEN ?5 AND ?6 AND what = 'verdict'"
        " ORDER BY at DESC, note DESC LIMIT 1), 0), ?10)",
        (*_values(run), revision),
    )


def _update(connection: sqlite3.Connection, number: int, run: Run, revision: int) -> None:
    connection.execute(
        "UPDATE alarm SET line = ?1, wide = ?2, inc = ?3, level = ?4, first_at = ?5, last_at = ?6,"
        " received = ?7, count = ?8, cleared_at = ?9, rev = ?10 WHERE alarm = ?11",
        (*_values(run), revision, number),
    )


def read_device_places(
    connection: sqlite3.Connection, *, only: Sequence[int] | None = None, with_batch: int = NO_BATCH
) -> dict[int, tuple[int, int]]:
    """
    Return the place (mm) of incidents that tell of a device and of no place, by incident.

    The device's place is the one it had at the incident's newest event that names it. With `only`
    those of these incidents; `with_batch` is seen although it is not visible yet.
    """
    among, listed = "", []
    if only is not None:
        among = "AND p.inc IN (SELECT value FROM json_each(?1))"
        listed = [orjson.dumps([int(inc) for inc in only]).decode()]
    rows = connection.execute(
        "SELECT p.inc, json_extract(p.attributes, '$.device_id'), max(e.at) FROM payload p"  # noqa: S608
        " JOIN event e ON e.inc = p.inc AND e.hash = p.hash"
        f" WHERE instr(p.attributes, '\"device_id\":') > 0 {among}"
        " AND NOT EXISTS (SELECT 1 FROM payload q WHERE q.inc = p.inc AND q.x IS NOT NULL)"
        " GROUP BY p.inc",
        listed,
    ).fetchall()
    placed: dict[str, list[tuple[int, int, int]]] = {}
    found = {}
    for inc, device, at in rows:
        if device not in placed:
            placed[device] = _dated_places(connection, device, with_batch=with_batch)
        known = [place[1:] for place in placed[device] if place[0] <= at]
        if known:
            found[inc] = known[-1]
    return found


def read_drills(connection: sqlite3.Connection, *, only: Sequence[int] | None = None) -> list[int]:
    """Return the incidents that any event calls a drill; with `only` those among them."""
    among, listed = "", []
    if only is not None:
        among = "AND inc IN (SELECT value FROM json_each(?1))"
        listed = [orjson.dumps([int(inc) for inc in only]).decode()]
    rows = connection.execute(
        "SELECT DISTINCT inc FROM payload WHERE instr(attributes, '\"drill\":') > 0"  # noqa: S608
        f" AND json_extract(attributes, '$.drill') = 'true' {among}",
        listed,
    )
    return [row[0] for row in rows]


def read_said(
    connection: sqlite3.Connection, *, only: Sequence[int] | None = None, with_batch: int = NO_BATCH
) -> Said:
    """Return what the events say beside what happened: places of devices, and drills."""
    return Said(
        places=read_device_places(connection, only=only, with_batch=with_batch),
        drills=read_drills(connection, only=only),
    )


def _dated_places(
    connection: sqlite3.Connection, device: str, *, with_batch: int
) -> list[tuple[int, int, int]]:
    """Return (valid from, x, y) of a device, the oldest first."""
    rows = connection.execute(
        "SELECT valid_from, x, y FROM record WHERE sort = 'devices' AND id = ? AND x IS NOT NULL"
        " AND batch NOT IN (SELECT batch FROM batch WHERE state <> ? AND batch <> ?)"
        " ORDER BY valid_from, batch",
        (device, IN, with_batch),
    )
    return rows.fetchall()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """One alarm with what its incident says; places mm in the city's CRS, `owner` -1 for none."""

    alarm: int
    run: Run
    rev: int
    source: str
    incident_id: str
    kind: str
    x: int | None
    y: int | None
    owner: int
    placed: str


_ROWS = (
    "SELECT a.alarm, a.rev, t.text, k.ext_id, ifnull(c.text, ''), i.x, i.y, ifnull(i.owner, -1),"
    " CASE WHEN EXISTS (SELECT 1 FROM payload p WHERE p.inc = a.inc AND p.x IS NOT NULL)"
    "  THEN 'event' WHEN i.x IS NOT NULL THEN 'device' ELSE '' END,"
    " a.line, a.wide, a.inc, a.level, a.first_at, a.last_at, a.received, a.count, a.cleared_at"
    " FROM alarm a JOIN incident_key k ON k.inc = a.inc JOIN term t ON t.term = k.source"
    " LEFT JOIN incident i ON i.inc = a.inc LEFT JOIN term c ON c.term = i.kind"
)


def read_live_alarms(connection: sqlite3.Connection, *, since: int, most: int) -> list[AlarmRow]:
    """Return alarms that are on and were raised since a moment (UTC s), the newest first."""
    where = "a.cleared_at = 0 AND a.judged = 0 AND a.last_at >= ? ORDER BY a.last_at DESC LIMIT ?"
    return _alarm_rows(connection, where, (since, most))


def read_gone_revision(connection: sqlite3.Connection) -> int:
    """Return the revision at which an alarm last became part of another, 0 for never."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (_GONE,)).fetchone()
    return int(row[0]) if row else 0


def read_changed_alarms(
    connection: sqlite3.Connection, *, revision: int, most: int
) -> list[AlarmRow]:
    """Return alarms that a later revision changed, ended ones too, in the order of change."""
    where = "a.rev > ? ORDER BY a.rev, a.alarm LIMIT ?"
    return _alarm_rows(connection, where, (revision, most))


def read_alarm_row(connection: sqlite3.Connection, alarm: int) -> AlarmRow | None:
    """Return one alarm by its number, or None."""
    return next(iter(_alarm_rows(connection, "a.alarm = ?", (alarm,))), None)


def _alarm_rows(
    connection: sqlite3.Connection, where: str, values: tuple[int, ...]
) -> list[AlarmRow]:
    names = ("alarm", "rev", "source", "incident_id", "kind", "x", "y", "owner", "placed")
    rows = connection.execute(f"{_ROWS} WHERE {where}", values)
    return [
        AlarmRow(run=Run(**_run(row[len(names) :])), **dict(zip(names, row, strict=False)))
        for row in rows
    ]


def read_alarm_notes(
    connection: sqlite3.Connection, runs: Sequence[Run]
) -> dict[tuple[str, int], list[AlarmNote]]:
    """Return the notes on some alarms, by line and the moment the alarm began, in their order."""
    found: dict[tuple[str, int], list[AlarmNote]] = {}
    for run in runs:
        rows = connection.execute(
            "SELECT at, what, post, handed_to, verdict, text FROM alarm_note"
            " WHERE line = ? AND first_at BETWEEN ? AND ? ORDER BY at, note",
            (run.line, run.first_at, run.last_at),
        ).fetchall()
        names = ("at", "what", "post", "to", "verdict", "text")
        if rows:
            found[run.line, run.first_at] = [
                AlarmNote(**dict(zip(names, row, strict=True))) for row in rows
            ]
    return found


def append_note(
    connection: sqlite3.Connection, row: AlarmRow, note: AlarmNote, *, revision: int
) -> None:
    """Append a note to an alarm inside the caller's transaction; one that is not real ends."""
    connection.execute(
        "INSERT INTO alarm_note (line, first_at, at, what, post, handed_to, verdict, text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row.run.line, row.run.first_at, note.at, note.what, note.post, note.to, note.verdict,
         note.text),
    )  # fmt: skip
    connection.execute(
        "UPDATE alarm SET rev = ?, judged = CASE ? WHEN '' THEN judged WHEN 'real' THEN 0"
        " ELSE 1 END WHERE alarm = ?",
        (revision, note.verdict, row.alarm),
    )
