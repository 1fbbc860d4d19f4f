"""Blocks: faces between lines, and how they are cut smaller and smaller."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.ground import Floats

MM = 0.001  # metres: the precision of every coordinate
Shapes = NDArray[np.object_]

_FAR_M = 20_000.0
_OVERSHOOT_M = 0.05
_STUB_M = 150.0
_SLIVER_M2 = 120.0


def node_faces(shapes: Shapes) -> tuple[Shapes, Shapes]:
    """Return the noded edges of lines and the faces between them, on whole millimetres."""
    edges = shapely.get_parts(shapely.union_all(shapes, grid_size=MM))
    faces = shapely.get_parts(shapely.polygonize(edges))
    return edges, faces


def absorb_slivers(faces: Shapes) -> Shapes:
    """Return the faces with each tiny one given to the neighbour it shares most edge with."""
    group = np.arange(len(faces))
    tiny = np.flatnonzero(shapely.area(faces) < _SLIVER_M2)
    tree = shapely.STRtree(faces)
    for one in tiny:
        near = tree.query(faces[one], predicate="intersects")
        near = near[(near != one) & ~np.isin(near, tiny)]
        if len(near):
            shared = shapely.length(shapely.intersection(faces[one].exterior, faces[near]))
            group[one] = near[np.argmax(shared)]
    order = np.argsort(group, kind="stable")
    start = np.flatnonzero(np.diff(group[order], prepend=-1))
    merged = [faces[run] for run in np.split(order, start[1:])]
    return np.array(
        [run[0] if len(run) == 1 else shapely.coverage_union_all(run) for run in merged], object
    )


def split_blocks(
    faces: Shapes,
    rng: np.random.Generator,
    *,
    target_m2: Callable[[Shapes], Floats],
    jitter: float,
    tilt: float,
    shape: float = 1.0,
) -> tuple[Shapes, Shapes, Floats]:
    """
    Cut each face across its long side until it is at most about its target area.

    With a `shape` above 1, pieces are so many times as long from east to west as they are wide.

    Returns the pieces, the cutting lines, and for each line the area that it cut (which tells how
    important a street it is).
    """
    todo, done = faces, []
    cuts: list[Shapes] = []
    areas: list[Floats] = []
    while len(todo):
        area = shapely.area(todo)
        large = area > target_m2(todo) * rng.uniform(1.0, 1.7, len(todo))
        done.append(todo[~large])
        todo, area = todo[large], area[large]
        if not len(todo):
            break
        knives, near_side = _cut_across(todo, rng, jitter=jitter, tilt=tilt, shape=shape)
        pieces, owner = shapely.get_parts(shapely.intersection(knives, todo), return_index=True)
        is_line = shapely.get_type_id(pieces) == shapely.GeometryType.LINESTRING
        cuts.append(_overshoot(pieces[is_line]))
        areas.append(area[owner[is_line]])
        pieces = np.r_[shapely.intersection(todo, near_side), shapely.difference(todo, near_side)]
        pieces = shapely.get_parts(pieces)
        pieces = pieces[shapely.get_type_id(pieces) == shapely.GeometryType.POLYGON]
        todo = pieces[shapely.area(pieces) > 1.0]
    return np.concatenate(done), _join(cuts), np.concatenate(areas) if areas else np.empty(0)


def _cut_across(
    faces: Shapes, rng: np.random.Generator, *, jitter: float, tilt: float, shape: float
) -> tuple[Shapes, Shapes]:
    corners = shapely.get_coordinates(shapely.oriented_envelope(faces)).reshape(-1, 5, 2)
    side_a, side_b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    a_longer = _weigh(side_a, shape) >= _weigh(side_b, shape)
    along = np.where(a_longer[:, None], side_a, side_b)
    middle = corners[:, :4].mean(axis=1)
    point = middle + along * rng.uniform(-jitter, jitter, len(faces))[:, None]
    along = along / np.hypot(*along.T)[:, None]
    angle = np.arctan2(along[:, 1], along[:, 0]) + rng.normal(0, tilt, len(faces))
    along = np.c_[np.cos(angle), np.sin(angle)]
    across = np.c_[-along[:, 1], along[:, 0]]
    ends = np.stack([point - across * _FAR_M, point + across * _FAR_M], axis=1)
    far = along[:, None, :] * _FAR_M
    boxes = np.concatenate([ends, (ends + far)[:, ::-1]], axis=1)
    return shapely.linestrings(ends), shapely.polygons(boxes)


def _weigh(side: Floats, shape: float) -> Floats:
    """Return the lengths of sides, those that run east and west counted for less by `shape`."""
    flat = np.abs(side[:, 0]) > np.abs(side[:, 1])
    return np.asarray(np.hypot(*side.T) / np.where(flat, shape, 1.0))


def _overshoot(cuts: Shapes) -> Shapes:
    """
    Return the cuts with both ends a little beyond the faces they cut.

    A line that ends exactly on another one may miss it by a millimetre once both are rounded; one
    that crosses it is always noded, and the stub is dropped afterwards.
    """
    ends = np.stack(
        [
            shapely.get_coordinates(shapely.get_point(cuts, 0)),
            shapely.get_coordinates(shapely.get_point(cuts, -1)),
        ],
        axis=1,
    )
    along = ends[:, 1] - ends[:, 0]
    along *= (_OVERSHOOT_M / np.hypot(*along.T))[:, None]
    ends[:, 0] -= along
    ends[:, 1] += along
    return np.asarray(shapely.linestrings(ends), object)


def _join(parts: list[Shapes]) -> Shapes:
    return np.concatenate(parts) if parts else np.empty(0, object)


def drop_stubs(edges: Shapes) -> Shapes:
    """Return the edges without the short ends that stick out beyond a crossing."""
    ends = np.concatenate(
        [
            shapely.get_coordinates(shapely.get_point(edges, 0)),
            shapely.get_coordinates(shapely.get_point(edges, -1)),
        ]
    )
    _, node, uses = np.unique(
        np.rint(ends * 1000).astype(np.int64), axis=0, return_inverse=True, return_counts=True
    )
    loose = (uses[node.reshape(-1)] == 1).reshape(2, -1).any(axis=0)
    kept: Shapes = edges[~(loose & (shapely.length(edges) < _STUB_M))]
    return kept
