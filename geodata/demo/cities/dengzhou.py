"""Dengzhou: a wide plain around one compact town; villages, townships, fields and a canal."""

from __future__ import annotations

from dataclasses import replace

from geodata.demo.names import Names, join_roads
from geodata.demo.plan import Blob, Canal, Course, Mix, Plan, Road, Settlement, Site

_FAMILIES = (
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林",
    "何", "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹",
    "袁", "邓", "许", "傅", "沈", "曾", "彭", "吕", "苏", "卢", "蒋", "蔡", "贾", "丁", "魏", "薛",
    "叶", "阎", "余", "潘", "杜", "戴", "夏", "钟", "汪", "田", "任", "姜", "范", "方", "石", "姚",
    "谭", "廖", "邹", "熊", "金", "陆", "郝", "孔", "白", "崔", "康", "毛", "邱", "秦",
)  # fmt: skip
_TOWNS: tuple[tuple[str, float, float, float], ...] = (
    ("刘集", 500, 3400, 520), ("夏集", 100, 6000, 430), ("赵寨", 3900, 2300, 500),
    ("穰东", 6700, 4900, 480), ("白牛营", 5200, -1200, 520), ("汲滩", 8000, -1700, 470),
    ("桑庄", 4700, -5400, 500), ("孟楼", 5900, -6400, 380), ("构林关", 700, -6800, 540),
    ("林扒", 1900, -7800, 360), ("都司营", -4700, -5700, 500), ("彭桥", -7200, -6000, 400),
    ("文渠", -5400, -2700, 520), ("张村", -8200, -1600, 450), ("高集", -3600, 2400, 500),
    ("罗庄", -6100, 3850, 480), ("陶营", -5300, 6300, 360), ("裴营", 8000, 2600, 420),
    ("", -8200, 1900, 430), ("腰店", 2700, 5800, 380), ("小杨营", -2600, 5800, 400),
    ("麦岗", 7600, -4600, 400), ("十林", -2000, -7000, 400), ("柳河湾", 2900, 700, 330),
)  # fmt: skip
_NAMES = Names(
    streets={
        "古城街道": "Gucheng Street", "花洲街道": "Huazhou Street", "湍滨街道": "Tuanbin Street",
        "新华门街道": "Xinhuamen Street",
    },
    towns={
        "穰东镇": "Rangdong Town", "夏集镇": "Xiaji Town", "白牛营镇": "Bainiuying Town",
        "构林关镇": "Goulinguan Town", "刘集镇": "Liuji Town", "桑庄镇": "Sangzhuang Town",
        "彭桥镇": "Pengqiao Town", "赵寨镇": "Zhaozhai Town", "孟楼镇": "Menglou Town",
        "林扒镇": "Linba Town", "都司营镇": "Dusiying Town", "汲滩镇": "Jitan Town",
        "罗庄镇": "Luozhuang Town", "张村镇": "Zhangcun Town", "文渠乡": "Wenqu Township",
        "高集乡": "Gaoji Township", "陶营乡": "Taoying Township",
        "小杨营乡": "Xiaoyangying Township",
        "腰店乡": "Yaodian Township", "龙堰乡": "Longyan Township", "麦岗乡": "Maigang Township",
        "裴营乡": "Peiying Township", "柳河湾乡": "Liuhewan Township", "十林乡": "Shilin Township",
    },
    in_town=(
        "花洲", "古城", "南桥", "北桥", "东关", "西关", "南关", "北关", "书院", "春风阁", "文庙",
        "城隍庙", "福胜寺", "丁字口", "小西关", "大十字", "内城河", "湍滨", "新华", "三里桥",
        "五里铺",
        "七里岗", "教场", "仓房", "棉市", "粮行", "牲口市", "盐店", "铁匠炉", "酒馆", "工农",
        "人民",
        "团结", "交通", "车站", "货场", "棉厂", "面粉厂", "酒厂", "卷烟厂", "雷锋", "张仲", "杏林",
        "贾庄里", "平安", "和谐", "永昌", "龙泉", "湖滨", "滨湖", "穰城", "邓襄", "新安", "兴业",
        *(name for name, *_ in _TOWNS if name),
    ),
    in_country=tuple(
        village
        for village in join_roads(
            _FAMILIES, ("庄", "营", "楼", "岗", "寨", "桥", "坡", "湾", "洼", "堂")
        )
        if village not in {name for name, *_ in _TOWNS}  # the seat of a township is no village
    ),
    roads=join_roads(
        (
            "花洲", "穰城", "书院", "文庙", "春风", "杏林", "棉市", "粮行", "盐店", "教场", "仓房",
            "三里", "五里", "七里", "湍滨", "南桥", "北桥", "麦香", "槐花", "桐花", "石榴", "泡桐",
        ),
        ("路", "街", "东街", "西街", "南街", "北街"),
    ),
    sides=False,
)  # fmt: skip
_INNER: tuple[tuple[str, Course], ...] = (
    ("花洲路", ((-1720, -4650), (-1720, -150))),
    ("穰城路", ((-960, -4650), (-960, -150))),
    ("古城路", ((0, -4650), (0, 600))),
    ("新华路", ((960, -4650), (960, -150))),
    ("邓襄路", ((1750, -4650), (1750, -150))),
    ("湍滨路", ((-2500, -760), (2500, -760))),
    ("人民路", ((-2500, -1330), (2500, -1330))),
    ("中山街", ((-2500, -2180), (2500, -2180))),
    ("仲景路", ((-2500, -3080), (2500, -3080))),
    ("南环中路", ((-2500, -3900), (2500, -3900))),
)
# Roads out into the plain, from the ring to the border.
_OUTER: tuple[tuple[str, Course], ...] = (
    ("邓新公路", ((0, 500), (500, 3400), (100, 6000), (600, 10500))),
    ("邓宛公路", ((1300, -120), (3900, 2300), (6700, 5000), (9800, 8200))),
    ("邓穰公路", ((2490, -1700), (5200, -1200), (8000, -1700), (12500, -700))),
    ("邓襄公路", ((2300, -3900), (4700, -5400), (6300, -7600), (8000, -11000))),
    ("邓构公路", ((200, -4640), (700, -6700), (-200, -9000), (300, -12000))),
    ("邓孟公路", ((-2200, -4000), (-4700, -5600), (-7000, -6400), (-11000, -9000))),
    ("邓彭公路", ((-2490, -2200), (-5400, -2700), (-8200, -1600), (-12500, -2200))),
    ("邓淅公路", ((-1400, -130), (-3600, 2400), (-6200, 3900), (-12000, 6500))),
)
_CROSS: tuple[tuple[str, Course], ...] = (
    ("东乡路", ((4300, -12000), (5200, -1200), (5600, 4000), (5000, 11000))),
    ("西乡路", ((-6400, -11000), (-5400, -2700), (-6000, 3800), (-5200, 11000))),
    ("北乡路", ((-12000, 5600), (-6000, 5900), (100, 5600), (5600, 6300), (11000, 4000))),
    ("南乡路", ((-11000, -5600), (-4700, -7200), (500, -6900), (5600, -6700), (11500, -4300))),
    ("东北乡路", ((500, 3400), (3900, 2300), (8000, 2600), (12000, 1800))),
    ("西北乡路", ((500, 3400), (-3600, 2400), (-8200, 1900), (-12500, 600))),
    ("东南乡路", ((8000, -1700), (7600, -5000), (6300, -7600))),
    ("西南乡路", ((-8200, -1600), (-7600, -4300), (-8200, -8000))),
)  # fmt: skip


