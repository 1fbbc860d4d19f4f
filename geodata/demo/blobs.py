"""Blobs: lakes and wooded hills with bays and spurs, drawn around a point of the plan."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.demo.blocks import Shapes
from geodata.demo.ground import Ground, rotate
from geodata.demo.plan import Blob

_CORNERS = 96


def draw_blob(ground: Ground, blob: Blob) -> shapely.Polygon:
    """Return a lake or a hill in local metres; the same for the same place and size."""
    turns = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    a, b, c = np.random.default_rng([int(abs(one)) for one in blob.at]).uniform(0, 6, 3)
    shore = 1 + 0.13 * np.sin(2 * turns + a) + 0.08 * np.sin(3 * turns + b)
    shore += 0.05 * np.sin(7 * turns + c)
    u = blob.half_m[0] * shore * np.cos(turns)
    v = blob.half_m[1] * shore * np.sin(turns)
    u, v = rotate(u, v, np.deg2rad(blob.turn_deg))
    return shapely.Polygon(np.c_[ground.to_local(u + blob.at[0], v + blob.at[1])])


def draw_blobs(ground: Ground, blobs: tuple[Blob, ...]) -> Shapes:
    """Return every one of some lakes or hills, in their order."""
    return np.array([draw_blob(ground, blob) for blob in blobs], object).reshape(-1)
