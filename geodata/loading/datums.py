"""Which system a file's places are in: how many lie in the city, read in each of several ways."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.city import City
from geodata.coordinates import SourceCrs, parse_crs, to_metric
from geodata.grids.system import GridSystem
from geodata.loading.sampling import DATUM_NAMES, DATUMS, measure_nearest, thin_places

Floats = NDArray[np.float64]

# Fewer places outside say nothing: cases on a border road, a camera across the river.
_FEWEST, _LEAST_SHARE = 3, 0.01
# Chance alone splits the places that tell two readings apart evenly; so seldom is it so one-sided.
_BY_CHANCE = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAs:
    """One way to read numbers: a coordinate system, and whether the two are exchanged first."""

    crs: str
    swapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineEvidence:
    """
    How many of `points` places lie in no area of the city, under several readings.

    `outside` counts them, `off_m` is the median way of those outside to the nearest area, NaN for
    none. `likely` are the readings that fit clearly better than `declared` and that nothing tells
    apart: one is a proposal, several are a choice. With none, `fits` tells that `declared` is
    clearly better than every other; else the outline cannot tell.
    """

    declared: ReadAs
    points: int
    outside: Mapping[ReadAs, int]
    off_m: Mapping[ReadAs, float]
    likely: tuple[ReadAs, ...] = ()
    fits: bool = False

    @property
    def better(self) -> ReadAs | None:
        """Return the one reading that fits clearly better; a person decides."""
        return self.likely[0] if len(self.likely) == 1 else None

    @property
    def doubtful(self) -> bool:
        """Tell whether it must be said: many lie outside as declared, or fewer would otherwise."""
        out = self.outside[self.declared]
        return bool(self.likely) or out >= max(_FEWEST, _LEAST_SHARE * self.points)


def weigh_readings(
    x: Floats, y: Floats, source: SourceCrs, *, city: City, system: GridSystem
) -> OutlineEvidence | None:
    """
    Count the places in the city's areas as `source` and as the other systems that they may be in.

    `x`, `y` are the numbers as the file has them, NaN for none; at most 2,000 are looked at. Two
    readings are told apart by the places that lie inside in one alone: by chance, or where a file
    reaches beyond the city, they are as many on either side (a sign test). None without places.
    """
    x, y = thin_places(x, y)
    if not len(x):
        return None
    areas = system.level(system.levels[0]).geometry.to_numpy()
    tree = shapely.STRtree(areas)
    declared = ReadAs(
        crs=DATUM_NAMES[source.kind] if source.is_lonlat and source.kind != "fit" else source.label
    )
    away = {declared: _measure(x, y, source, city, tree, areas)}
    if source.is_lonlat and source.kind != "fit":
        for name, text in DATUMS.items():
            if name != declared.crs:
                away[ReadAs(crs=name)] = _measure(x, y, parse_crs(text), city, tree, areas)
    if (away[declared] > 0).all():
        for one in list(away):
            how = source if one == declared else parse_crs(DATUMS[one.crs])
            turned = ReadAs(crs=one.crs, swapped=True)
            away[turned] = _measure(y, x, how, city, tree, areas)
    return OutlineEvidence(
        declared=declared,
        points=len(x),
        outside={one: int((metres > 0).sum()) for one, metres in away.items()},
        off_m={one: _median_off(metres) for one, metres in away.items()},
        likely=_find_likely(declared, away),
        fits=all(
            _beats(away[declared] == 0, metres == 0)
            for one, metres in away.items()
            if one != declared
        ),
    )


def _measure(
    x: Floats,
    y: Floats,
    source: SourceCrs,
    city: City,
    tree: shapely.STRtree,
    areas: NDArray[np.object_],
) -> Floats:
    """Return the metres from each place to the nearest area: 0 within, infinite for no place."""
    return measure_nearest(*to_metric(x, y, source, city.crs), tree, areas)


def _median_off(metres: Floats) -> float:
    off = metres[metres > 0]
    return float(np.median(off)) if len(off) else math.nan


def _find_likely(declared: ReadAs, away: Mapping[ReadAs, Floats]) -> tuple[ReadAs, ...]:
    inside = {one: metres == 0 for one, metres in away.items()}
    ahead = [one for one in inside if _beats(inside[one], inside[declared])]
    if not ahead:
        return ()
    best = max(ahead, key=lambda one: int(inside[one].sum()))
    return (best, *(one for one in ahead if one != best and not _beats(inside[best], inside[one])))


def _beats(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    """Tell whether `one` has more places inside than `other` by more than chance would."""
    mine, theirs = int((one & ~other).sum()), int((other & ~one).sum())
    return mine > theirs and _chance_of(mine, mine + theirs) < _BY_CHANCE


@lru_cache(maxsize=4096)
def _chance_of(heads: int, tosses: int) -> float:
    """Return how likely a fair coin shows so many heads or more."""
    return float(sum(math.comb(tosses, n) for n in range(heads, tosses + 1)) / 2**tosses)
