"""A whole made-up city as the tables and layers that the rest of the program loads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geodata.demo.base import draw_base
from geodata.demo.bodies import list_bodies
from geodata.demo.cases import Incidents, sample_incidents
from geodata.demo.fixtures import place_cameras, place_components
from geodata.demo.ground import Floats
from geodata.demo.kinds import list_kinds
from geodata.demo.lifecycle import calendar_span, live_through
from geodata.demo.places import place_places
from geodata.demo.plan import Plan
from geodata.demo.scenarios import find_plan
from geodata.demo.streets import rank_of
from geodata.demo.town import Progress, Town, build_town, stream
from geodata.demo.workdays import make_calendar

PORTION = 200_000  # incidents made at a time
_LONLAT_DIGITS = 9  # a tenth of a millimetre: whole millimetres survive the way there and back


def _no_more() -> Iterator[pd.DataFrame]:
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCity:
    """
    One made-up city. Geometry is in metres of `crs`, every coordinate of grids a whole millimetre.

    `grids` has all levels with `parent_code` instead of `parent`; `events` carries place and kind
    on the event `reported` (lon and lat in WGS84, and exact `x_mm`, `y_mm`); the other tables are
    those of contracts.md 3, with lon and lat (WGS84) where a thing is a point. Of more than PORTION
    incidents `events` holds the first; `all_events` makes the others portion by portion.
    """

    scenario: str
    name_zh: str
    name_en: str
    crs: int  # EPSG
    grids: gpd.GeoDataFrame
    events: pd.DataFrame
    kinds: pd.DataFrame
    bodies: pd.DataFrame
    cameras: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    components: gpd.GeoDataFrame
    counts: pd.DataFrame
    calendar: pd.DataFrame
    base: dict[str, gpd.GeoDataFrame]
    incidents: int
    more_events: Callable[[], Iterator[pd.DataFrame]] = _no_more

    def all_events(self) -> Iterator[pd.DataFrame]:
        """Yield the events in portions that fit in memory; each incident is whole in one."""
        yield self.events
        yield from self.more_events()


def make_city(
    scenario: str, *, now: int, seed: int = 7, progress: Progress | None = None
) -> DemoCity:
    """
    Return the made-up city of a scenario, equal for equal scenario, seed and `now` (epoch s).

    `progress(key, share)` is called with a word key and the share done. Raises KeyError for an
    unknown scenario.
    """
    tell = progress or _keep_quiet
    plan = find_plan(scenario)
    town = build_town(plan, seed, tell)
    levels = town.divisions.grids
    kinds = list_kinds(plan)
    bodies = list_bodies(plan, levels[levels["level"] == "street"])
    calendar = make_calendar(*calendar_span(now))
    tell("demo.fixtures", 0.45)
    places = place_places(town, stream(seed, 10))
    cameras = place_cameras(town, places, stream(seed, 11))
    components = place_components(town, stream(seed, 12))
    tell("demo.cases", 0.7)
    street_of = _street_serials(town)

    def make_events(first: int) -> pd.DataFrame:
        count = min(PORTION, plan.incidents - first)
        part = replace(town, plan=replace(plan, incidents=count))
        chance = [stream(seed, number + 100 * first) for number in (13, 14)]
        incidents = sample_incidents(part, kinds, now=now, rng=chance[0])
        events = live_through(
            plan, incidents, kinds, calendar,
            street_of=street_of[incidents.cell], now=now, rng=chance[1], first=first,
        )  # fmt: skip
        return _place_events(events, incidents, kinds, plan)

    def make_more() -> Iterator[pd.DataFrame]:
        return (make_events(first) for first in range(PORTION, plan.incidents, PORTION))

    events = make_events(0)
    tell("demo.base", 0.88)
    base = {name: _settle(frame, plan) for name, frame in draw_base(town).items()}
    tell("demo.done", 1.0)
    return DemoCity(
        scenario=scenario,
        name_zh=plan.name_zh,
        name_en=plan.name_en,
        crs=plan.crs,
        grids=_settle(town.divisions.grids, plan),
        events=events,
        incidents=plan.incidents,
        more_events=make_more,
        kinds=kinds.drop(columns=["_season", "_sensed", "_chance"]),
        bodies=bodies,
        cameras=_as_points(cameras, plan),
        places=_as_points(places, plan),
        components=_as_points(components, plan),
        counts=_count(town),
        calendar=calendar,
        base=base,
    )


def _keep_quiet(key: str, share: float) -> None:
    """Tell nobody."""


def _street_serials(town: Town) -> NDArray[np.int64]:
    """Return the serial of each cell's street, 0 where the city has none."""
    frame = town.divisions.grids
    streets = frame[frame["level"] == "street"]
    if not len(streets):
        return np.zeros(len(town.network.cells), np.int64)
    middle = shapely.point_on_surface(town.network.cells)
    found = shapely.STRtree(streets["geometry"].to_numpy()).nearest(middle)
    serials = np.array([int(code[-3:]) for code in streets["code"]], np.int64)
    return np.asarray(serials[found])


