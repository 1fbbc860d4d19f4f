"""What leaves the house is noted first, and carries the head of the log that notes it."""

from __future__ import annotations

from typing import Any

from geodata.access.scope import Scope
from geodata.audit.log import print_head, write_entry
from geodata.city import City
from geodata.store.audit import read_head_at


def note_export(
    city: City,
    scope: Scope,
    what: str,
    *,
    target: str,
    n: int,
    at: int,
    grid: int | None = None,
    detail: dict[str, Any] | None = None,
) -> str:
    """
    Write into the log that a scope takes something out; return the log's head, to be printed.

    `what` is a noun such as "table"; `target` which one, `n` how many rows or figures, `detail` the
    period and the cut-off.
    """
    with city.database.transaction() as connection:
        head = write_entry(
            connection,
            account=scope,
            act=f"export.{what}",
            target=target,
            grid=grid,
            n=n,
            at=at,
            detail=detail,
        )
    return print_head(head)


def read_head_then(city: City, at: int) -> str:
    """Return the head of the log as it stood at a moment (UTC s): the same for each run of it."""
    with city.database.read() as connection:
        return print_head(read_head_at(connection, at))
