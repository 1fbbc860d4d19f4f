"""Publishing: an approved plan becomes a drawing with a date; an old one can come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.access.scope import Scope
from geodata.city import City, writing
from geodata.errors import BadGrid, Fault, NotAllowed, NotFound, Overtaken
from geodata.grids import GridSystem
from geodata.grids.tree import GRID_COLUMNS
from geodata.levels import NO_PARENT
from geodata.plans.checks import find_faults
from geodata.plans.codes import give_codes
from geodata.plans.plan import APPROVE, find_begin, need, note
from geodata.plans.takeover import Taken, take_effect
from geodata.plans.workshop import Workpiece, Workshop, find_plan
from geodata.store.database import Connection
from geodata.store.drawings import IN_FORCE, load_drawings, read_grids
from geodata.store.plans import (
    APPROVED,
    SCHEDULED,
    Plan,
    add_plan,
    change_plan,
)
from geodata.store.takeover import copy_drawing, read_attributes, read_used_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of a plan: its drawing, from when (UTC s), and what it changed if at once."""

    plan: int
    drawing: int
    effective_from: int
    taken: Taken | None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "plan": self.plan,
            "drawing": self.drawing,
            "effective_from": self.effective_from,
            "in_force": self.taken is not None,
            "incidents": self.taken.incidents if self.taken else 0,
            "transfers": self.taken.transfers if self.taken else 0,
            "revision": self.taken.revision if self.taken else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Final:
    """The drawing that a plan makes: all grids, and the uids that differ from where it started."""

    grids: gpd.GeoDataFrame
    changed: frozenset[int]


def publish_plan(
    city: City, scope: Scope, number: int, *, workshop: Workshop, now: int
) -> Published:
    """
    Publish an approved plan: at once for today, else on its day, when the server puts it in force.

    All in one transaction. Raises NotAllowed for a plan that is not approved, Overtaken where its
    base was retired since, BadSetting for a day that has passed, BadGrid for faults of the drawing,
    Busy while files are being loaded; then nothing has changed.
    """
    need(scope, APPROVE)
    piece = workshop.open(number, now=now)
    plan = piece.plan
    _check_ready(city, plan)
    assert plan.effective_from is not None
    day = datetime.fromtimestamp(plan.effective_from, city.settings.zone).date()
    begin = find_begin(city, day, now=now)
    with piece.lock:
        final = finish_drawing(city, piece)
    faults = find_faults(city, piece, final.grids)
    if faults:
        raise BadGrid(faults)
    return _bring_in(
        city, scope, lambda connection: find_plan(connection, number), final,
        system=plan.system, begin=begin, now=now,
    )  # fmt: skip


def roll_back(
    city: City, scope: Scope, drawing: int, *, effective: date, reason: str, now: int
) -> Published:
    """
    Publish an old drawing anew, byte for byte, from a day on: what it owned it will own again.

    It was approved when it was first published, so one account with the right to approve suffices.
    Raises NotAllowed, NotFound for a drawing that never was in force, BadSetting, Busy.
    """
    need(scope, APPROVE)
    begin = find_begin(city, effective, now=now)
    with city.database.read() as connection:
        current = _find_current(connection, drawing)
        system = str(current["system"])
        grids = read_grids(connection, drawing, crs=city.crs_text)

    def add(connection: Connection) -> Plan:
        base = _find_current(connection, drawing)["drawing"]
        if base != current["drawing"]:
            raise Overtaken(Fault(key="plan_base_retired", values={"drawing": current["drawing"]}))
        plan = add_plan(
            connection,
            name=f"← {drawing}",
            system=system,
            base=base,
            start=drawing,
            author=scope.account,
            at=now,
            reason=reason,
        )
        change_plan(
            connection, plan.plan, state=APPROVED, approver=scope.account, effective_from=begin
        )
        note(connection, scope, plan.plan, "rolled_back", now=now, drawing=drawing)
        return find_plan(connection, plan.plan)

    final = Final(grids=grids, changed=frozenset())
    return _bring_in(city, scope, add, final, system=system, begin=begin, now=now)


def _find_current(connection: Connection, drawing: int) -> dict[str, Any]:
    """Return the drawing in force of an old one's system. Raises NotFound, NotAllowed."""
    rows = load_drawings(connection)
    old = next((row for row in rows if row["drawing"] == drawing), None)
    current: dict[str, Any] | None = next(
        (row for row in reversed(rows) if row["state"] == IN_FORCE
         and row["valid_to"] is None and old and row["system"] == old["system"]),
        None,
    )  # fmt: skip
    if old is None or old["state"] != IN_FORCE or current is None:
        raise NotFound(Fault(key="drawing_unknown", values={"drawing": drawing}))
    if current["drawing"] == drawing:
        raise NotAllowed(Fault(key="plan_in_force", values={"drawing": drawing}))
    return current


