"""Incidents: where, when, of what kind, by which channel; after people, hours and seasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.demo.ground import Floats
from geodata.demo.land import USES, use_of
from geodata.demo.things import CATEGORIES
from geodata.demo.town import Town
from geodata.demo.water import find_wet
from geodata.demo.workdays import DAY_S, ZONE_S

YEAR_DAYS = 365
SOURCES: tuple[str, ...] = ("patrol", "citizen", "hotline", "sensor", "camera")
PLACES: tuple[str, ...] = ("building", "kerb", "street", "corner", "park", "outside", "none")

Ints = NDArray[np.int64]

_KIND_SPREAD = 0.35
_SPOTS = 3  # of a block where things happen again and again
_RAIN_DAYS, _ICE_DAYS, _WIND_DAYS = 14, 7, 12
# Shares by month, January first, of what depends on the season.
_SEASON = {
    "": (0.92, 0.78, 1.0, 1.04, 1.06, 1.04, 1.05, 1.03, 1.04, 1.0, 1.04, 1.0),
    "rain": (0.15, 0.2, 0.4, 0.6, 0.9, 2.6, 3.0, 2.2, 1.0, 0.4, 0.25, 0.15),
    "ice": (4.2, 2.6, 0.2, 0, 0, 0, 0, 0, 0, 0, 0.2, 2.4),
    "wind": (0.6, 0.7, 1.0, 1.2, 0.9, 1.0, 1.8, 2.0, 1.2, 0.6, 0.6, 0.6),
    "heat": (0.05, 0.1, 0.3, 0.7, 1.3, 1.9, 2.6, 2.6, 1.5, 0.6, 0.2, 0.05),
    "leaf": (0.4, 0.2, 0.3, 0.4, 0.3, 0.2, 0.2, 0.3, 0.8, 2.2, 4.2, 2.6),
}
# Weights of the hours 0 to 23.
_HOURS_DAY = (
    2, 1, 1, 1, 1, 2, 8, 26, 52, 60, 55, 44, 24, 30, 50, 54, 50, 40, 24, 18, 14, 10, 6, 3,
)  # fmt: skip
_HOURS_EVENING = (
    14, 8, 5, 3, 3, 4, 8, 14, 22, 26, 26, 24, 22, 20, 22, 24, 26, 30, 38, 48, 52, 46, 34, 22,
)  # fmt: skip
_HOURS_FLAT = (
    10, 9, 8, 8, 8, 9, 12, 15, 16, 16, 15, 15, 15, 15, 15, 15, 16, 17, 17, 16, 15, 14, 12, 11,
)  # fmt: skip
_HOURS = {
    "patrol": _HOURS_DAY,
    "citizen": _HOURS_EVENING,
    "hotline": _HOURS_DAY,
    "sensor": _HOURS_FLAT,
    "camera": _HOURS_FLAT,
}
_USE_PULL = {
    "commerce": 60.0, "market": 130.0, "old_town": 26.0, "office": 40.0, "school": 45.0,
    "hospital": 70.0, "station": 160.0, "park": 14.0, "campus": 60.0, "industry": 16.0,
    "public": 24.0, "sports": 30.0, "logistics": 60.0, "village": 8.0, "field": 1.5, "pond": 1.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidents:
    """One row per incident, in order of report; places in local metres, NaN where there is none."""

    x: Floats
    y: Floats
    place: NDArray[np.int8]  # position in PLACES
    cell: Ints
    kind: Ints  # row of the kinds table
    source: NDArray[np.int8]  # position in SOURCES
    reported_at: Ints  # epoch s


def sample_incidents(
    town: Town, kinds: pd.DataFrame, *, now: int, rng: np.random.Generator
) -> Incidents:
    """Return the incidents of the year before `now`."""
    n = town.plan.incidents
    kind = _pick_kinds(kinds, n, rng)
    sensed = kinds["_sensed"].to_numpy()[kind]
    source = _pick_sources(kinds, kind, sensed, rng)
    reported = _pick_times(kinds["_season"].to_numpy()[kind], source, now, rng)
    cell = _pick_cells(town, kinds, kind, rng)
    x, y, place = _pick_places(town, kinds, kind, cell, rng)
    order = np.argsort(reported, kind="stable")
    return Incidents(
        x=x[order],
        y=y[order],
        place=place[order],
        cell=cell[order],
        kind=kind[order],
        source=source[order],
        reported_at=reported[order],
    )


def _pick_kinds(kinds: pd.DataFrame, n: int, rng: np.random.Generator) -> Ints:
    """Return kinds: few common, many rare, every one present where there are enough incidents."""
    chance = kinds["_chance"].to_numpy() * rng.lognormal(0, _KIND_SPREAD, len(kinds))
    once = np.arange(len(kinds)) if n > 4 * len(kinds) else np.empty(0, np.int64)
    rest = rng.choice(len(kinds), n - len(once), p=chance / chance.sum())
    return rng.permutation(np.r_[once, rest])


def _pick_sources(
    kinds: pd.DataFrame, kind: Ints, sensed: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int8]:
    patrol = kinds["patrol_found"].to_numpy()[kind]
    # patrol, citizen, hotline, sensor, camera
    share = np.where(
        patrol[:, None],
        np.array([0.56, 0.17, 0.16, 0.0, 0.11]),
        np.array([0.0, 0.4, 0.5, 0.0, 0.1]),
    )
    share[sensed, 3] = 0.22
    share /= share.sum(axis=1, keepdims=True)
    passed = rng.random((len(kind), 1)) > share.cumsum(axis=1)
    return np.asarray(passed.sum(axis=1).clip(0, len(SOURCES) - 1), np.int8)


def _pick_times(
    season: NDArray[np.object_], source: NDArray[np.int8], now: int, rng: np.random.Generator
) -> Ints:
    """Return report times (epoch s) by season, weekday, channel, hour and spells of weather."""
    last = (now + ZONE_S) // DAY_S
    days = np.arange(last - YEAR_DAYS, last + 1)
    dates = days.astype("datetime64[D]")
    month = dates.astype("datetime64[M]").astype(np.int64) % 12
    weekend = (days + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    week = np.where(weekend, 0.72, 1.0)
    reported = np.zeros(len(season), np.int64)
    for name, by_month in _SEASON.items():
        members = np.flatnonzero(season == name)
        if not len(members):
            continue
        weight = np.array(by_month)[month] * (week if name == "" else 1.0)
        weight = weight * rng.gamma(30, 1 / 30, len(days))
        spell = {"rain": _RAIN_DAYS, "ice": _ICE_DAYS, "wind": _WIND_DAYS}.get(name, 0)
        if spell:
            hit = rng.choice(len(days), spell, replace=False, p=weight / weight.sum())
            weight[hit] *= rng.uniform(6, 16, spell)
        reported[members] = days[rng.choice(len(days), len(members), p=weight / weight.sum())]
    clock = np.empty(len(season), np.int64)
    for number, name in enumerate(SOURCES):
        members = np.flatnonzero(source == number)
        hours = np.array(_HOURS[name], float)
        hour = rng.choice(24, len(members), p=hours / hours.sum())
        clock[members] = hour * 3600 + rng.integers(0, 3600, len(members))
    reported = reported * DAY_S + clock - ZONE_S
    # What falls outside the year is moved by whole days into it: the hour stays.
    reported[reported >= now - 60] -= DAY_S
    reported[reported < now - YEAR_DAYS * DAY_S] += DAY_S
    return reported


def _pick_cells(town: Town, kinds: pd.DataFrame, kind: Ints, rng: np.random.Generator) -> Ints:
    """Return the block of each incident: people, trade and a few stubborn hot spots."""
    pull = np.array([_USE_PULL.get(name, 6.0) for name in USES])[town.land.use]
    area_ha = shapely.area(town.network.cells) / 1e4
    base = 0.22 * town.households + pull * np.minimum(area_ha, 3.0)
    base[shapely.is_empty(town.land.lot)] = 0.0  # nothing but street or water
    unit_heat = rng.lognormal(0, 0.55, int(town.network.unit_of.max()) + 1)[town.network.unit_of]
    cell = np.empty(len(kind), np.int64)
    number = kinds["category"].map({name: code for code, name in CATEGORIES.items()}).to_numpy()
    for code in CATEGORIES:
        members = np.flatnonzero(number[kind] == code)
        weight = base * unit_heat * rng.lognormal(0, 0.75, len(base))
        hot = rng.choice(len(base), max(1, len(base) // 150), replace=False, p=base / base.sum())
        weight[hot] *= rng.pareto(1.3, len(hot)) + 3.0
        if code == "4":
            green = np.isin(town.land.use, [use_of("park"), use_of("campus")])
            weight = np.where(green, 9 * weight, weight + 0.3 * base.mean() * (base > 0))
        cell[members] = rng.choice(len(base), len(members), p=weight / weight.sum())
    return cell


def _pick_places(
    town: Town, kinds: pd.DataFrame, kind: Ints, cell: Ints, rng: np.random.Generator
) -> tuple[Floats, Floats, NDArray[np.int8]]:
    """Return places: at a building, on the kerb, on the street, on a corner, outside, nowhere."""
    n = len(kind)
    dice = rng.random(n)
    indoor = kinds["category"].isin(["安全隐患", "民生服务"]).to_numpy()[kind]
    at_building = np.where(indoor, 0.86, 0.46)
    place = np.where(dice < at_building, PLACES.index("building"), PLACES.index("kerb"))
    place[dice > 0.90] = PLACES.index("street")
    place[dice > 0.979] = PLACES.index("corner")
    place[dice > 0.997] = PLACES.index("outside")
    place[dice > 0.9985] = PLACES.index("none")
    has_building = np.bincount(town.buildings.cell, minlength=len(town.network.cells)) > 0
    place[(place == 0) & ~has_building[cell]] = PLACES.index("kerb")
    green = np.isin(town.land.use, [use_of("park"), use_of("field"), use_of("campus")])[cell]
    place[(place == 1) & green & (rng.random(n) < 0.7)] = PLACES.index("park")
    xy = np.full((n, 2), np.nan)
    for code, draw in enumerate(
        (_at_building, _at_kerb, _on_street, _on_corner, _in_park, _outside)
    ):
        members = np.flatnonzero(place == code)
        xy[members] = draw(town, cell[members], rng)
    wet = np.flatnonzero(find_wet(town.water, xy))
    xy[wet] = _at_kerb(town, cell[wet], rng)
    place[wet] = PLACES.index("kerb")
    return xy[:, 0], xy[:, 1], place.astype(np.int8)


def _at_building(town: Town, cell: Ints, rng: np.random.Generator) -> Floats:
    """Return points at the front of a building of the block, taller ones more often."""
    order = np.argsort(town.buildings.cell, kind="stable")
    owner = town.buildings.cell[order]
    start, stop = np.searchsorted(owner, cell), np.searchsorted(owner, cell, side="right")
    pick = order[start + np.floor(rng.random(len(cell)) ** 1.5 * (stop - start)).astype(np.int64)]
    wall = shapely.get_exterior_ring(town.buildings.shapes[pick])
    front = shapely.line_interpolate_point(wall, rng.random(len(cell)), normalized=True)
    return np.asarray(shapely.get_coordinates(front) + rng.normal(0, 1.2, (len(cell), 2)))


def _at_kerb(town: Town, cell: Ints, rng: np.random.Generator) -> Floats:
    """Return points on the edge of the block's lot, half of them at the same few spots."""
    edge = shapely.get_exterior_ring(town.land.lot[cell])
    spots = rng.random((len(town.land.lot), _SPOTS))
    spot = spots[cell, rng.integers(0, _SPOTS, len(cell))] + rng.normal(0, 0.02, len(cell))
    along = np.where(rng.random(len(cell)) < 0.5, spot % 1.0, rng.random(len(cell)))
    point = shapely.line_interpolate_point(edge, along, normalized=True)
    return np.asarray(shapely.get_coordinates(point) + rng.normal(0, 2.0, (len(cell), 2)))


