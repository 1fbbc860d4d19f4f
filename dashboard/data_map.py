"""A small still map of a file on the city: enough to see at once that it lies somewhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from dashboard.services import Services
from geodata.intake.looking import Preview

_WIDE, _HIGH = 640, 420
_MARGIN = 0.06
_FINE_PX = 0.6  # detail smaller than this is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class StillMap:
    """Paths of an SVG of `width` × `height`: the city's outline, the file's shapes and points."""

    width: int
    height: int
    city: str
    shapes: str
    points: tuple[tuple[float, float], ...]
    outside: int  # of the points drawn, those that lie off the city


class DataMap:
    """Draws still maps of one city; its outline is kept for each drawing."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: tuple[int, Any] | None = None

    def draw(self, preview: Preview) -> StillMap | None:
        """Return the still map of a preview; None when nothing of it has a place."""
        if not len(preview.points) and not len(preview.shapes):
            return None
        outline = self._outline()
        drawn = [outline] if outline is not None else []
        bounds = shapely.total_bounds(
            drawn or list(preview.shapes) or shapely.points(preview.points)
        )
        west, south, east, north = bounds
        pad = max(east - west, north - south, 1.0) * _MARGIN
        scale = min(_WIDE / (east - west + 2 * pad), _HIGH / (north - south + 2 * pad))

        def place(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            x = (xy[:, 0] - (west + east) / 2) * scale + _WIDE / 2
            y = (((south + north) / 2) - xy[:, 1]) * scale + _HIGH / 2
            return np.column_stack([x, y])

        points = place(preview.points) if len(preview.points) else np.empty((0, 2))
        inside = ((points >= 0) & (points <= (_WIDE, _HIGH))).all(axis=1)
        fine = _FINE_PX / scale
        return StillMap(
            width=_WIDE,
            height=_HIGH,
            city=_path([outline], place, fine) if outline is not None else "",
            shapes=_path(list(preview.shapes), place, fine),
            points=tuple((round(x, 1), round(y, 1)) for x, y in points[inside].tolist()),
            outside=int((~inside).sum()),
        )

    def _outline(self) -> Any:
        system = self._services.grids()
        if system is None:
            return None
        if self._kept is None or self._kept[0] != system.drawing:
            outer = system.grids[system.grids["level"] == system.levels[0]]
            self._kept = (system.drawing, shapely.union_all(outer.geometry.to_numpy()))
        return self._kept[1]


def _path(shapes: list[Any], place: Any, fine_m: float) -> str:
    parts = []
    for shape in shapes:
        simple = shapely.simplify(shape, fine_m)
        for ring in shapely.get_rings(shapely.get_parts(simple)):
            corners = place(shapely.get_coordinates(ring))
            inside = np.clip(corners, -2 * _WIDE, 3 * _WIDE)
            parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in inside.tolist()) + "Z")
    return "".join(parts)
