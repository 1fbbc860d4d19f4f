"""Raster index: which polygons cover a point, exactly, in a few nanoseconds (numba).

Most points fall into cells that no edge passes and are answered by two look-ups; the rest test the
few edges listed for their cell (see raster_pack). Whether a point lies left of an edge, right of
it or on it is decided in doubles where their rounding cannot matter and else without rounding, so
the answer is that of real arithmetic for any finite point.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.ownership.raster_cells import SLOTS
from geodata.ownership.raster_pack import LINE, NEST, RECORD
from geodata.ownership.raster_rows import SHIFT, SIDE, Floats, Ints

# Why a point belongs where it belongs; a rule's place in this tuple is its code.
RULES: tuple[str, ...] = (
    "inside", "edge", "near", "none", "no_place", "manual", "special", "overlap",
)  # fmt: skip
INSIDE, EDGE, NEAR, NONE, NO_PLACE, MANUAL, SPECIAL, OVERLAP = range(len(RULES))
NOBODY = -1
_BLOCK = 2048  # points handled step by step together: their scratch stays in the nearest cache
# Shewchuk 1997: how far the sign of a rounded determinant may be off, and the splitter.
_DOUBT = (3.0 + 16.0 * 2.0**-53) * 2.0**-53
_SPLITTER = 2.0**27 + 1.0
_SCALE = 2.0**400
_UNDERFLOW = 1e-280  # differences of products this small may have lost their last bits


class Raster(NamedTuple):
    """
    What the kernels read; all arrays are never written again.

    `frame`: x0, y0, cells per unit in x, y, x1, y1, cells in x, y, number of the coarse cell that
    stands for all places outside. `sets` (4, n): first member, number of special and of general
    members, rule. `coarse`, `codes`, `lines` and `words` are told in raster_pack.
    """

    frame: Floats
    coarse: Ints
    codes: Ints
    lines: Floats
    words: Ints
    edges: Floats
    sets: Ints
    polygons: int
    specials: int


@compile_kernel
def _two_product(a: float, b: float) -> tuple[float, float]:
    """Return a * b as a sum of two doubles, the rounded product first (Dekker 1971)."""
    product = a * b
    t = _SPLITTER * a
    a1 = t - (t - a)
    a0 = a - a1
    t = _SPLITTER * b
    b1 = t - (t - b)
    b0 = b - b1
    return product, ((a1 * b1 - product) + a1 * b0 + a0 * b1) + a0 * b0


@compile_kernel
def _two_difference(a: float, b: float) -> tuple[float, float]:
    """Return a - b as a sum of two doubles, the rounded difference first (Knuth 1969)."""
    difference = a - b
    b1 = a - difference
    a1 = difference + b1
    return difference, (a - a1) + (b1 - b)


@compile_kernel
def _add_product(terms: Floats, n: int, a: float, b: float) -> int:
    """Add a * b to a sum of `n` doubles without rounding (Shewchuk 1997, GROW-EXPANSION)."""
    high, low = _two_product(a, b)
    for q in (low, high):
        total = q
        for i in range(n):
            s = total + terms[i]
            t = s - total
            terms[i] = (terms[i] - t) + (total - (s - t))
            total = s
        terms[n] = total
        n += 1
    return n


@compile_kernel
def turn_exactly(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> int:
    """
    Return the exact sign of ax*by - ay*bx + x*(ay - by) + y*(bx - ax), which is `_turn`.

    The point's coordinates meet the edge's only, and one factor of each product is scaled up, so
    no product underflows however small they are. The edge's must be 0 or above 1e-100.
    """
    terms = np.empty(12)
    n = _add_product(terms, 0, ax * _SCALE, by)
    n = _add_product(terms, n, -ay * _SCALE, bx)
    d1, d0 = _two_difference(ay, by)
    n = _add_product(terms, n, x * _SCALE, d0)
    n = _add_product(terms, n, x * _SCALE, d1)
    d1, d0 = _two_difference(bx, ax)
    n = _add_product(terms, n, y * _SCALE, d0)
    n = _add_product(terms, n, y * _SCALE, d1)
    for i in range(n - 1, -1, -1):  # the largest term that is not 0 has the sum's sign
        if terms[i] != 0.0:
            return 1 if terms[i] > 0.0 else -1
    return 0


@compile_kernel
def _turn(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> int:
    """Return 1 where the point lies left of the line from a to b, -1 right of it, 0 on it."""
    one = (ax - x) * (by - y)
    two = (ay - y) * (bx - x)
    doubt = _DOUBT * (abs(one) + abs(two)) + _UNDERFLOW
    if one - two > doubt:
        return 1
    if one - two < -doubt:
        return -1
    return turn_exactly(ax, ay, bx, by, x, y)


@compile_kernel
def _cover(
    x: float, y: float, edges: Floats, words: Ints, at: int, n: int, parity: int
) -> int:  # fmt: skip
    """Return 0 outside, 1 inside, 2 on the edge of the polygon with `n` listed edges from `at`."""
    for i in range(at, at + n):
        word = words[i]
        e = np.uint64(word >> 1)
        x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        over1, over2 = y1 > y, y2 > y
        parity ^= (word & 1) & over2
        if x2 < x:
            continue
        if (x1 == x and y1 == y) or (x2 == x and y2 == y):
            return 2
        if over1 != over2:
            side = 1 if x1 > x else _turn(x1, y1, x2, y2, x, y) * (1 if over2 else -1)
            if side == 0:
                return 2
            parity ^= side > 0
        elif y1 == y and y2 == y and x1 <= x:
            return 2
    return parity


@compile_kernel
def _line_owners(x: float, y: float, k: int, lines: Floats) -> tuple[int, int]:
    """Return who covers a point of a cell that line `k` parts: one, or two on the line itself."""
    line = lines[np.uint64(k)]
    side = _turn(line[0], line[1], line[2], line[3], x, y)
    left, right = int(line[4]), int(line[5])
    if side > 0 or (side == 0 and right < 0):
        return left, -1
    if side < 0 or left < 0:
        return right, -1
    return min(left, right), max(left, right)


@compile_kernel
def _record_owner(x: float, y: float, at: int, raster: Raster) -> int:
    """Return the first polygon that covers a point of a cell with a record."""
    words = raster.words
    whole, n = words[at], words[at + 1]
    owner: int = raster.sets[0, whole] if whole >= 0 else -1
    at += 2
    for _ in range(n):
        p: int = words[at] >> 1
        k: int = words[at + 1]
        if 0 <= owner < p:
            break
        if _cover(x, y, raster.edges, words, at + 2, k, words[at] & 1) > 0:
            return p
        at += 2 + k
    return owner


@compile_kernel
def _name_rule(special: int, on_special: int, general: int, on_general: int) -> int:
    """Return the rule from how many grids of each class cover a point, on how many edges it is."""
    if special > 0 and general > 0:
        return SPECIAL
    covering, edges = (special, on_special) if special > 0 else (general, on_general)
    if covering == 0:
        return NONE
    if covering == 1:
        return INSIDE
    return EDGE if edges == covering else OVERLAP


@compile_kernel
def _judge_record(x: float, y: float, at: int, raster: Raster) -> tuple[int, int]:
    """Return owner and rule of a point of a cell with a record."""
    words, sets = raster.words, raster.sets
    whole, n = words[at], words[at + 1]
    owner, special, general, on_special, on_general = -1, 0, 0, 0, 0
    if whole >= 0:
        owner, special, general = sets[0, whole], sets[1, whole], sets[2, whole]
    at += 2
    for _ in range(n):
        p, k = words[at] >> 1, words[at + 1]
        cover = _cover(x, y, raster.edges, words, at + 2, k, words[at] & 1)
        if cover > 0:
            if owner < 0 or p < owner:
                owner = p
            if p < raster.specials:
                special += 1
                on_special += cover == 2
            else:
                general += 1
                on_general += cover == 2
        at += 2 + k
    return owner, _name_rule(special, on_special, general, on_general)


@compile_kernel
def _descend(x: float, y: float, code: int, raster: Raster) -> int:
    """Return the code of the innermost part of a divided cell in which a point lies."""
    frame, parts = raster.frame, 1.0
    while code < -1 and (-2 - code) & 3 == NEST:
        parts *= SIDE
        c = int(min((x - frame[0]) * frame[2] * parts, frame[6] * parts - 1))
        r = int(min((y - frame[1]) * frame[3] * parts, frame[7] * parts - 1))
        at = ((r & (SIDE - 1)) << SHIFT) + (c & (SIDE - 1))
        code = raster.codes[((-2 - code) >> 2) * SLOTS + at]
    return code


@compile_kernel
def _find_open(x: float, y: float, code: int, raster: Raster) -> int:
    """Return the first polygon or set that covers a point of a cell that an edge passes."""
    if (-2 - code) & 3 == NEST:
        code = _descend(x, y, code, raster)
    if code >= -1:
        return code
    k = -2 - code
    if k & 3 == RECORD:
        return _record_owner(x, y, k >> 2, raster)
    return _line_owners(x, y, k >> 2, raster.lines)[0]


@compile_kernel
def _judge_open(x: float, y: float, code: int, raster: Raster) -> tuple[int, int]:
    """Return owner and rule of a point of a cell that an edge passes."""
    code = _descend(x, y, code, raster)
    if code >= -1:
        return (raster.sets[0, code], raster.sets[3, code]) if code >= 0 else (-1, NONE)
    k = -2 - code
    if k & 3 == RECORD:
        return _judge_record(x, y, k >> 2, raster)
    first, second = _line_owners(x, y, k >> 2, raster.lines)
    if second < 0:
        return first, INSIDE if first >= 0 else NONE
    return first, EDGE if (first < raster.specials) == (second < raster.specials) else SPECIAL


@compile_kernel
def _place(x: Floats, y: Floats, frame: Floats, cell: Ints, fine: Ints) -> None:
    """Write the coarse cell of each point and where in the cell's block its fine cell lies."""
    x0, y0, per_x, per_y, x1, y1 = frame[0], frame[1], frame[2], frame[3], frame[4], frame[5]
    last_c, last_r = np.int32(frame[6] - 1), np.int32(frame[7] - 1)
    outside = np.int32(frame[8])
    shift, mask = np.int32(SHIFT), np.int32(SIDE - 1)
    wide = np.int32((last_c + np.int32(1)) >> shift)
    for j in range(len(x)):  # no branch and 32-bit numbers: compiles to vector instructions
        inside = (x[j] >= x0) & (x[j] <= x1) & (y[j] >= y0) & (y[j] <= y1)
        c = min(np.int32((x[j] - x0) * per_x), last_c)
        r = min(np.int32((y[j] - y0) * per_y), last_r)
        at = np.int32((r >> shift) * wide + (c >> shift))
        cell[j] = at if inside else outside
        fine[j] = ((r & mask) << shift) | (c & mask)


