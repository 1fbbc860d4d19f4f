"""Xianlin: a university town between wooded hills, along one avenue with a metro above it."""

from __future__ import annotations

from geodata.demo.names import Names, join_roads
from geodata.demo.plan import Blob, Canal, Course, Mix, Plan, Road, Site

_NAMES = Names(
    streets={
        "仙林街道": "Xianlin Street", "砚湖街道": "Yanhu Street", "杏坛街道": "Xingtan Street",
        "书山街道": "Shushan Street", "墨池街道": "Mochi Street",
        "羊角山街道": "Yangjiaoshan Street",
    },
    towns={},
    in_town=(
        "砚湖", "杏坛", "墨池", "弦歌", "听松", "致远", "博雅", "静思", "明理", "求真", "尚德",
        "知行", "笃学", "启航", "青衿", "学林", "文澜", "星汉", "松涛", "竹里", "枫林", "桂苑",
        "樱园", "梅溪", "仙溪", "羊角山", "书山", "云岭", "麓湖", "山南", "山北", "栖霞里",
        "南大门", "东校门", "地铁口", "大学城", "科创", "慧谷", "智汇", "灵山", "新村", "梧桐",
        "紫藤", "银杏里", "天文台", "图书馆", "学子", "师苑",
    ),
    roads=join_roads(
        (
            "弦歌", "听松", "致远", "博雅", "静思", "明理", "求真", "尚德", "笃学", "青衿", "学林",
            "文澜", "松涛", "竹里", "枫林", "桂子", "樱花", "梅溪", "云岭", "麓湖", "慧谷", "紫藤",
        ),
        ("路", "街", "支路", "北路", "南路"),
    ),
    sides=False,
)  # fmt: skip
_METRO: Course = ((-4600, 150), (-2600, -120), (-600, 30), (900, 60), (2400, -120), (4600, 330))
_AVENUES: tuple[tuple[str, Course], ...] = (
    ("学海大道", _METRO),
    ("书山路", ((-4600, 820), (-2700, 960), (-1300, 900), (600, 1050), (2500, 930), (4600, 1020))),
    ("墨池路", ((-4600, -820), (-2600, -1000), (-600, -900), (1300, -1060), (4600, -760))),
    ("砚湖路", ((-2650, -2600), (-2550, -900), (-2700, 300), (-2450, 2600))),
    ("星汉路", ((-1250, -2600), (-1350, -900), (-1150, 400), (-1400, 2600))),
    ("杏坛路", ((60, -2600), (20, -900), (170, 300), (-60, 2600))),
    ("知行路", ((1330, -2600), (1400, -1000), (1250, 200), (1480, 2600))),
    ("明德路", ((2580, -2600), (2500, -800), (2640, 300), (2500, 2600))),
)
_STREETS: tuple[tuple[str, Course], ...] = (
    ("环山路", ((-2500, 1640), (-1400, 1560), (-60, 1620), (1400, 1560), (2560, 1700))),
    ("麓南路", ((-2600, -1620), (-1260, -1560), (40, -1640), (1330, -1560), (2560, -1700))),
    ("天文台路", ((3350, -2300), (3260, -900), (3420, 400), (3300, 2000))),
    ("校东路", ((-3350, -1500), (-3250, -300), (-3400, 900), (-3260, 2000))),
    ("学林中路", ((20, -480), (640, -520), (1350, -460))),
)


def plan_xianlin() -> Plan:
    """Return the university town: campuses as large as quarters, hills, no river of note."""
    roads = [Road(rank="arterial", name=name, course=way) for name, way in _AVENUES]
    roads += [Road(rank="collector", name=name, course=way) for name, way in _STREETS]
    roads.append(Road(rank="rail", name="地铁学海线", course=_METRO, raised=True))
    return Plan(
        scenario="xianlin", name_zh="仙林", name_en="Xianlin", names=_NAMES,
        crs=4549, origin_m=(397_600, 3_554_000),  # about 118.92 E, 32.10 N
        city_zh="南京市", district_zh="栖霞区", city_code="3201", code="320113",
        dialling="025", prefix="XL", seat="仙林街道",
        area_m2=23e6, radius_m=(4000.0, 2200.0), rough=0.06, turn_deg=13.0, drift=0.022,
        outline=(
            (-3700, -900), (-2900, -1900), (-1200, -1750), (-300, -2150), (1500, -1950),
            (2700, -2250), (3900, -1300), (3600, 200), (4100, 1300), (2600, 2000), (1700, 1700),
            (600, 2200), (-900, 1900), (-2000, 2250), (-3300, 1500), (-4000, 500),
        ),
        roads=tuple(roads),
        canals=(
            Canal(name="仙溪", half_width_m=9.0,
                  course=((700, 2600), (760, 1500), (620, 700), (800, -300), (560, -1300),
                          (700, -2700))),
        ),
        lakes=(
            Blob(name="砚湖", at=(-1950, -480), half_m=(330, 200), turn_deg=15),
            Blob(name="墨池", at=(1950, 400), half_m=(190, 120), turn_deg=-20, shore=False),
        ),
        hills=(
            Blob(name="羊角山", at=(-650, 1500), half_m=(560, 320), turn_deg=-6),
            Blob(name="书山", at=(2050, 1420), half_m=(480, 300), turn_deg=10),
            Blob(name="云岭", at=(-1950, 1560), half_m=(430, 330), turn_deg=0),
            Blob(name="听松岭", at=(-500, -1560), half_m=(620, 280), turn_deg=8),
            Blob(name="南岗", at=(1950, -1560), half_m=(470, 330), turn_deg=-12),
        ),
        sites=(
            Site(use="campus", name="砚湖大学", at=(-1950, 420), whole=True),
            Site(use="campus", name="江南理工学院", at=(-600, 450), whole=True),
            Site(use="campus", name="杏坛师范学院", at=(400, 500), whole=True),
            Site(use="campus", name="云岭财经学院", at=(1950, 520), whole=True),
            Site(use="campus", name="听松医学院", at=(-620, -450), whole=True),
            Site(use="campus", name="知行邮电学院", at=(1980, -520), whole=True),
            Site(use="hospital", name="学海医院", at=(1050, -200), whole=False),
            Site(use="sports", name="大学城体育中心", at=(3000, -300), whole=False),
            Site(use="commerce", name="大学城商业街", at=(-2300, -900), whole=False),
            Site(use="office", name="慧谷科技园", at=(3050, 600), whole=False),
        ),
        mix=Mix(
            north=(("estate_mid", 0.5), ("estate_high", 0.3), ("office", 0.2)),
            south=(("estate_high", 0.44), ("estate_mid", 0.4), ("villas", 0.16)),
            suburb=(), greenhouses=0.0, ponds=0.0, open_land="park",
        ),
        urban=(-9000.0, -9000.0, 9000.0, 9000.0),
        old_town=(-2650.0, -1000.0, -1300.0, 0.0),
        centre=(-2300.0, -700.0), cell_scale=0.5,
        streets=6, communities=46, grids=1_146,
        incidents=60_000, cameras=1_400, places=4_000, components=150_000,
    )  # fmt: skip
