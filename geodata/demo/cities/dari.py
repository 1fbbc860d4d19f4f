"""Dari: a small town by a river of the high plateau, one highway, and grass as far as one sees."""

from __future__ import annotations

from geodata.demo.names import Names, join_roads
from geodata.demo.plan import Blob, Course, Mix, Plan, Road, Settlement, Site

_NAMES = Names(
    streets={},
    towns={
        "吉迈镇": "Jimai Town", "雪让乡": "Xuerang Township", "格桑塘乡": "Gesangtang Township",
        "德昂曲乡": "De'angqu Township", "玛滩乡": "Matan Township", "窝玉乡": "Woyu Township",
        "莫隆乡": "Molong Township", "星海子乡": "Xinghaizi Township",
        "桑日玛滩乡": "Sangrimatan Township", "上冬乡": "Shangdong Township",
    },
    in_town=(
        "格桑", "雪域", "河滨", "吉祥", "民族", "同心桥", "牧民新居", "玛尼", "莲花", "白塔院",
    ),
    in_country=(
        "扎拉", "龙才", "当堂", "尼仓", "江仁", "夏曲", "秀木", "查干", "多却", "哈琼", "隆亚",
        "措尕", "普尔琼", "沙滩", "仁玉", "吾沟", "塔日", "东钦", "岔木", "卡隆", "却旦", "赛尔",
        "玛积", "年青", "德隆", "曲玛", "贡索", "阿琼", "洛查", "久吉", "杰桑", "森多",
    ),
    roads=join_roads(
        ("格桑", "雪莲", "玛尼", "牦牛", "黄羊", "酥油", "青稞", "经幡", "赛马", "白石"),
        ("路", "巷"),
    ),
    places=(
        "雪域", "格桑", "吉祥", "草原", "雪莲", "牧歌", "高原", "扎西", "康巴", "青稞", "牦牛",
        "白云", "玛尼", "金鹿", "藏香", "河源", "岭上", "星月", "达瓦", "梅朵",
    ),
    sides=False,
)  # fmt: skip
_ROADS: tuple[tuple[str, str, Course], ...] = (
    ("arterial", "河源公路", (
        (-33000, 1500), (-18000, 700), (-9000, 1300), (-2600, 420), (-1300, 380), (1300, 380),
        (2600, 460), (9000, 1400), (17000, 700), (33000, 1600),
    )),
    ("collector", "北山公路", (
        (250, 1020), (500, 3200), (-1300, 7000), (900, 12500), (300, 17000), (2200, 24000),
    )),
    ("collector", "南山公路", (
        (-180, 380), (-180, -700), (1300, -3800), (200, -9000), (2600, -13000), (1500, -24000),
    )),
    ("collector", "雪让路", ((-9000, 1300), (-11000, 5000), (-14800, 9200))),
    ("collector", "星海路", ((9000, 1400), (10500, 5000), (13300, 9000))),
    ("collector", "桑日路", ((200, -9000), (-5000, -9500), (-10200, -8200))),
    ("collector", "环镇路", ((-1300, 75), (1300, 75), (1300, 1020), (-1300, 1020))),
    ("collector", "格桑路", ((-1300, 700), (1300, 700))),
    ("collector", "吉祥路", ((-760, 75), (-760, 1020))),
    ("collector", "民族路", ((-180, 75), (-180, 1020))),
    ("collector", "雪域路", ((330, 75), (330, 1020))),
    ("collector", "赛马场路", ((840, 75), (840, 1020))),
)  # fmt: skip
# Ridges and side streams, which part the townships; nobody drives there. Each starts across the
# river, so that it surely meets it.
_RIDGES: tuple[Course, ...] = (
    ((-14500, -60), (-13700, 5000), (-15300, 9000), (-14000, 26000)),
    ((-6000, -60), (-5200, 4500), (-7200, 9800), (-6000, 26000)),
    ((5600, -60), (4700, 5200), (6600, 10500), (5200, 26000)),
    ((13000, -60), (14300, 4200), (13100, 26000)),
    ((20800, -60), (20000, 5000), (21500, 26000)),
    ((-15500, 60), (-14300, -4600), (-16400, -26000)),
    ((-6500, 60), (-5600, -5000), (-6900, -26000)),
    ((7000, 60), (6100, -5200), (7900, -9800), (7000, -26000)),
    ((15800, 60), (14900, -4800), (17200, -26000)),
)


