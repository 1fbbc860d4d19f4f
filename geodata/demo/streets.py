"""The street network: planned roads first, then blocks cut smaller and smaller by lesser streets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.ground import Floats, Ground, Waves, make_waves
from geodata.demo.plan import Plan

MM = 0.001  # metres: the precision of every coordinate
RANKS: tuple[str, ...] = (
    "outline", "river", "canal", "expressway", "arterial", "collector", "local", "path",
)  # fmt: skip
ROAD_HALF_WIDTH_M = {
    "expressway": 22.0,
    "arterial": 17.0,
    "collector": 10.0,
    "local": 6.0,
    "path": 2.5,
}

_COURSE_STEP_M = 30.0
_CROOK_STEP_M = 45.0
_FAR_M = 20_000.0
_OVERSHOOT_M = 0.05
_STUB_M = 150.0
_SLIVER_M2 = 120.0
_LARGE_BLOCK_M2 = 200_000.0  # above it the cut is a collector street
_STREET_BLOCK_M2 = 36_000.0  # above it a street, below it a lane of an estate
_UNIT_TARGET_M2 = 75_000.0  # the blocks that communities are made of

Shapes = NDArray[np.object_]
Ranks = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Street lines in local metres with their rank (position in `RANKS`) and name ('' for none)."""

    shapes: Shapes
    rank: Ranks
    name: Shapes
    bridge: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """
    The streets and the faces between them, in local metres, whole millimetres.

    `cells` tile the outline exactly; `unit_of` and `quarter_of` say which larger block (bounded by
    collectors) and which superblock (bounded by arterials and water) a cell lies in.
    """

    outline: shapely.Polygon
    lines: Lines
    cells: Shapes
    unit_of: NDArray[np.int64]
    quarter_of: NDArray[np.int64]
    reserved_of: NDArray[np.int64]  # per cell: position of its site in the plan, -1 none
    u: Floats  # plan coordinates of each cell
    v: Floats


def rank_of(name: str) -> int:
    """Return the position of a rank in `RANKS`."""
    return RANKS.index(name)


def draw_outline(plan: Plan, rng: np.random.Generator) -> shapely.Polygon:
    """Return the city's outline: corners and straight runs as of old ditches, area as planned."""
    turns = np.sort(np.linspace(0, 2 * np.pi, 46, endpoint=False) + rng.uniform(-0.05, 0.05, 46))
    swell = 1 + 0.055 * np.sin(3 * turns + rng.uniform(0, 6)) + 0.04 * np.sin(5 * turns + 2)
    swell += rng.normal(0, 0.018, len(turns))
    squared = (np.abs(np.cos(turns)) ** 2.8 + np.abs(np.sin(turns)) ** 2.8) ** (-1 / 2.8)
    radius_x, radius_y = plan.radius_m
    ring = np.c_[
        radius_x * squared * swell * np.cos(turns), radius_y * squared * swell * np.sin(turns)
    ]
    rough = shapely.Polygon(ring)
    ring = ring * np.sqrt(plan.area_m2 / rough.area)
    ring -= np.asarray(shapely.Polygon(ring).centroid.coords)[0]
    return shapely.Polygon(np.rint(ring * 1000) / 1000)


def bend(ground: Ground, course: Floats) -> shapely.LineString:
    """Return a course in plan coordinates as a line in local metres."""
    dense = shapely.get_coordinates(shapely.segmentize(shapely.LineString(course), _COURSE_STEP_M))
    x, y = ground.to_local(dense[:, 0], dense[:, 1])
    return shapely.simplify(shapely.LineString(np.c_[x, y]), 0.3)


def round_corners(course: Floats, *, closed: bool, passes: int = 3) -> Floats:
    """Return a course with its corners cut round (Chaikin)."""
    for _ in range(passes):
        follow = np.roll(course, -1, axis=0) if closed else course[1:]
        lead = course if closed else course[:-1]
        cut = np.empty((2 * len(lead), 2))
        cut[0::2] = 0.75 * lead + 0.25 * follow
        cut[1::2] = 0.25 * lead + 0.75 * follow
        course = cut if closed else np.r_[course[:1], cut[1:-1], course[-1:]]
    return np.r_[course, course[:1]] if closed else course


