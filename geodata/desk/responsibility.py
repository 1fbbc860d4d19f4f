"""Responsibility: which body a kind of case belongs to in an area, and by which entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    code = dict(zip(system.grids["uid"], system.grids["code"], strict=True))
    return [str(code[one]) for one in (uid, *system.ancestors(uid))]


def _post_of(system: GridSystem, uid: int | None) -> str:
    if uid is None:
        return ""
    body = dict(zip(system.grids["uid"], system.grids["body"], strict=True))[uid]
    return str(body) if isinstance(body, str) else ""
