"""Expected loads: what a block without history will probably bring, by blocks like it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from geodata.coverage.edges import Floats
from geodata.errors import BadSetting, Fault
from geodata.redraw.adjacency import Flags

LIKE = 25  # blocks a block is compared with
LOW, HIGH = 0.1, 0.9  # the band holds eight of ten like blocks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expectation:
    """A load for every block; `low` and `high` are its band, both the load where it is known."""

    loads: Floats
    low: Floats
    high: Floats
    expected: Flags  # which loads are expected, not known


def expect_loads(
    loads: Floats, known: Flags, *, exposure: Floats, likeness: Floats, like: int = LIKE
) -> Expectation:
    """
    Return known loads as they are, and for every other block what like blocks bring.

    `exposure` (n) is what a load grows with: households, else floor area, else area. `likeness`
    (n, m) says what makes blocks alike: density, kind of use, distance to the centre. The expected
    load is the ratio of loads to exposure over the `like` most similar known blocks, times the
    block's exposure; the band is the 10 % to 90 % quantile of their own ratios. Raises BadSetting
    where no block is known.
    """
    rows, missing = np.flatnonzero(known), np.flatnonzero(~known)
    if not len(rows):
        raise BadSetting(Fault(key="propose_no_history"))
    full = np.where(known, loads, 0.0).astype(np.float64)
    low, high = full.copy(), full.copy()
    if len(missing):
        scale = likeness[rows].std(axis=0)
        scaled = likeness / np.where(scale > 0, scale, 1.0)
        count = min(like, len(rows))
        _, near = cKDTree(scaled[rows]).query(scaled[missing], k=range(1, count + 1))
        beside = rows[near]
        base = np.maximum(exposure, np.finfo(float).tiny)
        ratio = full[beside].sum(axis=1) / base[beside].sum(axis=1)
        each = full[beside] / base[beside]
        full[missing] = ratio * exposure[missing]
        low[missing] = np.quantile(each, LOW, axis=1) * exposure[missing]
        high[missing] = np.quantile(each, HIGH, axis=1) * exposure[missing]
    return Expectation(
        loads=full, low=np.minimum(low, full), high=np.maximum(high, full), expected=~known
    )
