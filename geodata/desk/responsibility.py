"""Responsibility: which body a kind of case belongs to in an area, and by which entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from geodata.grids import GridSystem

Why = Literal["matrix_here", "matrix_above", "kind", "grid", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsible:
    """The body that answers for a kind in an area, and what says so; `by` is the area's code."""

    kind: str
    body: str
    why: Why
    by: str = ""


def find_responsible(
    system: GridSystem, uid: int | None, kind: str, *, matrix: pd.DataFrame, kinds: pd.DataFrame
) -> Responsible:
    """
    Return who answers for a kind in an area.

    The matrix's entry for the kind and the grid itself comes first, then those of the areas above
    it, the nearest first; then the body that the table of kinds names; then the grid's own post.
    `matrix` has kind, area, body; `kinds` is indexed by code.
    """
    codes = _codes_upward(system, uid)
    if len(matrix) and {"kind", "area", "body"} <= set(matrix.columns):
        entries = matrix[matrix["kind"] == kind]
        named = dict(zip(entries["area"], entries["body"], strict=True))
        for place, code in enumerate(codes):
            if code in named:
                why: Why = "matrix_above" if place else "matrix_here"
                return Responsible(kind=kind, body=str(named[code]), why=why, by=code)
    if "body" in kinds and kind in kinds.index and isinstance(kinds.at[kind, "body"], str):
        return Responsible(kind=kind, body=str(kinds.at[kind, "body"]), why="kind")
    post = _post_of(system, uid)
    return Responsible(kind=kind, body=post, why="grid" if post else "nobody")


def _codes_upward(system: GridSystem, uid: int | None) -> list[str]:
    if uid is None:
        return []
    return [str(_read(system, one, "code")) for one in (uid, *system.ancestors(uid))]


def _post_of(system: GridSystem, uid: int | None) -> str:
    body = None if uid is None else _read(system, uid, "body")
    return body if isinstance(body, str) else ""


def _read(system: GridSystem, uid: int, column: str) -> Any:
    """Return one cell of a grid: a panel asks for a dozen, out of thousands of grids."""
    row = int(np.flatnonzero(system.grids["uid"].to_numpy(np.int64) == uid)[0])
    return system.grids[column].iat[row]
