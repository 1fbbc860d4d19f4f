"""Nearest: the k nearest of many places, and all within a radius, for one point and for millions.

Places lie in square buckets, about two in each, sorted once. A search goes ring by ring around the
point's own bucket until it has enough, then through what else the circle around them touches.
Equally near places stand in the order of their numbers. Several places on one spot are one entry,
so ten million there cost no more than one; places in a few dense knots far apart are left to a
tree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.compiled import compile_kernel, share_out
from geodata.errors import BadSetting, Fault
from geodata.snapshots.nearest_tree import TreeIndex

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_PER_BUCKET = 2.0
_MOST_BUCKETS = 1 << 24
_EDGE = 0.001  # of the places may lie outside the buckets' frame: they go to those at its rim
# Spots met in an average bucket, and share of buckets that must hold something, else a tree.
_CROWD, _FILLED = 48.0, 0.02
LARGEST_RADIUS_M = 1e8  # more than twice around the Earth
MOST_PAIRS = 200_000_000  # of one chunk of points: more than a gigabyte
_CHUNK = 4096
_ROOM = 1 << 16  # places that a chunk has room for at first


class Buckets(NamedTuple):
    """
    Spots in the order of their buckets; never written again.

    Bucket b holds the spots `start[b]` .. `start[b + 1]`; spot s lies at `x[s]`, `y[s]` and has the
    places `member[begin[s]]` .. ascending. `frame`: x0, y0, side of a bucket, columns, rows.
    """

    frame: Floats
    start: Ints
    begin: Ints
    x: Floats
    y: Floats
    member: Ints


class NearIndex:
    """
    Places ready to be asked which are near; never changed, any number of threads may ask.

    `x`, `y` (n,) in metres of one plane; places that are no numbers are never found.
    """

    def __init__(self, x: ArrayLike, y: ArrayLike) -> None:
        xs, ys = _read(x, y)
        known = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys)).astype(np.int64)
        self.n = len(xs)
        self._tree: TreeIndex | None = None
        self._buckets = _sort_places(xs[known], ys[known], known)
        if _is_knotted(self._buckets):
            spots = self._buckets
            self._tree = TreeIndex(spots.x, spots.y, begin=spots.begin, member=spots.member)

    def nearest(
        self, x: ArrayLike, y: ArrayLike, *, k: int = 1, threads: int = 1
    ) -> tuple[Ints, Floats]:
        """
        Return the `k` nearest places of each point and their distances in metres, (n, k) both.

        Nearest first, of equally near ones the lower number; -1 and infinity where there are no
        more. Raises ValueError for k below 1.
        """
        if k < 1:
            msg = f"k is {k}: at least one must be asked for."
            raise ValueError(msg)
        xs, ys = _read(x, y)
        place = np.full((len(xs), k), -1, np.int64)
        distance = np.full((len(xs), k), np.inf)
        tree = self._tree

        def find(part: slice) -> None:
            if tree is not None:
                tree.find_nearest(xs[part], ys[part], place[part], distance[part])
            else:
                _find_nearest(xs[part], ys[part], self._buckets, place[part], distance[part])

        share_out(find, len(xs), threads=threads, chunk=_CHUNK)
        return place, distance

    def within(
        self, x: ArrayLike, y: ArrayLike, *, radius_m: float, threads: int = 1
    ) -> tuple[Ints, Ints]:
        """
        Return all places within `radius_m` of each point, the rim included.

        Point i has `places[starts[i] : starts[i + 1]]`, in no order that means anything. Raises
        BadSetting for a radius that is none, and for more than MOST_PAIRS of a few points.
        """
        xs, ys = _read(x, y)
        if not 0 <= radius_m <= LARGEST_RADIUS_M:
            raise BadSetting(Fault(key="nearest_radius", values={"radius": radius_m}))
        counts = np.zeros(len(xs), np.int64)
        found: dict[int, list[Ints]] = {}

        def find(part: slice) -> None:
            found[part.start] = self._collect(xs[part], ys[part], radius_m, counts[part])

        share_out(find, len(xs), threads=threads, chunk=_CHUNK)
        starts = np.concatenate([[0], np.cumsum(counts)])
        pieces = [piece for low in sorted(found) for piece in found[low]]
        return starts, np.concatenate([np.empty(0, np.int64), *pieces])

    def _collect(self, x: Floats, y: Floats, radius: float, counts: Ints) -> list[Ints]:
        """Return the places within a radius of some points, piece by piece, and count them."""
        pieces, room, at = [], _ROOM, 0
        while at < len(x):
            places = np.empty(room, np.int64)
            last = at
            at, n = _find_within(x, y, radius, self._buckets, counts, places, at)
            pieces.append(places[:n].copy() if n < room // 2 else places[:n])
            if at == last:  # not even one point had room enough
                room *= 8
            if int(counts.sum()) > MOST_PAIRS or room > 8 * MOST_PAIRS:
                values = {"most": f"{MOST_PAIRS:,}"}
                raise BadSetting(Fault(key="nearest_too_many", values=values))
        return pieces


def _read(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as read-only arrays: a kernel is compiled for one kind of array, once."""
    xs, ys = (np.atleast_1d(np.require(part, np.float64, ("C", "A"))).view() for part in (x, y))
    if xs.ndim != 1 or xs.shape != ys.shape:
        msg = f"x has shape {xs.shape}, y has shape {ys.shape}: both must be (n,)."
        raise ValueError(msg)
    xs.flags.writeable = ys.flags.writeable = False
    return xs, ys