def plan_lines(plan: Plan, ground: Ground, outline: shapely.Polygon) -> Lines:
    """Return the lines on the drawing board, bent to the ground and clipped to the outline."""
    reach = 3 * max(plan.radius_m)
    shapes = [outline.exterior, bend(ground, np.array([(-reach, 0.0), (reach, 0.0)]))]
    ranks, names, bridges = ["outline", "river"], ["", ""], [True, True]
    for canal in plan.canals:
        shapes.append(bend(ground, round_corners(np.array(canal, float), closed=False)))
        ranks.append("canal")
        names.append("")
        bridges.append(True)
    for road in plan.roads:
        course = np.array(road.course, float)
        if len(course) > 2:
            course = round_corners(course, closed=road.closed)
        shapes.append(bend(ground, course))
        ranks.append(road.rank)
        names.append(road.name)
        bridges.append(road.bridge)
    clipped = np.array(shapes, dtype=object)
    clipped[1:] = shapely.intersection(clipped[1:], outline)
    return Lines(
        shapes=clipped,
        rank=np.array([rank_of(rank) for rank in ranks], np.int8),
        name=np.array(names, object),
        bridge=np.array(bridges),
    )


def node_faces(shapes: Shapes) -> tuple[Shapes, Shapes]:
    """Return the noded edges of lines and the faces between them, on whole millimetres."""
    edges = shapely.get_parts(shapely.union_all(shapes, grid_size=MM))
    faces = shapely.get_parts(shapely.polygonize(edges))
    return edges[shapely.length(edges) > 1.5 * _OVERSHOOT_M], faces


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
) -> tuple[Shapes, Shapes, Floats]:
    """
    Cut each face across its long side until it is at most about its target area.

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
        knives, near_side = _cut_across(todo, rng, jitter=jitter, tilt=tilt)
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
    faces: Shapes, rng: np.random.Generator, *, jitter: float, tilt: float
) -> tuple[Shapes, Shapes]:
    corners = shapely.get_coordinates(shapely.oriented_envelope(faces)).reshape(-1, 5, 2)
    side_a, side_b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    a_longer = np.hypot(*side_a.T) >= np.hypot(*side_b.T)
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


def build_network(
    plan: Plan,
    ground: Ground,
    rng: np.random.Generator,
    *,
    cell_target: Callable[[Floats, Floats], Floats],
) -> Network:
    """
    Return the whole street network of a plan.

    `cell_target(u, v)` gives the wanted area of the smallest blocks in m2 at plan coordinates.
    """
    outline = draw_outline(plan, rng)
    planned = plan_lines(plan, ground, outline)
    _, quarters = node_faces(planned.shapes)
    keep_whole = _faces_of_sites(plan, ground, quarters, whole=True)
    split = np.setdiff1d(np.arange(len(quarters)), keep_whole)

    def unit_target(faces: Shapes) -> Floats:
        return np.full(len(faces), _UNIT_TARGET_M2 * plan.cell_scale)

    def small_target(faces: Shapes) -> Floats:
        middle = shapely.get_coordinates(shapely.centroid(faces))
        return cell_target(*ground.to_plan(middle[:, 0], middle[:, 1]))

    units, unit_cuts, unit_areas = split_blocks(
        quarters[split], rng, target_m2=unit_target, jitter=0.05, tilt=0.02
    )
    keep_unit = _faces_of_sites(plan, ground, units, whole=False)
    cell_parent = np.setdiff1d(np.arange(len(units)), keep_unit)
    _, cell_cuts, cell_areas = split_blocks(
        units[cell_parent], rng, target_m2=small_target, jitter=0.09, tilt=0.035
    )
    scale = plan.cell_scale
    cut_rank = np.r_[
        np.where(unit_areas > _LARGE_BLOCK_M2 * scale, rank_of("collector"), rank_of("local")),
        np.where(cell_areas > _STREET_BLOCK_M2 * scale, rank_of("local"), rank_of("path")),
    ].astype(np.int8)
    cuts = np.r_[unit_cuts, cell_cuts]
    lines = Lines(
        shapes=np.r_[planned.shapes, cuts],
        rank=np.r_[planned.rank, cut_rank],
        name=np.r_[planned.name, np.full(len(cuts), "", object)],
        bridge=np.r_[planned.bridge, np.zeros(len(cuts), bool)],
    )
    crook = (
        make_waves(rng, length_m=210.0, height=4.0),
        make_waves(rng, length_m=210.0, height=4.0),
    )
    return _settle(
        plan,
        ground,
        outline,
        lines,
        crook,
        n_planned=len(planned.shapes),
        n_unit_cuts=len(unit_cuts),
    )


def _faces_of_sites(plan: Plan, ground: Ground, faces: Shapes, *, whole: bool) -> NDArray[np.int64]:
    points = site_points(plan, ground, whole=whole)
    return np.unique(shapely.STRtree(faces).query(points, predicate="within")[1])


def site_points(plan: Plan, ground: Ground, *, whole: bool | None = None) -> Shapes:
    """Return the points of the plan's sites in local metres (only those kept whole, or not)."""
    chosen = [site.at for site in plan.sites if whole is None or site.whole == whole]
    at = np.array(chosen, float).reshape(-1, 2)
    return np.asarray(shapely.points(*ground.to_local(at[:, 0], at[:, 1])), dtype=object).reshape(
        -1
    )


