"""What is said of grids: names, kinds, codes, parents, and what is locked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import shapely

from geodata.errors import BadGrid, Fault
from geodata.redraw.changes import Change, Edit, Grid, Locks
from geodata.redraw.draft import Draft
from geodata.redraw.patch import check_code, refuse_grid

_SAID = ("name", "code", "kind", "body")


def describe_grid(draft: Draft, edit: Edit) -> Change:
    """Name a grid of any level anew, or change its kind, code or body. Raises BadGrid."""
    grid = _find_any(draft, edit["grid"])
    said = {name: edit[name] for name in _SAID if name in edit}
    if not said or all(getattr(grid, name) == value for name, value in said.items()):
        raise BadGrid(Fault(key="redraw_nothing_changes"))
    for name in ("name", "code", "kind"):
        if said.get(name) == "":
            raise BadGrid(Fault(key="redraw_text_empty", field=name))
    described = replace(grid, **said)
    check_code(draft, described)
    return draft.commit(edit, {grid.uid: described})


def reparent_grid(draft: Draft, edit: Edit) -> Change:
    """
    Put a grid under another outer grid of its parent's level: the line between the two moves.

    Raises BadGrid: another level, not beside it, the old parent would be empty or in parts.
    """
    grid = _find_any(draft, edit["grid"])
    old, new = draft.outer.get(grid.parent), draft.outer.get(edit["parent"])
    if old is None or new is None or old.level != new.level:
        level = "" if old is None else old.level
        raise BadGrid(Fault(key="redraw_parent_level", field="parent", values={"level": level}))
    if old.uid == new.uid:
        raise BadGrid(Fault(key="redraw_nothing_changes"))
    for uid in (grid.uid, old.uid, new.uid):
        if _is_held(draft, uid):
            raise refuse_grid("redraw_locked", draft, uid)
    leaves = set(_leaves_under(draft, [grid.uid]))
    there = _leaves_under(draft, [new.uid])
    left = [uid for uid in _leaves_under(draft, [old.uid]) if uid not in leaves]
    if not left:
        raise refuse_grid("redraw_parent_empty", draft, old.uid)
    if _count_parts(draft, [*there, *leaves]) > _count_parts(draft, there):
        raise BadGrid(
            Fault(key="redraw_not_beside", values={"code": grid.code, "parent": new.code})
        )
    if _count_parts(draft, left) > _count_parts(draft, [*left, *leaves]):
        raise refuse_grid("redraw_falls_apart", draft, old.uid)
    return draft.commit(edit, {grid.uid: replace(grid, parent=new.uid)})


def lock_grids(draft: Draft, edit: Edit) -> Change:
    """Lock a grid, everything in an outer grid, or all grids. Raises BadGrid."""
    return _set_locks(draft, edit, locked=True)


def unlock_grids(draft: Draft, edit: Edit) -> Change:
    """Take a lock away; `all` takes every lock away. Raises BadGrid."""
    return _set_locks(draft, edit, locked=False)


def _set_locks(draft: Draft, edit: Edit, *, locked: bool) -> Change:
    old = draft.locks
    if edit.get("all"):
        new = replace(old, everything=True) if locked else Locks()
    elif "grid" not in edit:
        raise BadGrid(Fault(key="redraw_lock_what"))
    else:
        uid = _find_any(draft, edit["grid"]).uid
        new = _set_lock(old, uid, outer=uid in draft.outer, locked=locked)
    if new == old:
        raise BadGrid(Fault(key="redraw_nothing_changes"))
    return draft.commit(edit, {}, locks=new)


def _set_lock(old: Locks, uid: int, *, outer: bool, locked: bool) -> Locks:
    held = old.outer if outer else old.grids
    held = held | {uid} if locked else held - {uid}
    return replace(old, outer=held) if outer else replace(old, grids=held)


def _find_any(draft: Draft, uid: int) -> Grid:
    return draft.outer.get(uid) or draft.grid(uid)


def _is_held(draft: Draft, uid: int) -> bool:
    """Tell whether an outer grid, one above it, or a finest grid is locked."""
    at: int | None = uid
    while at is not None and at in draft.outer:
        if draft.locks.everything or at in draft.locks.outer:
            return True
        at = draft.outer[at].parent
    return uid in draft.grids and draft.is_locked(uid)


def _leaves_under(draft: Draft, uids: Iterable[int]) -> list[int]:
    wanted = set(uids)
    found = []
    for uid, grid in draft.grids.items():
        at: Any = grid
        while at is not None and at.uid not in wanted:
            at = draft.outer.get(at.parent)
        if at is not None:
            found.append(uid)
    return found


def _count_parts(draft: Draft, uids: list[int]) -> int:
    return int(shapely.get_num_geometries(shapely.coverage_union_all(draft.shapes(uids))))
