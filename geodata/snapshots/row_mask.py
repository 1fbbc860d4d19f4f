"""Row mask: which incidents a filter lets through, piece by piece in the nearest cache (numba)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel, share_out

_PIECE = 1 << 17  # rows asked for everything at once: their answers stay in the second cache
_WORTH_A_THREAD = 2_000_000  # rows: a few ms on one; on a busy machine another may wait as long
_BLOCK = 4096
_MOST_RANGES = 16  # of codes that are compared: more are looked up
_WORD = 8  # answers that are summed at once
_MOST_WORDS = 255  # of ones that a byte can count
_ONES = np.uint64(0x0101010101010101)
_FULL = ~np.uint64(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTest:
    """
    What one column must say for a row to count: a code within some ranges, or one of a table.

    `table` is looked up at the code, its last place for every code beyond. Where the codes stand
    for finer values (`exact`), those of `unsure` are settled by these.
    """

    column: NDArray[Any]
    lows: NDArray[Any]
    highs: NDArray[Any]
    table: NDArray[np.bool_] | None = None
    unsure: tuple[int, ...] = ()
    exact: RowTest | None = None

    @classmethod
    def within(
        cls, column: NDArray[Any], ranges: Iterable[tuple[int, int]], **options: Any
    ) -> RowTest:
        """Return the test for values in one of the ranges, both ends included."""
        column = column.view(np.uint8) if column.dtype == np.bool_ else column
        least, most = int(np.iinfo(column.dtype).min), int(np.iinfo(column.dtype).max)
        cut = [(max(low, least), min(high, most)) for low, high in ranges]
        some = [pair for pair in cut if pair[0] <= pair[1]]
        lows, highs = (np.array([pair[end] for pair in some], column.dtype) for end in (0, 1))
        return cls(column=column, lows=lows, highs=highs, **options)

    @classmethod
    def among(cls, column: NDArray[Any], codes: Iterable[int]) -> RowTest:
        """Return the test for some codes, none below 0."""
        wanted = sorted({int(code) for code in codes if code >= 0})
        ends = [at for at, code in enumerate(wanted) if at == 0 or code > wanted[at - 1] + 1]
        ranges = [(wanted[i], wanted[j - 1]) for i, j in pairwise([*ends, len(wanted)])]
        if len(ranges) <= _MOST_RANGES:
            return cls.within(column, ranges)
        table = np.zeros(wanted[-1] + 2, np.bool_)
        table[wanted] = True
        return cls.within(column, (), table=table)

    @classmethod
    def period(cls, at: NDArray[Any], since: int | None, until: int | None) -> RowTest:
        """Return the test for times in [since, until); None for no limit."""
        least, most = int(np.iinfo(at.dtype).min), int(np.iinfo(at.dtype).max)
        low = least if since is None else since
        return cls.within(at, [(low, most if until is None else until - 1)])

    def narrow(self, part: slice, keep: NDArray[np.bool_]) -> None:
        """Drop from `keep`, as long as `part`, the rows that do not count."""
        codes = self.column[part]
        if self.table is not None:
            _choose_codes(codes, self.table, keep)
            return
        if self.exact is None or not self.unsure:
            _choose_ranges(codes, self.lows, self.highs, keep)
            return
        rows = np.flatnonzero(np.isin(codes, self.unsure))
        rows = rows[keep[rows]]
        _choose_ranges(codes, self.lows, self.highs, keep)
        settled = np.ones(len(rows), np.bool_)
        finer = self.exact.column[part][rows]
        _choose_ranges(finer, self.exact.lows, self.exact.highs, settled)
        keep[rows] = settled


def choose_rows(n: int, tests: Sequence[RowTest], *, threads: int = 1) -> NDArray[np.bool_]:
    """Return which of `n` rows pass every test."""
    keep = np.ones(n, np.bool_)

    def work(part: slice) -> None:
        for test in tests:
            test.narrow(part, keep[part])

    if tests:
        workers = threads if n >= _WORTH_A_THREAD else 1
        share_out(work, n, threads=workers, chunk=_PIECE)
    return keep


def count_runs(
    starts: NDArray[np.int64], tests: Sequence[RowTest], *, threads: int = 1
) -> NDArray[np.uint32]:
    """
    Return how many rows of each run pass every test; runs begin at `starts`, the last is an end.

    The answers of single rows are summed while they are in the cache, and never written down.
    """
    counts = np.diff(starts).astype(np.uint32)
    if not tests or not len(counts):
        return counts
    cuts = np.searchsorted(starts, np.arange(starts[0], starts[-1], _PIECE))
    cuts = np.unique(np.append(cuts, len(counts)))

    def work(pieces: slice) -> None:
        for piece in range(pieces.start, pieces.stop):
            runs = slice(cuts[piece], cuts[piece + 1])
            own = starts[runs.start : runs.stop + 1]
            words = np.full(-(-(own[-1] - own[0]) // _WORD) + 1, _ONES)
            keep = words.view(np.bool_)[: own[-1] - own[0]]
            for test in tests:
                test.narrow(slice(own[0], own[-1]), keep)
            _sum_runs(words, own, counts[runs])

    workers = threads if starts[-1] - starts[0] >= _WORTH_A_THREAD else 1
    share_out(work, len(cuts) - 1, threads=workers, chunk=1)
    return counts


@compile_kernel
def _choose_ranges(codes: Any, lows: Any, highs: Any, keep: Any) -> None:
    """Drop each row whose code is in no range."""
    if len(lows) == 1:
        low, high = lows[0], highs[0]
        for i in range(len(codes)):
            keep[i] &= (codes[i] >= low) & (codes[i] <= high)
        return
    hit = np.empty(_BLOCK, np.bool_)
    for begin in range(0, len(codes), _BLOCK):
        n = min(_BLOCK, len(codes) - begin)
        some, kept = codes[begin : begin + n], keep[begin : begin + n]
        hit[:] = False
        for r in range(len(lows)):
            low, high = lows[r], highs[r]
            for j in range(n):
                hit[j] |= (some[j] >= low) & (some[j] <= high)
        for j in range(n):
            kept[j] &= hit[j]


@compile_kernel
def _choose_codes(codes: Any, table: Any, keep: Any) -> None:
    """Drop each row whose code the table does not allow."""
    last = len(table) - 1
    for i in range(len(codes)):
        keep[i] &= table[min(codes[i], last)]


@compile_kernel
def _sum_runs(words: Any, starts: Any, counts: Any) -> None:
    """
    Write how many bytes of each run are 1, eight at a time.

    Added as words, each of eight bytes counts its own ones up to 255; then the eight are added.
    """
    even = np.uint64(0x00FF00FF00FF00FF)
    for run in range(len(counts)):
        low, high = starts[run] - starts[0], starts[run + 1] - starts[0]
        first, last = low // _WORD, high // _WORD
        before = np.uint64(8 * (low % _WORD))  # bits of the first word that are another run's
        behind = (np.uint64(1) << np.uint64(8 * (high % _WORD))) - np.uint64(1)
        if first == last:
            some = words[first] & behind & (_FULL << before)
            counts[run] = (some * _ONES) >> np.uint64(56)
            continue
        total = ((words[first] & (_FULL << before)) * _ONES) >> np.uint64(56)
        total += ((words[last] & behind) * _ONES) >> np.uint64(56)
        for begin in range(first + 1, last, _MOST_WORDS):
            added = np.uint64(0)
            for word in range(begin, min(begin + _MOST_WORDS, last)):
                added += words[word]
            pairs = (added & even) + ((added >> np.uint64(8)) & even)
            total += (pairs * np.uint64(0x0001000100010001)) >> np.uint64(48)
        counts[run] = total


def warm() -> None:
    """Compile the kernels and keep the machine code on disk, for set-up."""
    times = np.zeros((2, 6), np.int64)
    columns = [np.zeros(2, kind) for kind in (np.uint8, np.uint16, np.int32, np.int64)]
    frozen = [column.copy() for column in [*columns, times]]
    for column in frozen:
        column.flags.writeable = False
    starts = np.array([0, 2])
    for column in [*columns, times[:, 0], *frozen[:-1], frozen[-1][:, 0]]:
        few, many = RowTest.among(column, [0]), RowTest.among(column, range(0, 99, 2))
        choose_rows(2, [few, many])
        count_runs(starts, [few, many])
