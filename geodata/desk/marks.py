"""Marks on cases in lists: whose owner was set by hand, and whose is disputed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from geodata.access.scope import Scope
from geodata.city import City
from geodata.desk.decisions import NOTHING_DECIDED, fold_decisions
from geodata.desk.trays import list_seen
from geodata.ownership import RULES
from geodata.store.database import Connection
from geodata.store.decisions import read_decisions

Mark = Literal["manual", "disputed"]


def read_marks(city: City, scope: Scope, incidents: Collection[int]) -> dict[int, tuple[Mark, ...]]:
    """Return the marks of incidents in the scope, as they stand now."""
    with city.database.read() as connection:
        return mark_owners(connection, scope, incidents)


def mark_owners(
    connection: Connection, scope: Scope, incidents: Collection[int]
) -> dict[int, tuple[Mark, ...]]:
    """Return the marks of incidents by their numbers in the store, of those in the scope."""
    heads = list_seen(connection, scope, incidents)
    decided = fold_decisions(read_decisions(connection, only=[head.inc for head in heads]))
    found: dict[int, tuple[Mark, ...]] = {}
    for head in heads:
        marks: list[Mark] = ["manual"] if RULES[head.rule] == "manual" else []
        if decided.get(head.inc, NOTHING_DECIDED).dispute is not None:
            marks.append("disputed")
        found[head.inc] = tuple(marks)
    return found
