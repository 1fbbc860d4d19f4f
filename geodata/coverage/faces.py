"""All lines of a set of grids cut into faces: who covers each face, who lies beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geodata.coverage.edges import Floats, Geometries, Ints, number_points, ring_edges

# Where floating noding fails, snap to a micrometre and, should that fail too, to the millimetre.
FALLBACK_STEPS_M = (1e-6, 1e-3)
MAX_SNAPS = 10  # passes of snap rounding; two or three have always been enough
MIN_SLOT_RATIO = 20.0  # a slot is at least so many times as long as wide; a notch is not
MAX_TAPER = 1.5  # a slot ends; an angle twice as wide fills about four times the area
ROUND = 4  # segments of a quarter circle; enough to fill by
TOUCH = 0.05  # noding moves a slot's wall off its grid by less than this share of the width
NOISE = 0.02  # buffers straighten lines by a little less than this share of the width


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """
    The faces that the lines of grids cut the plane into, bounded ones only.

    `cover_face`/`cover_grid` are pairs in face order: this grid covers that face. A face without
    a pair is a gap, one with two pairs an overlap. `side_a`, `side_b`, `side_length` list each
    pair of faces that share a line; the outside is -1 and stands second.
    """

    lines: shapely.Geometry
    polygons: Geometries
    area: Floats
    half_perimeter: Floats
    cover_face: Ints
    cover_grid: Ints
    side_a: Ints
    side_b: Ints
    side_length: Floats
    outline: Geometries  # the parts of the filled outline
    nodes: Floats  # (k, 2): points where three or more lines meet
    node_grid: tuple[Ints, Ints]  # pairs node, grid whose land touches the node

    @property
    def depth(self) -> Ints:
        """Return how many grids cover each face."""
        return np.bincount(self.cover_face, minlength=len(self.polygons)).astype(np.int64)

    @property
    def width(self) -> Floats:
        """Return the mean width of each face: area by half perimeter."""
        return np.asarray(self.area / self.half_perimeter)

    def grids_beside(self, faces: Ints) -> tuple[Ints, Ints]:
        """Return distinct pairs: row in `faces`, grid that covers a face beside it."""
        row_of = np.full(len(self.polygons), -1, dtype=np.int64)
        row_of[faces] = np.arange(len(faces))
        a = np.concatenate([self.side_a, self.side_b])
        b = np.concatenate([self.side_b, self.side_a])
        wanted = (a >= 0) & (b >= 0)
        a, b = a[wanted], b[wanted]
        near = row_of[a] >= 0
        left, right = join_pairs(row_of[a[near]], b[near], self.cover_face, self.cover_grid)
        return unique_pairs(left, right)


def build_faces(
    polygons: Geometries, *, grid_size: float | None = None, lines: Geometries | None = None
) -> Faces:
    """
    Cut the plane by the boundaries of `polygons` and find which polygons cover each face.

    `lines` stand in for the boundaries where some are noded already, or more than them should cut.
    `polygons` are valid Polygon or MultiPolygon geometries (empty ones are allowed); they may
    overlap. `grid_size` snaps every node to whole steps (1.0 for geometry in mm); without it the
    noding is in floating point, which keeps hairlines far below a millimetre apart.
    """
    cut = _node_lines(shapely.boundary(polygons) if lines is None else lines, grid_size)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(cut)))
    faces = faces[shapely.area(faces) > 0]
    face, grid = _find_cover(faces, polygons)
    start, end, owner = ring_edges(faces)
    numbers, points = number_points(np.vstack([start, end]))
    a, b = np.split(numbers, 2)
    sides, line_length, line_keys = _pair_sides(a, b, owner, start, end, len(points))
    outer = sides[:, 1] < 0
    pairs, back = np.unique(sides, axis=0, return_inverse=True)
    nodes, node_grid = _find_nodes(line_keys, (a, owner), points, (face, grid))
    return Faces(
        lines=cut,
        polygons=faces,
        area=shapely.area(faces),
        half_perimeter=shapely.length(faces) / 2,
        cover_face=face,
        cover_grid=grid,
        side_a=pairs[:, 0],
        side_b=pairs[:, 1],
        side_length=sum_by(back.ravel(), line_length, len(pairs)),
        outline=_build_outline(line_keys[outer], points),
        nodes=nodes,
        node_grid=node_grid,
    )


def find_slots(faces: Faces, polygons: Geometries, *, widths: tuple[float, ...]) -> Geometries:
    """
    Return slots between two grids that are open to the outside, narrow ones before wide ones.

    A slot is no hole of the union, so no face of its own: it is what closing the outline by each
    of the ascending `widths` fills. What closing by twice the width would fill much further is the
    tip of an angle, and with notches that are short or lie in one grid alone it is the outline's
    own shape, not a slot.
    """
    whole = shapely.union_all(faces.outline)
    tree = shapely.STRtree(polygons)
    found: list[Geometries] = []
    for width in widths:
        parts = _fill_outline(whole, width)
        area, half_perimeter = shapely.area(parts), shapely.length(parts) / 2
        long_enough = (half_perimeter >= width) & (half_perimeter**2 >= MIN_SLOT_RATIO * area)
        parts = parts[long_enough]
        if not len(parts):
            continue
        wider = _fill_outline(whole, 2 * width)
        at, there = shapely.STRtree(wider).query(parts, predicate="intersects")
        filled = np.zeros(len(parts))
        np.maximum.at(filled, at, shapely.area(wider[there]))
        parts = parts[filled <= MAX_TAPER * shapely.area(parts)]
        rows, _ = tree.query(parts, predicate="dwithin", distance=TOUCH * width)
        found.append(parts[np.bincount(rows, minlength=len(parts)) > 1])
        whole = shapely.union_all(np.append(found[-1], whole))
    return np.concatenate([*found, np.empty(0, dtype=object)])


def join_pairs(left: Ints, middle: Ints, key: Ints, value: Ints) -> tuple[Ints, Ints]:
    """Join pairs (left, middle) with pairs (key, value), key ascending, where middle == key."""
    low = np.searchsorted(key, middle, side="left")
    count = np.searchsorted(key, middle, side="right") - low
    rows = np.repeat(np.arange(len(middle)), count)
    offset = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    return left[rows], value[low[rows] + offset]


def sum_by(group: Ints, values: Floats, size: int) -> Floats:
    """Return the sum of `values` for each group number below `size`."""
    return np.bincount(group, weights=values, minlength=size).astype(np.float64)


def rows_by(group: Ints, size: int) -> list[Ints]:
    """Return, for each group number below `size`, the rows that belong to it, ascending."""
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=size))
    return np.split(order, ends[:-1]) if size else []


def unique_pairs(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """Return the distinct pairs of two columns of numbers from 0, in order."""
    size = int(right.max()) + 1 if len(right) else 1
    key = np.unique(left * size + right)
    return key // size, key % size


def _fill_outline(whole: shapely.Geometry, width: float) -> Geometries:
    """Return what closing a shape by a width fills, without the threads that rounding leaves."""
    # Round joins: mitred ones bridge a step in the outline that is lower than the width.
    grown = shapely.buffer(whole, width / 2, quad_segs=ROUND)
    closed = shapely.buffer(grown, -width / 2, quad_segs=ROUND)
    parts = shapely.get_parts(shapely.difference(closed, whole))
    shrunk = shapely.buffer(parts, -NOISE * width / 2, join_style="mitre")
    opened = shapely.buffer(shrunk, NOISE * width / 2, join_style="mitre")
    real = shapely.get_parts(shapely.intersection(parts, opened))
    return np.asarray(real[shapely.get_type_id(real) == shapely.GeometryType.POLYGON])


def _node_lines(lines: Geometries, grid_size: float | None) -> shapely.Geometry:
    if grid_size is not None:
        return _node_on_grid(lines, grid_size)
    for step in (None, *FALLBACK_STEPS_M[:-1]):
        try:
            return shapely.union_all(lines, grid_size=step)
        except shapely.GEOSException:
            continue
    return shapely.union_all(lines, grid_size=FALLBACK_STEPS_M[-1])


def _node_on_grid(lines: Geometries, grid_size: float) -> shapely.Geometry:
    """
    Node and snap lines until snapping again changes nothing.

    One pass of snap rounding can bend a line to within a step of a node it did not touch before:
    two grids then run side by side without sharing that node.
    """
    cut = shapely.union_all(lines, grid_size=grid_size)
    for _ in range(MAX_SNAPS):
        again = shapely.union_all(np.array([cut], dtype=object), grid_size=grid_size)
        same = shapely.get_num_coordinates(again) == shapely.get_num_coordinates(cut)
        if same and shapely.length(again) == shapely.length(cut):
            break
        cut = again
    return cut


def _find_cover(faces: Geometries, polygons: Geometries) -> tuple[Ints, Ints]:
    inner = shapely.point_on_surface(faces)
    shapely.prepare(polygons)
    face, grid = shapely.STRtree(polygons).query(inner, predicate="intersects")
    order = np.lexsort((grid, face))
    return face[order].astype(np.int64), grid[order].astype(np.int64)


def _pair_sides(
    a: Ints, b: Ints, owner: Ints, start: Floats, end: Floats, size: int
) -> tuple[Ints, Floats, Ints]:
    """Return, per undirected line: its faces (outside -1 second), its length, its end points."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    _, first, line = np.unique(low * size + high, return_index=True, return_inverse=True)
    faces = np.full((len(first), 2), -1, dtype=np.int64)
    is_first = np.zeros(len(a), dtype=bool)
    is_first[first] = True
    faces[line[is_first], 0] = owner[is_first]
    faces[line[~is_first], 1] = owner[~is_first]
    swap = (faces[:, 1] >= 0) & (faces[:, 0] > faces[:, 1])
    faces[swap] = faces[swap][:, ::-1]
    length = np.hypot(*(end - start)[first].T)
    return faces, length, np.column_stack([low[first], high[first]])


def _build_outline(keys: Ints, points: Floats) -> Geometries:
    """Return the polygons that the lines with nothing beyond them enclose, filled."""
    lines = shapely.linestrings(points[keys])
    rings = shapely.get_parts(shapely.polygonize(lines))
    return np.asarray(shapely.polygons(shapely.get_exterior_ring(rings)))


def _find_nodes(
    line_keys: Ints, corners: tuple[Ints, Ints], points: Floats, cover: tuple[Ints, Ints]
) -> tuple[Floats, tuple[Ints, Ints]]:
    """Return points where three or more lines meet, and the grids whose faces touch them."""
    degree = np.bincount(line_keys.ravel(), minlength=len(points))
    node_of = np.full(len(points), -1, dtype=np.int64)
    is_node = degree >= 3
    node_of[is_node] = np.arange(int(is_node.sum()))
    corner, face = corners
    at_node = node_of[corner] >= 0
    pairs = join_pairs(node_of[corner[at_node]], face[at_node], *cover)
    return points[is_node], unique_pairs(*pairs)
