"""Ownership: which grid answers for a place, by which rule, and how near the line."""

from __future__ import annotations

from geodata.ownership.owners import (
    RULES,
    OwnerIndex,
    Ownership,
    own_points,
    to_millimetres,
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
