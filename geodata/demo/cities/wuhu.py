"""Wuhu: a port along one bank of a great river, with docks, a lake in its middle and low hills."""

from __future__ import annotations

from geodata.demo.names import Names, join_roads
from geodata.demo.plan import Blob, Canal, Course, Mix, Plan, Road, Site

_NAMES = Names(
    streets={
        "镜湖街道": "Jinghu Street", "青川街道": "Qingchuan Street", "米市街道": "Mishi Street",
        "港湾街道": "Gangwan Street", "红石山街道": "Hongshishan Street",
        "神塔街道": "Shenta Street", "中江街道": "Zhongjiang Street",
        "凤栖街道": "Fengqi Street", "造船厂街道": "Zaochuanchang Street",
        "月窝街道": "Yuewo Street", "双峰街道": "Shuangfeng Street",
    },
    towns={},
    in_town=(
        "米市", "镜湖", "塔影", "江岸", "港务", "轮渡", "船坞", "铁锚", "码头", "海关", "领事馆巷",
        "吉和", "吴波", "青弋", "花津", "利涉", "弋矶", "陶塘", "烟雨墩", "步月", "柳春园", "留春",
        "赤铸", "铁山", "红石", "凤鸣", "凤栖", "鸠兹", "鸠水", "大砻坊", "小砻坊", "东河沿",
        "西河沿", "儒林", "花街", "薪市", "萧家巷", "井巷", "索面巷", "油坊", "堂子巷", "篾匠巷",
        "梅莲", "天主堂", "钟声", "电厂", "纺织", "造船", "机车", "冶炼", "玻璃厂", "水泥", "铁桥",
        "新桥", "延桥", "沿河", "江声", "潮音", "帆影", "银湖", "汀棠", "神塔", "奥体", "万春",
        "方村", "清水", "荷花塘", "长江里", "滨江苑", "中江", "后家", "广福", "申元", "团山",
        "乌霞", "石桥港", "裕溪", "褐山", "四褐", "龙山", "鞍山", "桥北", "弋江里", "火龙岗",
        "马塘", "利民里", "柏庄", "翠岗", "赭石", "香樟里",
    ),
    in_country=(
        "圩东", "圩西", "圩心", "老坝", "新坝", "江坝", "菱塘", "鱼塘", "芦苇", "杨柳墩", "孙墩",
        "汪墩", "陶墩", "夏墩", "高埂", "横埂", "三埂", "五埂", "斗门", "水车", "谷仓", "麻园",
        "渔户", "桑林", "茶冈", "竹丝", "月窝", "双峰", "石砚", "稻场",
    ),
    roads=join_roads(
        (
            "米市", "吉和", "轮渡", "船坞", "铁锚", "码头", "陶塘", "步月", "留春", "赤铸", "凤鸣",
            "花津", "儒林", "薪市", "油坊", "篾匠", "潮音", "帆影", "江声", "汀棠", "万春", "方村",
            "团山", "龙山", "弋矶", "鸠水", "神塔", "利涉",
        ),
        ("路", "巷", "里", "一路", "二路"),
    ),
    sides=False,
)  # fmt: skip
# The river runs along v = 0, the city lies on its right bank (v < 0).
_AVENUES: tuple[tuple[str, Course], ...] = (
    ("滨江大道", (
        (-9000, -1250), (-5000, -1250), (-4000, -640), (3600, -640), (4400, -1300), (9500, -1300),
    )),
    ("中江大道", ((-9000, -2150), (-4000, -1560), (-900, -1500), (3600, -1650), (9500, -2400))),
    ("镜湖大道", ((-9000, -3200), (-3500, -2600), (0, -2750), (4000, -2600), (9500, -3600))),
    ("凤鸣大道", ((-9000, -4400), (-2000, -3900), (3000, -3950), (9500, -5000))),
    ("月窝大道", ((-9000, -5400), (-2500, -5150), (3400, -5250), (9500, -6300))),
    ("长江大桥路", ((2300, 600), (2200, -1600), (2400, -4000), (1900, -9500))),
    ("赤铸路", ((-5600, -1250), (-5750, -3000), (-5300, -9500))),
    ("花津路", ((-4150, -700), (-4300, -2500), (-4000, -5200))),
    ("利涉路", ((-2900, -640), (-3050, -2700), (-2600, -5200), (-2700, -9500))),
    ("团山路", ((-1800, -640), (-1900, -2700), (-1700, -3900))),
    ("儒林路", ((-60, -640), (-100, -2700), (250, -5200), (0, -9500))),
    ("神塔路", ((1120, -640), (1060, -2700), (1250, -5250))),
    ("铁山路", ((3350, -640), (3500, -2600), (3350, -9500))),
    ("造船路", ((4700, -1300), (4800, -3000), (4700, -9500))),
    ("港区大道", ((6250, -1300), (6300, -3000), (6000, -9500))),
)  # fmt: skip
_STREETS: tuple[tuple[str, Course], ...] = (
    ("老街", ((-900, -1070), (1110, -1060))),
    ("吉和街", ((-480, -640), (-470, -1500))),
    ("东河路", ((-480, -1500), (-330, -2700), (-520, -3900))),
    ("汀棠路", ((1080, -2100), (3480, -2120))),
    ("银湖路", ((-4200, -3350), (1150, -3320), (4850, -3400))),
    ("圩堤路", ((-6900, -3100), (-6700, -5100), (-7000, -8000))),
    ("双峰路", ((300, -6500), (2600, -6600), (4700, -6300), (7500, -7000))),
)


