"""What is wanted of each made-up city: its size, its counts, its streets on the drawing board."""

from __future__ import annotations

from dataclasses import dataclass

JIANGDU_ORIGIN_M = (458_600, 3_589_600)  # EPSG:4549 of about 119.56 E, 32.43 N
GAOSHAN_ORIGIN_M = (463_200, 3_577_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One planned road: its class, its name and its course in plan coordinates."""

    rank: str  # rail, expressway, arterial, collector
    name: str
    course: tuple[tuple[float, float], ...]
    bridge: bool = True  # crosses the river
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place that gets a special grid: kind, name and a plan point inside its block."""

    use: str
    name: str
    at: tuple[float, float]
    whole: bool  # keeps its whole superblock, not only one block


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One scenario. Metres, counts; plan coordinates as in `ground.Ground`."""

    scenario: str
    name_zh: str
    name_en: str
    origin_m: tuple[int, int]
    area_m2: float
    radius_m: tuple[float, float]
    roads: tuple[Road, ...]
    canals: tuple[tuple[tuple[float, float], ...], ...]
    sites: tuple[Site, ...]
    trend: float
    swing_m: tuple[float, ...]
    bend_m: tuple[float, ...]
    reach_m: float
    river_half_width_m: float
    old_town: tuple[float, float, float, float]  # u0, v0, u1, v1
    urban: tuple[float, float, float, float]  # the ring: inside is city, outside is fringe
    industry: tuple[float, float, float, float]
    centre: tuple[float, float]  # of the new town
    village_share: float
    cell_scale: float  # of block sizes against jiangdu's
    streets: int
    communities: int
    grids: int
    incidents: int
    kinds: int
    bodies: int
    cameras: int
    places: int
    components: int
    city_zh: str = "扬州市"
    district_zh: str = "江都区"
    city_code: str = "3210"
    code: str = "321012"  # of the district
    pasture: bool = False  # outside the ring nothing but grass and a few hamlets
    prefix: str = "JD"  # of the numbers of cases
    seat: str = "仙女镇"  # the street that holds the old town


_RING = (-2650.0, -2230.0, 2600.0, 2240.0)
# Main streets inside the ring run from ring to ring; some go on as country roads.
_ARTERIALS: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = (
    ("望江路", ((-1900, -2290), (-1900, 2240), (-2120, 3000), (-2500, 4600))),
    ("龙川路", (
        (-1250, -4600), (-980, -3000), (-1150, -2230), (-1150, 2240), (-1320, 3000), (-1100, 4600),
    )),
    ("中山路", ((-430, -2290), (-430, 2300))),
    ("江都路", ((420, -4600), (180, -3000), (350, -2230), (350, 2240), (500, 3000), (260, 4600))),
    ("仙城路", ((1080, -2290), (1080, 2300))),
    ("新都路", (
        (2100, -4600), (1950, -3000), (1820, -2230), (1820, 2240), (2080, 3000), (2050, 4600),
    )),
    ("文昌路", (
        (-5600, -1150), (-3500, -1640), (-2650, -1520), (2600, -1520), (3500, -1340), (5600, -1560),
    )),
    ("华山路", ((-2710, -790), (2600, -790), (3500, -640), (5600, -900))),
    ("龙城路", ((-5600, 1150), (-3500, 660), (-2650, 830), (2660, 830))),
    ("黄河路", ((-2710, 1500), (2600, 1500), (3400, 1740), (5600, 1420))),
    ("扬江公路", ((-2330, -1910), (-2900, -2420), (-5600, -3300))),
    ("江平公路", ((-2330, 1920), (-2900, 2430), (-5600, 3700))),
    ("宁通公路", ((2280, 1920), (2900, 2480), (5600, 4100))),
    ("沿江公路", ((2280, -1910), (2900, -2420), (5600, -3500))),
    ("站前大道", ((330, 1485), (900, 1960), (1500, 2380), (1530, 2660))),
    ("滨湖大道", ((-410, -775), (-1150, -1300), (-1930, -1650))),
)  # fmt: skip
_COUNTRY_ROADS: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = (
    ("西环路", ((-3120, -2720), (-3500, -1900), (-3750, -300), (-3480, 1400), (-3100, 2640))),
    ("东环路", (
        (3060, -2650), (3420, -1500), (3600, -200), (3380, 1200), (3560, 2100), (3000, 2640),
    )),
    ("南环路", ((-3120, -2520), (-1900, -2960), (-400, -2820), (1000, -3020), (3000, -2480))),
    ("北环路", ((-3200, 2570), (-2000, 3060), (-300, 2960), (1200, 3120), (2980, 2520))),
)  # fmt: skip


def _rounded_box(
    box: tuple[float, float, float, float], radius: float
) -> tuple[tuple[float, float], ...]:
    u0, v0, u1, v1 = box
    cut = 0.3 * radius
    return (
        (u0 + radius, v0), (u1 - radius, v0), (u1 - cut, v0 + cut), (u1, v0 + radius),
        (u1, v1 - radius), (u1 - cut, v1 - cut), (u1 - radius, v1), (u0 + radius, v1),
        (u0 + cut, v1 - cut), (u0, v1 - radius), (u0, v0 + radius), (u0 + cut, v0 + cut),
    )  # fmt: skip


def _jiangdu_roads() -> tuple[Road, ...]:
    quays = {"望江路", "仙城路"}  # these end at the river
    roads = [
        Road(rank="arterial", name=name, course=course, bridge=name not in quays)
        for name, course in _ARTERIALS
    ]
    roads += [Road(rank="collector", name=name, course=course) for name, course in _COUNTRY_ROADS]
    rail = ((-5600, 2780), (-2600, 2620), (-400, 2560), (1500, 2640), (3200, 2900), (5600, 3700))
    roads.append(Road(rank="rail", name="江淮铁路", course=rail))
    ring = _rounded_box(_RING, 800)
    roads.append(Road(rank="expressway", name="环城快速路", course=ring, closed=True))
    return tuple(roads)


def plan_jiangdu() -> Plan:
    """Return the default city: a river town of thirteen streets."""
    return Plan(
        scenario="jiangdu",
        name_zh="江都",
        name_en="Jiangdu",
        origin_m=JIANGDU_ORIGIN_M,
        area_m2=48e6,
        radius_m=(4350.0, 3500.0),
        roads=_jiangdu_roads(),
        canals=(
            ((1430, 0), (1450, 1500), (1400, 3000), (1500, 5200)),
            ((-1560, 0), (-1530, -800), (-1500, -2500), (-1300, -5200)),
            ((3080, 0), (3040, -1500), (3140, -5200)),
            ((-2980, 0), (-3010, 1500), (-2820, 5200)),
        ),
        sites=(
            Site(use="park", name="龙川湖公园", at=(-1700, -1950), whole=True),
            Site(use="campus", name="江都学院", at=(-2300, -1200), whole=True),
            Site(use="station", name="江都高铁站", at=(1650, 2480), whole=False),
            Site(use="industry", name="沿江工业园", at=(3050, -1250), whole=False),
            Site(use="hospital", name="龙川人民医院", at=(650, -1100), whole=False),
            Site(use="market", name="城东农副产品批发市场", at=(2150, 1150), whole=False),
            Site(use="park", name="滨河公园", at=(-800, -230), whole=False),
            Site(use="sports", name="龙川体育中心", at=(700, -1850), whole=False),
            Site(use="logistics", name="城北客运枢纽", at=(-750, 2400), whole=False),
            Site(use="park", name="芦荡湿地公园", at=(-3250, 350), whole=False),
        ),
        trend=-0.2,
        swing_m=(430.0, 170.0),
        bend_m=(5600.0, 2500.0),
        reach_m=1500.0,
        river_half_width_m=62.0,
        old_town=(-1150.0, 90.0, 350.0, 1500.0),
        urban=_RING,
        industry=(2250.0, -1900.0, 4600.0, 900.0),
        centre=(-300.0, -900.0),
        village_share=0.2,
        cell_scale=1.0,
        streets=13,
        communities=120,
        grids=1_091,
        incidents=47_269,
        kinds=987,
        bodies=52,
        cameras=860,
        places=5_000,
        components=220_000,
    )


def plan_gaoshan() -> Plan:
    """Return the smallest city: five grids of one community."""
    return Plan(
        scenario="gaoshan",
        name_zh="高山",
        name_en="Gaoshan",
        origin_m=GAOSHAN_ORIGIN_M,
        area_m2=9e5,
        radius_m=(620.0, 480.0),
        roads=(
            Road(rank="arterial", name="高山路", course=((-1200, 160), (1200, 190))),
            Road(rank="arterial", name="青石路", course=((-90, -1200), (-60, 1200))),
            Road(rank="collector", name="溪南街", course=((-1200, -230), (1200, -210))),
        ),
        canals=(),
        sites=(),
        trend=-0.12,
        swing_m=(60.0, 20.0),
        bend_m=(1100.0, 460.0),
        reach_m=500.0,
        river_half_width_m=9.0,
        old_town=(-90.0, 10.0, 220.0, 190.0),
        urban=(-330.0, -230.0, 330.0, 330.0),
        industry=(9e5, 9e5, 9e5, 9e5),
        centre=(150.0, -120.0),
        village_share=0.4,
        cell_scale=0.5,
        streets=0,
        communities=1,
        grids=5,
        incidents=240,
        kinds=24,
        bodies=2,
        cameras=8,
        places=24,
        components=900,
        prefix="GS",
    )
