"""Long tables read as columns of whole numbers, the longest by two processes at once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geodata.store import _column_child as child

# A second process starts in 0.2 s and reads half of it without holding up this one's threads.
LONG_INCIDENTS = 150_000
_CHILDREN = 2
_WORD = 8


def read_columns(
    connection: sqlite3.Connection, query: str, arguments: tuple[Any, ...], *, width: int
) -> list[NDArray[np.int64]]:
    """Return the `width` columns of a query whose every cell is a whole number."""
    blocks = list(child.read_blocks(connection, query, list(arguments), width))
    return _join(blocks, width)


def read_long_columns(
    connection: sqlite3.Connection, query: str, arguments: tuple[Any, ...], *, width: int
) -> list[NDArray[np.int64]]:
    """
    Return the columns of a query over every incident, ordered by it.

    The query takes the first incident and the one after the last as its first two arguments (?1,
    ?2). A long one is read by other processes, perhaps at a moment a little later than this
    connection's, though never of an incident that this connection does not see.
    """
    (end,) = connection.execute("SELECT ifnull(max(inc), 0) + 1 FROM incident_key").fetchone()
    if end > LONG_INCIDENTS:
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        cuts = np.linspace(1, end, _CHILDREN + 1).astype(np.int64).tolist()
        jobs = [
            {
                "file": Path(file).as_uri(),
                "query": query,
                "arguments": [begin, stop, *arguments],
                "width": width,
            }
            for begin, stop in pairwise(cuts)
        ]
        with ThreadPoolExecutor(len(jobs)) as pool:
            parts = list(pool.map(_read_in_child, jobs))
        if all(part is not None for part in parts):
            return _join([block for part in parts for block in part or []], width)
    return read_columns(connection, query, (1, end, *arguments), width=width)


def _read_in_child(job: dict[str, Any]) -> list[NDArray[np.int64]] | None:
    """Return the blocks that a child process reads, None where it did not come to the end."""
    command = [sys.executable, "-I", child.__file__]
    with subprocess.Popen(  # noqa: S603 - ourselves, with a job of our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin as order:
            order.write(json.dumps(job).encode())
        blocks = _read_blocks(process.stdout, job["width"])
    return blocks if process.returncode == 0 else None


def _read_blocks(stream: IO[bytes], width: int) -> list[NDArray[np.int64]] | None:
    blocks: list[NDArray[np.int64]] = []
    while True:
        head = stream.read(_WORD)
        if len(head) < _WORD:
            return None
        rows = int(np.frombuffer(head, np.int64)[0])
        if rows == child.END:
            return blocks
        cells = stream.read(rows * width * _WORD)
        if len(cells) < rows * width * _WORD:
            return None
        blocks.append(np.frombuffer(cells, np.int64).reshape(width, rows))


def _join(blocks: list[NDArray[np.int64]], width: int) -> list[NDArray[np.int64]]:
    if not blocks:
        return [np.zeros(0, np.int64) for _ in range(width)]
    return [np.concatenate([block[column] for block in blocks]) for column in range(width)]
