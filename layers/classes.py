"""Class breaks for coloured grids: Fisher-Jenks, zero apart, frozen over a period."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

CLASSES = 5


def break_classes(values: NDArray[np.float64], *, classes: int = CLASSES) -> tuple[float, ...]:
    """
    Return the lower bounds of the second to the last class of the values above zero.

    The classes have the least sum of squared distances to their means (Fisher 1958; Jenks 1977),
    found exactly. Zero is no class here: it has its own colour. A value belongs to class i when i
    breaks are <= it. Each break is the roundest number that parts the same values, so that a legend
    reads well and nothing changes sides. Pass the values of a whole period to freeze the breaks:
    colours then compare between its months. Fewer distinct values give fewer classes.
    """
    positive = values[np.isfinite(values) & (values > 0)]
    unique, weight = np.unique(positive, return_counts=True)
    if len(unique) < 2:
        return ()
    starts = _part_sorted(unique, weight.astype(np.float64), min(classes, len(unique)))
    return tuple(_round_between(unique[start - 1], unique[start]) for start in starts)


def classify(values: NDArray[np.float64], breaks: tuple[float, ...]) -> NDArray[np.int64]:
    """Return each value's class: -2 no figure, -1 zero or less, else how many breaks are <= it."""
    found = np.searchsorted(np.asarray(breaks, np.float64), values, side="right")
    return np.where(np.isfinite(values), np.where(values > 0, found, -1), -2)


def _round_between(below: float, at: float) -> float:
    """Return the number with the fewest digits in (below, at]."""
    for digits in range(-math.ceil(math.log10(at)), 18):
        step = 10.0**-digits
        rounded = round(math.floor(at / step) * step, max(digits, 0))
        if below < rounded <= at:
            return rounded
    return at


def _part_sorted(
    values: NDArray[np.float64], weight: NDArray[np.float64], classes: int
) -> NDArray[np.int64]:
    """Return where classes 2..k start in sorted distinct values."""
    centred = values - np.average(values, weights=weight)  # less is lost in the squares
    w = np.concatenate(([0.0], np.cumsum(weight)))
    s = np.concatenate(([0.0], np.cumsum(weight * centred)))
    q = np.concatenate(([0.0], np.cumsum(weight * centred * centred)))
    starts: NDArray[np.int64] = _best_starts(w, s, q, classes)
    return starts


@njit(cache=True, nogil=True)
def _cost(w, s, q, i, j):  # type: ignore[no-untyped-def]
    """Return the sum of squared distances to the mean within values[i:j]."""
    return max(q[j] - q[i] - (s[j] - s[i]) ** 2 / (w[j] - w[i]), 0.0)


@njit(cache=True, nogil=True)
def _best_starts(w, s, q, classes):  # type: ignore[no-untyped-def]
    """
    Solve the exact dynamic programme, class by class, in O(k n log n).

    The best start of the last class never moves left as more values are added (the cost obeys the
    quadrangle inequality), so each row is filled by halving.
    """
    n = len(w) - 1
    best = np.full((classes + 1, n + 1), np.inf)
    start = np.zeros((classes + 1, n + 1), np.int64)
    best[0, 0] = 0.0
    stack = np.empty((2 * 64, 4), np.int64)
    for k in range(1, classes + 1):
        stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = k, n, k - 1, n - 1
        top = 1
        while top > 0:
            top -= 1
            low, high, first, last = stack[top]
            if low > high:
                continue
            j = (low + high) // 2
            for i in range(max(first, k - 1), min(last, j - 1) + 1):
                total = best[k - 1, i] + _cost(w, s, q, i, j)
                if total < best[k, j]:
                    best[k, j] = total
                    start[k, j] = i
            at = start[k, j]
            stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = low, j - 1, first, at
            top += 1
            stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = j + 1, high, at, last
            top += 1
    out = np.empty(classes - 1, np.int64)
    j = n
    for k in range(classes, 1, -1):
        j = start[k, j]
        out[k - 2] = j
    return out
