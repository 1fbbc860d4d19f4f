"""The check of a plan: what forbids it, and which rules its grids would break."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np

from geodata.city import City
from geodata.errors import Fault
from geodata.plans.codes import find_code_faults
from geodata.plans.holdings import Load
from geodata.plans.points import PLACE
from geodata.plans.workshop import Workpiece
from geodata.redraw import prove_draft
from geodata.store.takeover import read_used_codes
from geodata.words import Lang, Word, say

WEIGHTS = {"cases": 1.0, "households": 0.2, "area_ha": 0.0, "components": 0.0, "cameras": 0.0,
           "places": 0.0}  # fmt: skip
BAND = 0.2  # a grid whose load lies further from the mean than this share is out of band
SPECIAL = "special"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that one grid breaks, with what its sentence speaks of; it forbids nothing."""

    uid: int
    code: str
    rule: str
    values: dict[str, Any]

    def sentence(self, lang: Lang) -> str:
        """Say which rule the grid breaks."""
        return say(f"plan.breach_{self.rule}", lang, code=self.code, **self.values)

    def as_json(self, lang: Lang) -> dict[str, Any]:
        """Return plain values."""
        return {"uid": self.uid, "code": self.code, "rule": self.rule,
                "sentence": self.sentence(lang)}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One grid of a draft: its load, weighed, and how far from the mean (0.2 is 20 % more)."""

    uid: int
    code: str
    name: str
    weighed: float
    off: float
    load: Load

    @property
    def word(self) -> Word:
        """Return how the grid stands to the band, to be spoken."""
        return Word("plan.band_over" if self.off > 0 else "plan.band_under")


def find_faults(city: City, piece: Workpiece, grids: gpd.GeoDataFrame) -> list[Fault]:
    """Return what forbids to publish a drawing: land that does not tile, codes given twice."""
    proof = prove_draft(piece.draft)
    faults = []
    lost = not proof.outline_kept and proof.new_gap_m2 == 0  # at the city's own line
    if not proof.edges.ok or proof.broken or lost:
        faults.append(Fault(key="plan_not_exact", values={"n": max(len(proof.broken), 1)}))
    if proof.new_gap_m2 > 0:
        faults.append(Fault(key="plan_gap", values={"area": f"{proof.new_gap_m2:,.1f}"}))
    with city.database.read() as connection:
        used = read_used_codes(connection)
    return faults + find_code_faults(grids, used)


def weigh_load(load: Load, weights: Mapping[str, float]) -> float:
    """Return a grid's load: the weighted sum of what it answers for."""
    return sum(weight * float(getattr(load, name)) for name, weight in weights.items())


def rate_grids(
    piece: Workpiece, loads: Mapping[int, Load], weights: Mapping[str, float]
) -> list[Standing]:
    """Return how every general grid stands to the mean, the furthest off first."""
    general = [uid for uid in loads if piece.draft.grids[uid].kind != SPECIAL]
    weighed = np.array([weigh_load(loads[uid], weights) for uid in general])
    mean = float(weighed.mean()) if len(weighed) else 0.0
    rows = [
        Standing(
            uid=uid,
            code=piece.draft.grids[uid].code,
            name=piece.draft.grids[uid].name,
            weighed=value,
            off=value / mean - 1 if mean else 0.0,
            load=loads[uid],
        )
        for uid, value in zip(general, weighed.tolist(), strict=True)
    ]
    return sorted(rows, key=lambda row: (-abs(row.off), row.uid))


def find_breaches(city: City, piece: Workpiece, loads: Mapping[int, Load]) -> list[Breach]:
    """
    Return the rules that grids break: households outside the city's band, a special place alone.

    No grid of a draft crosses a community's line: the edits see to that.
    """
    low, high = city.settings.grid_households_low, city.settings.grid_households_high
    kinds = {kind.strip() for kind in city.settings.special_places.split(",") if kind.strip()}
    found = []
    for uid, load in loads.items():
        grid = piece.draft.grids[uid]
        if grid.kind == SPECIAL:
            continue
        if load.households and not low <= round(load.households) <= high:
            values = {"n": f"{round(load.households):,}", "low": low, "high": high}
            rule = "households_many" if load.households > high else "households_few"
            found.append(Breach(uid=uid, code=grid.code, rule=rule, values=values))
        n = _count_special(piece, uid, kinds)
        if n:
            found.append(Breach(uid=uid, code=grid.code, rule="special_place", values={"n": n}))
    return found


def _count_special(piece: Workpiece, uid: int, kinds: set[str]) -> int:
    """Return how many places of a kind that asks for a special grid lie in a general one."""
    if not kinds:
        return 0
    points = piece.holdings.survey.points
    rows = piece.holdings.rows(uid)
    rows = rows[points.sort[rows] == PLACE]
    return sum(points.place_kinds.get(int(row), "") in kinds for row in rows)
