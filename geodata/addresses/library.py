"""The standard address library: its places, and the keys by which texts find them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.addresses.parts import ROAD_ENDS, Parts, divisions_of, read_door, split_standard
from geodata.addresses.writing import normalise
from geodata.pinyin import spell_name

Floats = NDArray[np.float64]

_SHORTEST_STEM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """
    The doors of one name in one town, sorted by number: a road, an estate, or a place.

    `rows` are rows of the library. A place without numbers has one door, number 0.
    """

    town: str
    name: str
    communities: frozenset[str]
    numbers: NDArray[np.int64]
    subs: tuple[str, ...]
    rows: NDArray[np.int64]
    doors: Mapping[tuple[int, str | None], int]  # the row of a number and sub, None for any sub

    def find(self, number: int, sub: str) -> int:
        """Return the library's row of a door, -1 when it has none; 128-2 falls back to 128."""
        exact = self.doors.get((number, sub))
        return self.doors.get((number, None), -1) if exact is None else exact


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressLibrary:
    """
    Standard addresses with their places (degrees or metres, as given), and the ways to find them.

    `streets` by name; `stems` by name without its ending; `sounds` by pinyin. Each may lead to
    several streets, in different towns. Built by `build_library`; read only.
    """

    x: Floats
    y: Floats
    texts: Sequence[str]
    streets: Mapping[str, tuple[Street, ...]]
    stems: Mapping[str, tuple[Street, ...]]
    sounds: Mapping[str, tuple[Street, ...]]
    by_town: Mapping[str, tuple[Street, ...]]
    towns: re.Pattern[str]
    town_of: Mapping[str, str]  # each way of saying a town -> its name
    communities: re.Pattern[str]
    prefix: re.Pattern[str]
    longest: int
    exact: Mapping[str, int]
    version: str = field(default="")

    def __len__(self) -> int:
        return len(self.texts)

    def find_middle(self, street: Street) -> int:
        """Return the row of the door nearest to the middle of a street's doors."""
        x, y = self.x[street.rows], self.y[street.rows]
        return int(street.rows[np.hypot(x - x.mean(), y - y.mean()).argmin()])


def build_library(
    texts: Sequence[str], x: ArrayLike, y: ArrayLike, *, version: str = ""
) -> AddressLibrary:
    """
    Return the library of standard addresses written in full, each with its place.

    Names of towns, communities, roads and estates are learned from the addresses themselves.
    """
    plain = [normalise(text) for text in texts]
    parts = [split_standard(text) for text in plain]
    divisions = [set(names) - {""} for names in zip(*map(divisions_of, plain), strict=True)]
    grouped: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, part in enumerate(parts):
        if part.name:
            grouped[part.town, part.name].append(row)
    streets = [_make_street(key, rows, parts) for key, rows in grouped.items()]
    towns = {part.town for part in parts if part.town}
    communities = {part.community for part in parts if part.community}
    town_of = {way: town for town in towns for way in _ways_of(town)}
    town_of = {way: town for way, town in town_of.items() if not any(map({way}.__le__, divisions))}
    return AddressLibrary(
        x=np.asarray(x, np.float64),
        y=np.asarray(y, np.float64),
        texts=list(texts),
        streets=_index(streets, lambda name: [name]),
        stems=_index(streets, _stems_of),
        sounds=_index(streets, lambda name: [sound_of(name)]),
        by_town=_group(streets),
        towns=_any_of(town_of),
        town_of=town_of,
        communities=_any_of({way for name in communities for way in _ways_of(name)}),
        prefix=_prefix_of(divisions),
        longest=max((len(street.name) for street in streets), default=0),
        exact={_bare(part): row for row, part in reversed(list(enumerate(parts)))},
        version=version,
    )


def sound_of(name: str) -> str:
    """Return how a name sounds, without tones: what is typed by ear sounds right."""
    return "".join(spell_name(name))


def _bare(part: Parts) -> str:
    return f"{part.town}{part.name}{part.rest}"


def _make_street(key: tuple[str, str], rows: list[int], parts: Sequence[Parts]) -> Street:
    doors = [read_door(parts[row].rest) for row in rows]
    numbered = sorted(
        (0 if door is None else door.number, "" if door is None else door.sub, row)
        for door, row in zip(doors, rows, strict=True)
    )
    exact: dict[tuple[int, str | None], int] = {}
    plain: dict[tuple[int, str | None], int] = {}
    for number, sub, row in numbered:
        exact.setdefault((number, sub), row)
        # 128 stands for 128-2 where it is listed; else the first of them does.
        if not sub or (number, None) not in plain:
            plain[number, None] = row
    return Street(
        town=key[0],
        name=key[1],
        communities=frozenset(parts[row].community for row in rows),
        numbers=np.array([number for number, _, _ in numbered], np.int64),
        subs=tuple(sub for _, sub, _ in numbered),
        rows=np.array([row for _, _, row in numbered], np.int64),
        doors=exact | plain,
    )


def _index(
    streets: Iterable[Street], keys_of: Callable[[str], list[str]]
) -> dict[str, tuple[Street, ...]]:
    found: dict[str, list[Street]] = defaultdict(list)
    for street in streets:
        for key in keys_of(street.name):
            found[key].append(street)
    return {key: tuple(ones) for key, ones in found.items()}


def _group(streets: Iterable[Street]) -> dict[str, tuple[Street, ...]]:
    found: dict[str, list[Street]] = defaultdict(list)
    for street in streets:
        found[street.town].append(street)
    return {town: tuple(ones) for town, ones in found.items()}


def _stems_of(name: str) -> list[str]:
    for end in ROAD_ENDS:
        if name.endswith(end) and len(name) - len(end) >= _SHORTEST_STEM:
            return [name[: -len(end)]]
    return []


def _ways_of(town: str) -> list[str]:
    """Return how people say a town or community: in full, and without its ending."""
    for end in ("街道办事处", "街道", "镇", "乡", "社区居委会", "社区", "居委会", "村委会"):
        if town.endswith(end) and len(town) - len(end) >= _SHORTEST_STEM:
            return [town, town[: -len(end)]]
    return [town]


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(names, key=lambda name: (-len(name), name))
    return re.compile("|".join(map(re.escape, ordered)) if ordered else r"(?!)")


def _prefix_of(divisions: Sequence[set[str]]) -> re.Pattern[str]:
    """Return what matches the divisions before a town, each once, also short: 江苏扬州市江都."""
    levels = []
    for names in divisions:
        ways = [_division_way(name) for name in sorted(names, key=lambda name: (-len(name), name))]
        levels.append(f"(?:{'|'.join(ways)})?" if ways else "")
    return re.compile("(?:中国)?" + "".join(levels))


def _division_way(name: str) -> str:
    stem = re.sub(r"(?:省|自治区|市|区|县|旗)$", "", name)
    end = re.escape(name[len(stem) :])
    return re.escape(stem) + (f"(?:{end})?" if len(stem) >= _SHORTEST_STEM else end)
