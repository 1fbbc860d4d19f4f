"""Lineage: what became of each grid when one drawing took the place of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

# The kinds of the look-ups that the Office for National Statistics (UK) publishes for its areas.
UNCHANGED, SPLIT, MERGED, IRREGULAR = "U", "S", "M", "X"
REDRAWN, REDIGITISED, RENAMED, RECODED, SAME = (
    "redrawn", "redigitised", "renamed", "recoded", "",
)  # fmt: skip
# A share of a grid below this is a rounded node, not land: it decides no kind.
_DUST = 1e-6
# A grid of which less moved than this was drawn more exactly, not changed.
_REDIGITISED_M2 = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """
    One old grid's share in one new grid; the shares of an old grid add up to 1.

    `load_share` is the share of its cases, of its area where it had none. Of grids that stayed as
    they were no cases are counted: all of them stay.
    """

    old: int
    new: int
    kind: str
    reason: str
    area_share: float
    load_share: float
    cases: int = 0
    open_cases: int = 0

    def row(self) -> tuple[int, int, str, str, float, float, int, int]:
        """Return the row that the store keeps."""
        return (
            self.old, self.new, self.kind, self.reason, self.area_share, self.load_share,
            self.cases, self.open_cases,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """How many cases, and open ones, went from one grid to another, both ways counted by pair."""

    cases: Mapping[tuple[int, int], int]
    open_cases: Mapping[tuple[int, int], int]


def trace_descent(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, cases: Cases) -> list[Descent]:
    """
    Return the lineage of the finest grids of two drawings (in metres), ordered by uids.

    An old grid that lies wholly outside the new drawing has no row: nobody has its land.
    """
    pairs = _share_land(old, new)
    by_old: dict[int, dict[int, float]] = defaultdict(dict)
    by_new: dict[int, dict[int, float]] = defaultdict(dict)
    area_of = dict(zip(new["uid"].tolist(), shapely.area(new.geometry.to_numpy()), strict=True))
    old_area = dict(zip(old["uid"].tolist(), shapely.area(old.geometry.to_numpy()), strict=True))
    for (one, other), m2 in pairs.items():
        by_old[one][other] = m2
        by_new[other][one] = m2
    total: dict[int, int] = defaultdict(int)
    for (one, _), n in cases.cases.items():
        total[one] += n
    unchanged = _find_unchanged(old, new)
    names = {frame: _names_of(table) for frame, table in (("old", old), ("new", new))}
    found = []
    for one, shares in by_old.items():
        whole = sum(shares.values())
        for other, m2 in shares.items():
            kind = UNCHANGED
            if one not in unchanged:
                kind = _kind_of(one, other, by_old, by_new, old_area, area_of)
            n = cases.cases.get((one, other), 0)
            found.append(
                Descent(
                    old=one,
                    new=other,
                    kind=kind,
                    reason=_reason_of(one, other, kind, names, moved_m2=old_area[one] - m2),
                    area_share=m2 / whole,
                    load_share=n / total[one] if total[one] else m2 / whole,
                    cases=n,
                    open_cases=cases.open_cases.get((one, other), 0),
                )
            )
    return sorted(found, key=lambda row: (row.old, row.new))


def _share_land(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> dict[tuple[int, int], float]:
    """Return the m² that each old grid shares with each new one, dust left out."""
    unchanged = _find_unchanged(old, new)
    areas = shapely.area(old.geometry.to_numpy())
    found = {
        (uid, uid): float(m2)
        for uid, m2 in zip(old["uid"].tolist(), areas, strict=True)
        if uid in unchanged
    }
    before = old[~old["uid"].isin(unchanged)]
    after = new[~new["uid"].isin(unchanged)]
    if not len(before) or not len(after):
        return found
    shapes, others = before.geometry.to_numpy(), after.geometry.to_numpy()
    at, by = shapely.STRtree(others).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[at], others[by]))
    dust = _DUST * np.minimum(shapely.area(shapes)[at], shapely.area(others)[by])
    olds, news = before["uid"].to_numpy()[at], after["uid"].to_numpy()[by]
    for one, other, m2, least in zip(
        olds.tolist(), news.tolist(), shared.tolist(), dust.tolist(), strict=True
    ):
        if m2 > least:
            found[one, other] = m2
    return found


def _find_unchanged(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> set[int]:
    """Return the uids whose geometry is the same in both."""
    shape_of = dict(zip(new["uid"].tolist(), new.geometry.to_numpy(), strict=True))
    uids = [uid for uid in old["uid"].tolist() if uid in shape_of]
    before = old.set_index("uid").geometry.loc[uids].to_numpy()
    after = np.array([shape_of[uid] for uid in uids], object)
    same: NDArray[np.bool_] = shapely.equals_exact(shapely.normalize(before),
                                                   shapely.normalize(after), 0.0)  # fmt: skip
    return {uid for uid, equal in zip(uids, same.tolist(), strict=True) if equal}


def _kind_of(
    one: int,
    other: int,
    by_old: Mapping[int, Mapping[int, float]],
    by_new: Mapping[int, Mapping[int, float]],
    old_area: Mapping[int, float],
    new_area: Mapping[int, float],
) -> str:
    """Return S where an old grid is cut into whole new ones, M where whole old ones are joined."""
    heirs, parents = by_old[one], by_new[other]
    whole_heirs = all(m2 >= new_area[uid] * (1 - _DUST) for uid, m2 in heirs.items())
    whole_parents = all(m2 >= old_area[uid] * (1 - _DUST) for uid, m2 in parents.items())
    if whole_heirs and len(heirs) > 1:
        return SPLIT
    if whole_parents and len(parents) > 1:
        return MERGED
    return IRREGULAR


def _names_of(grids: gpd.GeoDataFrame) -> dict[int, tuple[str, str]]:
    return {
        uid: (code, name)
        for uid, code, name in zip(grids["uid"], grids["code"], grids["name"], strict=True)
    }


def _reason_of(
    one: int,
    other: int,
    kind: str,
    names: Mapping[str, Mapping[int, tuple[str, str]]],
    *,
    moved_m2: float,
) -> str:
    if kind != UNCHANGED:
        small = one == other and abs(moved_m2) < _REDIGITISED_M2 and kind == IRREGULAR
        return REDIGITISED if small else REDRAWN
    before, after = names["old"][one], names["new"][other]
    if before[0] != after[0]:
        return RECODED
    return RENAMED if before[1] != after[1] else SAME
