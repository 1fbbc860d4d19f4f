"""
One range of a long query, read in a process of its own and written out as plain columns.

Stands alone, for the child must start at once: `python -I _column_child.py` takes a JSON job from
its standard input and writes blocks to its standard output: the number of rows, then each column,
all 64-bit whole numbers; at the end -1. A parent that does not see the -1 asks again itself.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS_A_BLOCK = 100_000
END = -1
_CACHE_KB = 32_768


def read_blocks(
    connection: sqlite3.Connection, query: str, arguments: list[Any], width: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of a query of `width` whole numbers a row as blocks of shape (width, n)."""
    rows = connection.execute(query, arguments)
    while True:
        # From the cursor straight into the array: no list of rows is ever made.
        flat = np.fromiter(chain.from_iterable(islice(rows, ROWS_A_BLOCK)), np.int64)
        if not len(flat):
            return
        yield np.ascontiguousarray(flat.reshape(-1, width).T)


def main() -> int:
    """Read the job's range and write it out."""
    job = json.load(sys.stdin)
    out = sys.stdout.buffer
    with closing(sqlite3.connect(f"{job['file']}?mode=ro", uri=True)) as connection:
        connection.execute("PRAGMA query_only=ON")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
        for block in read_blocks(connection, job["query"], job["arguments"], job["width"]):
            out.write(np.int64(block.shape[1]).tobytes())
            out.write(block.data)
    out.write(np.int64(END).tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