@compile_kernel
def _look_up(raster: Raster, cell: Ints, fine: Ints, codes: Ints, open_points: Ints) -> Any:
    """Write the code of each point's cell; list the points whose cell an edge passes."""
    coarse, blocks = raster.coarse, raster.codes
    n: Any = np.uint32(0)
    for point in range(len(codes)):
        code = coarse[np.uint32(cell[point])]
        codes[point] = code
        open_points[n] = point
        n += np.uint32(code < -1)
    left: Any = np.uint32(0)
    for i in range(n):
        j: Any = np.uint32(open_points[i])
        code = blocks[np.uint64(np.int64(-2 - codes[j]) * SLOTS + fine[j])]
        codes[j] = code
        open_points[left] = j
        left += np.uint32(code < -1)
    return left


@compile_kernel
def _touch(raster: Raster, codes: Ints, open_points: Ints, n: int) -> float:
    """Read what the listed points will need, so that waits for memory overlap."""
    total = 0.0
    for i in range(n):
        k = np.int64(-2 - codes[np.uint32(open_points[i])])
        if k & 3 == LINE:
            total += raster.lines[np.uint64(k >> 2), 0]
        elif k & 3 == RECORD:
            total += raster.words[np.uint64(k >> 2)]
    return total


@compile_kernel
def _find_at_lines(
    x: Floats, y: Floats, lines: Floats, owner: Ints, open_points: Ints, n: int
) -> Any:
    """Find the owners of listed points in cells that a line parts; keep the others listed."""
    left: Any = np.uint32(0)
    for i in range(n):
        j: Any = np.uint32(open_points[i])
        k: Any = np.int64(-2 - owner[j])
        if k & 3 != LINE:
            open_points[left] = j
            left += np.uint32(1)
            continue
        at = np.uint64(k >> 2)
        one = (lines[at, 0] - x[j]) * (lines[at, 3] - y[j])
        two = (lines[at, 1] - y[j]) * (lines[at, 2] - x[j])
        if abs(one - two) > _DOUBT * (abs(one) + abs(two)) + _UNDERFLOW:
            owner[j] = np.int32(lines[at, 4] if one > two else lines[at, 5])
        else:
            owner[j] = _line_owners(x[j], y[j], k >> 2, lines)[0]
    return left


