"""A drawing takes the place of another: its rows, the owners it changes, the cases it moves."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geodata.store.drawings import IN_FORCE
from geodata.store.event_rows import NO_PLACE
from geodata.store.incident_rows import ASIDE
from geodata.store.long_columns import read_long_columns

SCHEDULED, RETIRED = "scheduled", "retired"
_PLACED = (
    "inc", "x", "y", "kind", "open", "owner", "rule", "flags", "distance_mm", "near_line",
)  # fmt: skip
_GRID = (
    "uid", "code", "name", "level", "parent", "kind", "body", "households", "population",
    "geometry", "attributes",
)  # fmt: skip


def read_placed_incidents(connection: sqlite3.Connection) -> dict[str, NDArray[Any]]:
    """
    Return what a change of the grids needs of every incident, as columns ordered by number.

    int64, but `x`, `y` float64 (mm) with NaN for none. A large city's may be of a moment a little
    later than this connection's.
    """
    return _read_incidents(connection, _PLACED)


def read_touched_incidents(
    connection: sqlite3.Connection, owners: Collection[int], *, since: int
) -> dict[str, NDArray[Any]]:
    """
    Return the incidents that a new drawing may own otherwise, and those of its own days.

    As `read_placed_incidents`, with `reported_at`: those that these grids own, all that lie on a
    line or outside, all reported at or after a moment or on an unknown day (0). One look at each.
    """
    listed = orjson.dumps(sorted(int(uid) for uid in owners)).decode()
    where = (
        " AND (rule <> 0 OR reported_at >= ?4 OR reported_at = 0"
        " OR owner IN (SELECT value FROM json_each(?3)))"
    )
    return _read_incidents(connection, (*_PLACED, "reported_at"), where, (listed, since))


def _read_incidents(
    connection: sqlite3.Connection,
    names: Sequence[str],
    where: str = "",
    listed: Sequence[object] = (),
) -> dict[str, NDArray[Any]]:
    """Return columns of the incidents, by number; `where` takes its values from ?3 on."""
    texts = ", ".join(f"ifnull({name}, {NO_PLACE}) AS c{place}" for place, name in enumerate(names))
    query = f"SELECT {texts} FROM incident WHERE inc >= ?1 AND inc < ?2{where} ORDER BY inc"  # noqa: S608
    columns = read_long_columns(connection, query, listed)
    found: dict[str, NDArray[Any]] = dict(zip(names, columns, strict=True))
    for name in ("x", "y"):
        place = found[name].astype(np.float64)
        place[found[name] == NO_PLACE] = np.nan
        found[name] = place
    return found


def copy_drawing(
    connection: sqlite3.Connection,
    start: int,
    rows: Iterable[Sequence[Any]],
    *,
    leave_out: Collection[int],
    system: str,
    valid_from: int,
    note: dict[str, Any],
) -> int:
    """
    Write a drawing that is scheduled: the grids of `start` but some, byte for byte, and `rows`.

    `rows` are (uid, code, name, level, parent, kind, body, households, population, geometry,
    attributes). Returns its number.
    """
    made = connection.execute(
        "INSERT INTO drawing (system, valid_from, state, note) VALUES (?, ?, ?, ?)",
        (system, valid_from, SCHEDULED, orjson.dumps(note).decode()),
    )
    drawing = int(made.lastrowid or 0)
    names = ", ".join(_GRID)
    connection.execute(
        f"INSERT INTO grid (drawing, {names}) SELECT ?, {names} FROM grid"  # noqa: S608
        " WHERE drawing = ? AND uid NOT IN (SELECT value FROM json_each(?))",
        (drawing, start, orjson.dumps(sorted(int(uid) for uid in leave_out)).decode()),
    )
    connection.executemany(
        f"INSERT INTO grid (drawing, {names}) VALUES ({', '.join('?' * (len(_GRID) + 1))})",  # noqa: S608
        [(drawing, *row) for row in rows],
    )
    return drawing


def put_in_force(connection: sqlite3.Connection, drawing: int, *, base: int) -> None:
    """Put a scheduled drawing in force; the one before it ends where it begins."""
    connection.execute("UPDATE drawing SET state = ? WHERE drawing = ?", (IN_FORCE, drawing))
    connection.execute(
        "UPDATE drawing SET valid_to = (SELECT valid_from FROM drawing WHERE drawing = ?)"
        " WHERE drawing = ?",
        (drawing, base),
    )


def retire_drawing(connection: sqlite3.Connection, drawing: int) -> None:
    """Take a scheduled drawing back before it takes effect."""
    connection.execute(
        "UPDATE drawing SET state = ? WHERE drawing = ? AND state = ?",
        (RETIRED, drawing, SCHEDULED),
    )


def find_due(connection: sqlite3.Connection, now: int) -> list[int]:
    """Return the drawings that are scheduled for a moment that has come, the earliest first."""
    rows = connection.execute(
        "SELECT drawing FROM drawing WHERE state = ? AND valid_from <= ?"
        " ORDER BY valid_from, drawing",
        (SCHEDULED, now),
    )
    return [drawing for (drawing,) in rows]


def read_attributes(connection: sqlite3.Connection, drawing: int) -> dict[int, str]:
    """Return the further attributes of each grid of a drawing by uid, as JSON text."""
    rows = connection.execute("SELECT uid, attributes FROM grid WHERE drawing = ?", (drawing,))
    return dict(rows.fetchall())


def read_codes(connection: sqlite3.Connection, drawing: int) -> dict[int, str]:
    """Return the code of each grid of a drawing by uid."""
    rows = connection.execute("SELECT uid, code FROM grid WHERE drawing = ?", (drawing,))
    return dict(rows.fetchall())


def read_finest_uids(connection: sqlite3.Connection, drawing: int) -> NDArray[np.int64]:
    """Return the uids of a drawing's finest grids, ascending."""
    rows = connection.execute(
        "SELECT uid FROM grid WHERE drawing = ?1"
        " AND uid NOT IN (SELECT parent FROM grid WHERE drawing = ?1) ORDER BY uid",
        (drawing,),
    )
    return np.array([uid for (uid,) in rows], np.int64)