def plan_dari() -> Plan:
    """Return a herding county: grids from a row of houses to a valley."""
    roads = [
        Road(rank=rank, name=name, course=way, closed=name == "环镇路", sharp=name == "环镇路")
        for rank, name, way in _ROADS
    ]
    roads += [Road(rank="fence", name="", course=way) for way in _RIDGES]
    return Plan(
        scenario="dari", name_zh="达日", name_en="Dari", names=_NAMES,
        crs=4542, origin_m=(560_400, 3_736_100),  # about 99.65 E, 33.75 N
        city_zh="果洛州", district_zh="达日县", city_code="6326", code="632624",
        dialling="0975", prefix="DR", seat="吉迈镇",
        area_m2=1_450e6, radius_m=(26000.0, 19000.0), rough=0.11, turn_deg=-24.0, drift=0.004,
        outline=(
            (-26000, -3000), (-21000, -9500), (-13000, -12500), (-8000, -18500), (1000, -16500),
            (7000, -20000), (14000, -14000), (17000, -7500), (25000, -5500), (28500, 1500),
            (21500, 5500), (19000, 12500), (10500, 14500), (6000, 20500), (-3000, 17000),
            (-9000, 19500), (-15500, 12500), (-23500, 10500), (-21500, 4500),
        ),
        roads=tuple(roads),
        lakes=(
            Blob(name="雪让错", at=(-12600, 11200), half_m=(1300, 700), turn_deg=30),
            Blob(name="莫隆错", at=(10200, -8600), half_m=(900, 420), turn_deg=-20),
            Blob(name="星海子", at=(16000, 9900), half_m=(520, 380), turn_deg=60),
        ),
        sites=(
            Site(use="palace", name="白塔寺", at=(1080, 860), whole=False),
            Site(use="sports", name="赛马场", at=(1080, 220), whole=False),
        ),
        settlements=tuple(
            Settlement(name=name, at=at, radius_m=reach)
            for name, at, reach in (
                ("雪让", (-18000, 900), 330.0), ("格桑塘", (-9000, 1500), 300.0),
                ("德昂曲", (9000, 1600), 330.0), ("玛滩", (17000, 900), 280.0),
                ("", (-1250, 7000), 290.0), ("", (900, 12500), 260.0),
                ("窝玉", (200, -9000), 300.0), ("桑日玛滩", (-10200, -8200), 270.0),
                ("星海子", (13300, 9000), 270.0),
            )
        ),
        mix=Mix(
            north=(
                ("village", 0.42), ("estate_old", 0.26), ("old_town", 0.2), ("public", 0.12),
            ),
            suburb=(),
            settlement=(("village", 0.82), ("public", 0.08), ("old_town", 0.1)),
            core=(("public", 0.5), ("commerce", 0.4), ("park", 0.1)),
            open_land="grass", greenhouses=0.0, ponds=0.0,
        ),
        river="吉曲", swing_m=(900.0, 320.0), bend_m=(15000.0, 5200.0), reach_m=5000.0,
        river_half_width_m=55.0,
        old_town=(-760.0, 75.0, 330.0, 700.0), urban=(-1300.0, 75.0, 1300.0, 1020.0),
        centre=(-100.0, 500.0), cell_scale=0.7, fringe_scale=70.0,
        land_load=0.05, wide_load=0.8, pasture=True,
        streets=10, communities=34, grids=482,
        incidents=3_000_000, cameras=420, places=1_500, components=40_000,
    )  # fmt: skip
