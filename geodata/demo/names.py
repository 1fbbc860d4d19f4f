"""Names that read well: towns, communities, roads, places. All made up or common to many cities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERSONS_PER_HOUSEHOLD = 2.6

PLACE_WORDS: tuple[str, ...] = (
    "金辉", "宏运", "顺达", "益民", "鑫源", "华联", "恒信", "佳和", "万家", "百顺", "悦来", "福满",
    "锦江", "金桥", "银座", "长乐", "兴隆", "祥和", "丰泽", "天和", "嘉业", "名都", "世纪", "东方",
    "江南", "江北", "运河", "水韵", "绿洲", "紫金", "凤凰", "兰花", "海棠", "玉兰", "丹桂", "红枫",
)  # fmt: skip

_SIDES = ("东", "西", "新", "南", "北", "中")  # where a city has more communities than names
_TOWARDS = (("城北", (0, 1)), ("城南", (0, -1)), ("城东", (1, 0)), ("城西", (-1, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a city calls its parts; `streets` and `towns` from Chinese to English, in order."""

    streets: Mapping[str, str]
    towns: Mapping[str, str]  # 镇, 乡: as many of the largest streets
    in_town: tuple[str, ...]
    in_country: tuple[str, ...] = ()  # none: the city has no village
    roads: tuple[str, ...]
    places: tuple[str, ...] = PLACE_WORDS
    sides: bool = True  # the outermost communities are called 城北, 城南, 城东, 城西

    def english_of(self, street: str) -> str:
        """Return the English name of a street; KeyError for one that the city has not."""
        return {**self.streets, **self.towns}[street]


def name_communities(
    names: Names,
    codes: NDArray[np.object_],
    *,
    rural: NDArray[np.bool_],
    at: NDArray[np.float64],
    given: Mapping[int, str],
) -> NDArray[np.object_]:
    """
    Return a different name for each community: 社区 in town, 村 in the country.

    `at` is the middle of each, metres from the middle of the city: 城北 lies in the north. Those
    at the positions `given` are called after what lies near them.
    """
    found = np.empty(len(codes), object)
    for position, word in given.items():
        found[position] = word + "社区"
    town = np.flatnonzero(~rural)
    for name, (east, north) in _TOWARDS if names.sides and len(codes) > 4 * len(_TOWARDS) else ():
        along = at[town, 0] * east + at[town, 1] * north
        aside = np.abs(at[town, 0] * north - at[town, 1] * east)
        free = np.array([found[one] is None for one in town])
        found[town[np.argmax(np.where(free, along - 2 * aside, -np.inf))]] = name + "社区"
    more = [first + side for side in _SIDES for first in names.in_town]
    taken = set(given.values())
    pools = {
        False: [word for word in names.in_town if word not in taken],
        True: list(names.in_country),
    }
    for position in np.argsort(codes):
        if found[position] is None:
            pool = pools[bool(rural[position])] or pools[not rural[position]] or more
            found[position] = pool.pop(0) + ("村" if rural[position] else "社区")
    return found


def join_roads(first: tuple[str, ...], endings: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of lesser roads: each first part with each ending."""
    return tuple(one + ending for ending in endings for one in first)
