"""Impact: what a plan hands from whom to whom, counted before anybody publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import MM2_PER_M2
from geodata.csv_sheet import write_csv
from geodata.plans.holdings import Holdings, Load, Rows, count_load
from geodata.redraw import Draft, Grid
from geodata.words import Lang, say

_DUST_M2 = 0.01  # what rounding a node to the millimetre moves is no hand-over


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What one grid hands to another; -1 stands for nobody."""

    from_uid: int
    to_uid: int
    from_code: str
    to_code: str
    load: Load

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"from": self.from_code, "to": self.to_code, "from_uid": self.from_uid,
                "to_uid": self.to_uid, **self.load.as_json()}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What a plan changes against the drawing it replaces; `codes` are (old, new) with reasons."""

    flows: tuple[Flow, ...]
    changed: tuple[int, ...]
    made: tuple[int, ...]
    gone: tuple[int, ...]
    codes: tuple[dict[str, str], ...]
    total: Load

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "flows": [flow.as_json() for flow in self.flows],
            "changed": len(self.changed),
            "made": len(self.made),
            "gone": len(self.gone),
            "codes": list(self.codes),
            "total": self.total.as_json(),
        }

    def flows_csv(self, lang: Lang) -> bytes:
        """Return the from → to table as CSV, opened alike by every spreadsheet."""
        names = ["from", "to", *(one.name for one in fields(Load))]
        rows = [
            [flow.from_code, flow.to_code, *flow.load.as_json().values()] for flow in self.flows
        ]
        return write_csv([[say(f"plan.column_{name}", lang) for name in names], *rows])

    def codes_csv(self, lang: Lang) -> bytes:
        """Return the table from old to new codes as CSV."""
        names = ("old", "new", "kind", "share")
        rows = [[row[name] for name in names] for row in self.codes]
        return write_csv([[say(f"plan.column_{name}", lang) for name in names], *rows])


def measure_impact(draft: Draft, holdings: Holdings, base: Mapping[int, Grid]) -> Impact:
    """
    Return what the draft hands over, against the finest grids `base` that it replaces.

    The holdings have followed every edit, so what differs is compared, not assigned anew.
    """
    now = draft.grids
    changed = {uid for uid in {*base, *now} if not _same(base.get(uid), now.get(uid))}
    points = holdings.survey.points
    moved = np.flatnonzero(points.owner != holdings.owner)
    flows = _count_flows(moved, points.owner[moved], holdings.owner[moved])
    areas = measure_areas(base, now, changed)
    codes = {uid: grid.code for uid, grid in base.items()}
    after = {uid: grid.code for uid, grid in now.items()}
    pairs = sorted({*flows, *(pair for pair, m2 in areas.items() if m2 > _DUST_M2)} - {(-1, -1)})
    return Impact(
        flows=tuple(
            Flow(
                from_uid=one,
                to_uid=other,
                from_code=codes.get(one, ""),
                to_code=after.get(other, ""),
                load=count_load(
                    points,
                    flows.get((one, other), np.empty(0, np.int64)),
                    area_ha=areas.get((one, other), 0.0) / 10_000,
                ),
            )
            for one, other in pairs
            if one != other
        ),
        changed=tuple(sorted(changed)),
        made=tuple(sorted(set(now) - set(base))),
        gone=tuple(sorted(set(base) - set(now))),
        codes=_list_codes(base, now, changed, areas),
        total=count_load(
            points,
            moved,
            area_ha=sum(m2 for (a, b), m2 in areas.items() if a != b) / 10_000,
        ),
    )


def measure_areas(
    old: Mapping[int, Grid], new: Mapping[int, Grid], changed: set[int]
) -> dict[tuple[int, int], float]:
    """Return the m² that each pair of an old and a new grid share, among those that differ."""
    before = sorted(uid for uid in changed if uid in old)
    after = sorted(uid for uid in changed if uid in new)
    if not before or not after:
        return {}
    shapes = np.array([old[uid].shape for uid in before], object)
    others = np.array([new[uid].shape for uid in after], object)
    at, by = shapely.STRtree(others).query(shapes, predicate="intersects")
    areas = shapely.area(shapely.intersection(shapes[at], others[by])) / MM2_PER_M2
    return {
        (before[one], after[other]): float(m2)
        for one, other, m2 in zip(at.tolist(), by.tolist(), areas.tolist(), strict=True)
        if m2 > 0
    }


def _count_flows(rows: Rows, old: Rows, new: Rows) -> dict[tuple[int, int], Rows]:
    """Return the rows that each pair of an old and a new owner has."""
    if not len(rows):
        return {}
    order = np.lexsort((new, old))
    one, other = old[order], new[order]
    cuts = np.flatnonzero((np.diff(one) != 0) | (np.diff(other) != 0)) + 1
    heads = np.append(0, cuts)
    return {
        (int(one[head]), int(other[head])): rows[part]
        for head, part in zip(heads.tolist(), np.split(order, cuts), strict=True)
    }


def _list_codes(
    base: Mapping[int, Grid],
    now: Mapping[int, Grid],
    changed: set[int],
    areas: Mapping[tuple[int, int], float],
) -> tuple[dict[str, str], ...]:
    rows = []
    for (one, other), m2 in sorted(areas.items()):
        share = m2 / max(base[one].area_m2, _DUST_M2)
        if m2 > _DUST_M2:
            same = one == other and base[one].code == now[other].code
            rows.append(
                {
                    "old": base[one].code,
                    "new": now[other].code,
                    "kind": "kept" if same else "recoded" if one == other else "moved",
                    "share": f"{share:.4f}",
                }
            )
    recoded = [uid for uid in base if uid in now and uid not in changed]
    rows += [
        {"old": base[uid].code, "new": now[uid].code, "kind": "recoded", "share": "1.0000"}
        for uid in recoded
        if base[uid].code != now[uid].code
    ]
    return tuple(rows)


def _same(one: Grid | None, other: Grid | None) -> bool:
    if one is None or other is None:
        return False
    return one.shape is other.shape or bool(shapely.equals_exact(one.shape, other.shape, 0.0))
