"""The parts of a normalised address: division, town, community, name, number, building."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A road's or an estate's name ends with one of these; the longest first.
ROAD_ENDS = ("大道", "大街", "支路", "支弄", "胡同", "公路", "路", "街", "巷", "弄", "道", "里弄")
_DIVISION = re.compile(
    r"^(?:(?:中国)?(?P<province>[^\d省市区县]{2,8}?(?:省|自治区)))?"
    r"(?P<city>[^\d省市区县路街]{2,7}?市)?"
    r"(?P<district>[^\d省市路街]{1,6}?(?:区|县|旗|市))?"
)
_TOWN = re.compile(r"^[^\d路街巷]{1,6}?(?:街道办事处|街道|镇|乡|苏木|开发区|园区)")
_COMMUNITY = re.compile(r"^[^\d路街巷]{1,7}?(?:社区居委会|居委会|村委会|社区|行政村|村(?!路|街))")
_NUMBER = re.compile(
    r"^(?P<number>\d{1,5})(?:-(?P<to>\d{1,4}))?(?P<letter>[甲乙丙丁a-d])?号?(?:-(?P<sub>\d{1,4}))?"
)
_BUILDING = re.compile(r"(?P<building>\d{1,4}|[a-z])(?:号楼|号|栋|幢|座|#)?")
_CROSSING = re.compile(
    r"^(?P<one>.+?(?:大道|大街|路|街|巷))(?:与|和|、|/|-)?(?P<other>.+?(?:大道|大街|路|街|巷))"
    r"(?:的)?(?:交叉口|交叉路口|交界处?|交汇处?|路口|十字路口|丁字路口|口)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """
    What an address says; "" and None for what it does not.

    `rest` is what follows the name, `name` a road, an estate or a place.
    """

    town: str = ""
    community: str = ""
    name: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The number of a house or building; `sub` is 128-2's 2 or 128号甲's 甲."""

    number: int
    sub: str = ""


def split_standard(text: str) -> Parts:
    """
    Split an address that is written in full, as a standard library does.

    Division names are cut off, then town and community by their endings; the name reaches to the
    first digit.
    """
    text = text[_division_end(text) :]
    town = _TOWN.match(text)
    text = text[town.end() :] if town else text
    community = _COMMUNITY.match(text)
    text = text[community.end() :] if community else text
    digit = next((place for place, sign in enumerate(text) if sign.isdigit()), len(text))
    return Parts(
        town=town[0] if town else "",
        community=community[0] if community else "",
        name=text[:digit],
        rest=text[digit:],
    )


def read_door(rest: str) -> Door | None:
    """Return the number that follows a name; None when none does."""
    found = _NUMBER.match(rest)
    if found is None:
        found = _BUILDING.match(rest)
        if found is None or not found["building"].isdigit():
            return None
        return Door(number=int(found["building"]))
    return Door(
        number=int(found["number"]), sub=found["to"] or found["sub"] or found["letter"] or ""
    )


def read_crossing(text: str) -> tuple[str, str] | None:
    """Return the two roads that meet at a crossing; None for any other address."""
    found = _CROSSING.match(text)
    return (found["one"], found["other"]) if found else None


def divisions_of(text: str) -> tuple[str, str, str]:
    """Return the province, city and district that an address in full begins with, "" for none."""
    found = _DIVISION.match(text)
    province, city, district = found.groups("") if found else ("", "", "")
    return province, city, district


def _division_end(text: str) -> int:
    found = _DIVISION.match(text)
    return found.end() if found else 0