def _settle(
    plan: Plan,
    ground: Ground,
    outline: shapely.Polygon,
    lines: Lines,
    crook: tuple[Waves, Waves],
    *,
    n_planned: int,
    n_unit_cuts: int,
) -> Network:
    """Node all lines, make them a little crooked, and take the faces."""
    edges = _drop_stubs(node_faces(lines.shapes)[0])
    source = _source_of(edges, lines)
    rank = lines.rank[source]
    bent = _crook(edges, rank, crook, outline)
    cells = absorb_slivers(node_faces(bent)[1])
    is_quarter = source < n_planned
    is_unit = source < n_planned + n_unit_cuts
    middle = shapely.point_on_surface(cells)
    unit_of = _locate(bent[is_unit], middle)
    quarter_of = _locate(bent[is_quarter], middle)
    at = shapely.get_coordinates(shapely.centroid(cells))
    u, v = ground.to_plan(at[:, 0], at[:, 1])
    return Network(
        outline=outline,
        lines=Lines(shapes=bent, rank=rank, name=lines.name[source], bridge=lines.bridge[source]),
        cells=cells,
        unit_of=unit_of,
        quarter_of=quarter_of,
        reserved_of=_reserve(plan, ground, cells, unit_of, quarter_of),
        u=u,
        v=v,
    )


def _reserve(
    plan: Plan,
    ground: Ground,
    cells: Shapes,
    unit_of: NDArray[np.int64],
    quarter_of: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return per cell the site that its block is kept for, -1 none."""
    reserved = np.full(len(cells), -1, np.int64)
    points = site_points(plan, ground)
    which, inside = shapely.STRtree(cells).query(points, predicate="within")
    for site, cell in zip(which, inside, strict=True):
        of = quarter_of if plan.sites[site].whole else unit_of
        reserved[of == of[cell]] = site
    return reserved


def _drop_stubs(edges: Shapes) -> Shapes:
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
    return edges[~(loose & (shapely.length(edges) < _STUB_M))]


def _source_of(edges: Shapes, lines: Lines) -> NDArray[np.int64]:
    """Return the most important line on which each noded edge lies."""
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    edge, line = shapely.STRtree(lines.shapes).query(middle, predicate="dwithin", distance=0.02)
    order = np.lexsort((line, lines.rank[line], edge))
    first = np.unique(edge[order], return_index=True)[1]
    source = shapely.STRtree(lines.shapes).nearest(middle)
    source[edge[order][first]] = line[order][first]
    return source


def _crook(
    edges: Shapes, rank: Ranks, crook: tuple[Waves, Waves], outline: shapely.Polygon
) -> Shapes:
    """Move every line a little by a smooth field, still on whole mm; the outline stays."""
    dense = edges.copy()
    small = rank >= rank_of("collector")
    dense[small] = shapely.segmentize(edges[small], _CROOK_STEP_M)
    xy, which = shapely.get_coordinates(dense, return_index=True)
    away = shapely.distance(shapely.points(xy), outline.exterior)
    ease = np.clip(away / 120.0, 0, 1)
    moved = xy + np.c_[crook[0].at(*xy.T), crook[1].at(*xy.T)] * ease[:, None]
    return np.asarray(shapely.linestrings(np.rint(moved * 1000) / 1000, indices=which), object)


def _locate(edges: Shapes, points: Shapes) -> NDArray[np.int64]:
    faces = shapely.get_parts(shapely.polygonize(edges))
    found = np.full(len(points), -1, np.int64)
    point, face = shapely.STRtree(faces).query(points, predicate="within")
    found[point] = face
    lost = np.flatnonzero(found < 0)
    if len(lost):
        found[lost] = shapely.STRtree(faces).nearest(points[lost])
    return found