def plan_dengzhou() -> Plan:
    """Return the county-level city: one town with its ring, two dozen townships, many villages."""
    roads = [Road(rank="arterial", name=name, course=way) for name, way in (*_INNER, *_OUTER)]
    roads += [Road(rank="collector", name=name, course=way) for name, way in _CROSS]
    ring = (
        (-1700, -150), (1700, -150), (2500, -950), (2500, -3850), (1700, -4650), (-1700, -4650),
        (-2500, -3850), (-2500, -950),
    )  # fmt: skip
    roads += [
        Road(rank="expressway", name="邓州环城路", course=ring, closed=True),
        Road(rank="rail", name="宛襄铁路",
             course=((3600, -12500), (3300, -5000), (3400, -1500), (3000, 4000), (3700, 11500))),
        Road(rank="expressway", name="楚豫高速",
             course=((-12500, -700), (-6800, 200), (-2600, 900), (2600, 1500), (8000, 600),
                     (12500, 2900))),
    ]  # fmt: skip
    return Plan(
        scenario="dengzhou", name_zh="邓州", name_en="Dengzhou", names=_NAMES,
        crs=4546, origin_m=(601_900, 3_620_400),  # about 112.09 E, 32.70 N
        city_zh="南阳市", district_zh="邓州市", city_code="4113", code="411381",
        dialling="0377", prefix="DZ", seat="古城街道",
        area_m2=240e6, radius_m=(9800.0, 8600.0), rough=0.1, turn_deg=17.0, drift=0.01,
        outline=(
            (-9800, -1500), (-8200, -4600), (-8800, -6800), (-4600, -7400), (-2600, -9600),
            (1200, -8300), (4200, -9000), (6400, -7400), (9600, -5200), (8800, -1800),
            (10400, 1400), (7600, 4300), (7900, 7200), (3600, 6800), (1500, 8900), (-2400, 7900),
            (-4100, 9100), (-7000, 6400), (-7300, 4200), (-10300, 2400),
        ),
        roads=tuple(roads),
        canals=(
            Canal(name="输水总干渠", half_width_m=30.0,
                  course=((-12500, 4900), (-5000, 4600), (2500, 4500), (12500, 5900))),
            Canal(name="内城河", half_width_m=17.0, closed=True, course=(
                (-680, -1420), (680, -1420), (790, -1530), (790, -2850), (680, -2960),
                (-680, -2960), (-790, -2850), (-790, -1530),
            )),
            Canal(name="南干渠", half_width_m=9.0,
                  course=((-9500, -3700), (-5500, -4400), (-1000, -5500), (5500, -4200),
                          (11500, -3100))),
        ),
        lakes=(
            Blob(name="龙堰水库", at=(-7600, 600), half_m=(620, 300), turn_deg=35),
            Blob(name="雷锋湖", at=(1350, -3500), half_m=(190, 110), turn_deg=10),
        ),
        sites=(
            Site(use="park", name="花洲书院公园", at=(600, -2700), whole=False),
            Site(use="campus", name="仲景学院", at=(-2100, -3500), whole=True),
            Site(use="station", name="邓州火车站", at=(3050, -2500), whole=False),
            Site(use="industry", name="邓襄产业园", at=(2900, -3600), whole=False),
            Site(use="hospital", name="仲景人民医院", at=(1400, -1800), whole=False),
            Site(use="market", name="穰城粮食市场", at=(-2200, -1700), whole=False),
            Site(use="park", name="湍滨公园", at=(-500, -400), whole=False),
            Site(use="sports", name="体育公园", at=(-1300, -4200), whole=False),
            Site(use="logistics", name="城东客运枢纽", at=(2150, -1000), whole=False),
            Site(use="park", name="龙堰湿地公园", at=(-7000, -300), whole=False),
        ),
        settlements=tuple(
            Settlement(name=name, at=(u, v), radius_m=reach) for name, u, v, reach in _TOWNS
        ),
        mix=Mix(
            south=(
                ("estate_old", 0.36), ("estate_mid", 0.26), ("village", 0.24),
                ("estate_high", 0.14),
            ),
            suburb=(),
            settlement=(("village", 0.55), ("estate_old", 0.2), ("old_town", 0.25)),
            greenhouses=0.035, ponds=0.012,
        ),
        river="湍河", trend=0.04, swing_m=(420.0, 150.0), bend_m=(9000.0, 3600.0), reach_m=2200.0,
        river_half_width_m=52.0,
        old_town=(-790.0, -2960.0, 790.0, -1420.0), urban=(-2500.0, -4650.0, 2500.0, -150.0),
        industry=(2500.0, -4600.0, 3300.0, -2900.0),
        centre=(1350.0, -2600.0), hamlets_m=880.0, cell_scale=1.05,
        streets=28, communities=626, grids=6_115,
        incidents=200_000, cameras=5_000, places=14_000, components=220_000,
    )  # fmt: skip


def plan_worst() -> Plan:
    """Return the largest city that the program promises to carry: such a plain, turned about."""
    return replace(
        plan_dengzhou(), scenario="worst", name_zh="最大", name_en="Worst case", prefix="WC",
        turn_deg=-38.0, rough=0.07,
        outline=(
            (-10200, 900), (-9400, -3400), (-6900, -5200), (-6200, -8700), (-1900, -9100),
            (2600, -8400), (6100, -8800), (8900, -4300), (9900, 200), (8600, 3900), (5200, 6600),
            (1400, 7300), (-1800, 8800), (-5600, 7500), (-8300, 4900),
        ),
        incidents=3_000_000, cameras=100_000, components=220_000,
    )  # fmt: skip
