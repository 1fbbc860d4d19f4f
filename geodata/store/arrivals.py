"""What came in: the loads of each source and of each kind of table, summed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from geodata.store.event_log import IN


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """
    The visible loads of one source or kind of table; `last_at` UTC seconds.

    Of loads made before these counts were kept only `accepted` is known; `told` says of how many
    loads all of them are.
    """

    name: str
    loads: int
    told: int
    last_at: int
    accepted: int
    refused: int
    repaired: int
    copies: int


_SUMS = (
    "count(*), sum(json_extract(b.report, '$.accepted') IS NOT NULL), max(b.at),"
    " sum(ifnull(json_extract(b.report, '$.accepted'), b.rows)),"
    " sum(ifnull(json_extract(b.report, '$.refused'), 0)),"
    " sum(ifnull(json_extract(b.report, '$.repaired'), 0)),"
    " sum(ifnull(json_extract(b.report, '$.copies'), 0))"
)


def list_by_source(connection: sqlite3.Connection) -> dict[str, Arrivals]:
    """Return the loads of each source by its name; a file of several counts in each of them."""
    rows = connection.execute(
        f"SELECT t.text, {_SUMS} FROM source_batch l JOIN batch b ON b.batch = l.batch"  # noqa: S608
        " JOIN term t ON t.term = l.source WHERE b.state = ? GROUP BY t.text",
        (IN,),
    )
    return {row[0]: _arrivals(row) for row in rows}


def list_by_table(connection: sqlite3.Connection) -> dict[str, Arrivals]:
    """Return the loads of each kind of table by its name."""
    rows = connection.execute(
        f"SELECT b.what, {_SUMS} FROM batch b WHERE b.state = ? GROUP BY b.what",  # noqa: S608
        (IN,),
    )
    return {row[0]: _arrivals(row) for row in rows}


def _arrivals(row: tuple[str | int, ...]) -> Arrivals:
    name, *numbers = row
    loads, told, last_at, accepted, refused, repaired, copies = map(int, numbers)
    return Arrivals(
        name=str(name), loads=loads, told=told, last_at=last_at, accepted=accepted,
        refused=refused, repaired=repaired, copies=copies,
    )  # fmt: skip
