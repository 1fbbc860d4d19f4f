"""Which datum a file is really in: measured against the roads and buildings of the city itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geodata.city import City
from geodata.coordinates import parse_crs, to_metric
from geodata.loading.sampling import DATUMS, measure_nearest, thin_places
from geodata.snapshots.facts import base_version, load_base

TRUSTED = ("buildings", "roads")  # what incidents, cameras and places lie at
FEWEST_POINTS = 50  # below this chance has a say
_CAP_M = 60.0  # further away than this says no more
_CLEARLY = 0.85  # of the declared reading's distance; measured, see docs/data.md


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEvidence:
    """
    How far points lie from the city's own roads and buildings, read in three ways.

    `mean_m` is each reading's mean distance, capped at 60 m a layer and summed over `layers`;
    `median_m` the plain median to the nearest of them. `declared` is how the file says to read it.
    """

    declared: str
    points: int
    layers: tuple[str, ...]
    mean_m: dict[str, float]
    median_m: dict[str, float]

    @property
    def nearest(self) -> str:
        """Return the reading that lies nearest to the city."""
        return min(self.mean_m, key=self.mean_m.__getitem__)

    @property
    def better(self) -> str | None:
        """Return a reading that fits clearly better than the declared one; a person decides."""
        best = self.nearest
        if self.points < FEWEST_POINTS or best == self.declared:
            return None
        clearly = self.mean_m[best] <= _CLEARLY * self.mean_m[self.declared]
        return best if clearly else None

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers for a report."""
        return {
            "declared": self.declared,
            "points": self.points,
            "layers": list(self.layers),
            "median_m": {name: round(metres, 1) for name, metres in self.median_m.items()},
            "better": self.better,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trusted:
    """Layers of one base map in metres of the city, each with a tree to find the nearest by."""

    stamp: tuple[int, str]
    shapes: dict[str, NDArray[np.object_]]
    trees: dict[str, shapely.STRtree]


class TrustedLayers:
    """A city's own roads and buildings, read once for as long as the base map stands."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._kept: _Trusted | None = None

    def measure(self, lon: ArrayLike, lat: ArrayLike, *, declared: str) -> LayerEvidence | None:
        """
        Measure points (degrees as delivered) against the base map; None without one, or points.

        Never switches anything: the answer is evidence for a person.
        """
        x, y = thin_places(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
        trusted = self._read() if len(x) and self._city.crs_text else None
        if trusted is None or not trusted.shapes:
            return None
        means, medians = {}, {}
        for reading, text in DATUMS.items():
            east, north = to_metric(x, y, parse_crs(text), self._city.crs)
            away = np.array(
                [
                    measure_nearest(east, north, tree, trusted.shapes[name])
                    for name, tree in trusted.trees.items()
                ]
            )
            means[reading] = float(np.minimum(away, _CAP_M).mean(axis=1).sum())
            medians[reading] = float(np.median(away.min(axis=0)))
        return LayerEvidence(
            declared=declared,
            points=len(x),
            layers=tuple(trusted.shapes),
            mean_m=means,
            median_m=medians,
        )

    def _read(self) -> _Trusted:
        city = self._city
        stamp = (base_version(city.base_folder), city.crs_text)
        kept = self._kept  # taken once: another thread may put a newer one in its place
        if kept is not None and kept.stamp == stamp:
            return kept
        base = load_base(city.base_folder)
        shapes = {
            name: base[name].to_crs(city.crs).geometry.to_numpy()
            for name in TRUSTED
            if name in base and len(base[name])
        }
        trees = {name: shapely.STRtree(found) for name, found in shapes.items()}
        self._kept = _Trusted(stamp=stamp, shapes=shapes, trees=trees)
        return self._kept
