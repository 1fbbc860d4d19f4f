"""The risk of each grid, made when a screen first asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.city import City
from geodata.grids import GridSystem
from geodata.risk import DAY_S, GridRisk, choose_exposure, estimate_risk
from geodata.snapshots.later import Later
from geodata.snapshots.snapshot import Snapshot
from geodata.store.records import read_records

# Sources that find what they go out to look for; see design.md 8 and `estimate_risk`.
PATROL_SOURCES = frozenset({"patrol", "camera", "巡查", "巡逻", "监控"})
_KEPT_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """
    The risk as of `made`, and the moment it looks ahead from: that one, or the end of older data.

    Both in UTC seconds; there is no risk before the first incident.
    """

    made: int
    ahead_of: Later[int]
    risk: Later[GridRisk | None]


def rate_later(
    city: City,
    system: GridSystem,
    snapshot: Snapshot,
    sources: dict[int, str],
    *,
    now: int,
    known: Rated | None = None,
) -> Rated:
    """
    Return the risk of each grid, to be made when it is asked for.

    It counts months and weeks: one `known` and some minutes old is taken on. A caller gives it for
    a large city, while nothing but single incidents changed.
    """
    if known is not None and known.risk.is_made and 0 <= now - known.made < _KEPT_S:
        return known
    ahead_of = Later(partial(_find_moment, city, snapshot, now))
    return Rated(
        made=now,
        ahead_of=ahead_of,
        risk=Later(partial(_rate, city, system, snapshot, sources, now, ahead_of)),
    )


def _find_moment(city: City, snapshot: Snapshot, now: int) -> int:
    """Return `now`, or the end of data that end long before it."""
    reported = snapshot.reported_at
    newest = int(np.max(reported, initial=0, where=reported <= now)) + DAY_S
    if newest == DAY_S or now - newest < city.settings.risk_days * DAY_S:
        return now
    return newest


def _rate(
    city: City,
    system: GridSystem,
    snapshot: Snapshot,
    sources: dict[int, str],
    now: int,
    ahead_of: Later[int],
) -> GridRisk | None:
    if not (snapshot.reported_at <= now).any():
        return None
    finest = system.finest()
    name, exposure = choose_exposure(
        city.settings.exposure,
        households=_find_counted(city, finest, "households", now=now),
        population=_find_counted(city, finest, "population", now=now),
        area_m2=finest.geometry.area.to_numpy(float),
    )
    patrols = [number for number, text in sources.items() if text in PATROL_SOURCES]
    return estimate_risk(
        snapshot.owner,
        snapshot.reported_at,
        patrol=np.isin(snapshot.source, patrols),
        exposure=exposure,
        exposure_name=name,
        now=ahead_of.get(),
        days=city.settings.risk_days,
        half_life_weeks=city.settings.risk_half_life_weeks,
    )


def _find_counted(city: City, finest: pd.DataFrame, name: str, *, now: int) -> NDArray[np.float64]:
    """Return what the table of counts in force says of each grid, else what its drawing says."""
    drawn: NDArray[np.float64] = finest[name].to_numpy(float)
    with city.database.read() as connection:
        counts = read_records(connection, "counts", at=now)
    if name not in counts:
        return drawn
    told = pd.to_numeric(counts.set_index("id")[name], errors="coerce")
    counted = told.reindex(finest["code"].astype(str)).to_numpy(float)
    values: NDArray[np.float64] = np.where(np.isfinite(counted), counted, drawn)
    return values
