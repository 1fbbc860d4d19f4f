"""The planner's bench: one workshop a server, and a draft as the browser takes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from dashboard.services import Services
from geodata.access.scope import Scope
from geodata.coordinates import lonlat_crs, to_lonlat, to_metric
from geodata.errors import BadGrid, Fault
from geodata.plans.checks import find_breaches
from geodata.plans.holdings import Load
from geodata.plans.workshop import Workpiece, Workshop
from geodata.redraw import Change, Grid
from geodata.redraw.forms import FORMS
from geodata.store.plans import OPEN_STATES, Plan, list_plans, read_touched
from geodata.words import Lang, say

_DEGREES = 7  # digits: a centimetre
_DUST_M2 = 0.5
_LINES, _POINTS = ("line", "area"), ("at", "to")
_LOADS = (
    "cases", "open_cases", "households", "cameras", "places", "components", "area_ha",
)  # fmt: skip


class Bench:
    """Hands drafts to the planner's routes; the loads of grids are counted once, then kept."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.city = services.city
        self.workshop = Workshop(services.city)
        self._loads: dict[int, tuple[Workpiece, dict[int, Load]]] = {}

    def open(self, number: int) -> Workpiece:
        """Return a plan's draft as it stands. Raises NotFound."""
        return self.workshop.open(number, now=self.services.now())

    def loads(self, piece: Workpiece, changed: Collection[int] | None = None) -> dict[int, Load]:
        """Return what each grid of a draft answers for; only `changed` ones are counted anew."""
        number = piece.plan.plan
        kept = self._loads.get(number)
        if kept is None or kept[0] is not piece or changed is None:
            found = {uid: piece.holdings.load(piece.draft, uid) for uid in piece.draft.grids}
            self._loads = {number: (piece, found)}
            return found
        found = kept[1]
        for uid in changed:
            found.pop(uid, None)
            if uid in piece.draft.grids:
                found[uid] = piece.holdings.load(piece.draft, uid)
        return found

    def weigh_before(self, number: int) -> dict[int, Load]:
        """Return what each grid of a plan's draft answers for, as it stands before an edit."""
        return dict(self.loads(self.open(number), ()))

    def describe(self, piece: Workpiece, scope: Scope, lang: Lang) -> dict[str, Any]:
        """Return a whole draft: its grids with shapes and loads, what breaks a rule, who else."""
        loads = self.loads(piece)
        draft = piece.draft
        return {
            "plan": tell_plan(piece.plan),
            "seq": piece.seq,
            "grids": self.features(piece, draft.grids.values(), loads, scope),
            "outer": [
                {name: getattr(one, name) for name in ("uid", "code", "name", "level", "parent")}
                for one in draft.outer.values()
            ],
            "locks": draft.locks.as_json(),
            "breaches": self.breaches(piece, loads, scope, lang),
            "others": self.others(piece),
            "load_names": _LOADS,
            "undo": len(draft.done),
            "redo": len(draft.undone),
        }

    def features(
        self,
        piece: Workpiece,
        grids: Iterable[Grid],
        loads: Mapping[int, Load],
        scope: Scope,
    ) -> list[dict[str, Any]]:
        """Return grids as GeoJSON features in degrees; loads only of those the account sees."""
        found = [grid for grid in grids if grid.shape is not None]
        shapes = self.to_degrees([grid.shape for grid in found])
        return [
            {
                "type": "Feature",
                "id": grid.uid,
                "properties": {
                    "uid": grid.uid,
                    "code": grid.code,
                    "name": grid.name,
                    "kind": grid.kind,
                    "parent": grid.parent,
                    "new": int(_is_redrawn(piece, grid)),
                    "loads": tell_load(loads.get(grid.uid), self.sees(piece, grid.uid, scope)),
                },
                "geometry": shapely.geometry.mapping(shape),
            }
            for grid, shape in zip(found, shapes, strict=True)
        ]

    def sees(self, piece: Workpiece, uid: int, scope: Scope) -> bool:
        """Tell whether an account may see what a grid of a draft answers for."""
        return scope.everything or (scope.allows(uid) if uid in piece.base else False)

    def breaches(
        self, piece: Workpiece, loads: Mapping[int, Load], scope: Scope, lang: Lang
    ) -> dict[str, list[str]]:
        """Return the sentences of the rules that grids break, by uid."""
        seen = {uid: load for uid, load in loads.items() if self.sees(piece, uid, scope)}
        found: dict[str, list[str]] = {}
        for breach in find_breaches(self.city, piece, seen):
            found.setdefault(str(breach.uid), []).append(breach.sentence(lang))
        return found

    def others(self, piece: Workpiece) -> list[dict[str, Any]]:
        """Return the other open plans that touch grids of the same drawing, and which."""
        with self.city.database.read() as connection:
            return [
                {**tell_plan(plan), "touched": sorted(read_touched(connection, plan.plan))}
                for plan in list_plans(connection)
                if plan.plan != piece.plan.plan and plan.state in OPEN_STATES
            ]

    def to_degrees(self, shapes_mm: list[Any]) -> list[Any]:
        """Return shapes (mm in the city's CRS) in degrees, to the centimetre."""

        def degrees(xy: Any) -> Any:
            lon, lat = to_lonlat(xy[:, 0] / 1000, xy[:, 1] / 1000, self.city.crs)
            return np.round(np.column_stack([lon, lat]), _DEGREES)

        return list(shapely.transform(np.array(shapes_mm, object), degrees))

    def to_metres(self, edit: Any) -> dict[str, Any]:
        """
        Return a gesture with its places in metres of the city; they come in degrees.

        Raises BadGrid for what is no edit; what its fields mean is for the draft to judge.
        """
        if not isinstance(edit, dict) or (
            edit.get("op") not in FORMS and edit.get("op") not in ("undo", "redo")
        ):
            raise BadGrid(
                Fault(key="redraw_op_unknown", field="op", values={"known": tuple(FORMS)})
            )
        plain = dict(edit)
        for name in (*_LINES, *_POINTS):
            if name in plain:
                plain[name] = self._place(plain[name], name, single=name in _POINTS)
        return plain

    def _place(self, given: Any, name: str, *, single: bool) -> Any:
        rows = [given] if single else given
        plain = isinstance(rows, list) and all(
            isinstance(row, list)
            and len(row) == 2
            and all(isinstance(part, int | float) and not isinstance(part, bool) for part in row)
            for row in rows
        )
        if not plain or not rows:
            raise BadGrid(Fault(key="redraw_wrong_line", field=name))
        lon, lat = np.array(rows, float).T
        if not (
            np.isfinite(lon).all() and (np.abs(lat) <= 89).all() and (np.abs(lon) <= 180).all()
        ):
            raise BadGrid(Fault(key="redraw_wrong_line", field=name))
        x, y = to_metric(lon, lat, lonlat_crs(), self.city.crs)
        placed = np.column_stack([x, y])
        if not np.isfinite(placed).all():
            raise BadGrid(Fault(key="redraw_wrong_line", field=name))
        return placed[0].tolist() if single else placed.tolist()


