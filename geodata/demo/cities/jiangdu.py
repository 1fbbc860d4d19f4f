"""Jiangdu, the default city: a river town of thirteen streets."""

from __future__ import annotations

from geodata.demo.names import Names, join_roads
from geodata.demo.plan import Canal, Plan, Road, Site

_IN_TOWN = (
    "龙川", "文昌", "玉带", "望江", "引江", "通济", "仙城", "舜天", "龙城", "新都", "利民", "人民",
    "建乐", "春江", "花园", "长安", "永安", "和平", "光明", "新民", "广宁", "泰安", "清源", "润泽",
    "桃园", "柳荫", "荷塘", "竹苑", "梅园", "桂花", "银杏", "香樟", "金湾", "银河", "东汀", "西园",
    "南苑", "北苑", "古渡", "水关", "砖桥", "石桥", "双桥", "卧虹", "望月", "映月", "听涛", "临湖",
    "湖滨", "滨江", "滨河", "芦湾", "芦荡", "白塔", "青龙", "金鱼", "五里", "七里", "十里", "三元",
    "四海", "八桥", "九曲", "同乐", "同心", "共和", "康乐", "安康", "福民", "福寿", "吉祥", "如意",
    "锦绣", "锦都", "华阳", "丽都", "阳光", "明珠", "星河", "天成", "翠湖", "翠苑", "碧水", "清溪",
    "兰亭", "书香", "学府", "文峰", "魁星", "状元", "贡院", "鼓楼", "钟楼", "东关", "西关", "府前",
    "县府", "迎宾", "站前", "车站", "工农", "建设", "创业", "新元", "科苑", "兴业", "振兴", "富民",
)  # fmt: skip
_IN_COUNTRY = (
    "丰收", "禾丰", "麦香", "稻香", "果林", "桑园", "茶亭", "柳堰", "花荡", "野田", "大桥", "小桥",
    "许庄", "陶庄", "高庄", "新庄", "前庄", "后庄", "东庄", "西庄", "南圩", "北圩", "大圩", "联圩",
    "永丰", "太平", "联合", "团结", "友谊", "双沟", "三河", "五河", "古井", "塘头", "塘尾", "渔港",
    "沙洲", "新圩", "朱桥", "杨湾", "吴堡", "周庄", "马甸", "李典", "沈家", "嵇家", "樊川", "浦头",
)  # fmt: skip
_ROAD_FIRST = (
    "文峰", "学士", "书院", "状元", "鼓楼", "钟楼", "府前", "东关", "南门", "北门", "桃园", "柳巷",
    "荷花", "竹园", "梅苑", "桂园", "银杏", "香樟", "月城", "星辰", "春晖", "夏荷", "秋实", "瑞雪",
    "平安", "吉庆", "兴隆", "富康", "利民", "同心", "振兴", "创新", "建业", "科技", "工业", "纬二",
    "经三", "育才", "启明", "博爱", "友谊", "团结", "青年", "建设", "劳动", "胜利", "幸福", "滨湖",
    "听涛", "望月", "映山", "清泉", "古运", "水关", "渡口", "船坞", "盐仓", "米市", "布坊", "铁匠",
    "花市", "菜根", "丰乐", "天宁", "地藏", "仁和", "义学", "礼贤", "智慧", "信诚", "泰州", "高邮",
)  # fmt: skip

NAMES = Names(
    streets={
        "仙女镇": "Xiannu Town",
        "龙川街道": "Longchuan Street", "望江街道": "Wangjiang Street",
        "文峰街道": "Wenfeng Street",
        "引江街道": "Yinjiang Street", "玉带街道": "Yudai Street", "舜天街道": "Shuntian Street",
        "双桥街道": "Shuangqiao Street", "通济街道": "Tongji Street", "新都街道": "Xindu Street",
        "桃园街道": "Taoyuan Street", "锦湖街道": "Jinhu Street", "卧虹街道": "Wohong Street",
    },
    towns={
        "芦湾镇": "Luwan Town", "白塔镇": "Baita Town", "花荡镇": "Huadang Town",
        "柳堰镇": "Liuyan Town",
        "东汀镇": "Dongting Town",
    },
    in_town=_IN_TOWN,
    in_country=_IN_COUNTRY,
    roads=join_roads(_ROAD_FIRST, ("路", "街", "东路", "西路")),
)  # fmt: skip

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
        names=NAMES,
        origin_m=(458_600, 3_589_600),  # about 119.56 E, 32.43 N
        area_m2=48e6,
        radius_m=(4350.0, 3500.0),
        roads=_jiangdu_roads(),
        canals=(
            Canal(
                name="通济河",
                half_width_m=15.0,
                course=((1430, 0), (1450, 1500), (1400, 3000), (1500, 5200)),
            ),
            Canal(
                name="玉带河",
                half_width_m=12.0,
                course=((-1560, 0), (-1530, -800), (-1500, -2500), (-1300, -5200)),
            ),
            Canal(
                name="引江河", half_width_m=15.0, course=((3080, 0), (3040, -1500), (3140, -5200))
            ),
            Canal(
                name="盐邵河", half_width_m=12.0, course=((-2980, 0), (-3010, 1500), (-2820, 5200))
            ),
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
        river="龙川河",
        moat="护城河",
        islet_u_m=-1560.0,
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
        cameras=860,
        places=5_000,
        components=220_000,
    )
