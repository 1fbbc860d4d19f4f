"""Landmarks: where the lakes, hills, sites, small towns and roads lie that give parts names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import shapely

from geodata.demo.blocks import Shapes
from geodata.demo.ground import Floats, Ground
from geodata.demo.partition import Ints
from geodata.demo.plan import Plan, Point

_KINDS = ("街道", "镇", "乡")  # what a name of a street ends in


def find_landmarks(plan: Plan, ground: Ground) -> dict[str, shapely.Point]:
    """
    Return what has a name on the plan and its middle in local metres, the most telling first.

    A city whose outline is drawn by chance has none: its parts are named in reading order.
    """
    if not plan.outline:
        return {}
    named: list[tuple[str, Point]] = [(one.name, one.at) for one in plan.settlements if one.name]
    named += [(one.name, one.at) for one in plan.lakes + plan.hills]
    named += [(one.name, one.at) for one in plan.sites]
    named += [(one.name, one.course[len(one.course) // 2]) for one in plan.canals]
    named += [(one.name, one.course[len(one.course) // 2]) for one in plan.roads]
    found: dict[str, shapely.Point] = {}
    for name, at in named:
        found.setdefault(name, shapely.Point(*ground.to_local(*np.array(at, float))))
    return found


def find_mark(word: str, landmarks: Mapping[str, shapely.Point]) -> shapely.Point | None:
    """Return the place that a name is taken from: what is called so, or so and more."""
    for ending in _KINDS:
        word = word.removesuffix(ending)
    return next((at for name, at in landmarks.items() if name.startswith(word)), None)


def match_names(
    pool: Iterable[str],
    shapes: Shapes,
    free: Sequence[int] | Ints,
    landmarks: Mapping[str, shapely.Point],
) -> dict[int, str]:
    """Return which of the `free` shapes bear a name of the pool: each the nearest to its mark."""
    left = np.array(free, np.int64)
    named: dict[int, str] = {}
    for word in pool:
        at = find_mark(word, landmarks)
        if at is None or not len(left):
            continue
        gap: Floats = shapely.distance(shapes[left], at)
        inside = gap == gap.min()
        nearest = left[inside][shapely.area(shapes[left[inside]]).argmin()]
        named[int(nearest)] = word
        left = left[left != nearest]
    return named
