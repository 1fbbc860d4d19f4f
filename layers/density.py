"""Density: points counted in pixels and blurred, every point, at the speed of memory (numba).

Counts are whole numbers and so are their running sums, which is why a blur is exact: two pictures
agree on a cell they share to the last bit. A blur is three running means along each axis, done as
three running sums and the difference of eight of them, in one pass over the picture.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel

BOXES = 3  # three running means come within 3 % of a Gaussian's peak
_OUTSIDE = 16  # cells that take turns for what does not count: adding to one again must wait
_BLOCK = 2048  # points handled step by step together: their cells stay in the nearest cache
_STRIP = 1024  # columns blurred together: their sums stay in the second cache
_LEAST_SHARE = 500_000  # points for which a second thread pays
Counts = NDArray[np.uint32]
_EVERY = np.empty(0, np.bool_)  # no mask
_NOBODY = np.empty(0, np.int32)


def count_pixels(
    x: NDArray[np.uint32],
    y: NDArray[np.uint32],
    *,
    corner: tuple[int, int],
    size: tuple[int, int],
    shift: int,
    mask: NDArray[np.bool_] | None = None,
    owned: tuple[NDArray[np.int32], NDArray[np.bool_]] | None = None,
    parts: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
    threads: int = 1,
) -> Counts:
    """
    Count points in a picture of (high, wide) pixels, each 2 ** `shift` world units wide.

    `corner` is the pixel (x, y) of the picture's first one, counted from the world's; `mask` tells
    which points count; `owned` are the owners of the points and which of them count, looked up at
    owner + 1; `parts` are the starts and ends of the rows to read. Points outside the picture are
    left out.
    """
    high, wide = size
    starts, ends = parts or (np.array([0]), np.array([len(x)]))
    workers = max(1, min(threads, int((ends - starts).sum()) // _LEAST_SHARE))
    counts = np.zeros((workers, high * wide + _OUTSIDE), np.uint32)
    keep = _EVERY if mask is None else mask
    owner, allowed = owned or (_NOBODY, _EVERY)

    def work(worker: int) -> None:
        share = (ends - starts) / workers
        low = starts + (share * worker).astype(np.int64)
        top = ends if worker == workers - 1 else starts + (share * (worker + 1)).astype(np.int64)
        part = low.astype(np.int64), top.astype(np.int64)
        _count_points(x, y, keep, owner, allowed, *part, *corner, shift, wide, high, counts[worker])

    if workers == 1:
        work(0)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, range(workers)))
        for other in counts[1:]:
            counts[0] += other
    return counts[0, :-_OUTSIDE].reshape(high, wide)


@compile_kernel
def _count_points(  # noqa: PLR0913, PLR0917
    x: Any, y: Any, mask: Any, owner: Any, allowed: Any, starts: Any, ends: Any,
    x0: int, y0: int, shift: int, wide: int, high: int, counts: Any,
) -> None:  # fmt: skip
    """Count the points; the last cells take what does not count. No branch depends on a point."""
    masked, hidden = len(mask) > 0, len(allowed) > 0
    left, top, down = np.uint32(x0), np.uint32(y0), np.uint32(shift)
    columns, rows, outside = np.uint32(wide), np.uint32(high), np.uint32(wide * high)
    cell = np.empty(_BLOCK, np.uint32)
    for part in range(len(starts)):
        for low in range(starts[part], ends[part], _BLOCK):
            n = min(_BLOCK, ends[part] - low)
            xs, ys = x[low : low + n], y[low : low + n]
            for j in range(n):  # 32-bit numbers only: compiles to vector instructions
                c = np.uint32(np.uint32(xs[j] >> down) - left)  # wraps around left of the picture
                r = np.uint32(np.uint32(ys[j] >> down) - top)
                away = np.uint32(outside + np.uint32(j & (_OUTSIDE - 1)))
                cell[j] = np.uint32(r * columns + c) if (c < columns) & (r < rows) else away
            if masked:
                keep = mask[low : low + n]
                for j in range(n):
                    away = np.uint32(outside + np.uint32(j & (_OUTSIDE - 1)))
                    cell[j] = cell[j] if keep[j] else away
            if hidden:
                owners = owner[low : low + n]
                for j in range(n):
                    away = np.uint32(outside + np.uint32(j & (_OUTSIDE - 1)))
                    cell[j] = cell[j] if allowed[owners[j] + 1] else away
            for j in range(n):
                counts[cell[j]] += np.uint32(1)


def box_widths(sigma_px: float) -> tuple[int, ...]:
    """Return three odd box widths whose variances add up to the Gaussian's (Kovesi 2010)."""
    ideal = math.sqrt(12 * sigma_px**2 / BOXES + 1)
    small = max(1, int(ideal) - (int(ideal) + 1) % 2)
    few = (12 * sigma_px**2 - BOXES * small**2 - 4 * BOXES * small - 3 * BOXES) / (-4 * small - 4)
    return tuple(small if i < round(few) else small + 2 for i in range(BOXES))


