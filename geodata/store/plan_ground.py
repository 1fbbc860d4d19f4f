"""What a plan's edits stand on, kept as it was: blocks, their loads, roads."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

_FAST = 1  # zlib's level: three times as fast as the usual one, a tenth larger


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanGround:
    """
    Blocks and roads (metres) of a plan, and the load of each block.

    `band` (n, 2) is between what a load that is expected lies, NaN where it is known; None for a
    plan of before loads were expected.
    """

    blocks: NDArray[Any]
    loads: NDArray[np.float64]
    band: NDArray[np.float64] | None
    roads: NDArray[Any]


def save_plan_ground(
    connection: sqlite3.Connection,
    plan: int,
    *,
    blocks: NDArray[Any],
    loads: NDArray[np.float64],
    band: NDArray[np.float64],
    roads: NDArray[Any],
) -> None:
    """Keep a plan's blocks (metres) with their loads and the band of each, and its roads."""
    numbers = [np.ascontiguousarray(column, "<f8").tobytes() for column in (loads, band)]
    connection.execute(
        "INSERT INTO plan_ground (plan, blocks, loads, band, roads) VALUES (?, ?, ?, ?, ?)",
        (plan, _pack(blocks), *numbers, _pack(roads)),
    )


def read_plan_ground(connection: sqlite3.Connection, plan: int) -> PlanGround:
    """Return what a plan's edits stand on; empty where it has nothing."""
    row = connection.execute(
        "SELECT blocks, loads, band, roads FROM plan_ground WHERE plan = ?", (plan,)
    ).fetchone()
    if row is None:
        nothing = np.empty(0, object)
        return PlanGround(blocks=nothing, loads=np.empty(0), band=None, roads=nothing)
    return PlanGround(
        blocks=_unpack(row[0]),
        loads=np.frombuffer(row[1], "<f8"),
        band=None if row[2] is None else np.frombuffer(row[2], "<f8").reshape(-1, 2),
        roads=_unpack(row[3]),
    )


def _pack(shapes: NDArray[Any]) -> bytes:
    return zlib.compress(shapely.to_wkb(shapely.geometrycollections(list(shapes))), _FAST)


def _unpack(packed: bytes) -> NDArray[Any]:
    return np.array(shapely.get_parts(shapely.from_wkb(zlib.decompress(packed))), object)