def _on_street(town: Town, cell: Ints, rng: np.random.Generator) -> Floats:
    """Return points a few metres off the centre line of a street of the block."""
    edge = shapely.get_exterior_ring(town.network.cells[cell])
    point = shapely.line_interpolate_point(edge, rng.random(len(cell)), normalized=True)
    return np.asarray(shapely.get_coordinates(point) + rng.normal(0, 3.0, (len(cell), 2)))


def _on_corner(town: Town, cell: Ints, rng: np.random.Generator) -> Floats:
    """Return exact vertices of grid borders, as addresses snapped to a junction give them."""
    frame = town.divisions.grids
    grids = frame.loc[frame["level"] == "grid", "geometry"].to_numpy()
    middle = shapely.point_on_surface(town.network.cells)
    grid_of = shapely.STRtree(grids).nearest(middle)
    edge = shapely.get_exterior_ring(grids[grid_of[cell]])
    count = shapely.get_num_points(edge)
    corner = shapely.get_point(edge, np.floor(rng.random(len(cell)) * count).astype(np.int64))
    return np.asarray(shapely.get_coordinates(corner))


def _in_park(town: Town, cell: Ints, rng: np.random.Generator) -> Floats:
    """Return points inside the block."""
    low_x, low_y, high_x, high_y = shapely.bounds(town.network.cells[cell]).T
    best: Floats = shapely.get_coordinates(shapely.point_on_surface(town.network.cells[cell]))
    for _ in range(6):
        x, y = rng.uniform(low_x, high_x), rng.uniform(low_y, high_y)
        inside = shapely.contains_xy(town.network.cells[cell], x, y)
        best[inside] = np.c_[x, y][inside]
    return best


def _outside(town: Town, cell: Ints, rng: np.random.Generator) -> Floats:
    """Return points up to some hundred metres beyond the city's outline."""
    ring = town.network.outline.exterior
    along = rng.random(len(cell))
    at = shapely.get_coordinates(shapely.line_interpolate_point(ring, along, normalized=True))
    middle = np.asarray(town.network.outline.centroid.coords)[0]
    away = at - middle
    away /= np.maximum(np.hypot(*away.T), 1.0)[:, None]
    return np.asarray(at + away * rng.gamma(1.2, 160.0, len(cell))[:, None])
