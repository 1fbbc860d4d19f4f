"""Packed rows: when and of what category in three bytes a row, for passes over a large city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel, share_out
from geodata.snapshots.row_mask import RowTest

_HOUR_S = 3_600
_SPANS = (1 << 16) - 2  # of time that two bytes tell apart; 0 is before them all
_CHUNK = 1 << 20
_FEW = 256  # categories that one byte tells apart


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedRows:
    """
    The time of each row in spans of an hour or more, and its category.

    Span k is the `span_s` seconds from `first_s` + (k - 1) x `span_s` (UTC s); what is earlier is
    0, what is later the last.
    """

    first_s: int
    span_s: int
    spans: NDArray[np.uint16]
    category: NDArray[Any]

    @classmethod
    def of(cls, at: NDArray[Any], category: NDArray[Any], *, threads: int = 1) -> PackedRows:
        """Return the rows of these times (UTC s) and categories."""
        ends = np.zeros((len(at) // _CHUNK + 1, 2), np.int64)

        def find_ends(part: slice) -> None:
            _find_ends(at[part], ends[part.start // _CHUNK])

        share_out(find_ends, len(at), threads=threads, chunk=_CHUNK)
        last_s = int(ends[:, 1].max())
        first_s = int(ends[ends[:, 1] > 0, 0].min(initial=last_s))
        first_s -= first_s % _HOUR_S
        span_s = -(-(last_s - first_s + 1) // (_SPANS * _HOUR_S)) * _HOUR_S
        spans = np.empty(len(at), np.uint16)
        few = int(category.max(initial=0)) < _FEW and category.dtype != np.uint8
        short = np.empty(len(at), np.uint8) if few else category

        def pack(part: slice) -> None:
            _pack_times(at[part], first_s, span_s, spans[part])
            if few:
                short[part] = category[part]

        share_out(pack, len(at), threads=threads, chunk=_CHUNK)
        return cls(first_s=first_s, span_s=span_s, spans=spans, category=short)

    def shorten(self, exact: RowTest) -> RowTest:
        """Return a test of times, asked of their spans; the times settle those at its ends."""
        if not len(exact.lows):
            return exact
        low, high = int(exact.lows[0]), int(exact.highs[0])
        least, most = self._span_of(low), self._span_of(high)
        kind = np.iinfo(exact.column.dtype)
        unsure = set()
        if low > kind.min and self._span_of(low - 1) == least:
            unsure.add(least)
        if high < kind.max and self._span_of(high + 1) == most:
            unsure.add(most)
        return RowTest.within(self.spans, [(least, most)], unsure=tuple(unsure), exact=exact)

    def _span_of(self, at: int) -> int:
        return max(0, min((at - self.first_s) // self.span_s + 1, _SPANS + 1))


@compile_kernel
def _find_ends(at: Any, ends: Any) -> None:
    """Write the first and the last time above 0; 0 where there is none."""
    first, last = np.int64(np.iinfo(np.int64).max), np.int64(0)
    for i in range(len(at)):
        one = np.int64(at[i])
        first = min(first, one if one > 0 else first)
        last = max(last, one)
    ends[0], ends[1] = (first if last > 0 else 0), last


@compile_kernel
def _pack_times(at: Any, first_s: int, span_s: int, spans: Any) -> None:
    """Write the span of each time: a quotient of doubles, which vectors divide, is exact here."""
    for i in range(len(at)):
        span = np.floor((np.float64(at[i]) - first_s) / span_s) + 1.0
        spans[i] = np.uint16(min(max(span, 0.0), _SPANS + 1.0))


def warm() -> None:
    """Compile the kernels and keep the machine code on disk, for set-up."""
    times = np.zeros((2, 6), np.int64)
    frozen = times.copy()
    frozen.flags.writeable = False
    for column in (times, frozen):
        PackedRows.of(column[:, 0], np.zeros(2, np.int32))
