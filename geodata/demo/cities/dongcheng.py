"""Dongcheng: the east of an old walled capital, lanes and courtyards between broad avenues."""

from __future__ import annotations

from geodata.demo.names import Names, join_roads
from geodata.demo.plan import Blob, Canal, Course, Mix, Plan, Road, Site

_LANES = (
    "灯草", "米粮", "铁箍", "豆瓣", "箭杆", "弓弦", "帽檐", "砖塔", "石雀", "棉线", "羊角", "琉璃",
    "珠串", "缎匹", "瓷碗", "银锭", "筷笼", "扁担", "礼让", "方砖", "菊影", "柏林", "椿树", "槐荫",
    "枣花", "柿饼", "井台", "水磨", "车辇", "驼铃", "驿亭", "马厩", "鞍匠", "画匠", "刻书", "笔管",
    "墨盒", "香炉", "烛台", "钟杵", "鼓槌", "牌楼", "影壁", "门墩", "雨廊", "月台", "云台", "雪池",
)  # fmt: skip
_NAMES = Names(
    streets={
        "东华门街道": "Donghuamen Street", "钟杵楼街道": "Zhongchulou Street",
        "御河沿街道": "Yuheyan Street", "灯草街道": "Dengcao Street",
        "东牌楼街道": "Dongpailou Street", "米仓街道": "Micang Street",
        "学宫街道": "Xuegong Street", "雍宁街道": "Yongning Street",
        "朝晖街道": "Zhaohui Street", "建宁街道": "Jianning Street",
        "安泰门街道": "Antaimen Street", "柳塘街道": "Liutang Street",
        "和宁里街道": "Heningli Street", "坛园街道": "Tanyuan Street",
        "北垣街道": "Beiyuan Street", "东垣街道": "Dongyuan Street",
        "正安街道": "Zheng'an Street",
    },
    towns={},
    in_town=join_roads(_LANES, ("胡同", "巷", "大院", "口")),
    roads=join_roads(_LANES, ("胡同", "巷", "前街", "后街", "夹道")),
    sides=False,
)  # fmt: skip
# Straight from wall to wall; the ring runs where the wall stood.
_AVENUES: tuple[tuple[str, Course], ...] = (
    ("钟杵楼大街", ((-1475, 2290), (-1475, 850))),
    ("正安大街", ((-1475, -900), (-1475, -2700))),
    ("御河沿大街", ((-800, 2290), (-800, -2700))),
    ("东牌楼大街", ((80, 2290), (80, -2700))),
    ("米仓大街", ((900, 2290), (900, -2700))),
    ("东垣根大街", ((1650, 2290), (1650, -2700))),
    ("长宁大街", ((-2400, -1480), (2900, -1480))),
    ("锦鳞大街", ((-800, -560), (2900, -560))),
    ("朝晖大街", ((-2400, 480), (2900, 480))),
    ("学宫大街", ((-2400, 1420), (2900, 1420))),
    ("安泰门外大街", ((-560, 2310), (-560, 4300))),
    ("和宁里路", ((700, 2310), (700, 4300))),
    ("青槐路", ((1560, 2310), (1560, 4300))),
    ("北垣路", ((-2400, 3060), (2900, 3060))),
)
_STREETS: tuple[tuple[str, Course], ...] = (
    ("景门东街", ((-1475, 850), (-800, 850))),
    ("皇墙西街", ((-1960, -1480), (-1960, 1420))),
    ("皇墙北街", ((-1960, 850), (-1475, 850))),
    ("宫前街", ((-1960, -900), (-800, -900))),
    ("烛台街", ((-360, 2290), (-360, -1480))),
    ("鞍匠街", ((480, 1420), (480, -2700))),
    ("画匠街", ((1270, 2290), (1270, -560))),
    ("驼铃街", ((-800, -2020), (2250, -2020))),
    ("枣花街", ((-800, 0), (2250, 0))),
    ("雪池街", ((-1475, 1900), (2250, 1900))),
    ("椿树路", ((-1800, 3500), (1560, 3500))),
)


def plan_dongcheng() -> Plan:
    """Return the district inside and north of the old wall: no river, no village."""
    roads = [Road(rank="arterial", name=name, course=way) for name, way in _AVENUES]
    roads += [Road(rank="collector", name=name, course=way) for name, way in _STREETS]
    ring = ((-2500, 2300), (2120, 2300), (2250, 2170), (2250, -2900))
    roads.append(Road(rank="expressway", name="城垣环路", course=ring, sharp=True))
    return Plan(
        scenario="dongcheng", name_zh="东城", name_en="Dongcheng", names=_NAMES,
        crs=4548, origin_m=(450_000, 4_420_700),  # about 116.41 E, 39.92 N
        city_zh="北京市", district_zh="东城区", city_code="1101", code="110101",
        dialling="010", prefix="DC", seat="学宫街道",
        area_m2=25.4e6, radius_m=(2500.0, 3500.0), drift=0.0012,
        outline=(
            (-1960, -2400), (600, -2400), (600, -2500), (2470, -2500), (2470, -560), (2560, -560),
            (2560, 1420), (2470, 1420), (2470, 2560), (2120, 2560), (2120, 3060), (1560, 3060),
            (1560, 3700), (700, 3700), (700, 3950), (-560, 3950), (-560, 3500), (-1800, 3500),
            (-1800, 2560), (-1960, 2560), (-1960, 1420), (-2200, 1420), (-2200, -1480),
            (-1960, -1480),
        ),
        roads=tuple(roads),
        canals=(
            Canal(name="东护城河", half_width_m=15.0,
                  course=((-2500, 2440), (2230, 2440), (2380, 2290), (2380, -2900))),
            Canal(name="宫墙河", half_width_m=24.0, closed=True,
                  course=(
                      (-1830, -760), (-1120, -760), (-1080, -720), (-1080, 290), (-1120, 330),
                      (-1830, 330), (-1870, 290), (-1870, -720),
                  )),
            Canal(name="御河", half_width_m=7.0, course=((-640, 2440), (-640, 1420), (-690, 480))),
        ),
        hills=(Blob(name="万松山", at=(-1475, 610), half_m=(210, 110)),),
        sites=(
            Site(use="palace", name="东华门宫城博物院", at=(-1475, -200), whole=True),
            Site(use="park", name="坛园公园", at=(2000, 950), whole=False),
            Site(use="palace", name="学宫", at=(-150, 1650), whole=False),
            Site(use="station", name="东垣火车站", at=(1950, -1760), whole=False),
            Site(use="park", name="柳塘公园", at=(-1100, 2800), whole=True),
            Site(use="commerce", name="锦鳞商业街", at=(-160, -800), whole=False),
        ),
        mix=Mix(
            north=(("estate_old", 0.62), ("estate_mid", 0.26), ("office", 0.12)),
            south=(("estate_old", 0.5), ("estate_mid", 0.3), ("office", 0.2)),
            suburb=(),
            houses="courtyard",
            old=(
                ("estate_old", 0.42), ("public", 0.2), ("commerce", 0.14), ("school", 0.12),
                ("old_town", 0.06), ("park", 0.06),
            ),
            old_share=0.25, greenhouses=0.0, ponds=0.0,
        ),
        old_town=(-2200.0, -2500.0, 2220.0, 2270.0),
        urban=(-9000.0, -9000.0, 9000.0, 9000.0),
        centre=(350.0, -1450.0), cell_scale=0.62, block_shape=2.4,
        streets=17, communities=177, grids=1_587,
        incidents=120_000, cameras=3_200, places=9_000, components=168_000,
    )  # fmt: skip
