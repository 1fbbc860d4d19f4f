"""Lines drawn by hand: read, brought to the rim of a grid, snapped to roads."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import MM_PER_M, Floats, Geometries
from geodata.errors import BadGrid, Fault
from geodata.redraw.draft import round_mm

END_REACH_M = 2.0  # an end that stops so short of the line it was meant to reach is led there
LOOSE_END_M = 20.0


def read_line(points_m: list[list[float]]) -> Any:
    """Return a line (mm) from points in metres. Raises BadGrid for one that crosses itself."""
    line = shapely.remove_repeated_points(shapely.LineString(round_mm(points_m)))
    if line.length == 0 or shapely.get_num_points(line) < 2:
        raise BadGrid(Fault(key="redraw_line_empty", field="line"))
    if not line.is_simple:
        raise BadGrid(Fault(key="redraw_line_crosses", field="line"))
    return line


def reach_rim(line: Any, shape: Any, *, reach_m: float = END_REACH_M) -> Any:
    """Return a line whose ends, where they lie just inside a polygon, are led to its rim (mm)."""
    rim = shapely.boundary(shape)
    xy = shapely.get_coordinates(line)
    for end in (0, -1):
        point = shapely.Point(xy[end])
        if shapely.contains(shape, point) and shapely.distance(rim, point) <= reach_m * MM_PER_M:
            xy = _lead(xy, end, rim)
    return shapely.LineString(xy)


def snap_line(line: Any, roads: Geometries, *, within_m: float) -> Any:
    """
    Return a line that follows roads (mm) where it runs within some metres of them.

    Each point goes to the nearest road in reach; between two points on one road the line takes the
    road's own course. Raises BadGrid where the snapped line crosses itself.
    """
    if within_m <= 0 or not len(roads):
        return line
    reach = within_m * MM_PER_M
    near = roads[shapely.STRtree(roads).query(line, predicate="dwithin", distance=reach)]
    near = shapely.get_parts(near)
    if not len(near):
        return line
    # Points as dense as the reach, so that a long stroke beside a road finds it.
    xy = shapely.get_coordinates(shapely.segmentize(line, reach))
    points = shapely.points(xy)
    away = shapely.distance(points[:, None], near[None, :])
    road = np.where(away.min(axis=1) <= reach, away.argmin(axis=1), -1)
    pieces: list[Floats] = []
    start = 0
    for stop in [*(np.flatnonzero(np.diff(road)) + 1).tolist(), len(xy)]:
        row = int(road[start])
        pieces.append(xy[start:stop] if row < 0 else _follow(near[row], points[[start, stop - 1]]))
        start = stop
    snapped = np.rint(np.vstack(pieces))
    moved = shapely.remove_repeated_points(shapely.LineString(snapped))
    if shapely.length(moved) == 0 or not shapely.is_simple(moved):
        raise BadGrid(Fault(key="redraw_snap_crosses", field="snap_m"))
    return moved


def _follow(road: Any, ends: Geometries) -> Floats:
    """Return the course of a road between the places nearest to two points."""
    begin, end = shapely.line_locate_point(road, ends).tolist()
    xy = shapely.get_coordinates(road)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    low, high = min(begin, end), max(begin, end)
    between = xy[(along > low) & (along < high)]
    if begin > end:
        between = between[::-1]
    first, last = (
        shapely.get_coordinates(shapely.line_interpolate_point(road, at)) for at in (begin, end)
    )
    return np.vstack([first, between, last])


def _lead(xy: Floats, end: int, rim: Any) -> Floats:
    point = shapely.Point(xy[end])
    on_rim = shapely.get_coordinates(shapely.shortest_line(point, rim))[-1]
    return np.vstack([on_rim, xy]) if end == 0 else np.vstack([xy, on_rim])


def lead_ends(line: Any, targets: list[Any], *, inside: Any, reach_m: float = LOOSE_END_M) -> Any:
    """
    Return a line each end of which, where it lies inside a polygon, is led to the nearest target.

    All in mm. Raises BadGrid where an end lies farther from all of them than the reach.
    """
    xy = shapely.get_coordinates(line)
    for end in (0, -1):
        point = shapely.Point(xy[end])
        if not shapely.contains(inside, point):
            continue
        away = [shapely.distance(target, point) for target in targets]
        nearest = int(np.argmin(away))
        if away[nearest] > reach_m * MM_PER_M:
            values = {"reach_m": f"{reach_m:.0f}"}
            raise BadGrid(Fault(key="redraw_end_loose", field="line", values=values))
        xy = _lead(xy, end, targets[nearest])
    led = shapely.remove_repeated_points(shapely.LineString(xy))
    if shapely.length(led) == 0 or not shapely.is_simple(led):
        raise BadGrid(Fault(key="redraw_line_crosses", field="line"))
    return led
