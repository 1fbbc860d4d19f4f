"""Crosswalks: how two nets of areas share land, households and cases, such as grids and beats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.access.scope import Scope
from geodata.city import City
from geodata.coverage.edges import to_mm
from geodata.csv_sheet import write_csv
from geodata.drawings import NOBODY, Drawn
from geodata.errors import Fault, NotFound
from geodata.grids import GridSystem
from geodata.plans.holdings import Load, count_load, own_by
from geodata.plans.plan import need_all
from geodata.plans.points import Points, read_points
from geodata.plans.workshop import read_drawn
from geodata.store.drawings import IN_FORCE, load_drawings
from geodata.words import Lang, say

STRADDLES = 0.98  # a grid with less than this share of its cases in one area lies in several


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What one area of a net and one of the other have in common."""

    one: str
    other: str
    load: Load
    area_share: float
    case_share: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "one": self.one,
            "other": self.other,
            **self.load.as_json(),
            "area_share": round(self.area_share, 6),
            "case_share": round(self.case_share, 6),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosswalk:
    """Two nets laid over each other; `straddling` are the codes of those that lie in several."""

    rows: tuple[Shared, ...]
    straddling: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "rows": [row.as_json() for row in self.rows],
            "straddling": list(self.straddling),
        }

    def as_csv(self, lang: Lang) -> bytes:
        """Return the rows as CSV."""
        names = ("from", "to", "cases", "open_cases", "households", "area_ha")
        head = [say(f"plan.column_{name}", lang) for name in names]
        rows = [
            [row.one, row.other, row.load.cases, row.load.open_cases,
             round(row.load.households, 1), round(row.load.area_ha, 4)]
            for row in self.rows
        ]  # fmt: skip
        return write_csv([head, *rows])


def cross_drawings(city: City, scope: Scope, one: int, other: int, *, now: int) -> Crosswalk:
    """Return the crosswalk of two drawings of grids, of any day. Raises NotFound, NotAllowed."""
    need_all(scope)
    with city.database.read() as connection:
        first = read_drawn(connection, city, one)
        second = read_drawn(connection, city, other)
        points = read_points(connection, city, first, now=now)
    return cross(points, first.system, second.system, near_m=city.settings.near_m)


def list_nets(city: City, *, now: int) -> list[str]:
    """Return the other nets that are in force beside the grids, such as police beats."""
    force = city.grids_in_force(now)
    with city.database.read() as connection:
        names = {row["system"] for row in load_drawings(connection) if row["state"] == IN_FORCE}
    return sorted(names - {force.system if force else ""})


def cross_systems(city: City, scope: Scope, other: str, *, now: int) -> Crosswalk:
    """Return the crosswalk of the grids in force with another net, such as police beats."""
    beats = city.grids_in_force(now, system=other)
    force = city.grids_in_force(now)
    if beats is None or force is None or beats.drawing == force.drawing:
        raise NotFound(Fault(key="plan_no_system", values={"system": other}))
    need_all(scope)
    with city.database.read() as connection:
        drawn: Drawn = read_drawn(connection, city, force.drawing)
        points = read_points(connection, city, drawn, now=now)
    return cross(points, force, beats, near_m=city.settings.near_m)


def cross(points: Points, one: GridSystem, other: GridSystem, *, near_m: float) -> Crosswalk:
    """
    Return what each area of one net shares with each of the other: land, households, cases.

    Every point counts once: with its owner by place in either net, whatever a post has decided.
    """
    codes = [_codes(one), _codes(other)]
    owners = [_own(points, system, near_m) for system in (one, other)]
    land = _share_land(one, other)
    pairs: dict[tuple[int, int], Any] = {}
    both = (owners[0] != NOBODY) & (owners[1] != NOBODY)
    rows = np.flatnonzero(both)
    order = rows[np.lexsort((owners[1][rows], owners[0][rows]))]
    keys = np.column_stack([owners[0][order], owners[1][order]])
    cuts = np.flatnonzero((np.diff(keys, axis=0) != 0).any(axis=1)) + 1
    for part in np.split(order, cuts):
        if len(part):
            pairs[int(owners[0][part[0]]), int(owners[1][part[0]])] = part
    total_m2: dict[int, float] = {}
    for (uid, _), m2 in land.items():
        total_m2[uid] = total_m2.get(uid, 0.0) + m2
    cases: dict[int, int] = {}
    found = []
    for key in sorted({*pairs, *land}):
        load = count_load(
            points, pairs.get(key, np.empty(0, np.int64)), area_ha=land.get(key, 0.0) / 10_000
        )
        cases[key[0]] = cases.get(key[0], 0) + load.cases
        found.append((key, load))
    shared = tuple(
        Shared(
            one=codes[0][a],
            other=codes[1][b],
            load=load,
            area_share=land.get((a, b), 0.0) / total_m2[a] if total_m2.get(a) else 0.0,
            case_share=load.cases / cases[a] if cases[a] else 0.0,
        )
        for (a, b), load in found
    )
    with_cases = {codes[0][uid]: n > 0 for uid, n in cases.items()}
    most: dict[str, float] = {}
    for row in shared:
        share = row.case_share if with_cases[row.one] else row.area_share
        most[row.one] = max(most.get(row.one, 0.0), share)
    straddling = tuple(sorted(code for code, share in most.items() if 0 < share < STRADDLES))
    return Crosswalk(rows=shared, straddling=straddling)


def _codes(system: GridSystem) -> Mapping[int, str]:
    finest = system.finest()
    return dict(zip(finest["uid"].tolist(), finest["code"].astype(str).tolist(), strict=True))


def _own(points: Points, system: GridSystem, near_m: float) -> Any:
    finest = system.finest()
    shapes = dict(zip(finest["uid"].tolist(), to_mm(finest.geometry.to_numpy()), strict=True))
    return own_by(shapes, points.x, points.y, near_m=near_m)[0]


def _share_land(one: GridSystem, other: GridSystem) -> dict[tuple[int, int], float]:
    """Return the m² that each pair of areas shares, hairlines left out."""
    first, second = one.finest(), other.finest()
    shapes, others = first.geometry.to_numpy(), second.geometry.to_numpy()
    at, by = shapely.STRtree(others).query(shapes, predicate="intersects")
    areas = shapely.area(shapely.intersection(shapes[at], others[by]))
    uids, beside = first["uid"].to_numpy(), second["uid"].to_numpy()
    return {
        (int(uids[a]), int(beside[b])): float(m2)
        for a, b, m2 in zip(at, by, areas, strict=True)
        if m2 > 1.0
    }