def _sort_places(x: Floats, y: Floats, number: Ints) -> Buckets:
    """Return the buckets of places, several on one spot joined."""
    frame = _choose_frame(x, y)
    order, start = _count_sort(x, y, frame)
    crowded = len(x) and np.diff(start).max() > _CROWD
    if not crowded:
        begin = np.arange(len(x) + 1)
        return Buckets(frame, start, begin, x[order], y[order], number[order])
    # Equal places next to each other, then the spots sorted into buckets as the places were.
    by_place = np.lexsort((number, y, x))
    xs, ys = x[by_place], y[by_place]
    fresh = np.ones(len(xs), np.bool_)
    fresh[1:] = (xs[1:] != xs[:-1]) | (ys[1:] != ys[:-1])
    first = np.flatnonzero(fresh)
    sizes = np.diff(np.append(first, len(xs)))
    frame = _choose_frame(xs[first], ys[first])
    order, start = _count_sort(xs[first], ys[first], frame)
    begin = np.concatenate([[0], np.cumsum(sizes[order])])
    steps = np.arange(len(xs)) - np.repeat(begin[:-1], sizes[order])
    member = number[by_place[np.repeat(first[order], sizes[order]) + steps]]
    return Buckets(frame, start, begin, xs[first][order], ys[first][order], member)


def _choose_frame(x: Floats, y: Floats) -> Floats:
    """Return x0, y0, side, columns and rows; a few places may lie far outside."""
    if not len(x):
        return np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    rim = int(len(x) * _EDGE)
    spans = []
    for axis in (x, y):
        ends = np.partition(axis, [rim, len(axis) - 1 - rim])
        spans.append((float(ends[rim]), float(ends[len(axis) - 1 - rim])))
    (x0, x1), (y0, y1) = spans
    wide, tall = x1 - x0, y1 - y0
    buckets = min(max(1.0, len(x) / _PER_BUCKET), _MOST_BUCKETS)
    long = max(wide, tall)
    side = max(np.sqrt(wide * tall / buckets), long / buckets, np.spacing(long) * 4, 1e-9)
    columns, rows = int(wide / side) + 1, int(tall / side) + 1
    return np.array([x0, y0, side, columns, rows])


def _is_knotted(buckets: Buckets) -> bool:
    """Tell whether places stand so unevenly that buckets would be slow."""
    held = np.diff(buckets.start).astype(np.float64)
    n = held.sum()
    if n < _CROWD:
        return False
    return bool((held**2).sum() / n > _CROWD or (held > 0).mean() < _FILLED)


@compile_kernel
def _bucket_of(v: float, v0: float, side: float, n: float) -> int:
    """Return the row or column of a coordinate, that at the rim for one outside."""
    return int(min(max((v - v0) / side, 0.0), n - 1.0))


@compile_kernel
def _count_sort(x: Floats, y: Floats, frame: Floats) -> tuple[Ints, Ints]:
    """Return the order of places by bucket, and the first place of each bucket."""
    columns = int(frame[3])
    bucket = np.empty(len(x), np.int64)
    start = np.zeros(columns * int(frame[4]) + 1, np.int64)
    for i in range(len(x)):
        c = _bucket_of(x[i], frame[0], frame[2], frame[3])
        b = _bucket_of(y[i], frame[1], frame[2], frame[4]) * columns + c
        bucket[i] = b
        start[b + 1] += 1
    for b in range(len(start) - 1):
        start[b + 1] += start[b]
    at = start[:-1].copy()
    order = np.empty(len(x), np.int64)
    for i in range(len(x)):
        order[at[bucket[i]]] = i
        at[bucket[i]] += 1
    return order, start


@compile_kernel
def _list_ring(c: int, r: int, ring: int, frame: Floats, start: Ints, runs: Ints) -> int:
    """List the runs of spots in the buckets `ring` away from bucket (c, r); return how many."""
    columns, rows = int(frame[3]), int(frame[4])
    left, right = max(0, c - ring), min(columns - 1, c + ring)
    n = 0
    for row in range(max(0, r - ring), min(rows - 1, r + ring) + 1):
        at = row * columns
        if row in (r - ring, r + ring):
            runs[n, 0], runs[n, 1] = start[at + left], start[at + right + 1]
            n += 1
            continue
        if c - ring >= 0:
            runs[n, 0], runs[n, 1] = start[at + left], start[at + left + 1]
            n += 1
        if c + ring < columns:
            runs[n, 0], runs[n, 1] = start[at + right], start[at + right + 1]
            n += 1
    return n