def _settle(frame: gpd.GeoDataFrame, plan: Plan) -> gpd.GeoDataFrame:
    """Move local metres to the city's CRS, whole millimetres."""
    shapes = shapely.transform(
        frame["geometry"].to_numpy(),
        lambda xy: np.rint((xy + np.array(plan.origin_m)) * 1000) / 1000,
    )
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=plan.crs))


def _lonlat(x: Floats, y: Floats, crs: int) -> tuple[Floats, Floats]:
    to_lonlat = pyproj.Transformer.from_crs(crs, "EPSG:4490", always_xy=True)
    lon, lat = to_lonlat.transform(x, y)
    return np.round(lon, _LONLAT_DIGITS), np.round(lat, _LONLAT_DIGITS)


def _as_points(frame: pd.DataFrame, plan: Plan) -> gpd.GeoDataFrame:
    x = np.rint((frame["x"].to_numpy() + plan.origin_m[0]) * 1000) / 1000
    y = np.rint((frame["y"].to_numpy() + plan.origin_m[1]) * 1000) / 1000
    lon, lat = _lonlat(x, y, plan.crs)
    table = frame.drop(columns=["x", "y"]).assign(lon=lon, lat=lat)
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y), crs=plan.crs)


def _place_events(
    events: pd.DataFrame, incidents: Incidents, kinds: pd.DataFrame, plan: Plan
) -> pd.DataFrame:
    """Give each event `reported` its kind and its place."""
    row = events.pop("row").to_numpy()
    first = (events["stage"] == "reported").to_numpy()
    here = np.isfinite(incidents.x)
    x = np.rint((np.where(here, incidents.x, 0) + plan.origin_m[0]) * 1000) / 1000
    y = np.rint((np.where(here, incidents.y, 0) + plan.origin_m[1]) * 1000) / 1000
    lon, lat = _lonlat(x, y, plan.crs)
    placed = {"lon": lon, "lat": lat, "x_mm": np.rint(x * 1000), "y_mm": np.rint(y * 1000)}
    for name, values in placed.items():
        events[name] = np.where(first & here[row], values[row], np.nan)
    code = kinds["code"].to_numpy().astype(object)[incidents.kind]
    events["kind"] = np.where(first, code[row], "")
    return events


def _count(town: Town) -> pd.DataFrame:
    """Return the counts table of the finest grids."""
    frame = town.divisions.grids
    grids = frame[frame["level"] == "grid"]
    tree = shapely.STRtree(grids["geometry"].to_numpy())
    n = len(grids)
    middle = shapely.centroid(town.buildings.shapes)
    home = tree.nearest(middle)
    floor_area = shapely.area(town.buildings.shapes) * town.buildings.floors
    lines = town.network.lines
    roads = lines.shapes[(lines.rank >= rank_of("expressway")) & (lines.rank < rank_of("fence"))]
    along = tree.nearest(shapely.line_interpolate_point(roads, 0.5, normalized=True))
    return pd.DataFrame(
        {
            "code": grids["code"].to_numpy(),
            "valid_from": "2020-01-01",
            "households": grids["households"].to_numpy(),
            "population": grids["population"].to_numpy(),
            "buildings": np.bincount(home, minlength=n),
            "floor_area": np.rint(np.bincount(home, floor_area, n)),
            "road_km": np.round(np.bincount(along, shapely.length(roads), n) / 1000, 3),
        }
    )
