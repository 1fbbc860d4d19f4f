"""Plans of drawings: their facts, their edits and the acts on them, only ever added to."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

UIDS_A_PLAN = 10_000
DRAFT, REVIEW, APPROVED, SCHEDULED, IN_FORCE, RETIRED, DROPPED = (
    "draft", "review", "approved", "scheduled", "in_force", "retired", "dropped",
)  # fmt: skip
OPEN_STATES = (DRAFT, REVIEW, APPROVED, SCHEDULED)
_NAMES = (
    "plan", "name", "system", "base", "start", "first_uid", "state", "author", "made_at",
    "approver", "effective_from", "drawing", "reason", "document",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    One plan: what a drawing will become; times are UTC seconds.

    `start` is the drawing that is edited, `base` the one it will replace: they differ for a drawing
    that came as a file, or an old one that is to return. `drawing` is what it became, once it is
    published. New grids take uids from `first_uid` on.
    """

    plan: int
    name: str
    system: str
    base: int
    start: int
    first_uid: int
    state: str
    author: str
    made_at: int
    approver: str | None
    effective_from: int | None
    drawing: int | None
    reason: str
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEdit:
    """One line of a plan's log: the edit as it was asked for, and the uids it touched."""

    seq: int
    at: int
    account: str
    edit: dict[str, Any]
    touched: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAct:
    """One act on a plan: made, submitted, returned, approved, published, ..."""

    seq: int
    at: int
    account: str
    what: str
    detail: dict[str, Any]


def add_plan(
    connection: sqlite3.Connection,
    *,
    name: str,
    system: str,
    base: int,
    start: int,
    author: str,
    at: int,
    reason: str = "",
    document: str = "",
) -> Plan:
    """Add a plan in the state of a draft, with uids of its own; return it."""
    values = (
        name, system, base, start, next_uid(connection), DRAFT, author, at, None, None, None,
        reason, document,
    )  # fmt: skip
    made = connection.execute(
        f"INSERT INTO plan ({', '.join(_NAMES[1:])}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608
        values,
    )
    return _plan((int(made.lastrowid or 0), *values))


def next_uid(connection: sqlite3.Connection) -> int:
    """Return a uid that no grid ever had and no plan may give: what follows is free."""
    (grids,) = connection.execute("SELECT ifnull(max(uid), 0) FROM grid").fetchone()
    (plans,) = connection.execute("SELECT ifnull(max(first_uid), 0) FROM plan").fetchone()
    return int(max(grids, plans + UIDS_A_PLAN - 1 if plans else 0)) + 1


def read_plan(connection: sqlite3.Connection, plan: int) -> Plan | None:
    """Return one plan, None where there is none."""
    row = connection.execute(f"{_SELECT} WHERE plan = ?", (plan,)).fetchone()
    return None if row is None else _plan(row)


def list_plans(connection: sqlite3.Connection) -> list[Plan]:
    """Return every plan, the newest first."""
    return [_plan(row) for row in connection.execute(f"{_SELECT} ORDER BY plan DESC")]


def change_plan(connection: sqlite3.Connection, plan: int, **facts: Any) -> None:
    """Change facts of a plan: its state, base, approver, effective_from, drawing, name."""
    assert set(facts) <= set(_NAMES[1:])
    told = ", ".join(f"{name} = ?" for name in facts)
    connection.execute(f"UPDATE plan SET {told} WHERE plan = ?", (*facts.values(), plan))  # noqa: S608


def append_edits(
    connection: sqlite3.Connection,
    plan: int,
    edits: Sequence[tuple[Mapping[str, Any], Sequence[int]]],
    *,
    account: str,
    at: int,
) -> int:
    """Append (edit, touched uids) to a plan's log; return the number of the last line."""
    last = count_edits(connection, plan)
    connection.executemany(
        "INSERT INTO plan_edit VALUES (?, ?, ?, ?, ?, ?)",
        [
            (plan, last + place, at, account, orjson.dumps(dict(edit)).decode(),
             orjson.dumps([int(uid) for uid in touched]).decode())
            for place, (edit, touched) in enumerate(edits, start=1)
        ],
    )  # fmt: skip
    return last + len(edits)


def count_edits(connection: sqlite3.Connection, plan: int) -> int:
    """Return how many lines a plan's log has."""
    (last,) = connection.execute(
        "SELECT ifnull(max(seq), 0) FROM plan_edit WHERE plan = ?", (plan,)
    ).fetchone()
    return int(last)


def read_edits(connection: sqlite3.Connection, plan: int, *, after: int = 0) -> list[LoggedEdit]:
    """Return the lines of a plan's log after one, in order."""
    rows = connection.execute(
        "SELECT seq, at, account, edit, touched FROM plan_edit WHERE plan = ? AND seq > ?"
        " ORDER BY seq",
        (plan, after),
    )
    return [
        LoggedEdit(
            seq=seq, at=at, account=account, edit=orjson.loads(edit),
            touched=tuple(orjson.loads(touched)),
        )
        for seq, at, account, edit, touched in rows
    ]  # fmt: skip


def read_touched(connection: sqlite3.Connection, plan: int) -> set[int]:
    """Return the uids of every grid that a plan's edits have touched."""
    rows = connection.execute(
        "SELECT DISTINCT value FROM plan_edit, json_each(touched) WHERE plan = ?", (plan,)
    )
    return {int(uid) for (uid,) in rows}


def append_act(
    connection: sqlite3.Connection, plan: int, what: str, *, account: str, at: int, **detail: Any
) -> None:
    """Append an act on a plan."""
    connection.execute(
        "INSERT INTO plan_act SELECT ?1, ifnull(max(seq), 0) + 1, ?2, ?3, ?4, ?5"
        " FROM plan_act WHERE plan = ?1",
        (plan, at, account, what, orjson.dumps(detail).decode()),
    )


def read_acts(connection: sqlite3.Connection, plan: int) -> list[PlanAct]:
    """Return the acts on a plan, the oldest first."""
    rows = connection.execute(
        "SELECT seq, at, account, what, detail FROM plan_act WHERE plan = ? ORDER BY seq", (plan,)
    )
    return [
        PlanAct(seq=seq, at=at, account=account, what=what, detail=orjson.loads(detail))
        for seq, at, account, what, detail in rows
    ]


_SELECT = f"SELECT {', '.join(_NAMES)} FROM plan"  # noqa: S608 - our own names


def _plan(row: tuple[Any, ...]) -> Plan:
    return Plan(**dict(zip(_NAMES, row, strict=True)))
