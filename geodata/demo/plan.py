"""What is wanted of each made-up city: its size, its counts, its streets on the drawing board."""

from __future__ import annotations

from dataclasses import dataclass

JIANGDU_ORIGIN_M = (458_600, 3_589_600)  # EPSG:4549 of about 119.56 E, 32.43 N
GAOSHAN_ORIGIN_M = (463_200, 3_577_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One planned road: its class, its name and its course in plan coordinates."""

    rank: str  # expressway, arterial, collector
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


_NS = (
    ("西环路", -3450.0, False, (-4600, 4600)),
    ("龙川路", -2650.0, True, (-4600, 4600)),
    ("望江路", -1900.0, False, (-4600, 3100)),
    ("舜天路", -1150.0, True, (-4600, 4600)),
    ("中山路", -430.0, True, (-4600, 2320)),
    ("江都路", 350.0, True, (-4600, 4600)),
    ("仙城路", 1080.0, False, (-3080, 3100)),
    ("新都路", 1820.0, True, (-4600, 4600)),
    ("引江路", 2600.0, True, (-4600, 4600)),
    ("东环路", 3420.0, False, (-2320, 4600)),
)
_EW = (
    ("南沿路", -3000.0, (-4600, 2680)),
    ("长江路", -2230.0, (-5600, 5600)),
    ("文昌路", -1520.0, (-5600, 5600)),
    ("华山路", -790.0, (-3530, 5600)),
    ("龙城路", 830.0, (-5600, 2680)),
    ("黄河路", 1500.0, (-3530, 5600)),
    ("淮海路", 2240.0, (-5600, 5600)),
    ("北沿路", 3020.0, (-2730, 5600)),
)
_RING = (-2650.0, -2230.0, 2600.0, 2240.0)


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
    roads = [
        Road(rank="arterial", name=name, course=((u, span[0]), (u, span[1])), bridge=bridge)
        for name, u, bridge, span in _NS
    ]
    roads += [
        Road(rank="arterial", name=name, course=((span[0], v), (span[1], v)))
        for name, v, span in _EW
    ]
    roads += [
        Road(rank="expressway", name="环城快速路", course=_rounded_box(_RING, 700), closed=True),
        Road(rank="arterial", name="站前大道", course=((330, 1485), (1000, 1980), (1860, 2650))),
        Road(
            rank="arterial", name="滨湖大道", course=((-410, -775), (-1150, -1300), (-1930, -1650))
        ),
    ]
    return tuple(roads)


def _jiangdu() -> Plan:
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
            ((3050, 0), (3000, -1500), (3100, -5200)),
            ((-3050, 0), (-3080, 1500), (-3000, 5200)),
        ),
        sites=(
            Site(use="park", name="龙川湖公园", at=(-1700, -1950), whole=True),
            Site(use="campus", name="江都学院", at=(-2300, -1200), whole=True),
            Site(use="station", name="江都高铁站", at=(1620, 2750), whole=False),
            Site(use="industry", name="沿江工业园", at=(3050, -1250), whole=False),
            Site(use="hospital", name="龙川人民医院", at=(650, -1100), whole=False),
            Site(use="market", name="城东农副产品批发市场", at=(2150, 1150), whole=False),
            Site(use="park", name="滨河公园", at=(-800, -230), whole=False),
            Site(use="sports", name="龙川体育中心", at=(700, -1850), whole=False),
            Site(use="logistics", name="城北客运枢纽", at=(-700, 2450), whole=False),
            Site(use="park", name="芦荡湿地公园", at=(-3400, 900), whole=False),
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


def _gaoshan() -> Plan:
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
    )


SCENARIOS: tuple[str, ...] = ("gaoshan", "jiangdu")


def find_plan(scenario: str) -> Plan:
    """Return the plan of a scenario; KeyError for an unknown one."""
    return {"gaoshan": _gaoshan, "jiangdu": _jiangdu}[scenario]()
