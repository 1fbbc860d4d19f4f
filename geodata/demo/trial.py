"""An alarm to try the desk with: a made-up city has no sensors that would send one."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.errors import Fault, NotFound
from geodata.settings import Settings

SOURCE = "trial"
_LEVELS = (1, 2, 3)


def is_trial(source: str, settings: Settings) -> bool:
    """Tell whether what a source tells was raised to try the desk: in a made-up city alone."""
    return settings.demo and source == SOURCE


def find_carded(kinds: pd.DataFrame) -> pd.Index:
    """Return the codes of the kinds that have a response card."""
    known = kinds["response"].fillna("") if "response" in kinds else pd.Series(dtype=object)
    return known.index[known.astype(str) != ""]


def make_alarm(kinds: pd.DataFrame, places: gpd.GeoDataFrame, *, now: int) -> dict[str, Any]:
    """
    Return one event with an alarm, as a source posts it, at one of the places (lon, lat).

    It is a drill: it counts in no figure, and every screen says so. Its kind is one that has a
    response card. Equal for equal `now` (UTC s). Raises NotFound where no kind has a card or no
    place is seen.
    """
    carded = find_carded(kinds)
    if not len(carded) or not len(places):
        raise NotFound(Fault(key="trial_impossible"))
    chance = np.random.default_rng(now)
    spot = places.geometry.iloc[int(chance.integers(len(places)))]
    return {
        "incident_id": f"T{now}",
        "stage": "reported",
        "at": now,
        "kind": str(carded[int(chance.integers(len(carded)))]),
        "alarm_level": _LEVELS[int(chance.integers(len(_LEVELS)))],
        "lon": float(spot.x),
        "lat": float(spot.y),
        "drill": True,
    }
