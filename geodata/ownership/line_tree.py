"""Line tree: how far a point lies from the edges of one polygon, or of the nearest one (numba).

A tree of boxes over the edges: each polygon's edges in the order of their rings are gathered in
runs of FAN, runs in runs, up to one box a polygon; above them the polygons, along a Z-curve, the
same way. A search goes down only where a box is near enough, so it costs about the same however
many edges there are and however far the point lies.

Distances are rounded. Where that could matter to the question which polygon is nearest, or nearer
than a limit, the search says so and `settle_nearest` answers in whole fractions: a tie is a tie,
and the first polygon has it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.ownership.raster_rows import SHIFT, Floats, Ints

FAN = 8
NOBODY = -1
# Boxes that wait during a search: at most FAN a level, and no memory holds edges for 64 levels.
_WAITING = 64 * FAN
# Distances that differ by less than this part, or by less than this in units, are told apart
# exactly. Both are far above the rounding of a distance between places on Earth in millimetres.
_CLOSE, _CLOSE_UNITS = 1e-9, 1e-6
_DOUBT = 2.0**-50  # more than the rounding of a sum of two products of differences


class LineTree(NamedTuple):
    """
    Boxes (n, 4) with first child and number of children, negative when the children are edges.

    `polygon` is the polygon a box belongs to, -1 above them; `root` is each polygon's box, -1 for
    one without edges; the last element of `root` is the box of all. `edges` (m, 4) stand in the
    order of polygons and their rings.
    """

    box: Floats
    child: Ints
    polygon: Ints
    root: Ints
    edges: Floats


def build_tree(edges: Floats, polygon: Ints, polygons: int) -> LineTree:
    """Return the tree over `edges` (m, 4), whose polygons `polygon` (m,) are ascending."""
    bounds = np.searchsorted(polygon, np.arange(polygons + 1)).astype(np.int64)
    most = len(edges) // 2 + 8 * polygons + 64
    tree = LineTree(
        box=np.empty((most, 4)),
        child=np.empty((most, 2), np.int32),
        polygon=np.full(most, NOBODY, np.int32),
        root=np.full(polygons + 1, NOBODY, np.int32),
        edges=edges,
    )
    used = _plant_polygons(tree, bounds)
    planted = np.flatnonzero(tree.root[:-1] >= 0)
    roots = tree.root[planted]
    along = np.argsort(_z_codes(tree.box[roots]), kind="stable")
    end = used + len(roots)
    for part in (tree.box, tree.child, tree.polygon):
        part[used:end] = part[roots[along]]
    if len(roots):
        end = _raise_levels(tree, used, end, NOBODY)
        tree.root[-1] = end - 1
    return tree._replace(
        box=tree.box[:end].copy(), child=tree.child[:end].copy(), polygon=tree.polygon[:end].copy()
    )


def _z_codes(boxes: Floats) -> NDArray[np.uint64]:
    """Return where the middles of boxes lie along a Z-curve through all of them."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    low = middle.min(axis=0, initial=np.inf)
    span = np.maximum(middle.max(axis=0, initial=-np.inf) - low, np.finfo(float).tiny)
    steps = ((middle - low) / span * 65_535).astype(np.uint64)
    codes = np.zeros(len(boxes), np.uint64)
    for bit in range(16):
        for axis in range(2):
            codes |= (steps[:, axis] >> np.uint64(bit) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return codes


@compile_kernel
def _raise_levels(tree: LineTree, low: int, high: int, polygon: int) -> int:
    """Gather the boxes low..high - 1 in larger ones behind them until one is left; return end."""
    at = high
    while high - low > 1:
        for i in range(low, high, FAN):
            n = min(FAN, high - i)
            tree.child[at, 0], tree.child[at, 1], tree.polygon[at] = i, n, polygon
            tree.box[at] = tree.box[i]
            for k in range(i + 1, i + n):
                for axis in range(2):
                    tree.box[at, axis] = min(tree.box[at, axis], tree.box[k, axis])
                    tree.box[at, axis + 2] = max(tree.box[at, axis + 2], tree.box[k, axis + 2])
            at += 1
        low, high = high, at
    return at


@compile_kernel
def _plant_polygons(tree: LineTree, bounds: NDArray[np.int64]) -> int:
    """Make the boxes of every polygon; its edges are bounds[p] .. bounds[p + 1]. Return end."""
    at = 0
    edges = tree.edges
    for p in range(len(bounds) - 1):
        low = at
        for i in range(bounds[p], bounds[p + 1], FAN):
            n = min(FAN, bounds[p + 1] - i)
            tree.child[at, 0], tree.child[at, 1], tree.polygon[at] = i, -n, p
            tree.box[at, :2], tree.box[at, 2:] = np.inf, -np.inf
            for k in range(i, i + n):
                for axis in range(2):
                    one, two = edges[k, axis], edges[k, axis + 2]
                    tree.box[at, axis] = min(tree.box[at, axis], one, two)
                    tree.box[at, axis + 2] = max(tree.box[at, axis + 2], one, two)
            at += 1
        if at > low:
            at = _raise_levels(tree, low, at, p)
            tree.root[p] = at - 1
    return at


@compile_kernel
def _box_square(x: float, y: float, box: Floats, i: int) -> float:
    """Return the square of a point's distance to box `i`."""
    dx: float = max(box[i, 0] - x, 0.0, x - box[i, 2])
    dy: float = max(box[i, 1] - y, 0.0, y - box[i, 3])
    return dx * dx + dy * dy


@compile_kernel
def _edge_square(x: float, y: float, edges: Floats, k: int) -> float:
    """Return the square of a point's distance to edge `k`."""
    x1, y1, x2, y2 = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]
    dx, dy = x2 - x1, y2 - y1
    square: float = (x - x1) * (x - x1) + (y - y1) * (y - y1)
    if (x - x1) * dx + (y - y1) * dy > 0.0:
        square = (x - x2) * (x - x2) + (y - y2) * (y - y2)
        if (x2 - x) * dx + (y2 - y) * dy > 0.0:
            cross = dx * (y - y1) - dy * (x - x1)
            square = cross * cross / (dx * dx + dy * dy)
    return square


