"""Evidence for or against a declared datum: how far points lie from where they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.coordinates.china_shift import bd09_to_wgs84, gcj02_to_wgs84

Floats = NDArray[np.float64]
Distances = Callable[[Floats, Floats], ArrayLike]

# Below this many points off the layer, chance may decide.
_FEWEST_OFF = 20
# Another reading must bring those points this much nearer, and to less than this share.
_LEAST_GAIN_M = 50.0
_BETTER_SHARE = 0.5
# One point in another province must not weigh more than this in a mean.
_CAP_M = 2000.0


Datum = Literal["crs", "gcj02", "bd09"]  # the numbers as they are, or read as shifted
_NAMES: dict[Datum, str] = {"crs": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatumEvidence:
    """
    Distances in metres to a trusted layer, under three readings of the same numbers.

    The medians are over the `off` points: those that lie off the layer as `declared`. (Points deep
    inside a large district lie inside it whatever the datum, and say nothing.) The means are over
    all points, each distance capped at 2 km. NaN when there is no such point.
    """

    declared: Datum
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
            "declared": _NAMES[self.declared],
            "points": self.points,
            "off": self.off,
            "as_is_m": _plain(self.as_is_m),
            "gcj02_m": _plain(self.gcj02_m),
            "bd09_m": _plain(self.bd09_m),
        }

    @property
    def medians(self) -> dict[Datum, float]:
        """Return the median of each reading."""
        return {"crs": self.as_is_m, "gcj02": self.gcj02_m, "bd09": self.bd09_m}

    @property
    def means(self) -> dict[Datum, float]:
        """Return the capped mean of each reading."""
        return {"crs": self.as_is_mean_m, "gcj02": self.gcj02_mean_m, "bd09": self.bd09_mean_m}


def datum_evidence(
    lon: ArrayLike, lat: ArrayLike, *, distance_of: Distances, declared: Datum = "crs"
) -> DatumEvidence:
    """
    Measure how well points fit a trusted layer as they are, read as GCJ-02 and read as BD-09.

    `lon`, `lat`: degrees as delivered, one shape; `declared` how the file says to read them.
    `distance_of(lon, lat)` gives metres from WGS 84 points, in the same order, to the geometry each
    one is known to belong to (0 inside; NaN where nothing is known). It is called three times with
    all points.
    """
    given = np.ravel(np.asarray(lon, np.float64)), np.ravel(np.asarray(lat, np.float64))
    readings = (given, gcj02_to_wgs84(*given), bd09_to_wgs84(*given))
    metres = np.array([np.asarray(distance_of(*one), np.float64) for one in readings])
    metres = metres[:, np.isfinite(metres).all(axis=0)]
    off = metres[list(_NAMES).index(declared)] > 0
    medians = np.median(metres[:, off], axis=1) if off.any() else np.full(3, np.nan)
    means = np.minimum(metres, _CAP_M).mean(axis=1) if metres.size else np.full(3, np.nan)
    return DatumEvidence(
        declared=declared,
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
) -> str | None:
    """
    Name the datum that fits clearly better than the declared one; else None.

    Clearly: it brings the points off the layer at least `least_gain_m` nearer and to less than half
    the distance, and halves the mean distance of all. For a warning with the three medians, never
    for a switch: a person decides.
    """
    if evidence.off < fewest_off:
        return None
    means, medians = evidence.means, evidence.medians
    best = min((datum for datum in _NAMES if datum != evidence.declared), key=means.__getitem__)
    nearer = medians[evidence.declared] - medians[best] >= least_gain_m
    if not nearer or medians[best] > _BETTER_SHARE * medians[evidence.declared]:
        return None
    if means[best] > _BETTER_SHARE * means[evidence.declared]:
        return None
    return _NAMES[best]


def _plain(metres: float) -> float | None:
    return round(metres, 1) if np.isfinite(metres) else None
