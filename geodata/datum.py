"""Evidence for or against a declared datum: how far points lie from where they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.china_shift import bd09_to_wgs84, gcj02_to_wgs84

Floats = NDArray[np.float64]
Distances = Callable[[Floats, Floats], ArrayLike]

# Below this many points off the layer, chance may decide.
_FEWEST_OFF = 20
# Another reading must bring those points this much nearer, and to less than this share.
_LEAST_GAIN_M = 50.0
_BETTER_SHARE = 0.5
# One point in another province must not weigh more than this in a mean.
_CAP_M = 2000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatumEvidence:
    """
    Distances in metres to a trusted layer, under three readings of the same numbers.

    The medians are over the `off` points: those that lie off the layer as delivered. (Points deep
    inside a large district lie inside it whatever the datum, and say nothing.) The means are over
    all points, each distance capped at 2 km. NaN when there is no such point.
    """

    points: int
    off: int
    as_is_m: float
    gcj02_m: float
    bd09_m: float
    as_is_mean_m: float
    gcj02_mean_m: float
    bd09_mean_m: float

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers for a report: the counts and the three medians."""
        return {
            "points": self.points,
            "off": self.off,
            "as_is_m": _plain(self.as_is_m),
            "gcj02_m": _plain(self.gcj02_m),
            "bd09_m": _plain(self.bd09_m),
        }


def datum_evidence(lon: ArrayLike, lat: ArrayLike, *, distance_of: Distances) -> DatumEvidence:
    """
    Measure how well points fit a trusted layer as they are, read as GCJ-02 and read as BD-09.

    `lon`, `lat`: degrees as delivered, one shape. `distance_of(lon, lat)` gives metres from WGS 84
    points, in the same order, to the geometry each one is known to belong to (0 inside; NaN where
    nothing is known). It is called three times with all points.
    """
    given = np.ravel(np.asarray(lon, np.float64)), np.ravel(np.asarray(lat, np.float64))
    readings = (given, gcj02_to_wgs84(*given), bd09_to_wgs84(*given))
    metres = np.array([np.asarray(distance_of(*one), np.float64) for one in readings])
    metres = metres[:, np.isfinite(metres).all(axis=0)]
    off = metres[0] > 0
    medians = np.median(metres[:, off], axis=1) if off.any() else np.full(3, np.nan)
    means = np.minimum(metres, _CAP_M).mean(axis=1) if metres.size else np.full(3, np.nan)
    return DatumEvidence(
        points=int(given[0].size),
        off=int(off.sum()),
        as_is_m=float(medians[0]),
        gcj02_m=float(medians[1]),
        bd09_m=float(medians[2]),
        as_is_mean_m=float(means[0]),
        gcj02_mean_m=float(means[1]),
        bd09_mean_m=float(means[2]),
    )


def find_better_datum(
    evidence: DatumEvidence,
    *,
    least_gain_m: float = _LEAST_GAIN_M,
    fewest_off: int = _FEWEST_OFF,
) -> Literal["GCJ-02", "BD-09"] | None:
    """
    Tell whether GCJ-02 or BD-09 fits clearly better than the declared datum; else None.

    Clearly: it brings the points off the layer at least `least_gain_m` nearer and to less than half
    the distance, and halves the mean distance of all. For a warning with the three medians, never
    for a switch: a person decides.
    """
    if evidence.off < fewest_off:
        return None
    gcj02 = evidence.gcj02_mean_m <= evidence.bd09_mean_m
    median_m = evidence.gcj02_m if gcj02 else evidence.bd09_m
    mean_m = evidence.gcj02_mean_m if gcj02 else evidence.bd09_mean_m
    nearer = evidence.as_is_m - median_m >= least_gain_m
    if not nearer or median_m > _BETTER_SHARE * evidence.as_is_m:
        return None
    if mean_m > _BETTER_SHARE * evidence.as_is_mean_m:
        return None
    return "GCJ-02" if gcj02 else "BD-09"


def _plain(metres: float) -> float | None:
    return round(metres, 1) if np.isfinite(metres) else None