@compile_kernel
def _end_met(x: float, y: float, edges: Floats, k: int) -> int:
    """Return which end of edge `k`, 1 or 2, is nearest beyond all doubt; else 0."""
    x1, y1, x2, y2 = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]
    for end in range(1, 3):
        one = ((x - x1) if end == 1 else (x2 - x)) * (x2 - x1)
        two = ((y - y1) if end == 1 else (y2 - y)) * (y2 - y1)
        if one + two <= -_DOUBT * (abs(one) + abs(two)):
            return end
    return 0


@compile_kernel
def _is_within(x: float, y: float, limit: float, tree: LineTree, root: int, wait: Ints) -> bool:
    """Tell whether an edge below box `root` has a squared distance of at most `limit`."""
    wait[0] = root
    n = 1
    while n > 0:
        n -= 1
        i = wait[n]
        first, count = tree.child[i, 0], tree.child[i, 1]
        if count < 0:
            for k in range(first, first - count):
                if _edge_square(x, y, tree.edges, k) <= limit:
                    return True
        else:
            for k in range(first, first + count):
                if _box_square(x, y, tree.box, k) <= limit:
                    wait[n] = k
                    n += 1
    return False


@compile_kernel
def flag_near(
    x: Floats, y: Floats, owner: Ints, limit: float, tree: LineTree,
    frame: Floats, maybe: NDArray[np.bool_], near: NDArray[np.bool_],
) -> None:  # fmt: skip
    """
    Write whether each point lies within `limit` of the boundary of its owner (-1 none).

    `frame` is that of the raster; `maybe` (rows, columns) tells of its coarse cells whether any
    line may be so near.
    """
    wait = np.empty(_WAITING, np.int32)
    box = tree.box
    for j in range(len(x)):
        root = tree.root[owner[j]] if owner[j] >= 0 else -1
        near[j] = False
        if frame[0] <= x[j] <= frame[4] and frame[1] <= y[j] <= frame[5]:
            c = int(min((x[j] - frame[0]) * frame[2], frame[6] - 1)) >> SHIFT
            r = int(min((y[j] - frame[1]) * frame[3], frame[7] - 1)) >> SHIFT
            if not maybe[r, c]:
                continue
        if root >= 0 and _box_square(x[j], y[j], box, root) <= limit * limit:
            near[j] = _is_within(x[j], y[j], limit * limit, tree, root, wait)


@compile_kernel
def _slack(square: float) -> float:
    """Return the greatest squared distance that may in truth be no greater than `square`."""
    distance: float = np.sqrt(square) * (1 + _CLOSE) + _CLOSE_UNITS
    return distance * distance


@compile_kernel
def _same_foot(x: float, y: float, edges: Floats, a: int, b: int) -> bool:
    """Tell whether two edges are one, or are both nearest at the very same corner for certain."""
    if (edges[a] == edges[b]).all():
        return True
    i = 2 * _end_met(x, y, edges, a) - 2
    j = 2 * _end_met(x, y, edges, b) - 2
    if i < 0 or j < 0:
        return False
    return bool(edges[a, i] == edges[b, j] and edges[a, i + 1] == edges[b, j + 1])


@compile_kernel
def _wait_for(
    x: float, y: float, tree: LineTree, i: int, limit: float, wait: Ints, squares: Floats, n: int
) -> int:
    """Let the children of box `i` within `limit` wait, the nearest last; return how many wait."""
    low, first = n, tree.child[i, 0]
    for k in range(first, first + tree.child[i, 1]):
        square = _box_square(x, y, tree.box, k)
        if square <= limit:
            at = n
            while at > low and squares[at - 1] < square:
                wait[at], squares[at] = wait[at - 1], squares[at - 1]
                at -= 1
            wait[at], squares[at] = k, square
            n += 1
    return n


