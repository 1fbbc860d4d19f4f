"""Edits: plain data in, a change out; whatever is refused changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from geodata.redraw.adoption import adopt_shapes
from geodata.redraw.borders import drag_border, move_vertex
from geodata.redraw.changes import Change, Edit
from geodata.redraw.descriptions import (
    describe_grid,
    lock_grids,
    reparent_grid,
    unlock_grids,
)
from geodata.redraw.draft import Draft
from geodata.redraw.forms import parse_edit
from geodata.redraw.strokes import assign_blocks, brush_blocks, draw_over, make_special
from geodata.redraw.unions import merge_grids, split_grid

_EDITS: dict[str, Callable[[Draft, Edit], Change]] = {
    "draw": draw_over,
    "brush": brush_blocks,
    "special": make_special,
    "assign": assign_blocks,
    "adopt": adopt_shapes,
    "split": split_grid,
    "merge": merge_grids,
    "drag": drag_border,
    "move": move_vertex,
    "reparent": reparent_grid,
    "describe": describe_grid,
    "lock": lock_grids,
    "unlock": unlock_grids,
}


def apply_edit(draft: Draft, edit: Any) -> Change:
    """
    Carry out one edit (`forms.FORMS` says what each looks like); return what changed.

    Raises BadGrid with cause and remedy where the edit is malformed or refused: a line that cuts
    nothing, land that is locked or lies outside, a grid that would fall apart or become a sliver.
    The draft is then byte for byte what it was. Each accepted edit keeps the tiling exact: the open
    chain of the grids around it is the same before and after (`geodata.coverage.edges.open_chain`).
    """
    plain = parse_edit(edit)
    return _EDITS[plain["op"]](draft, plain)


def replay_edits(draft: Draft, edits: Iterable[Any]) -> list[Change]:
    """Apply edits in turn; raises BadGrid at the first refused one, and keeps those before it."""
    return [apply_edit(draft, edit) for edit in edits]