def _is_redrawn(piece: Workpiece, grid: Grid) -> bool:
    """Tell whether a grid is new or has other land; a corner set on its line is neither."""
    before = piece.begun.get(grid.uid)
    if before is None or before is grid:
        return before is None
    described = (before.code, before.name, before.kind, before.parent)
    if described != (grid.code, grid.name, grid.kind, grid.parent):
        return True
    return abs(before.area_m2 - grid.area_m2) > _DUST_M2


def tell_plan(plan: Plan) -> dict[str, Any]:
    """Return a plan's facts as plain data."""
    return {name: getattr(plan, name) for name in plan.__slots__}


def tell_load(load: Load | None, seen: bool) -> list[float] | None:
    """Return a grid's load as numbers in the order of `load_names`, None where it is not shown."""
    if load is None or not seen:
        return None
    return [round(float(getattr(load, name)), 2) for name in _LOADS]


def tell_changes(
    bench: Bench,
    piece: Workpiece,
    changes: Sequence[Change],
    before: Mapping[int, Load],
    *,
    scope: Scope,
    lang: Lang,
) -> dict[str, Any]:
    """Return what the browser needs to draw and say of edits that were made."""
    with piece.lock:
        changed = {uid for change in changes for uid in change.uids}
        loads = bench.loads(piece, changed)
        grids = [piece.draft.grids[uid] for uid in sorted(changed) if uid in piece.draft.grids]
        seen_loads = {uid: loads[uid] for uid in changed if uid in loads}
        return {
            "seq": piece.seq,
            "grids": bench.features(piece, grids, loads, scope),
            "gone": sorted(uid for uid in changed if uid not in piece.draft.grids),
            "sides": tell_sides(piece, changes[-1], before, loads) if changes else [],
            "notes": [say(one, lang) for change in changes for one in change.notes],
            "locks": piece.draft.locks.as_json(),
            "breaches": bench.breaches(piece, seen_loads, scope, lang),
            "undo": len(piece.draft.done),
            "redo": len(piece.draft.undone),
        }


def tell_sides(
    piece: Workpiece, change: Change, before: Mapping[int, Load], after: Mapping[int, Load]
) -> list[dict[str, Any]]:
    """Return both sides of each grid that an edit changed, before and after."""
    rows = []
    for side in change.sides:
        if side.before_m2 is None and side.after_m2 is None:
            continue
        was, now = (tell_load(loads.get(side.uid), True) for loads in (before, after))
        if (
            _as_shown(was) == _as_shown(now)
            and side.uid in change.before
            and side.uid in change.after
        ):
            continue  # a neighbour that got a corner of its own on the line, or next to nothing
        rows.append(
            {
                "uid": side.uid,
                "code": side.code,
                "before": was,
                "after": now,
                "kept": side.uid in piece.draft.grids,
            }
        )
    return rows


def _as_shown(load: list[float] | None) -> list[float]:
    """Return a load as the page writes it: land to the are, all else whole."""
    return [
        round(one, 2 if name == "area_ha" else 0)
        for name, one in zip(_LOADS, load or (), strict=False)
    ]
