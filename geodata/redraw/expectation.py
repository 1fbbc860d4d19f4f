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
SURPRISING = 3.0  # expected cases from which none at all means that nothing was recorded


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expectation:
    """A load for every block; `band` (n, 2) is between what it lies, NaN where it is known."""

    loads: Floats
    band: Floats


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
    if not known.any():
        raise BadSetting(Fault(key="propose_no_history"))
    # A load where nothing is exposed, such as cases on a square, tells nothing of a block of homes.
    rows, missing = np.flatnonzero(known & (exposure > 0)), np.flatnonzero(~known)
    full = np.where(known, loads, 0.0).astype(np.float64)
    band = np.full((len(full), 2), np.nan)
    if len(missing) and len(rows):
        scale = likeness[rows].std(axis=0)
        scaled = likeness / np.where(scale > 0, scale, 1.0)
        count = min(like, len(rows))
        _, near = cKDTree(scaled[rows]).query(scaled[missing], k=range(1, count + 1))
        beside = rows[near]
        ratio = full[beside].sum(axis=1) / exposure[beside].sum(axis=1)
        each = full[beside] / exposure[beside]
        full[missing] = ratio * exposure[missing]
        ends = np.quantile(each, (LOW, HIGH), axis=1) * exposure[missing]
        band[missing, 0] = np.minimum(ends[0], full[missing])
        band[missing, 1] = np.maximum(ends[1], full[missing])
    return Expectation(loads=full, band=band)


def find_unknown(loads: Floats, *, exposure: Floats, likeness: Floats) -> Expectation:
    """
    Return the loads with those of blocks that have no history replaced by what is expected.

    A count of 0 is no history where blocks like it would have brought three: of a Poisson number
    with mean 3 a 0 comes once in twenty times. Other zeros are what they say.
    """
    nothing = Expectation(loads=loads, band=np.full((len(loads), 2), np.nan))
    if not (loads > 0).any():
        return nothing
    first = expect_loads(loads, loads > 0, exposure=exposure, likeness=likeness)
    known = (loads > 0) | (first.loads < SURPRISING)
    return expect_loads(loads, known, exposure=exposure, likeness=likeness)
