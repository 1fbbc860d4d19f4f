"""A made-up county with a standard address library, and its addresses as people write them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

SIGNS = (
    "龙川新都文昌引江城舜天利民建设人学则隐苑元化守敬海和平中东方滨长"
    "金湾浦兴业华泰黄春秋雨紫玄武栖霞白沙双沟友张纲"
)
TOWNS = ("仙女镇", "大桥镇", "邵伯镇", "小纪镇", "丁沟镇", "宜陵镇", "樊川镇", "安宁街道")
ROADS = ("路", "路", "街", "大道", "巷", "东路", "南路")
ESTATES = ("花园", "小区", "新村", "家园", "公寓")
# As fingers and ears mistake them: half sound alike, half look alike.
MISTAKEN = {
    "都": "督", "新": "心", "江": "讲", "学": "雪", "建": "健", "利": "力", "城": "成", "海": "嗨",
    "龙": "尤", "川": "州", "华": "花", "元": "无", "天": "夭", "人": "入", "文": "纹", "金": "全",
}  # fmt: skip
NUMERALS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    town: str
    community: str
    name: str
    number: int
    x: float
    y: float

    @property
    def door(self) -> str:
        return (
            f"{self.number}号"
            if self.name.endswith(("路", "街", "道", "巷"))
            else f"{self.number}栋"
        )

    @property
    def text(self) -> str:
        return f"江苏省扬州市江都区{self.town}{self.community}{self.name}{self.door}"


def make_county(seed: int = 7, *, communities: int = 6) -> list[Address]:
    """Return every address of the county, in metres; each name stands once in the county."""
    dice = random.Random(seed)
    used: set[str] = set()

    def name(endings):
        while True:
            made = "".join(dice.sample(SIGNS, 2)) + dice.choice(endings)
            if made not in used:
                used.add(made)
                return made

    addresses: list[Address] = []
    for place, town in enumerate(TOWNS):
        for _ in range(communities):
            community = name(("社区", "村"))
            cx = (place % 4) * 9000 + dice.uniform(0, 7000)
            cy = (place // 4) * 9000 + dice.uniform(0, 7000)
            for _ in range(8):
                addresses += make_road(dice, town, community, name(ROADS), cx, cy)
            for _ in range(5):
                addresses += make_estate(dice, town, community, name(ESTATES), cx, cy)
    return addresses


def make_road(dice, town, community, name, cx, cy):
    angle = dice.choice((0.0, math.pi / 2)) + dice.gauss(0, 0.15)
    x, y = cx + dice.uniform(-600, 600), cy + dice.uniform(-600, 600)
    for number in range(1, int(dice.uniform(400, 1600) / 8)):
        if dice.random() < 0.35:
            continue
        side = 12 if number % 2 else -12
        yield Address(
            town=town, community=community, name=name, number=number,
            x=x + math.cos(angle) * number * 8 - side * math.sin(angle),
            y=y + math.sin(angle) * number * 8 + side * math.cos(angle),
        )  # fmt: skip


def make_estate(dice, town, community, name, cx, cy):
    x, y = cx + dice.uniform(-700, 700), cy + dice.uniform(-700, 700)
    for number in range(1, dice.randint(8, 40)):
        yield Address(
            town=town, community=community, name=name, number=number,
            x=x + (number % 6) * 35, y=y + (number // 6) * 45,
        )  # fmt: skip


def damage(address: Address, dice: random.Random) -> tuple[str, set[str]]:
    """Return an address as somebody wrote it, and what was done to it."""
    done: set[str] = set()
    text = dice.choice(("江苏省扬州市江都区", "江都区", "扬州江都", "", ""))
    if dice.random() < 0.55:
        text += address.town
    else:
        done.add("no town")
    if dice.random() < 0.3:
        text += address.community
    name = address.name
    if dice.random() < 0.08:
        places = [i for i, sign in enumerate(name) if sign in MISTAKEN]
        if places:
            at = dice.choice(places)
            name = name[:at] + MISTAKEN[name[at]] + name[at + 1 :]
            done.add("mistaken")
    if dice.random() < 0.05 and name.endswith(("路", "街", "巷")) and "mistaken" not in done:
        name = name[:-1]
        done.add("no ending")
    return text + name + write_door(address, dice, done), done


def write_door(address: Address, dice: random.Random, done: set[str]) -> str:
    way = dice.random()
    number = str(address.number)
    if way < 0.12:
        number = say_number(address.number)
        done.add("numeral")
    elif way < 0.2:
        number = number.translate({ord(str(i)): "０１２３４５６７８９"[i] for i in range(10)})
        done.add("full width")
    door = number + address.door[len(str(address.number)) :]
    if dice.random() < 0.2:
        door += dice.choice(("东侧50米", "附近", "门口", "对面", "（近菜场）", "旁"))
        done.add("tail")
    return door


def say_number(number: int) -> str:
    if number < 10:
        return NUMERALS[number]
    if number < 20:
        return "十" + (NUMERALS[number % 10] if number % 10 else "")
    if number < 100:
        return NUMERALS[number // 10] + "十" + (NUMERALS[number % 10] if number % 10 else "")
    rest = number % 100
    tail = "" if not rest else "零" + NUMERALS[rest] if rest < 10 else (
        NUMERALS[rest // 10] + "十" + (NUMERALS[rest % 10] if rest % 10 else "")
    )  # fmt: skip
    return NUMERALS[number // 100] + "百" + tail
