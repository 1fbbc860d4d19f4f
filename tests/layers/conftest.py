"""A small made-up city, as facts: 60 grids in 6 communities and 2 streets, 5,000 incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from geodata.access.outside import Outside
from geodata.access.scope import ROWS, Scope
from geodata.coordinates import to_lonlat
from geodata.events.clock import clock_state
from geodata.events.incidents import STAGE_CODE
from geodata.risk import GridRisk, estimate_risk
from geodata.snapshots.snapshot import Filter, Snapshot, build_snapshot
from layers.layer import Picture

NOW = 1_760_000_000
DAY_S = 86_400
LEFT_M, BOTTOM_M, SIDE_M = 458_000.0, 3_589_000.0, 3_000.0  # EPSG:4549, near 119.56 E 32.43 N
CORNER = np.array([LEFT_M, BOTTOM_M])
CRS = 4549
MARKUP = "<script>alert('格')</script>"


@dataclass(frozen=True)
class Drawing:
    drawing: int
    grids: gpd.GeoDataFrame

    def finest(self) -> gpd.GeoDataFrame:
        return self.grids[self.grids["level"] == "grid"].reset_index(drop=True)


@dataclass
class CityFacts:
    snapshot: Snapshot
    grids: Drawing
    risk: GridRisk | None
    cameras: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    base: dict[str, gpd.GeoDataFrame]
    bounds: tuple[float, float, float, float]
    zone: str = "Asia/Shanghai"
    as_of: int = NOW
    outside: Outside | None = None
    kept: dict[Any, Any] = field(default_factory=dict)

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def select(self, filter: Filter | None, now: int) -> NDArray[np.bool_]:
        return (filter or Filter()).mask(self.snapshot, states=lambda: self.states(now))

    def states(self, now: int) -> NDArray[np.uint8]:
        snapshot = self.snapshot
        return clock_state(
            open=snapshot.open,
            due_at=snapshot.due_at,
            clock_from=snapshot.clock_from,
            closed_at=snapshot.closed_at,
            suspended_since=snapshot.suspended_since,
            now=now,
        )

    def find_points(self, table: str) -> gpd.GeoDataFrame:
        if table == "components":
            return self.places
        around = self.places.to_crs(CRS).geometry.buffer(20, cap_style="square")
        shapes = around if table == "blocks" else around.exterior.map(shapely.LineString)
        return self.places.set_geometry(shapes.to_crs(4326).to_numpy(), crs=4326)

    def kind_names(self, lang: str) -> Mapping[int, str]:
        return {1: "暴露垃圾", 2: "占道经营"} if lang == "zh" else {1: "Litter", 2: "Stall"}

    def category_names(self, lang: str) -> Mapping[int, str]:
        return {0: "市容环境", 1: "街面秩序"} if lang == "zh" else {0: "Tidiness", 1: "Order"}


def make_grids(rng: np.random.Generator, count: int) -> gpd.GeoDataFrame:
    box = shapely.box(LEFT_M, BOTTOM_M, LEFT_M + SIDE_M, BOTTOM_M + SIDE_M)
    seeds = rng.uniform(0, SIDE_M, (count, 2)) + CORNER
    cells = shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=box, ordered=True)
    shapes = shapely.set_precision(shapely.intersection(shapely.get_parts(cells), box), 0.001)
    community = np.argsort(np.argsort(seeds[:, 0])) * 6 // count
    street = community // 3
    rows = []
    for number in range(2):
        rows.append(("street", f"00{number}", f"第{number}街道", street == number, -1))
    for number in range(6):
        rows.append(
            ("community", f"0{number}", f"第{number}社区", community == number, number // 3)
        )
    rows += [
        ("grid", f"{row:03}", f"第{row}网格", np.arange(count) == row, 2 + community[row])
        for row in range(count)
    ]
    return gpd.GeoDataFrame(
        {
            "uid": np.arange(len(rows)) + 100,
            "code": [row[1] for row in rows],
            "name": [row[2] for row in rows],
            "level": [row[0] for row in rows],
            "parent": [row[4] + 100 if row[4] >= 0 else -1 for row in rows],
            "kind": "general",
            "body": "街道办",
            "households": 900.0,
            "population": np.nan,
            "secret": "not for sale",
        },
        geometry=[shapely.unary_union(shapes[row[3]]) for row in rows],
        crs=CRS,
    )


def make_snapshot(rng: np.random.Generator, finest: gpd.GeoDataFrame, n: int) -> Snapshot:
    hot = rng.uniform(200, SIDE_M - 200, (8, 2))[rng.integers(0, 8, n)] + rng.normal(0, 90, (n, 2))
    even = rng.uniform(0, SIDE_M, (n, 2))
    place = np.where(rng.random((n, 1)) < 0.6, hot, even) + CORNER
    tree = shapely.STRtree(finest.geometry.to_numpy())
    point, grid = tree.query(shapely.points(place), predicate="intersects")
    owner = np.full(n, -1, np.int32)
    owner[point] = grid
    lon, lat = to_lonlat(place[:, 0], place[:, 1], finest.crs)
    nowhere = rng.random(n) < 0.01
    lon, lat = np.where(nowhere, np.nan, lon), np.where(nowhere, np.nan, lat)
    owner[nowhere] = -1
    reported = NOW - rng.integers(0, 300 * DAY_S, n)
    is_open = rng.random(n) < 0.2
    due = np.where(rng.random(n) < 0.9, reported + rng.integers(1, 400 * DAY_S, n), 0)
    zero = np.zeros(n, np.int64)
    columns = {
        "inc": np.arange(1, n + 1), "kind": rng.integers(1, 3, n), "body": zero, "source": zero,
        "stage": np.where(is_open, STAGE_CODE["dispatched"], STAGE_CODE["closed"]),
        "open": is_open, "due_at": due, "clock_from": reported,
        "suspended_since": np.where(is_open & (rng.random(n) < 0.1), NOW - DAY_S, 0),
        "rule": zero, "near_line": zero, "flags": zero, "returned": zero, "reopened": zero,
        "reported_at": reported, "registered_at": reported + 60, "dispatched_at": reported + 600,
        "handled_at": zero, "closed_at": np.where(is_open, 0, reported + DAY_S),
        "evaluated_at": zero,
    }  # fmt: skip
    return build_snapshot(
        columns, revision=7, drawing=1, lon=lon, lat=lat, owner_row=owner,
        category=rng.integers(0, 2, n).astype(np.int32),
    )  # fmt: skip


def make_facts(*, grids: int = 60, incidents: int = 5_000, seed: int = 3) -> CityFacts:
    rng = np.random.default_rng(seed)
    frame = make_grids(rng, max(grids, 2))
    drawing = Drawing(1, frame if grids else frame.iloc[:0])
    finest = drawing.finest()
    snapshot = make_snapshot(rng, finest, incidents)
    risk = None
    if incidents and grids:
        risk = estimate_risk(
            snapshot.owner, snapshot.reported_at, patrol=np.zeros(incidents, np.bool_),
            exposure=np.full(grids, 900.0), exposure_name="households", now=NOW, days=28,
            half_life_weeks=26.0,
        )  # fmt: skip
    west, south, east, north = frame.to_crs(4326).total_bounds
    count = 300 if grids and incidents else 0
    inner = rng.uniform((west, south), (east, north), (count, 2))
    points = gpd.GeoDataFrame(
        {
            "id": [f"{n:020}" for n in range(count)],
            "name": [MARKUP if n == 0 else f"点{n}" for n in range(count)],
            "class": "1", "state": "ok", "bearing": rng.uniform(0, 360, count), "kind": "学校",
            "owner": rng.integers(0, max(grids, 1), count), "secret": "not for sale",
        },
        geometry=gpd.points_from_xy(inner[:, 0], inner[:, 1]),
        crs=4326,
    )  # fmt: skip
    return CityFacts(
        snapshot=snapshot, grids=drawing, risk=risk, cameras=points, places=points,
        base=make_base(rng) if grids and incidents else {}, bounds=(west, south, east, north),
    )  # fmt: skip


def make_base(rng: np.random.Generator) -> dict[str, gpd.GeoDataFrame]:
    across = np.arange(0, SIDE_M + 1, 250)
    lines = [
        shapely.LineString([(LEFT_M, BOTTOM_M + y), (LEFT_M + SIDE_M, BOTTOM_M + y)])
        for y in across
    ] + [
        shapely.LineString([(LEFT_M + x, BOTTOM_M), (LEFT_M + x, BOTTOM_M + SIDE_M)])
        for x in across
    ]
    ranks = np.resize(["arterial", "local", "path", "collector"], len(lines))
    corners = rng.uniform(0, SIDE_M - 40, (400, 2)) + CORNER
    houses = shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + 25, corners[:, 1] + 15)
    lake = shapely.Point(LEFT_M + 1500, BOTTOM_M + 1500).buffer(500)
    isle = shapely.Point(LEFT_M + 1500, BOTTOM_M + 1500).buffer(120)
    names = [f"{rank}路{n % 5}" if rank == "arterial" else None for n, rank in enumerate(ranks)]
    return {
        "roads": gpd.GeoDataFrame({"class": ranks, "name": names}, geometry=lines, crs=CRS),
        "water": gpd.GeoDataFrame({"name": ["月湖"]}, geometry=[lake.difference(isle)], crs=CRS),
        "green": gpd.GeoDataFrame(geometry=[isle], crs=CRS),
        "buildings": gpd.GeoDataFrame(
            {"floors": rng.integers(1, 30, 400), "secret": "not for sale"}, geometry=houses, crs=CRS
        ),
    }


def whole_city() -> Scope:
    return Scope.whole_city("tester", ("read", ROWS))


@pytest.fixture(scope="session")
def facts() -> CityFacts:
    return make_facts()


@pytest.fixture(scope="session")
def empty_facts() -> CityFacts:
    return make_facts(incidents=0)


@pytest.fixture(scope="session")
def bare_facts() -> CityFacts:
    return make_facts(grids=0, incidents=0)


@pytest.fixture
def picture(facts: CityFacts) -> Picture:
    return Picture(facts=facts, scope=whole_city(), now=NOW)


@pytest.fixture
def draw(picture: Picture) -> Callable[..., Picture]:
    """Return a picture of the city with some fields different."""
    return lambda **changes: replace(picture, **changes)


@pytest.fixture(scope="session")
def one_street(facts: CityFacts) -> Scope:
    """Return the scope of an account that may see the first street and what is in it."""
    grids = facts.grids.grids
    seen = {100}
    for _ in range(2):
        seen |= set(grids.loc[grids["parent"].isin(seen), "uid"])
    return Scope(account="street", grids=frozenset(seen), permissions=frozenset({"read", ROWS}))
