"""Row mask: which incidents a filter lets through, column by column in one pass (numba)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel

_LEAST_SHARE = 500_000  # rows for which a second thread pays
_BITS = 64  # codes that a table of bits holds: it is asked without reading memory


def choose_rows(
    at: NDArray[Any],
    category: NDArray[Any],
    *,
    since: int | None = None,
    until: int | None = None,
    categories: NDArray[np.bool_] | None = None,
    state: NDArray[np.uint8] | None = None,
    states: NDArray[np.bool_] | None = None,
    threads: int = 1,
) -> NDArray[np.bool_]:
    """
    Return which rows were reported in [since, until), of these categories and in these states.

    `at` and `category` are columns of a snapshot; `categories` and `states` say for each code
    whether it counts, `state` is the code of each row.
    """
    keep = np.empty(len(at), np.bool_)
    low, high = _limit(at.dtype, since, until)
    column = np.zeros(0, np.uint8) if state is None else state
    tables = [np.zeros(0, np.bool_) if table is None else table for table in (categories, states)]
    bits = [_pack_bits(table) for table in tables]
    workers = max(1, min(threads, len(at) // _LEAST_SHARE))
    cuts = np.linspace(0, len(at), workers + 1).astype(np.int64)

    def work(worker: int) -> None:
        part = slice(cuts[worker], cuts[worker + 1])
        _choose_period(at[part], low, high, keep[part])
        for codes, table, packed in zip((category, column), tables, bits, strict=True):
            if not len(table):
                continue
            if packed is None:
                _choose_codes(codes[part], np.array(table, np.bool_), keep[part])
            else:
                _choose_bits(codes[part], packed, keep[part])

    if workers == 1:
        work(0)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, range(workers)))
    return keep


def _limit(kind: Any, since: int | None, until: int | None) -> tuple[Any, Any]:
    """Return the first and last moment in the unit of the column; the first above for none."""
    least, most = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    low = least if since is None else max(since, least)
    high = most if until is None else min(until - 1, most)
    if low > high:
        low, high = most, least
    return np.array(low, kind)[()], np.array(high, kind)[()]


def _pack_bits(table: NDArray[np.bool_]) -> np.uint64 | None:
    """Return a table of booleans as bits, None for one too long."""
    if len(table) > _BITS:
        return None
    return np.uint64(sum(1 << code for code, yes in enumerate(table) if yes))


@compile_kernel
def _choose_period(at: Any, low: Any, high: Any, keep: Any) -> None:
    """Write for each row whether it was reported in low..high."""
    for i in range(len(at)):
        keep[i] = (at[i] >= low) & (at[i] <= high)


@compile_kernel
def _choose_bits(codes: Any, bits: Any, keep: Any) -> None:
    """Drop each row whose code's bit is not set."""
    for i in range(len(codes)):
        keep[i] &= (bits >> np.uint64(codes[i])) & np.uint64(1) != 0


@compile_kernel
def _choose_codes(codes: Any, table: Any, keep: Any) -> None:
    """Drop each row whose code the table does not allow."""
    for i in range(len(codes)):
        keep[i] &= table[codes[i]]


def warm() -> None:
    """Compile the kernels and keep the machine code on disk, for set-up."""
    at, category, state = np.zeros((2, 6), np.int64), np.zeros(2, np.int32), np.zeros(2, np.uint8)
    frozen, frozen_category = at.copy(), category.copy()
    frozen.flags.writeable = frozen_category.flags.writeable = False
    for times in (at, frozen):
        for codes in (category, frozen_category):
            for n in (1, _BITS + 1):
                yes = np.ones(n, np.bool_)
                choose_rows(times[:, 0], codes, categories=yes, state=state, states=yes)