def blur_margin(sigma_px: float) -> int:
    """Return how many pixels around a picture its blur needs."""
    return sum(width - 1 for width in box_widths(sigma_px)) // 2


def blur_counts(counts: Counts, *, sigma_px: float, threads: int = 1) -> NDArray[np.float64]:
    """Return points per pixel after the blur, smaller by `blur_margin` on every side."""
    widths = np.array(box_widths(sigma_px), np.int64)
    reach = int(widths.sum()) - BOXES
    high, wide = (max(0, side - reach) for side in counts.shape)
    out = np.empty((high, wide))
    share = 1.0 / float(np.prod(widths.astype(np.float64)) ** 2)
    whole = np.ascontiguousarray(counts, np.uint32)

    def blur(low: int) -> None:
        end = min(wide, low + _STRIP)
        _blur_strip(whole[:, low : end + reach], widths, share, out[:, low:end])

    strips = range(0, wide if high else 0, _STRIP)
    if threads == 1 or len(strips) < 2:
        for low in strips:
            blur(low)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(blur, strips))
    return out


@compile_kernel
def _subtract(a: Any, at: Any, begin: int, out: Any) -> None:
    """Write the eight-fold difference of one row of triple sums; `at` are the eight delays."""
    n = len(out)
    b, c, d, e = a[begin - at[1] :], a[begin - at[2] :], a[begin - at[3] :], a[begin - at[4] :]
    f, g, h, k = a[begin - at[5] :], a[begin - at[6] :], a[begin - at[7] :], a[begin:]
    for j in range(n):
        out[j] = k[j] - b[j] - c[j] - d[j] + e[j] + f[j] + g[j] - h[j]


@compile_kernel
def _mix(ring: Any, row: int, at: Any, share: float, out: Any) -> None:
    """Write the eight-fold difference of rows of triple sums, as a share."""
    n, rows = len(out), len(ring)
    a, b, c = ring[row % rows], ring[(row - at[1]) % rows], ring[(row - at[2]) % rows]
    d, e, f = ring[(row - at[3]) % rows], ring[(row - at[4]) % rows], ring[(row - at[5]) % rows]
    g, h = ring[(row - at[6]) % rows], ring[(row - at[7]) % rows]
    for j in range(n):
        out[j] = share * np.float64(a[j] - b[j] - c[j] - d[j] + e[j] + f[j] + g[j] - h[j])


@compile_kernel
def _blur_strip(counts: Any, widths: Any, share: float, out: Any) -> None:
    """Blur one strip: sums along each row, then down the rows as they come."""
    one, two, three = widths[0], widths[1], widths[2]
    at = np.array(
        [0, one, two, three, one + two, one + three, two + three, one + two + three], np.int64
    )
    reach = at[7] - 3
    high, wide = counts.shape
    n = wide - reach
    sums = np.zeros(wide + at[7], np.int64)  # led by zeros: what lies before the picture
    row = np.empty(n, np.int64)
    first, second = np.zeros(n, np.int64), np.zeros(n, np.int64)
    third = np.zeros(n, np.int64)
    ring = np.zeros((at[7] + 1, n), np.int64)
    for r in range(high):
        s1, s2, s3 = np.int64(0), np.int64(0), np.int64(0)
        for j in range(wide):
            s1 += np.int64(counts[r, j])
            s2 += s1
            s3 += s2
            sums[at[7] + j] = s3
        _subtract(sums, at, at[7] + reach, row)
        keep = ring[r % len(ring)]
        for j in range(n):
            first[j] += row[j]
            second[j] += first[j]
            third[j] += second[j]
            keep[j] = third[j]
        if r >= reach:
            _mix(ring, r, at, share, out[r - reach])


def warm() -> None:
    """Compile the kernels and keep the machine code on disk, for set-up."""
    x, owner = np.arange(4, dtype=np.uint32), np.zeros(4, np.int32)
    frozen, frozen_owner = x.copy(), owner.copy()
    frozen.flags.writeable = frozen_owner.flags.writeable = False
    mask = np.ones(4, np.bool_)
    place: dict[str, Any] = {"corner": (0, 0), "size": (64, 64), "shift": 0}
    for axis, owners in ((x, owner), (frozen, frozen_owner)):
        for keep in (None, mask):
            count_pixels(axis, axis, mask=keep, **place)
            counts = count_pixels(axis, axis, mask=keep, owned=(owners, mask), **place)
    blur_counts(counts, sigma_px=2.0)