def finish_drawing(city: City, piece: Workpiece) -> Final:
    """
    Return the drawing as it will be published: codes for new grids, households shared out anew.

    What no edit touched stays byte for byte, its outer grids' lines included.
    """
    start = piece.draft.base
    draft = piece.draft
    old = {uid: row for row, uid in enumerate(start["uid"].tolist())}
    differing = piece.differing()
    touched = differing | _above(piece, differing)
    frame = draft.to_frame()
    rows = frame["uid"].to_numpy()
    homes, people = _share_homes(piece, start)
    columns: dict[str, Any] = {name: frame[name].tolist() for name in GRID_COLUMNS if name in frame}
    known = {name: start[name].to_numpy(float) for name in ("households", "population")}
    for name, shared in (("households", homes), ("population", people)):
        columns[name] = [
            shared[uid] if uid in shared else known[name][old[uid]] if uid in old else np.nan
            for uid in rows.tolist()
        ]
    shapes = frame.geometry.to_numpy().copy()
    before = start.geometry.to_numpy()
    for at, uid in enumerate(rows.tolist()):
        if uid in old and uid not in touched:
            shapes[at] = before[old[uid]]
    grids = gpd.GeoDataFrame(columns, geometry=shapes, crs=start.crs)
    with city.database.read() as connection:
        used = read_used_codes(connection)
    grids = give_codes(grids[[*GRID_COLUMNS, "geometry"]], used)
    gone = set(old) - set(rows.tolist())
    return Final(grids=grids, changed=frozenset(touched | gone))


def _bring_in(
    city: City,
    scope: Scope,
    find: Callable[[Connection], Plan],
    final: Final,
    *,
    system: str,
    begin: int,
    now: int,
) -> Published:
    """
    Write the drawing and, where its moment has come, put it in force in the same transaction.

    `find` finds the approved plan in that transaction, or adds it.
    """
    number = 0

    def write(connection: Connection) -> int:
        nonlocal number
        plan = find(connection)
        if plan.state != APPROVED:
            raise NotAllowed(Fault(key="plan_closed", values={"state": plan.state}))
        _check_base(connection, plan)
        number = plan.plan
        attributes = read_attributes(connection, plan.start)
        drawing = copy_drawing(
            connection,
            plan.start,
            _rows_of(final, attributes),
            leave_out=final.changed,
            system=system,
            valid_from=begin,
            note={"plan": number, "base": plan.base},
        )
        change_plan(connection, number, state=SCHEDULED, drawing=drawing, effective_from=begin)
        note(connection, scope, number, "published", now=now, drawing=drawing)
        return drawing

    if begin > now:
        with city.database.transaction() as connection:
            drawing = write(connection)
        return Published(plan=number, drawing=drawing, effective_from=begin, taken=None)
    drawn = GridSystem(system=system, drawing=0, valid_from=begin, valid_to=None, grids=final.grids)
    with writing(city):
        taken = take_effect(city, 0, now=now, account=scope, write=write, grids=drawn)
    return Published(plan=number, drawing=taken.drawing, effective_from=begin, taken=taken)


def _check_ready(city: City, plan: Plan) -> None:
    if plan.state != APPROVED:
        raise NotAllowed(Fault(key="plan_closed", values={"state": plan.state}))
    with city.database.read() as connection:
        _check_base(connection, plan)


def _check_base(connection: Connection, plan: Plan) -> None:
    """Raise Overtaken where the drawing that the plan replaces has ended."""
    for row in load_drawings(connection):
        if row["drawing"] == plan.base and row["valid_to"] is None and row["state"] == IN_FORCE:
            return
    raise Overtaken(Fault(key="plan_base_retired", values={"drawing": plan.base}))


def _rows_of(final: Final, attributes: dict[int, str]) -> list[tuple[Any, ...]]:
    """Return the rows of the grids that differ, as the store takes them."""
    grids = final.grids[final.grids["uid"].isin(final.changed)]
    wkb = shapely.to_wkb(grids.geometry.to_numpy())
    cells = [grids[name].tolist() for name in GRID_COLUMNS]
    rows = []
    for place, row in enumerate(zip(*cells, strict=True)):
        plain = [None if isinstance(cell, float) and np.isnan(cell) else cell for cell in row]
        rows.append((*plain, wkb[place], attributes.get(int(row[0]), "{}")))
    return rows


def _above(piece: Workpiece, differing: frozenset[int]) -> set[int]:
    """Return the outer grids over some grids, before and now: their lines may have moved."""
    now = {**piece.draft.grids, **piece.draft.outer}
    found: set[int] = set()
    for tree in (piece.begun, now):
        for uid in differing:
            at = tree[uid].parent if uid in tree else NO_PARENT
            while at in tree and at not in found:
                found.add(at)
                at = tree[at].parent
    return found & set(now)


def _share_homes(
    piece: Workpiece, start: gpd.GeoDataFrame
) -> tuple[dict[int, float], dict[int, float]]:
    """Return households and inhabitants of the finest grids that changed, in whole numbers."""
    changed = [uid for uid in sorted(piece.differing()) if uid in piece.draft.grids]
    known = start.set_index("uid")[["households", "population"]]
    loads = {uid: piece.holdings.load(piece.draft, uid) for uid in changed}
    shared: list[dict[int, float]] = []
    for name, field in (("households", "households"), ("population", "people")):
        if not known[name].notna().any():
            shared.append({})
            continue
        exact = np.array([getattr(loads[uid], field) for uid in changed])
        whole = _round_together(exact)
        shared.append(dict(zip(changed, whole.tolist(), strict=True)))
    return shared[0], shared[1]


def _round_together(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return whole numbers with the rounded sum of `exact`: the largest remainders go up."""
    low = np.floor(exact)
    more = round(float(exact.sum() - low.sum()))
    order = np.argsort(low - exact, kind="stable")
    low[order[:more]] += 1
    return low
