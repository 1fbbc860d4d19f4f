"""Every made-up city is a place of its own: where its name is, of its own outline, names, kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
import shapely.affinity

from geodata.demo.bodies import list_bodies
from geodata.demo.city import make_city
from geodata.demo.divisions import divide_city
from geodata.demo.ground import make_ground
from geodata.demo.land import Land, lay_out_land, use_of
from geodata.demo.outline import draw_outline
from geodata.demo.plan import Plan
from geodata.demo.scenarios import SCENARIOS, find_plan
from geodata.demo.streets import Network, build_network, rank_of
from geodata.demo.town import stream
from geodata.demo.water import Water, draw_water
from geodata.demo.zones import make_zones

SEED = 7
WHERE = {  # lon, lat of the town that a city is named after
    "jiangdu": (119.56, 32.43),
    "xianlin": (118.92, 32.10),
    "dongcheng": (116.42, 39.93),
    "wuhu": (118.38, 31.33),
    "dari": (99.65, 33.75),
    "dengzhou": (112.09, 32.69),
}
DRAWN = tuple(name for name in WHERE if name != "jiangdu")
COARSE = 5.0  # times larger blocks: a town for a second or two
LIKE = 0.95  # one outline, turned and scaled, shares more of its land than this with itself


def make_coarse(plan: Plan) -> Plan:
    """The same city of fewer, larger blocks, communities and grids."""
    return replace(
        plan,
        cell_scale=COARSE * plan.cell_scale,
        communities=max(plan.streets, plan.communities // 6),
        grids=plan.grids // 10,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A town without its houses, which take most of the time; people as the land lets expect."""

    plan: Plan
    network: Network
    water: Water
    land: Land
    grids: gpd.GeoDataFrame

    def share_of(self, use: str) -> float:
        """The share of the land that a use takes."""
        return float(self.areas[self.land.use == use_of(use)].sum() / self.plan.area_m2)

    @property
    def areas(self) -> np.ndarray:
        return shapely.area(self.network.cells)


@pytest.fixture(scope="module", params=DRAWN)
def town(request: pytest.FixtureRequest) -> Sketch:
    plan = make_coarse(find_plan(request.param))
    ground = make_ground(plan, stream(SEED, 1))
    zones = make_zones(plan, ground)
    network = build_network(
        plan, ground, stream(SEED, 2), unit_target=zones.unit_target_m2,
        cell_target=zones.cell_target_m2, is_wild=zones.is_wild,
    )  # fmt: skip
    water = draw_water(plan, ground, network, stream(SEED, 3))
    land = lay_out_land(zones, network, water, stream(SEED, 4))
    open_land = np.isin(land.use, [use_of(name) for name in ("field", "grass", "wood", "pond")])
    people = np.where(open_land, 0.0, shapely.area(network.cells) / 200)
    grids = divide_city(zones, network, people, stream(SEED, 6)).grids
    return Sketch(plan=plan, network=network, water=water, land=land, grids=grids)


def outline_of(name: str) -> shapely.Polygon:
    """The outline as drawn, its middle at the origin, its area 1."""
    plan = find_plan(name)
    ground = make_ground(plan, stream(SEED, 1))
    shape = draw_outline(plan, ground, stream(SEED, 2))
    middle = np.asarray(shape.centroid.coords)[0]
    size = np.sqrt(shape.area)
    return shapely.transform(shape, lambda xy: (xy - middle) / size)


def alike(one: shapely.Polygon, other: shapely.Polygon) -> float:
    """The share of land in common when the second lies on the first, as turned as fits best."""
    return max(
        one.intersection(shapely.affinity.rotate(other, angle)).area for angle in range(0, 360, 15)
    )


@pytest.mark.parametrize("name", WHERE)
def test_every_city_lies_where_its_name_is_in_the_zone_of_its_longitude(name: str) -> None:
    plan = find_plan(name)
    to_lonlat = pyproj.Transformer.from_crs(plan.crs, "EPSG:4490", always_xy=True)
    lon, lat = to_lonlat.transform(*plan.origin_m)
    assert (lon, lat) == pytest.approx(WHERE[name], abs=0.1)
    meridian = next(
        one["value"]
        for one in pyproj.CRS.from_epsg(plan.crs).to_json_dict()["conversion"]["parameters"]
        if one["name"] == "Longitude of natural origin"
    )
    assert abs(lon - meridian) <= 1.5
    assert "CGCS2000 / 3-degree" in pyproj.CRS.from_epsg(plan.crs).name


def test_no_two_cities_share_an_outline() -> None:
    shapes = {name: outline_of(name) for name in (*WHERE, "worst")}
    for one, other in combinations(shapes, 2):
        assert alike(shapes[one], shapes[other]) < LIKE, (one, other)
    turned = shapely.affinity.rotate(shapes["dari"], 40)
    assert alike(shapes["dari"], turned) > LIKE  # what it would be told by