@compile_kernel
def find_points(x: Floats, y: Floats, raster: Raster, owner: Ints) -> float:
    """Write the first polygon that covers each point, -1 for none, into `owner`."""
    cell, fine = np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.int32)
    open_points = np.empty(_BLOCK + 1, np.int32)
    read = 0.0
    for low in range(0, len(x), _BLOCK):
        xs, ys, out = x[low : low + _BLOCK], y[low : low + _BLOCK], owner[low : low + _BLOCK]
        _place(xs, ys, raster.frame, cell, fine)
        n = _look_up(raster, cell, fine, out, open_points)
        read += _touch(raster, out, open_points, n)
        n = _find_at_lines(xs, ys, raster.lines, out, open_points, n)
        for i in range(n):
            j: Any = np.uint32(open_points[i])
            out[j] = _find_open(xs[j], ys[j], int(out[j]), raster)
        if raster.sets.shape[1] > raster.polygons:
            for j in range(len(out)):
                out[j] = raster.sets[0, out[j]] if out[j] >= 0 else -1
    return read


@compile_kernel
def judge_points(
    x: Floats, y: Floats, raster: Raster, owner: Ints, rule: NDArray[np.uint8]
) -> float:
    """Write the first polygon that covers each point and the code of the rule for it."""
    cell, fine = np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.int32)
    open_points = np.empty(_BLOCK + 1, np.int32)
    sets = raster.sets
    read = 0.0
    for low in range(0, len(x), _BLOCK):
        xs, ys, out = x[low : low + _BLOCK], y[low : low + _BLOCK], owner[low : low + _BLOCK]
        _place(xs, ys, raster.frame, cell, fine)
        n = _look_up(raster, cell, fine, out, open_points)
        read += _touch(raster, out, open_points, n)
        why = rule[low : low + _BLOCK]
        for j in range(len(out)):
            code = out[j]
            if code >= 0:
                out[j], why[j] = sets[0, np.uint32(code)], sets[3, np.uint32(code)]
            elif code == -1:
                why[j] = NONE if np.isfinite(xs[j]) and np.isfinite(ys[j]) else NO_PLACE
        for i in range(n):
            at: Any = np.uint32(open_points[i])
            out[at], why[at] = _judge_open(xs[at], ys[at], int(out[at]), raster)
    return read


@compile_kernel
def find_point(x: float, y: float, raster: Raster) -> int:
    """Return the first polygon that covers one point, -1 for none."""
    frame = raster.frame
    if not (frame[0] <= x <= frame[4] and frame[1] <= y <= frame[5]):
        return -1
    c = int(min((x - frame[0]) * frame[2], frame[6] - 1))
    r = int(min((y - frame[1]) * frame[3], frame[7] - 1))
    code = raster.coarse[(r >> SHIFT) * (int(frame[6]) >> SHIFT) + (c >> SHIFT)]
    if code < -1:
        code = raster.codes[
            np.int64(-2 - code) * SLOTS + ((r & (SIDE - 1)) << SHIFT) + (c & (SIDE - 1))
        ]
    if code < -1:
        return _judge_open(x, y, int(code), raster)[0]
    return raster.sets[0, code] if code >= 0 else -1
