"""What files say of kinds and bodies that the city's own tables do not have."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from geodata.access.scope import ROWS, Scope
from geodata.store.records import read_records


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """A text that no row of a table has, and of how many incidents; None where that is not told."""

    text: str
    incidents: int | None


def list_unmatched(
    connection: sqlite3.Connection, scope: Scope, of: Literal["kind", "body"], *, at: int
) -> list[Unmatched] | None:
    """
    Return the kinds or bodies of incidents that the city's table of them lacks at a moment.

    The most frequent first, with their numbers, for who sees every incident; else by their text.
    None where the account does not see the whole city.
    """
    if not scope.everything:
        return None
    known = {"", *read_records(connection, "kinds" if of == "kind" else "bodies", at=at)["id"]}
    counted = connection.execute(
        "SELECT t.text, n FROM (SELECT kind AS term, count(*) AS n FROM incident GROUP BY kind) i"
        " JOIN term t ON t.term = i.term"
        if of == "kind"
        else "SELECT t.text, n FROM (SELECT body AS term, count(*) AS n FROM incident"
        " GROUP BY body) i JOIN term t ON t.term = i.term"
    )
    found = [(text, n) for text, n in counted if text not in known]
    if ROWS in scope.permissions:
        return [Unmatched(text=text, incidents=n) for text, n in sorted(found, key=_most_first)]
    return [Unmatched(text=text, incidents=None) for text, _ in sorted(found)]


def _most_first(found: tuple[str, int]) -> tuple[int, str]:
    return -found[1], found[0]