def test_no_two_cities_share_a_name_of_a_street_a_road_or_a_water() -> None:
    seen: dict[str, str] = {}
    for name in WHERE:
        plan = find_plan(name)
        roads = {road.name for road in plan.roads} - {""}
        waters = {plan.river, *(water.name for water in (*plan.canals, *plan.lakes))} - {""}
        streets = {*plan.names.streets, *plan.names.towns}
        assert len(streets) >= plan.streets
        for word in streets | roads | waters:
            assert seen.setdefault(word, name) == name, word


@pytest.mark.parametrize("name", WHERE)
def test_no_community_can_be_given_a_name_twice(name: str) -> None:
    names = find_plan(name).names
    pool = [*names.in_town, *names.in_country]
    assert len(set(pool)) == len(pool)


def test_a_drawn_city_tiles_and_has_the_counts_of_its_plan(town: Sketch) -> None:
    grids, plan = town.grids, town.plan
    counts = grids["level"].value_counts()
    assert counts["street"] == plan.streets
    assert counts["community"] == plan.communities
    assert counts["grid"] == plan.grids + len(plan.sites)
    finest = grids[grids["level"] == "grid"].geometry.to_numpy()
    assert shapely.coverage_is_valid(finest)
    assert shapely.area(finest).sum() == pytest.approx(plan.area_m2, rel=1e-3)


def test_names_in_a_drawn_city_are_unique_and_streets_have_english(town: Sketch) -> None:
    for level in ("street", "community"):
        assert town.grids.loc[town.grids["level"] == level, "name"].is_unique
    streets = town.grids[town.grids["level"] == "street"]
    bodies = list_bodies(town.plan, streets)
    assert bodies["name_en"].is_unique
    assert bodies["name_en"].str.isascii().all()


def test_villages_are_where_there_is_country(town: Sketch) -> None:
    names = town.grids.loc[town.grids["level"] == "community", "name"]
    village = names.str.endswith("村")
    assert (village | names.str.endswith("社区")).all()
    least = {"dari": 0.5, "dengzhou": 0.5, "wuhu": 0.05}.get(town.plan.scenario)
    assert village.mean() >= least if least else not village.any()


def test_each_city_has_the_land_of_its_kind(town: Sketch) -> None:
    lines, water = town.network.lines, town.water
    river = water.bed.area / town.plan.area_m2
    rail = any(road.rank == "rail" for road in town.plan.roads)
    match town.plan.scenario:
        case "dongcheng":
            assert river == 0.0
            assert town.share_of("courtyard") > 0.3
            assert town.share_of("field") + town.share_of("village") == 0.0
        case "dari":
            assert town.share_of("grass") > 0.9
            assert town.share_of("pond") + town.share_of("villas") + town.share_of("field") == 0.0
            assert "canal" not in water.kind
            assert not rail
            drawn = (lines.rank > rank_of("rail")) & (lines.rank < rank_of("fence"))
            assert shapely.length(lines.shapes[drawn]).sum() < 300_000  # one highway, few roads
        case "dengzhou":
            assert rail
            assert town.share_of("field") > 0.5
            assert 0.05 < town.share_of("village") < 0.3
        case "xianlin":
            assert rail  # the metro on its pillars
            assert town.share_of("wood") > 0.05
            assert town.share_of("campus") > 0.2
        case "wuhu":
            assert 0.04 < river < 0.15
            outline = town.network.outline
            bank = shapely.intersection(water.bed, outline.boundary.buffer(1.0))
            assert bank.area > 0.2 * outline.length  # a metre wide: it runs along the border
            assert sum(name.endswith("号港池") for name in water.name) == 5


def test_a_city_has_the_coordinate_system_of_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(
        make_coarse(find_plan("xianlin")), crs=4546, incidents=200, cameras=20, places=60,
        components=500,
    )  # fmt: skip
    monkeypatch.setattr("geodata.demo.city.find_plan", lambda _: plan)
    city = make_city("xianlin", now=1_763_780_000)
    assert city.crs == 4546
    for frame in (city.grids, city.cameras, city.places, city.components, *city.base.values()):
        assert frame.crs.to_epsg() == 4546
    outline = city.grids.loc[city.grids["level"] == "city"].to_crs("EPSG:4490").geometry.iloc[0]
    reports = city.events[city.events["stage"] == "reported"].dropna(subset="lon")
    inside = shapely.contains_xy(outline.buffer(0.01), reports["lon"], reports["lat"])
    assert inside.mean() > 0.95


def test_the_scenarios_are_those_that_are_placed() -> None:
    assert set(SCENARIOS) == {*WHERE, "gaoshan", "worst"}
