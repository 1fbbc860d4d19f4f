"""Grids: codes, levels, the tree, and the dated drawing they make."""

from __future__ import annotations

from geodata.grids.system import (
    GRID_COLUMNS,
    LEVELS,
    NO_PARENT,
    GridSystem,
    Orphan,
    Tree,
    TreeReport,
    add_levels,
    build_tree,
)

__all__ = [
    "GRID_COLUMNS",
    "LEVELS",
    "NO_PARENT",
    "GridSystem",
    "Orphan",
    "Tree",
    "TreeReport",
    "add_levels",
    "build_tree",
]
