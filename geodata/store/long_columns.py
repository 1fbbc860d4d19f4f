"""
Long tables read as columns of whole numbers.

SQLite writes each column of a stretch of rows as one JSON text, and a kernel reads its digits: no
Python object stands for a cell, which makes this three times as fast as a cursor, and other threads
run meanwhile. The longest tables are read by two threads at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from geodata.compiled import compile_kernel

INCIDENTS_A_STRETCH = 20_000  # with some 100,000 events: texts of 2 MB
_THREADS = 2
_MINUS, _ZERO, _NINE = 45, 48, 57


def read_columns(
    connection: sqlite3.Connection, query: str, arguments: Sequence[object]
) -> list[NDArray[np.int64]]:
    """Return the columns of a query whose every cell is a whole number; it names them c0, c1, …."""
    width = query.count(" AS c")
    texts = ", ".join(f"CAST(json_group_array(c{column}) AS BLOB)" for column in range(width))
    rows, *found = connection.execute(
        f"SELECT count(*), {texts} FROM ({query})",  # noqa: S608 - the caller's constant
        tuple(arguments),
    ).fetchone()
    columns = []
    for text in found:
        column = np.empty(rows, np.int64)
        read = _parse_whole(np.frombuffer(text, np.uint8), column)
        assert read == rows, "a cell is no whole number"
        columns.append(column)
    return columns


def read_long_columns(
    connection: sqlite3.Connection,
    query: str,
    arguments: Sequence[object],
    *,
    within: tuple[int, int] | None = None,
) -> list[NDArray[np.int64]]:
    """
    Return the columns of a query over every incident, ordered by it, or over those `within`.

    The query takes the first incident and the one after the last as ?1 and ?2. In a large city it
    is read at a moment a little later than this connection's, perhaps, though never of an incident
    that this connection does not see.
    """
    cuts = cut_incidents(connection, within=within)
    stretches = list(pairwise(cuts))
    if len(stretches) < 2 * _THREADS:
        return join_columns(
            [read_columns(connection, query, (*ends, *arguments)) for ends in stretches]
        )
    file = Path(connection.execute("PRAGMA database_list").fetchone()[2])

    def read(part: list[tuple[int, int]]) -> list[list[NDArray[np.int64]]]:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as other:
            return [read_columns(other, query, (*ends, *arguments)) for ends in part]

    half = -(-len(stretches) // _THREADS)
    parts = [stretches[start : start + half] for start in range(0, len(stretches), half)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return join_columns([found for part in pool.map(read, parts) for found in part])


def cut_incidents(
    connection: sqlite3.Connection,
    *,
    within: tuple[int, int] | None = None,
    size: int = INCIDENTS_A_STRETCH,
) -> list[int]:
    """Return where to cut the incidents into stretches: the first, …, the one after the last."""
    if within is None:
        (end,) = connection.execute("SELECT ifnull(max(inc), 0) + 1 FROM incident_key").fetchone()
        within = (1, end)
    first, end = within
    return [*range(first, end, size), end] if end > first else [first, first]


def read_texts(
    connection: sqlite3.Connection, query: str, arguments: Sequence[object]
) -> list[str | None]:
    """Return the one column of a query that names it c0, as texts."""
    (text,) = connection.execute(
        f"SELECT json_group_array(c0) FROM ({query})",  # noqa: S608 - the caller's constant
        tuple(arguments),
    ).fetchone()
    cells: list[str | None] = orjson.loads(text)
    return cells


def join_columns(parts: list[list[NDArray[np.int64]]]) -> list[NDArray[np.int64]]:
    """Return the columns of stretches one after another; the parts are used up on the way."""
    columns = []
    for _ in range(len(parts[0])):
        columns.append(np.concatenate([part.pop(0) for part in parts]))
    return columns


@compile_kernel
def _parse_whole(text: NDArray[np.uint8], column: NDArray[np.int64]) -> int:
    """Read the numbers of a JSON list of whole numbers; return how many, -1 for anything else."""
    n = 0
    place = 1
    end = len(text) - 1
    while place < end:
        negative = text[place] == _MINUS
        if negative:
            place += 1
        value = np.int64(0)
        begin = place
        while place < end and _ZERO <= text[place] <= _NINE:
            # Downwards, for the smallest number has no positive counterpart.
            value = value * 10 - np.int64(text[place] - _ZERO)
            place += 1
        if place == begin or n >= len(column):
            return -1
        column[n] = value if negative else -value
        n += 1
        place += 1  # the comma
    return n


def warm() -> None:
    """Compile the kernels."""
    _parse_whole(np.frombuffer(b"[1,-2]", np.uint8), np.empty(2, np.int64))
