"""Owners found against owners recorded: how many agree, how far the rest lie, and the datum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geodata.coordinates import SourceCrs, lonlat_crs, to_metric
from geodata.coordinates.datum import DatumEvidence, datum_evidence, find_better_datum
from geodata.figures.counts import Rate
from geodata.words import Lang, join, say

NEAR_M = 20.0  # a difference this close to the recorded grid is a matter of the line drawn
CODES_SHOWN = 8
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """
    How the owners found agree with a column of recorded owners; distances in metres.

    `known` points have a place and a recorded code that is among the grids. `evidence` is there
    for points in degrees; `better` names a datum that fits them clearly better than `declared`.
    """

    column: str
    known: int
    agree: int
    median_m: float
    p90_m: float
    worst_m: float
    within_20_m: int
    only_in_grids: tuple[str, ...]
    only_in_points: tuple[str, ...]
    declared: str
    evidence: DatumEvidence | None
    better: str | None

    @property
    def differ(self) -> int:
        """Return how many known points have another owner, or none."""
        return self.known - self.agree

    @property
    def percent(self) -> str:
        """Return the share that agrees, rounded half up to two places."""
        return Rate(part=self.agree, of=self.known).percent() or "–"

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        left_out = ("evidence", "only_in_grids", "only_in_points")
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in left_out}
        evidence = self.evidence.as_json() if self.evidence else None
        return plain | {"differ": self.differ, "percent": self.percent, "evidence": evidence}

    def lines(self, lang: Lang) -> list[str]:
        """Return the comparison as sentences for a terminal."""
        lines = [
            say(f"own.only_{where}", lang, n=len(codes), examples=_some(codes, lang))
            for where, codes in (("grids", self.only_in_grids), ("points", self.only_in_points))
            if codes
        ]
        counts = {"known": self.known, "agree": self.agree, "differ": self.differ}
        counts_text = {name: f"{n:,}" for name, n in counts.items()}
        lines.append(
            say("own.recorded", lang, column=self.column, percent=self.percent, **counts_text)
        )
        if self.differ:
            metres = {"median": self.median_m, "p90": self.p90_m, "worst": self.worst_m}
            shown = {name: f"{value:,.1f}" for name, value in metres.items()}
            lines.append(say("own.recorded_apart", lang, near=f"{self.within_20_m:,}", **shown))
        if self.better and self.evidence:
            readings = {
                "wgs": self.evidence.as_is_m,
                "gcj": self.evidence.gcj02_m,
                "bd": self.evidence.bd09_m,
            }
            shown = {name: f"{value:,.0f}" for name, value in readings.items()}
            n = f"{self.evidence.off:,}"
            lines.append(
                say(
                    "own.datum_warning",
                    lang,
                    declared=self.declared,
                    better=self.better,
                    n=n,
                    **shown,
                )
            )
        return lines


def compare_recorded(
    recorded: NDArray[np.str_],
    *,
    column: str,
    codes: NDArray[np.str_],
    polygons: NDArray[np.object_],
    owner: NDArray[np.int32],
    raw: tuple[Floats, Floats],
    source: SourceCrs,
    metric: pyproj.CRS,
) -> Recorded:
    """
    Hold the owners found against the recorded ones, and the datum against the distances.

    `codes` and `polygons` (metres of `metric`) are the grids in the order that `owner` counts them;
    `raw` holds the points' coordinates as the file has them, NaN for none, in `source`.
    """
    row_of = pd.Series(np.arange(len(codes)), index=codes)
    row = row_of.reindex(recorded).fillna(-1).to_numpy(np.int64)
    x, y = raw
    known = np.isfinite(x) & np.isfinite(y) & (row >= 0)
    agree = known & (owner == row)

    def distances(lon: Any, lat: Any, as_source: SourceCrs) -> Floats:
        x_m, y_m = to_metric(lon, lat, as_source, metric)
        found = np.full(len(row), np.nan)
        points = shapely.points(x_m[known], y_m[known])
        found[known] = shapely.distance(polygons[row[known]], points)
        return found

    evidence = None
    if source.is_lonlat:
        evidence = datum_evidence(
            x,
            y,
            distance_of=lambda lon, lat: distances(lon, lat, lonlat_crs()),
            declared="crs" if source.kind == "fit" else source.kind,
        )
    apart = distances(x, y, source)[known & ~agree]
    here, there = set(codes.tolist()), set(recorded.tolist()) - {""}
    return Recorded(
        column=column,
        known=int(known.sum()),
        agree=int(agree.sum()),
        median_m=_quantile(apart, 0.5),
        p90_m=_quantile(apart, 0.9),
        worst_m=_quantile(apart, 1.0),
        within_20_m=int((apart <= NEAR_M).sum()),
        only_in_grids=tuple(sorted(here - there)),
        only_in_points=tuple(sorted(there - here)),
        declared=source.label,
        evidence=evidence,
        better=find_better_datum(evidence) if evidence else None,
    )


def _quantile(metres: Floats, share: float) -> float:
    return round(float(np.quantile(metres, share)), 2) if len(metres) else 0.0


def _some(codes: tuple[str, ...], lang: Lang) -> str:
    more = len(codes) - CODES_SHOWN
    return join(codes[:CODES_SHOWN], lang) + (f" … +{more}" if more > 0 else "")
