"""Ownership: which grid answers for a place, by which rule, and how near the line."""

from __future__ import annotations

from geodata.ownership.millimetres import to_millimetres
from geodata.ownership.owners import (
    RULES,
    OwnerIndex,
    Ownership,
    own_points,
    warm,
)
from geodata.ownership.series import find_owners

__all__ = [
    "RULES",
    "OwnerIndex",
    "Ownership",
    "find_owners",
    "own_points",
    "to_millimetres",
    "warm",
]
