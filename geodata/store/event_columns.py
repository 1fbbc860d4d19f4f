"""The visible events of a city read back as columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from geodata.store.event_log import IN, NO_BATCH
from geodata.store.event_rows import NO_PLACE
from geodata.store.long_columns import read_columns, read_long_columns

NOTHING_HIDDEN = "[]"  # what `hidden_batches` answers then


def hidden_batches(
    connection: sqlite3.Connection, *, shown: int = NO_BATCH, left_out: int = NO_BATCH
) -> str:
    """Return the batches that a reader does not see, as JSON for `visible_event`."""
    rows = connection.execute(
        "SELECT batch FROM batch WHERE batch = ?1 OR (state <> ?2 AND batch <> ?3)",
        (left_out, IN, shown),
    )
    return orjson.dumps([row[0] for row in rows]).decode()


def visible_event(place: int) -> str:
    """Return the SQL condition that event `e` is in a batch not hidden; `place` of its argument."""
    listed = f"IN (SELECT value FROM json_each(?{place}))"  # noqa: S608
    return (
        f"(e.batch NOT {listed} OR EXISTS (SELECT 1 FROM event_copy o WHERE o.inc = e.inc"  # noqa: S608
        f" AND o.seq = e.seq AND o.at = e.at AND o.hash = e.hash AND o.batch NOT {listed}))"
    )


def read_event_columns(
    connection: sqlite3.Connection,
    *,
    with_batch: int = NO_BATCH,
    without_batch: int = NO_BATCH,
    only: Sequence[int] | None = None,
    within: tuple[int, int] | None = None,
    received_until: int | None = None,
) -> dict[str, NDArray[np.int64]]:
    """
    Return the columns of every visible event, grouped by incident, as int64 arrays.

    With `only` the events of those incidents alone, with `within` those from one incident to before
    another. Without `only` a large city's may hold an event or two more than this connection sees,
    never of a new incident.

    `with_batch` is seen although it is not visible yet, `without_batch` is not although it still
    is: the fold that will show or hide it needs that. `received_until` leaves out what was received
    after a moment (UTC s).
    """
    names = ("inc", "seq", "at", "hash", "stage", "version", "due", "body")
    hidden = hidden_batches(connection, shown=with_batch, left_out=without_batch)
    seen = "?3 IS NOT NULL" if hidden == NOTHING_HIDDEN else visible_event(3)
    arguments: tuple[int | str, ...] = (hidden,)
    if received_until is not None:
        seen, arguments = f"{seen} AND e.received <= ?4", (hidden, received_until)
    columns = _read(
        connection,
        "SELECT e.inc AS c0, e.seq AS c1, e.at AS c2, e.hash AS c3, e.stage AS c4,"  # noqa: S608
        " e.version AS c5, ifnull(e.due, 0) AS c6, ifnull(e.body, 0) AS c7 FROM event e"
        f" WHERE e.inc {{among}} AND {seen} ORDER BY e.inc",
        arguments,
        only=only,
        within=within,
    )
    return dict(zip(names, columns, strict=True))


def read_payloads(
    connection: sqlite3.Connection,
    *,
    only: Sequence[int] | None = None,
    within: tuple[int, int] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """
    Return place and kind of every payload, grouped by incident, as int64 arrays.

    inc, hash, x, y (mm, NO_PLACE for none), kind (its term, 0 for none).
    """
    names = ("inc", "hash", "x", "y", "kind")
    columns = _read(
        connection,
        "SELECT inc AS c0, hash AS c1, ifnull(x, ?3) AS c2, ifnull(y, ?3) AS c3,"
        " ifnull(kind, 0) AS c4 FROM payload WHERE inc {among} ORDER BY inc, hash",
        (NO_PLACE,),
        only=only,
        within=within,
    )
    return dict(zip(names, columns, strict=True))


def read_sources(
    connection: sqlite3.Connection,
    *,
    only: Sequence[int] | None = None,
    within: tuple[int, int] | None = None,
) -> NDArray[np.int64]:
    """Return (incident, source term) pairs, ascending, shape (n, 2)."""
    columns = _read(
        connection,
        "SELECT inc AS c0, source AS c1 FROM incident_key WHERE inc {among} ORDER BY inc",
        (),
        only=only,
        within=within,
    )
    return np.stack(columns, axis=1)


def _read(
    connection: sqlite3.Connection,
    query: str,
    arguments: tuple[int | str, ...],
    *,
    only: Sequence[int] | None,
    within: tuple[int, int] | None,
) -> list[NDArray[np.int64]]:
    if only is None:
        among = query.format(among=">= ?1 AND inc < ?2")
        return read_long_columns(connection, among, arguments, within=within)
    listed = orjson.dumps([int(inc) for inc in only]).decode()
    among = query.format(among="IN (SELECT value FROM json_each(?1)) AND ?2")
    return read_columns(connection, among, (listed, True, *arguments))
