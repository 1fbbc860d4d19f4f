"""Redrawing: a drawing in memory, the edits that change it, its proof, and proposals."""

from __future__ import annotations

from geodata.redraw.blocks import Blocks, make_blocks
from geodata.redraw.changes import Change, Edit, Grid, Locks, Sides
from geodata.redraw.draft import Draft, open_draft
from geodata.redraw.edits import apply_edit, replay_edits
from geodata.redraw.forms import parse_edit
from geodata.redraw.proof import DraftProof, prove_draft

__all__ = [
    "Blocks",
    "Change",
    "Draft",
    "DraftProof",
    "Edit",
    "Grid",
    "Locks",
    "Sides",
    "apply_edit",
    "make_blocks",
    "open_draft",
    "parse_edit",
    "prove_draft",
    "replay_edits",
]
