"""Suppression: counts in place of which only bounds are printed, so that no difference tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
NO_PARENT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is printed in place of a count: the least and the most it can be."""

    low: int
    high: int

    def __add__(self, other: Span | int) -> Span:
        """Return the bounds of the sum; a whole number is exact."""
        low, high = (other, other) if isinstance(other, int) else (other.low, other.high)
        return Span(low=self.low + low, high=self.high + high)

    def __contains__(self, count: int) -> bool:
        """Tell whether the count lies within."""
        return self.low <= count <= self.high

    @property
    def exact(self) -> bool:
        """Tell whether nothing is left open."""
        return self.low == self.high

    @property
    def text(self) -> str:
        """Return it as it is printed in every language: `<3`, `12–14`, or an exact count."""
        if self.exact:
            return f"{self.low:,}"
        return f"{self.low:,}–{self.high:,}" if self.low else f"<{self.high + 1:,}"


def plain_count(count: int | Span | None) -> int | list[int] | None:
    """Return a count as JSON: bounds as a list of the two."""
    return [count.low, count.high] if isinstance(count, Span) else count


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Bounds of many counts, two arrays of one shape; both ends of each are possible."""

    low: Counts
    high: Counts

    def span(self, place: Any = ...) -> Span:
        """Return the bounds of the sum of the counts at a place."""
        return Span(low=int(self.low[place].sum()), high=int(self.high[place].sum()))


def band_counts(counts: Counts, *, below: int) -> Bounds:
    """
    Return the band of each count: 0 to `below` - 1, and on in steps of `below`.

    With 3 the bands are 0–2 (printed `<3`), 3–5, 6–8, …, 12–14. One or less hides nothing.
    """
    step = max(below, 1)
    low = counts // step * step
    return Bounds(low=low, high=low + step - 1)


def bound_tree(counts: Counts, parents: Counts, *, below: int) -> Bounds:
    """
    Return the bounds of every node of a tree whose leaves have these counts.

    `counts` is (nodes, cells): what a node counts itself, its children not among them; an inner
    node has zeros. `parents` is the place of each node's parent, -1 at a top. Cells are apart:
    no incident is in two.

    The rule. A leaf prints its band. Of an inner node, with L and H the sums of its children's low
    and high bounds and w the widest of them, the values from L to H are parted at those multiples
    of `below` that lie in [L + w + 1, H - w]; it prints the part that holds its count. So a part
    never lies so near an end of what the children allow that they would be driven to theirs:

    - every value that a node prints is possible, whatever all others print;
    - which part is printed follows from the children's bounds and the count's own part alone, so
      whoever knows the rule learns no more than what is printed.

    Both are proved in docs/scope.md and tested by trying all tables.
    """
    step = max(below, 1)
    total = counts.astype(np.int64, copy=True)
    bands = band_counts(total, below=below)
    low, high = bands.low, bands.high
    for rows in reversed(_by_depth(parents)):
        above = parents[rows]
        inner = np.unique(above[above != NO_PARENT])
        if not len(inner):
            continue
        least, most, widest = (np.zeros_like(total) for _ in range(3))
        np.add.at(total, above, total[rows])
        np.add.at(least, above, low[rows])
        np.add.at(most, above, high[rows])
        np.maximum.at(widest, above, high[rows] - low[rows])
        low[inner], high[inner] = _part(
            total[inner], least[inner], most[inner], widest[inner], step=step
        )
    return Bounds(low=low, high=high)


def bound_parts(parts: Counts, whole: Bounds, *, rest: NDArray[np.intp], below: int) -> Bounds:
    """
    Return bounds of the parts that a total is made of besides the tree: categories, say.

    `parts` is (parts, cells), `whole` the bounds of each cell's total as the tree prints it, `rest`
    the part of each cell that is never counted for itself: it follows from the others. Bands of the
    others then leave the whole as open as it was, and each of them too, provided that the whole is
    one plain band. Where it is not, no part is told. Everything that decides is printed.
    """
    step = max(below, 1)
    cells = np.arange(parts.shape[1])
    bands = band_counts(parts, below=below)
    low, high = bands.low, bands.high
    low[rest, cells] = high[rest, cells] = 0
    others_low, others_high = low.sum(axis=0), high.sum(axis=0)
    low[rest, cells] = np.maximum(whole.low - others_high, 0)
    high[rest, cells] = whole.high - others_low
    plain = (whole.low % step == 0) & (whole.high == whole.low + step - 1)
    return Bounds(low=np.where(plain, low, 0), high=np.where(plain, high, whole.high))


def _part(
    total: Counts, least: Counts, most: Counts, widest: Counts, *, step: int
) -> tuple[Counts, Counts]:
    """Return the part of [least, most] that holds each total."""
    first = -(-(least + widest + 1) // step) * step  # the first and last places to part at
    last = (most - widest) // step * step
    at = total // step * step
    low = np.where((first <= last) & (at >= first), np.minimum(at, last), least)
    following = np.maximum(at + step, first)
    high = np.where((first <= last) & (following <= last), following - 1, most)
    return low, high


def _by_depth(parents: Counts) -> list[NDArray[np.intp]]:
    """Return the places of the nodes by their depth, the tops first."""
    depth = np.zeros(len(parents), np.int64)
    above = parents.copy()
    while (above != NO_PARENT).any():
        reached = above != NO_PARENT
        depth[reached] += 1
        above[reached] = parents[above[reached]]
    return [np.flatnonzero(depth == level) for level in range(int(depth.max(initial=0)) + 1)]