@compile_kernel
def _nearest(
    x: float, y: float, limit: float, tree: LineTree, wait: Ints, squares: Floats
) -> tuple[int, float, bool]:
    """
    Return the nearest polygon, the squared distance, and whether rounding leaves it open.

    It does where several polygons are about equally near, and not all at one and the same foot.
    """
    best, owner, foot, several, feet = limit, -1, -1, False, False
    wait[0], squares[0] = tree.root[-1], 0.0
    n = 1
    while n > 0:
        n -= 1
        i = wait[n]
        if squares[n] > _slack(best):
            continue
        first, count = tree.child[i, 0], tree.child[i, 1]
        if count >= 0:
            n = _wait_for(x, y, tree, i, _slack(best), wait, squares, n)
            continue
        p = tree.polygon[i]
        for k in range(first, first - count):
            square = _edge_square(x, y, tree.edges, k)
            if square > _slack(best):
                continue
            tied = owner >= 0 and best <= _slack(square)
            if tied:
                several = several or p != owner
                feet = feet or not _same_foot(x, y, tree.edges, k, foot)
                owner = min(owner, p)
            if square < best or (square == best and owner < 0):
                if not tied:
                    owner, several, feet = p, False, False
                best, foot = square, k
    return owner, best, several and feet


@compile_kernel
def find_nearest(
    x: Floats, y: Floats, limit: float, tree: LineTree,
    owner: Ints, distance: Floats, unsure: NDArray[np.bool_],
) -> None:  # fmt: skip
    """
    Write the nearest polygon within `limit` of each point, -1 for none, and the distance to it.

    `unsure` marks those where rounding leaves open which of several polygons is nearest.
    """
    wait, squares = np.empty(_WAITING, np.int32), np.empty(_WAITING)
    for j in range(len(x)):
        owner[j], unsure[j], distance[j] = -1, False, np.nan
        if tree.root[-1] >= 0 and np.isfinite(x[j]) and np.isfinite(y[j]):
            p, square, open_ = _nearest(x[j], y[j], limit * limit, tree, wait, squares)
            if p >= 0:
                owner[j], distance[j], unsure[j] = p, np.sqrt(square), open_


@compile_kernel
def _list_within(
    x: float, y: float, limit: float, tree: LineTree, found: Ints, polygon: Ints
) -> int:
    """List the edges within `limit` and their polygons as far as there is room; return how many."""
    wait = np.empty(_WAITING, np.int32)
    wait[0] = tree.root[-1]
    n, count = 1, 0
    while n > 0:
        n -= 1
        i = wait[n]
        first, size = tree.child[i, 0], tree.child[i, 1]
        for k in range(first, first + abs(size)):
            if size >= 0:
                if _box_square(x, y, tree.box, k) <= limit * limit:
                    wait[n] = k
                    n += 1
            elif _edge_square(x, y, tree.edges, k) <= limit * limit:
                if count < len(found):
                    found[count], polygon[count] = k, tree.polygon[i]
                count += 1
    return count


def settle_nearest(
    x: float, y: float, *, distance: float, limit: float, tree: LineTree
) -> tuple[int, bool]:
    """
    Return the nearest polygon of one point, and whether it lies within `limit`, without rounding.

    `distance` is the rounded distance to it. Of several equally near ones it is the first.
    """
    reach = distance * (1 + 4 * _CLOSE) + 4 * _CLOSE_UNITS
    room = 64
    while True:
        found, polygon = np.empty(room, np.int32), np.empty(room, np.int32)
        n = _list_within(x, y, reach, tree, found, polygon)
        if n <= room:
            break
        room = n
    px, py = Fraction(x), Fraction(y)
    rivals = [
        (_exact_square(px, py, tree.edges[k]), int(p))
        for k, p in zip(found[:n], polygon[:n], strict=True)
    ]
    square, owner = min(rivals)
    return owner, square <= Fraction(limit) ** 2


def is_close_to(distance: Floats, limit: float) -> NDArray[np.bool_]:
    """Tell which rounded distances are too close to `limit` to say on which side they lie."""
    return np.abs(distance - limit) <= _CLOSE * limit + _CLOSE_UNITS


def _exact_square(x: Fraction, y: Fraction, edge: Floats) -> Fraction:
    x1, y1, x2, y2 = (Fraction(float(value)) for value in edge)
    dx, dy = x2 - x1, y2 - y1
    along, square = (x - x1) * dx + (y - y1) * dy, dx * dx + dy * dy
    if along <= 0:
        return (x - x1) ** 2 + (y - y1) ** 2
    if along >= square:
        return (x - x2) ** 2 + (y - y2) ** 2
    cross: Fraction = dx * (y - y1) - dy * (x - x1)
    return cross * cross / square
