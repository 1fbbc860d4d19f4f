"""The made-up cities by name: the others grow from the plan of `jiangdu`, turned and stretched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from geodata.demo.plan import Plan, Road, plan_gaoshan, plan_jiangdu

Box = tuple[float, float, float, float]
_BIGGEST_VILLAGE_SHARE = 0.34


def _grow(
    name: str, *, area_km2: float, turned: bool = False, trend: float = -0.2, **changes: Any
) -> Plan:
    """
    Return a plan of another size: streets and river stretched, east and west exchanged if turned.

    Blocks stay as large as they are unless `cell_scale` says otherwise.
    """
    old = plan_jiangdu()
    size = (area_km2 * 1e6 / old.area_m2) ** 0.5
    way = -size if turned else size

    def move(point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * way, point[1] * size

    def stretch(box: Box) -> Box:
        (u0, v0), (u1, v1) = move(box[:2]), move(box[2:])
        return min(u0, u1), v0, max(u0, u1), v1

    roads = tuple(
        Road(
            rank=road.rank,
            name=road.name,
            course=tuple(move(point) for point in road.course),
            bridge=road.bridge,
            closed=road.closed,
        )
        for road in old.roads
    )
    grown = replace(
        old,
        scenario=name,
        area_m2=area_km2 * 1e6,
        radius_m=(old.radius_m[0] * size, old.radius_m[1] * size),
        roads=roads,
        canals=tuple(tuple(move(point) for point in canal) for canal in old.canals),
        sites=tuple(replace(site, at=move(site.at)) for site in old.sites),
        trend=trend,
        swing_m=tuple(swing * size for swing in old.swing_m),
        bend_m=tuple(bend * size for bend in old.bend_m),
        reach_m=old.reach_m * size,
        river_half_width_m=old.river_half_width_m * size**0.5,
        old_town=stretch(old.old_town),
        urban=stretch(old.urban),
        industry=stretch(old.industry),
        centre=move(old.centre),
    )
    return replace(grown, **changes)


def _xianlin() -> Plan:
    return _grow(
        "xianlin", area_km2=23, turned=True, trend=0.14, cell_scale=0.45,
        name_zh="仙林", name_en="Xianlin", origin_m=(402_300, 3_554_700),
        city_zh="南京市", district_zh="栖霞区", city_code="3201", code="320113", prefix="XL",
        seat="仙林街道", sites=(),
        streets=6, communities=46, grids=1_156,
        incidents=60_000, cameras=1_400, places=4_000, components=150_000,
    )  # fmt: skip


def _dongcheng() -> Plan:
    size = (25.4 / 48) ** 0.5
    return _grow(
        "dongcheng", area_km2=25.4, trend=0.06, cell_scale=0.62,
        name_zh="东城", name_en="Dongcheng", origin_m=(449_800, 4_418_900),
        city_zh="北京市", district_zh="东城区", city_code="1101", code="110101", prefix="DC",
        seat="东华门街道", sites=(), village_share=0.02,
        # The whole inside of the ring is old town: small blocks, lanes, courtyards.
        old_town=(-1_900 * size, -1_400 * size, 1_500 * size, 1_900 * size),
        urban=(-5_200 * size, -4_200 * size, 5_200 * size, 4_200 * size),
        streets=17, communities=177, grids=1_593,
        incidents=120_000, cameras=3_200, places=9_000, components=168_000,
    )  # fmt: skip


def _wuhu() -> Plan:
    return _grow(
        "wuhu", area_km2=90, turned=True, trend=-0.34, cell_scale=1.5,
        name_zh="芜湖", name_en="Wuhu", origin_m=(340_800, 3_468_500),
        city_zh="芜湖市", district_zh="镜湖区", city_code="3402", code="340202", prefix="WH",
        seat="镜湖街道", river_half_width_m=240.0,
        streets=11, communities=118, grids=986,
        incidents=160_000, cameras=100_000, places=12_000, components=200_000,
    )  # fmt: skip


def _dari() -> Plan:
    """Return a herding county: a small town in a wide valley, grids from tiny to very large."""
    town = 0.6  # of the ring of jiangdu, in the middle of all that grass
    return _grow(
        "dari", area_km2=1_450, turned=True, trend=0.22, cell_scale=18.0,
        name_zh="达日", name_en="Dari", origin_m=(470_500, 3_735_600),
        city_zh="果洛州", district_zh="达日县", city_code="6326", code="632624", prefix="DR",
        seat="吉迈镇", sites=(), village_share=0.02, pasture=True, river_half_width_m=90.0,
        old_town=(-500.0, 60.0, 500.0, 700.0),
        urban=(-2_650 * town, -2_230 * town, 2_600 * town, 2_240 * town),
        industry=(9e5, 9e5, 9e5, 9e5),
        streets=10, communities=34, grids=484,
        incidents=3_000_000, cameras=420, places=1_500, components=40_000,
    )  # fmt: skip


def _dengzhou() -> Plan:
    return _grow(
        "dengzhou", area_km2=240, trend=0.1, cell_scale=1.05,
        village_share=_BIGGEST_VILLAGE_SHARE,
        name_zh="邓州", name_en="Dengzhou", origin_m=(404_500, 3_616_800),
        city_zh="南阳市", district_zh="邓州市", city_code="4113", code="411381", prefix="DZ",
        seat="古城街道", streets=28, communities=626, grids=6_115,
        incidents=200_000, cameras=5_000, places=14_000, components=220_000,
    )  # fmt: skip


def _worst() -> Plan:
    """Return the largest city that the program promises to carry."""
    return replace(
        _dengzhou(), scenario="worst", name_zh="最大", name_en="Worst case", prefix="WC",
        incidents=3_000_000, cameras=100_000, components=220_000,
    )  # fmt: skip


_PLANS: dict[str, Callable[[], Plan]] = {
    "gaoshan": plan_gaoshan,
    "jiangdu": plan_jiangdu,
    "xianlin": _xianlin,
    "dongcheng": _dongcheng,
    "wuhu": _wuhu,
    "dari": _dari,
    "dengzhou": _dengzhou,
    "worst": _worst,
}
SCENARIOS: tuple[str, ...] = tuple(_PLANS)


def find_plan(scenario: str) -> Plan:
    """Return the plan of a scenario; KeyError for an unknown one."""
    return _PLANS[scenario]()