@compile_kernel
def _list_rest(
    x: float, y: float, c: int, r: int, ring: int, square: float, frame: Floats, start: Ints,
    runs: Ints,
) -> int:  # fmt: skip
    """List the runs of spots that may lie within `square`, outside the rings done; how many."""
    columns, side = int(frame[3]), frame[2]
    slack = 1e-9 * (abs(x) + abs(y) + side)  # more than the rounding of all of this
    reach = np.sqrt(square) + slack
    low = _bucket_of(y - reach, frame[1], side, frame[4])
    high = _bucket_of(y + reach, frame[1], side, frame[4])
    left = _bucket_of(x - reach, frame[0], side, frame[3])
    right = _bucket_of(x + reach, frame[0], side, frame[3])
    n = 0
    for row in range(low, high + 1):
        at = row * columns
        if abs(row - r) > ring:
            runs[n, 0], runs[n, 1] = start[at + left], start[at + right + 1]
            n += 1
            continue
        if left < c - ring:
            runs[n, 0], runs[n, 1] = start[at + left], start[at + c - ring]
            n += 1
        if right > c + ring:
            runs[n, 0], runs[n, 1] = start[at + c + ring + 1], start[at + right + 1]
            n += 1
    return n


@compile_kernel
def _put_in(square: float, number: int, found: int, near: Ints, squares: Floats) -> bool:
    """Put a place among the nearest, of which `found` are known; tell whether it belongs there."""
    at = found
    if found == len(near):
        at -= 1
        if square > squares[at] or (square == squares[at] and number > near[at]):
            return False
    while at > 0 and (
        squares[at - 1] > square or (squares[at - 1] == square and near[at - 1] > number)
    ):
        squares[at], near[at] = squares[at - 1], near[at - 1]
        at -= 1
    squares[at], near[at] = square, number
    return True


@compile_kernel
def _find_nearest(x: Floats, y: Floats, buckets: Buckets, place: Ints, distance: Floats) -> None:
    """Write the nearest places of each point and their distances, nearest first."""
    frame, start, begin, xs, ys, member = buckets
    k, last = place.shape[1], int(max(frame[3], frame[4]))
    runs = np.empty((2 * last + 8, 2), np.int64)
    near, squares = np.empty(k, np.int64), np.empty(k)
    for i in range(len(x)):
        px, py = x[i], y[i]
        if not (np.isfinite(px) and np.isfinite(py)):
            continue
        c = _bucket_of(px, frame[0], frame[2], frame[3])
        r = _bucket_of(py, frame[1], frame[2], frame[4])
        found, ring, rest = 0, 0, False
        n = _list_ring(c, r, 0, frame, start, runs)
        while True:
            for run in range(n):  # not in a kernel of its own: a call costs as much as a run
                for s in range(runs[run, 0], runs[run, 1]):
                    dx, dy = xs[s] - px, ys[s] - py
                    square = dx * dx + dy * dy
                    if found == k and square > squares[k - 1]:
                        continue
                    for m in range(begin[s], begin[s + 1]):
                        if not _put_in(square, member[m], found, near, squares):
                            break  # the numbers of a spot ascend
                        found = min(found + 1, k)
            if rest or (found < k and ring >= last):
                break
            if found < k:
                ring += 1
                n = _list_ring(c, r, ring, frame, start, runs)
            else:
                rest = True
                n = _list_rest(px, py, c, r, ring, squares[k - 1], frame, start, runs)
        for j in range(found):
            place[i, j], distance[i, j] = near[j], np.sqrt(squares[j])


@compile_kernel
def _find_within(
    x: Floats, y: Floats, radius: float, buckets: Buckets, counts: Ints, places: Ints, first: int
) -> tuple[int, int]:
    """
    Write the places within `radius` of the points from `first` on, and their numbers in `counts`.

    Return the first point that had no room left, and how many places were written.
    """
    frame, limit = buckets.frame, radius * radius
    columns = int(frame[3])
    wider = radius * (1 + 1e-9) + 1e-9 * frame[2]
    used = 0
    for i in range(first, len(x)):
        n = used
        if np.isfinite(x[i]) and np.isfinite(y[i]):
            left = _bucket_of(x[i] - wider, frame[0], frame[2], frame[3])
            right = _bucket_of(x[i] + wider, frame[0], frame[2], frame[3])
            low = _bucket_of(y[i] - wider, frame[1], frame[2], frame[4])
            high = _bucket_of(y[i] + wider, frame[1], frame[2], frame[4])
            for row in range(low, high + 1):
                at = row * columns
                for s in range(buckets.start[at + left], buckets.start[at + right + 1]):
                    dx, dy = buckets.x[s] - x[i], buckets.y[s] - y[i]
                    if dx * dx + dy * dy <= limit:
                        if n + buckets.begin[s + 1] - buckets.begin[s] > len(places):
                            return i, used
                        for m in range(buckets.begin[s], buckets.begin[s + 1]):
                            places[n] = buckets.member[m]
                            n += 1
        counts[i] = n - used
        used = n
    return len(x), used


def warm() -> None:
    """Compile the kernels and keep the machine code on disk, for set-up."""
    x: Any = np.linspace(0, 10, 20)
    index = NearIndex(x, x)
    index.nearest(x, x, k=2)
    index.within(x, x, radius_m=1.0)
