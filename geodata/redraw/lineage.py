"""Lineage: what became of each grid from one drawing to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import to_mm
from geodata.levels import find_parent_rows, leaf_mask
from geodata.redraw.draft import Draft
from geodata.redraw.patch import is_same_line

UNCHANGED, SPLIT, MERGED, IRREGULAR = "U", "S", "M", "X"
_HAIR_MM = 5.0  # land thinner than this on average is rounding, not land that changed hands


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """
    Land of an old grid that a new one has.

    `kind` as in the look-ups of the British statistics office: U unchanged (the same land), S split
    (one became several and nothing else), M merged (several became one and nothing else), X
    irregular. `share` is that of the old grid's area: the shares of an old grid sum to 1. `part` is
    that of the new grid's area.
    """

    old: int
    new: int
    kind: str
    share: float
    part: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


def trace_lineage(draft: Draft) -> tuple[Link, ...]:
    """Return what became of each finest grid of a draft's base, in order of old and new uid."""
    leaf = leaf_mask(find_parent_rows(draft.base))
    uids = draft.base["uid"].to_numpy()[leaf].tolist()
    shapes = to_mm(draft.base.geometry.to_numpy()[leaf])
    before = dict(zip(uids, shapes, strict=True))
    return trace_shapes(before, {uid: grid.shape for uid, grid in draft.grids.items()})


def trace_shapes(before: Mapping[int, Any], after: Mapping[int, Any]) -> tuple[Link, ...]:
    """Return the links between two sets of polygons (mm) by uid that tile the same land."""
    same = {uid for uid in before.keys() & after.keys() if _is_same(before[uid], after[uid])}
    olds = sorted(before.keys() - same)
    news = sorted(after.keys() - same)
    links = [Link(old=uid, new=uid, kind=UNCHANGED, share=1.0, part=1.0) for uid in same]
    if olds and news:
        links += _trace_changed(olds, news, before, after)
    return tuple(sorted(links, key=lambda link: (link.old, link.new)))


def _is_same(one: Any, two: Any) -> bool:
    return one is two or bool(shapely.equals_exact(one, two)) or is_same_line(one, two)


def _trace_changed(
    olds: list[int], news: list[int], before: Mapping[int, Any], after: Mapping[int, Any]
) -> list[Link]:
    old = np.array([before[uid] for uid in olds], object)
    new = np.array([after[uid] for uid in news], object)
    j, i = shapely.STRtree(old).query(new, predicate="intersects")
    common = shapely.intersection(old[i], new[j])
    area = np.asarray(shapely.area(common), np.float64)
    land = area > _HAIR_MM * shapely.length(common) / 2
    i, j, area = i[land], j[land], area[land]
    of_old = np.bincount(i, weights=area, minlength=len(olds))
    of_new = np.bincount(j, weights=area, minlength=len(news))
    children = np.bincount(i, minlength=len(olds))
    parents = np.bincount(j, minlength=len(news))
    # The most parents that a child of each old grid has, the most children of each new one's.
    most_parents = np.zeros(len(olds), np.int64)
    most_children = np.zeros(len(news), np.int64)
    np.maximum.at(most_parents, i, parents[j])
    np.maximum.at(most_children, j, children[i])
    links = []
    for a, b, shared in zip(i.tolist(), j.tolist(), area.tolist(), strict=True):
        if children[a] > 1 and most_parents[a] == 1:
            kind = SPLIT
        elif parents[b] > 1 and most_children[b] == 1:
            kind = MERGED
        elif children[a] == parents[b] == 1 and _is_same(old[a], new[b]):
            kind = UNCHANGED  # the same land under another uid
        else:
            kind = IRREGULAR
        links.append(
            Link(
                old=olds[a],
                new=news[b],
                kind=kind,
                share=shared / float(of_old[a]),
                part=shared / float(of_new[b]),
            )
        )
    return links