def read_used_codes(connection: sqlite3.Connection) -> dict[tuple[str, str], set[int]]:
    """
    Return who has ever had a code, (level, code) -> uids: in a drawing that was published.

    Or in a plan that was submitted, whatever became of it: the code is kept for that grid.
    """
    rows = connection.execute(
        "SELECT DISTINCT g.level, g.code, g.uid FROM grid g JOIN drawing d USING (drawing)"
        " WHERE d.state NOT IN ('draft', 'withdrawn', 'before')"
        " UNION SELECT json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
        " json_extract(value, '$[0]') FROM plan_act, json_each(plan_act.detail, '$.codes')"
        " WHERE what = 'submitted'"
    )
    found: dict[tuple[str, str], set[int]] = {}
    for level, code, uid in rows:
        found.setdefault((level, code), set()).add(uid)
    return found


def write_owners(
    connection: sqlite3.Connection, columns: dict[str, NDArray[Any]], *, revision: int
) -> None:
    """Give incidents (`inc`) their owner, rule, distance_mm and near_line by a new drawing."""
    cells = [
        columns[name].astype(np.int64).tolist()
        for name in ("owner", "rule", "distance_mm", "near_line", "inc")
    ]
    connection.executemany(
        f"UPDATE incident SET owner = ?, rule = ?, distance_mm = ?, near_line = ?,"  # noqa: S608
        f" rev = {int(revision)} WHERE inc = ?",
        zip(*cells, strict=True),
    )


def read_owned_cases(
    connection: sqlite3.Connection, *, since: int, until: int
) -> dict[str, NDArray[Any]]:
    """Return x, y (mm, NaN for none), open, owner and owner_at_event of cases of a period."""
    names = ("x", "y", "open", "owner", "owner_at_event")
    where = " AND reported_at >= ?3 AND reported_at < ?4 AND flags & 16 = 0"
    return _read_incidents(connection, names, where, (since, until))


def read_decided(connection: sqlite3.Connection) -> list[int]:
    """Return the incidents on which a post has decided anything."""
    return [inc for (inc,) in connection.execute("SELECT DISTINCT inc FROM decision")]


def read_owners(
    connection: sqlite3.Connection, incidents: Sequence[int]
) -> dict[int, tuple[int, bool]]:
    """Return (owner, open) of some incidents."""
    rows = connection.execute(
        "SELECT inc, owner, open FROM incident WHERE inc IN (SELECT value FROM json_each(?))",
        (orjson.dumps([int(inc) for inc in incidents]).decode(),),
    )
    return {inc: (owner, bool(opened)) for inc, owner, opened in rows}


def write_transfers(
    connection: sqlite3.Connection,
    drawing: int,
    moved: Iterable[tuple[int, int, int]],
    *,
    at: int,
) -> None:
    """Record each open case (inc, from uid, to uid) that a drawing moved."""
    connection.executemany(
        "INSERT INTO case_transfer VALUES (?, ?, ?, ?, ?)",
        [(drawing, inc, at, old, new) for inc, old, new in moved],
    )


def write_transfers_aside(connection: sqlite3.Connection, drawing: int, *, at: int) -> int:
    """Record the open cases whose owner differs in the table written aside; return how many."""
    made = connection.execute(
        f"INSERT INTO case_transfer SELECT ?, i.inc, ?, i.owner, a.owner FROM incident i"  # noqa: S608
        f" JOIN {ASIDE} a ON a.inc = i.inc WHERE i.open = 1 AND a.owner <> i.owner",
        (drawing, at),
    )
    return made.rowcount


def read_transfers(
    connection: sqlite3.Connection, drawing: int
) -> list[tuple[str, str, int, int, int]]:
    """Return (source, incident id, at, from uid, to uid) of each open case that a drawing moved."""
    rows = connection.execute(
        "SELECT s.text, k.ext_id, t.at, t.from_uid, t.to_uid FROM case_transfer t"
        " JOIN incident_key k ON k.inc = t.inc JOIN term s ON s.term = k.source"
        " WHERE t.drawing = ? ORDER BY t.from_uid, t.to_uid, s.text, k.ext_id",
        (drawing,),
    )
    return rows.fetchall()


def count_transfers(connection: sqlite3.Connection, drawing: int) -> int:
    """Return how many open cases a drawing moved."""
    (n,) = connection.execute(
        "SELECT count(*) FROM case_transfer WHERE drawing = ?", (drawing,)
    ).fetchone()
    return int(n)


def write_lineage(
    connection: sqlite3.Connection, drawing: int, rows: Iterable[Sequence[Any]]
) -> None:
    """Write (old uid, new uid, kind, reason, area share, load share, cases, open cases)."""
    connection.executemany(
        "INSERT INTO lineage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [(drawing, *row) for row in rows]
    )


def read_lineage(connection: sqlite3.Connection, drawing: int) -> list[tuple[Any, ...]]:
    """Return the lineage of a drawing as `write_lineage` takes it, ordered by uids."""
    rows = connection.execute(
        "SELECT old_uid, new_uid, kind, reason, area_share, load_share, cases, open_cases"
        " FROM lineage WHERE drawing = ? ORDER BY old_uid, new_uid",
        (drawing,),
    )
    return rows.fetchall()
