"""The rows of the log as an auditor asks for them: filtered, newest first, and counted."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import orjson

from geodata.access.scope import Scope
from geodata.store.audit import Entry

_FIELDS = "at, account, role, act, target, scope, grid, n, revision, detail"
# An auditor of some grids sees what was done to those, and what the auditor did; of the whole city
# everything. Each filter is off where its argument is NULL.
_WHERE = (
    "(?1 IS NULL OR grid IN (SELECT value FROM json_each(?1)) OR account = ?2)"
    " AND (?3 IS NULL OR account = ?3)"
    " AND (?4 IS NULL OR substr(act, 1, length(?4)) = ?4)"
    " AND (?5 IS NULL OR grid IN (SELECT value FROM json_each(?5)))"
    " AND (?6 IS NULL OR at >= ?6) AND (?7 IS NULL OR at < ?7)"
    " AND (?8 IS NULL OR target = ?8)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """
    Which rows of the log: None asks for all.

    `act` is an act or its beginning ("view."), `grids` the uids of any of which, `from_at` and
    `to_at` UTC seconds, the second left out.
    """

    account: str | None = None
    act: str | None = None
    target: str | None = None
    grids: frozenset[int] | None = None
    from_at: int | None = None
    to_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One row of the log with its number."""

    number: int
    entry: Entry


def read_log(
    connection: sqlite3.Connection, scope: Scope, wanted: LogFilter, *, skip: int = 0, most: int
) -> list[LogRow]:
    """Return rows of the log that the scope may see, newest first."""
    rows = connection.execute(
        f"SELECT entry, {_FIELDS} FROM audit WHERE {_WHERE}"  # noqa: S608
        " ORDER BY entry DESC LIMIT ?9 OFFSET ?10",
        (*_values(scope, wanted), most, skip),
    )
    names = _FIELDS.split(", ")
    return [
        LogRow(number=row[0], entry=Entry(**dict(zip(names, row[1:], strict=True)))) for row in rows
    ]


def count_log(connection: sqlite3.Connection, scope: Scope, wanted: LogFilter) -> int:
    """Return how many rows of the log the scope may see that are wanted."""
    found = connection.execute(
        f"SELECT count(*) FROM audit WHERE {_WHERE}",  # noqa: S608
        _values(scope, wanted),
    ).fetchone()
    return int(found[0])


def list_accounts(connection: sqlite3.Connection) -> list[str]:
    """Return every account that stands in the log, by name."""
    # One look into the index an account, where DISTINCT would read all of it.
    rows = connection.execute(
        "WITH RECURSIVE found(account) AS (SELECT min(account) FROM audit UNION ALL"
        " SELECT (SELECT min(a.account) FROM audit a WHERE a.account > found.account) FROM found"
        " WHERE found.account IS NOT NULL) SELECT account FROM found WHERE account IS NOT NULL"
    )
    return [row[0] for row in rows]


def find_grids(connection: sqlite3.Connection, code: str) -> frozenset[int]:
    """Return the uids of every grid that had a code in any drawing, and of those below them."""
    rows = connection.execute(
        "WITH RECURSIVE below(uid) AS (SELECT uid FROM grid WHERE code = ?"
        " UNION SELECT g.uid FROM grid g JOIN below ON g.parent = below.uid)"
        " SELECT uid FROM below",
        (code.strip(),),
    )
    return frozenset(row[0] for row in rows)


def read_codes(connection: sqlite3.Connection) -> dict[int, str]:
    """Return the code of each grid by its uid, the newest drawing's where it changed."""
    return dict(connection.execute("SELECT uid, code FROM grid ORDER BY drawing").fetchall())


def _values(scope: Scope, wanted: LogFilter) -> tuple[object, ...]:
    return (
        _listed(scope.grids), scope.account, wanted.account, wanted.act, _listed(wanted.grids),
        wanted.from_at, wanted.to_at, wanted.target,
    )  # fmt: skip


def _listed(grids: frozenset[int] | None) -> str | None:
    return None if grids is None else orjson.dumps(sorted(grids)).decode()