def plan_wuhu() -> Plan:
    """Return the port: districts in rows behind the quay, docks at both ends."""
    roads = [
        Road(rank="arterial", name=name, course=way, bridge=name == "长江大桥路")
        for name, way in _AVENUES
    ]
    roads += [Road(rank="collector", name=name, course=way) for name, way in _STREETS]
    rail = ((-9500, -4700), (-4500, -4500), (0, -4560), (4000, -4480), (9500, -5600))
    roads.append(Road(rank="rail", name="皖江铁路", course=rail))
    docks = tuple(
        Canal(name=f"{number}号港池", half_width_m=42.0, course=((u, -200), (u, -1060)))
        for number, u in zip("一二三四五", (-5250, 5050, 5750, 6450, 7150), strict=True)
    )
    return Plan(
        scenario="wuhu", name_zh="芜湖", name_en="Wuhu", names=_NAMES,
        crs=4548, origin_m=(629_200, 3_467_600),  # of the river bank at about 118.36 E, 31.32 N
        city_zh="芜湖市", district_zh="镜湖区", city_code="3402", code="340202",
        dialling="0553", prefix="WH", seat="镜湖街道",
        area_m2=90e6, radius_m=(7500.0, 4500.0), rough=0.05, turn_deg=68.0, drift=0.008,
        outline=(
            *((float(u), -60.0) for u in range(7800, -7300, -120)),
            (-7500, -2500), (-6200, -3900), (-6700, -6000), (-3000, -7600), (800, -6600),
            (3300, -7900), (6200, -5900), (7500, -3300),
        ),
        roads=tuple(roads),
        canals=(
            Canal(name="青川河", half_width_m=58.0,
                  course=((-1500, -9500), (-700, -6600), (-1100, -4700), (-800, -2900),
                          (-1060, -1400), (-900, -200))),
            *docks,
        ),
        lakes=(
            Blob(name="镜湖", at=(480, -1950), half_m=(330, 230), turn_deg=12),
            Blob(name="凤栖湖", at=(2950, -5900), half_m=(620, 360), turn_deg=-25),
            Blob(name="月窝湖", at=(-4200, -6300), half_m=(980, 520), turn_deg=20),
            Blob(name="银湖", at=(-3500, -3150), half_m=(330, 170), turn_deg=5),
        ),
        hills=(
            Blob(name="红石山", at=(1700, -2060), half_m=(400, 260), turn_deg=-8),
            Blob(name="双峰山", at=(700, -5950), half_m=(420, 520), turn_deg=0),
            Blob(name="铁山", at=(5300, -4200), half_m=(520, 320), turn_deg=30),
        ),
        sites=(
            Site(use="park", name="汀棠公园", at=(2900, -1500), whole=False),
            Site(use="campus", name="皖江学院", at=(-3500, -4100), whole=True),
            Site(use="station", name="芜湖火车站", at=(700, -4350), whole=False),
            Site(use="logistics", name="港湾码头", at=(5400, -1000), whole=False),
            Site(use="logistics", name="裕溪港区", at=(-5450, -1000), whole=False),
            Site(use="industry", name="造船厂", at=(6900, -1000), whole=False),
            Site(use="hospital", name="弋矶医院", at=(500, -800), whole=False),
            Site(use="market", name="米市粮食批发市场", at=(-1400, -1000), whole=False),
            Site(use="sports", name="奥体中心", at=(4200, -3000), whole=False),
            Site(use="park", name="月窝湿地公园", at=(-5700, -5700), whole=False),
        ),
        mix=Mix(
            south=(
                ("estate_old", 0.36), ("estate_mid", 0.34), ("estate_high", 0.26), ("villas", 0.04),
            ),
            suburb=(("estate_mid", 0.5), ("estate_old", 0.3), ("industry", 0.2)),
            greenhouses=0.05, ponds=0.07,
        ),
        river="长江", trend=0.0, swing_m=(620.0, 150.0), bend_m=(19000.0, 8000.0), reach_m=6500.0,
        river_half_width_m=430.0,
        old_town=(-900.0, -1500.0, 1110.0, -560.0), urban=(-5600.0, -5200.0, 4800.0, -400.0),
        industry=(4700.0, -2500.0, 9000.0, -400.0),
        centre=(300.0, -2400.0), village_share=0.16, cell_scale=1.5,
        streets=11, communities=118, grids=986,
        incidents=160_000, cameras=100_000, places=12_000, components=200_000,
    )  # fmt: skip
