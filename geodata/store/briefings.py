"""Briefings in the store: recipes, templates, issues, and what came in after a moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.store.audit import Head
from geodata.store.batch_parts import read_batch_incidents
from geodata.store.event_log import LIVE_BATCH

_IDS_A_QUERY = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A briefing that is made again and again: its name, what it asks for, who saved it when."""

    name: str
    wish: dict[str, Any]
    at: int
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """
    One issue of a series: its period, cut-off and `at` in UTC seconds, and all that it said.

    `sight` tells which grids its figures see; `digest` is the hash of `briefing`.
    """

    issue: int
    series: str
    since: int
    until: int
    cut_off: int
    revision: int
    at: int
    account: str
    sight: str
    digest: str
    briefing: dict[str, Any]


def find_later(connection: sqlite3.Connection, moment: int) -> list[int]:
    """
    Return the incidents told of by an event or a decision after a moment (UTC s), ascending.

    Live events carry the moment itself; a batch was received when it was loaded.
    """
    found = {
        inc
        for (inc,) in connection.execute(
            "SELECT DISTINCT inc FROM event WHERE batch = 0 AND received > ?1"
            " UNION SELECT inc FROM decision WHERE at > ?1",
            (moment,),
        )
    }
    batches = connection.execute(
        "SELECT batch FROM batch WHERE at > ? AND batch <> ?", (moment, LIVE_BATCH)
    ).fetchall()
    for (batch,) in batches:
        found.update(read_batch_incidents(connection, batch).tolist())
    return sorted(found)


def read_ids(
    connection: sqlite3.Connection, incidents: Sequence[int]
) -> dict[int, tuple[str, str]]:
    """Return source and own id of each of these incidents."""
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(incidents), _IDS_A_QUERY):
        listed = orjson.dumps([int(inc) for inc in incidents[start : start + _IDS_A_QUERY]])
        for inc, source, ext_id in connection.execute(
            "SELECT k.inc, t.text, k.ext_id FROM incident_key k JOIN term t ON t.term = k.source"
            " WHERE k.inc IN (SELECT value FROM json_each(?))",
            (listed.decode(),),
        ):
            found[inc] = (source, ext_id)
    return found


# --- recipes -------------------------------------------------------------------------------------


def save_recipe(connection: sqlite3.Connection, recipe: Recipe) -> None:
    """Save a recipe inside the caller's transaction, in the place of one of the same name."""
    connection.execute(
        "INSERT OR REPLACE INTO recipe (name, wish, at, account) VALUES (?, ?, ?, ?)",
        (recipe.name, orjson.dumps(recipe.wish).decode(), recipe.at, recipe.account),
    )


def drop_recipe(connection: sqlite3.Connection, name: str) -> bool:
    """Remove a recipe inside the caller's transaction; tell whether there was one."""
    return connection.execute("DELETE FROM recipe WHERE name = ?", (name,)).rowcount > 0


def list_recipes(connection: sqlite3.Connection) -> list[Recipe]:
    """Return every recipe by its name."""
    rows = connection.execute("SELECT name, wish, at, account FROM recipe ORDER BY name")
    return [
        Recipe(name=name, wish=orjson.loads(wish), at=at, account=account)
        for name, wish, at, account in rows
    ]


# --- templates -----------------------------------------------------------------------------------


def save_template(
    connection: sqlite3.Connection, account: str, kind: str, *, name: str, body: bytes, at: int
) -> None:
    """Keep an account's template of a kind (docx, pptx) inside the caller's transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO office_template (account, kind, name, at, body)"
        " VALUES (?, ?, ?, ?, ?)",
        (account, kind, name, at, body),
    )


def drop_template(connection: sqlite3.Connection, account: str, kind: str) -> bool:
    """Remove an account's template inside the caller's transaction; tell whether there was one."""
    return (
        connection.execute(
            "DELETE FROM office_template WHERE account = ? AND kind = ?", (account, kind)
        ).rowcount
        > 0
    )


def list_templates(connection: sqlite3.Connection, account: str) -> dict[str, str]:
    """Return the file names of an account's templates by kind."""
    return dict(
        connection.execute(
            "SELECT kind, name FROM office_template WHERE account = ? ORDER BY kind", (account,)
        )
    )


def read_template(connection: sqlite3.Connection, account: str, kind: str) -> bytes | None:
    """Return an account's template of a kind, None where there is none."""
    row = connection.execute(
        "SELECT body FROM office_template WHERE account = ? AND kind = ?", (account, kind)
    ).fetchone()
    return None if row is None else bytes(row[0])


# --- issues --------------------------------------------------------------------------------------

_FIELDS = "issue, series, since, until, cut_off, revision, at, account, sight, digest, briefing"


def save_issue(connection: sqlite3.Connection, issue: Issue) -> int:
    """Keep an issue for good inside the caller's transaction; return its number."""
    cursor = connection.execute(
        f"INSERT INTO briefing_issue ({_FIELDS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (issue.series, issue.since, issue.until, issue.cut_off, issue.revision, issue.at,
         issue.account, issue.sight, issue.digest, orjson.dumps(issue.briefing).decode()),
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def read_issue(connection: sqlite3.Connection, number: int) -> Issue | None:
    """Return one issue, None where there is none of that number."""
    row = connection.execute(
        f"SELECT {_FIELDS} FROM briefing_issue WHERE issue = ?",  # noqa: S608
        (number,),
    ).fetchone()
    return None if row is None else _issue(row)


def list_issues(
    connection: sqlite3.Connection, *, sight: str, series: str | None = None, most: int = 50
) -> list[Issue]:
    """Return the newest issues that were made with the same sight, the newest first."""
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM briefing_issue WHERE sight = ?1 AND (?2 IS NULL OR series = ?2)"  # noqa: S608
        " ORDER BY issue DESC LIMIT ?3",
        (sight, series, most),
    )
    return [_issue(row) for row in rows]


def find_head(
    connection: sqlite3.Connection, *, at: int, act: str, detail: Mapping[str, Any]
) -> Head | None:
    """Return the row of the log of an act at a moment with exactly this detail."""
    plain = orjson.dumps(detail, option=orjson.OPT_SORT_KEYS).decode()
    row = connection.execute(
        "SELECT entry, hash, at FROM audit WHERE at = ? AND act = ? AND detail = ?",
        (at, act, plain),
    ).fetchone()
    return None if row is None else Head(entry=row[0], hash=row[1], at=row[2])


def _issue(row: tuple[Any, ...]) -> Issue:
    names = _FIELDS.split(", ")
    return Issue(**dict(zip(names, row[:-1], strict=False)), briefing=orjson.loads(row[-1]))
