"""The ruler of a stand-alone map: places of the city as the small numbers of its file."""

from __future__ import annotations

import base64
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.print.frame import Bounds

UNIT_M: Final = 0.1  # coordinates are whole decimetres from the north-west corner, y down
_DETAIL_M = 0.6
_AROUND_M = 300.0
_FINEST = (1 << 16) - 1


class Ruler:
    """Turns metres of the city into the numbers of the file."""

    def __init__(self, ground: Bounds) -> None:
        west, south, east, north = ground
        self.origin = np.array([west, north])
        self.size = [round((east - west) / UNIT_M), round((north - south) / UNIT_M)]
        self.box = shapely.box(
            west - _AROUND_M, south - _AROUND_M, east + _AROUND_M, north + _AROUND_M
        )

    def points(self, xy: NDArray[np.float64]) -> list[int]:
        """Return points as x, y, x, y, ….."""
        numbers: list[int] = self._whole(xy).ravel().tolist()
        return numbers

    def pack(self, xy: NDArray[np.float64]) -> dict[str, Any]:
        """
        Return many points in four bytes each, all of them: `at` are little-endian pairs in base64.

        A pair times `step` and `from` is a place of the file; a step is the points' own extent
        over 65,535: 0.15 m for a city of 10 km.
        """
        if not len(xy):
            return {"from": [0, 0], "step": [1, 1], "at": ""}
        places = (xy - self.origin) * (1 / UNIT_M, -1 / UNIT_M)
        first = places.min(axis=0)
        step = np.maximum((places.max(axis=0) - first) / _FINEST, 1e-6)
        pairs = np.rint((places - first) / step).clip(0, _FINEST).astype("<u2")
        return {
            "from": np.round(first, 1).tolist(),
            "step": [float(f"{length:.6g}") for length in step],
            "at": pack_bytes(pairs.tobytes()),
        }

    def rings(self, shape: Any, *, detail_m: float = _DETAIL_M) -> list[list[int]]:
        """Return the lines or rings of a shape: first point, then the steps from point to point."""
        if detail_m:
            shape = shapely.simplify(shape, detail_m, preserve_topology=True)
        out = []
        for part in shapely.get_parts(shape):
            lines = shapely.get_rings(part) if part.geom_type == "Polygon" else [part]
            for line in lines:
                xy = self._whole(shapely.get_coordinates(line))
                steps = np.diff(xy, axis=0, prepend=np.zeros((1, 2), np.int64))
                moved = (steps != 0).any(axis=1)
                moved[:1] = True
                out.append(steps[moved].ravel().tolist())
        return out

    def _whole(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        whole: NDArray[np.int64] = np.rint((xy - self.origin) * (1 / UNIT_M, -1 / UNIT_M)).astype(
            np.int64
        )
        return whole


def pack_bytes(body: bytes) -> str:
    """Return bytes as text of the file."""
    return base64.b64encode(body).decode()
