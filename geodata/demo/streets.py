"""The street network: planned roads first, then blocks cut smaller by lesser streets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.blobs import draw_blob
from geodata.demo.blocks import Shapes, absorb_slivers, drop_stubs, node_faces, split_blocks
from geodata.demo.ground import Floats, Ground, Waves, make_waves
from geodata.demo.outline import draw_outline
from geodata.demo.plan import Canal, Plan, Road

RANKS: tuple[str, ...] = (
    "outline", "river", "canal", "rail", "expressway", "arterial", "collector", "local", "path",
    "fence",
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
_CROOK_LENGTH_M = 210.0
_CROOK_M = 3.5
_SWAY_LENGTH_M = 1500.0
_SWAY_M = 80.0
_SWAY_EASE_M = 900.0
_NATURAL = [RANKS.index(name) for name in ("outline", "river", "fence")]
_LARGE_BLOCK_M2 = 200_000.0  # above it the cut is a collector street
_STREET_BLOCK_M2 = 36_000.0  # above it a street, below it a lane of an estate

Ranks = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Street lines in local metres with their rank (position in `RANKS`) and name ('' for none)."""

    shapes: Shapes
    rank: Ranks
    name: Shapes
    bridge: NDArray[np.bool_]
    tier: Ranks  # 0 bounds superblocks, 1 the larger blocks in them, 2 the smallest ones


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


def bend_road(ground: Ground, road: Road) -> shapely.LineString:
    """Return a planned road as a line in local metres."""
    course: Floats = np.array(road.course, float)
    if len(course) > 2 and not road.sharp:
        course = round_corners(course, closed=road.closed)
    elif road.closed:
        course = np.r_[course, course[:1]]
    return bend(ground, course)


def bend_canal(ground: Ground, canal: Canal) -> shapely.LineString:
    """Return the axis of a canal in local metres."""
    return bend(ground, round_corners(np.array(canal.course, float), closed=canal.closed))


def plan_lines(plan: Plan, ground: Ground, outline: shapely.Polygon) -> Lines:
    """Return the lines on the drawing board, bent to the ground and clipped to the outline."""
    reach = 3 * max(plan.radius_m)
    shapes, ranks, names, bridges = [outline.exterior], ["outline"], [""], [True]
    if plan.river:
        shapes.append(bend(ground, np.array([(-reach, 0.0), (reach, 0.0)])))
        ranks.append("river")
        names.append("")
        bridges.append(True)
    for canal in plan.canals:
        shapes.append(bend_canal(ground, canal))
        ranks.append("canal")
        names.append("")
        bridges.append(True)
    for rank, blobs in (("canal", plan.lakes), ("fence", plan.hills)):
        edges = [shapely.boundary(draw_blob(ground, one)) for one in blobs if one.shore]
        shapes += edges
        ranks += [rank] * len(edges)
        names += [""] * len(edges)
        bridges += [False] * len(edges)
    for road in plan.roads:
        if road.raised:
            continue
        shapes.append(bend_road(ground, road))
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
        tier=np.zeros(len(clipped), np.int8),
    )


def build_network(
    plan: Plan,
    ground: Ground,
    rng: np.random.Generator,
    *,
    unit_target: Callable[[Shapes], Floats],
    cell_target: Callable[[Shapes], Floats],
    is_wild: Callable[[Floats, Floats], NDArray[np.bool_]],
) -> Network:
    """
    Return the whole street network of a plan.

    `unit_target` and `cell_target` give the wanted area in m2 of the larger and of the smallest
    blocks that a face is cut into; `is_wild(x, y)` tells where land is parted but has no streets.
    """
    outline = draw_outline(plan, ground, rng)
    planned = plan_lines(plan, ground, outline)
    _, quarters = node_faces(planned.shapes)
    quarters = absorb_slivers(quarters)
    keep_whole = _faces_of_sites(plan, ground, quarters, whole=True)
    split = np.setdiff1d(np.arange(len(quarters)), keep_whole)

    units, unit_cuts, unit_areas = split_blocks(
        quarters[split], rng, target_m2=unit_target, jitter=0.05, tilt=0.02, shape=plan.block_shape
    )
    keep_unit = _faces_of_sites(plan, ground, units, whole=False)
    cell_parent = np.setdiff1d(np.arange(len(units)), keep_unit)
    _, cell_cuts, cell_areas = split_blocks(
        units[cell_parent], rng, target_m2=cell_target, jitter=0.09, tilt=0.03,
        shape=plan.block_shape,
    )  # fmt: skip
    lines = _join_lines(
        planned,
        _cut_lines(plan, unit_cuts, unit_areas, 1, rng),
        _cut_lines(plan, cell_cuts, cell_areas, 2, rng),
    )
    crook = (
        make_waves(rng, length_m=_CROOK_LENGTH_M, height=_CROOK_M),
        make_waves(rng, length_m=_CROOK_LENGTH_M, height=_CROOK_M),
    )
    sway = (
        make_waves(rng, length_m=_SWAY_LENGTH_M, height=_SWAY_M),
        make_waves(rng, length_m=_SWAY_LENGTH_M, height=_SWAY_M),
    )
    return _settle(plan, ground, outline, lines, (crook, sway), is_wild)


def _cut_lines(
    plan: Plan, cuts: Shapes, areas: Floats, tier: int, rng: np.random.Generator
) -> Lines:
    """Return cuts as streets: the larger the block they cut, the more important; some are named."""
    bounds = (
        (_LARGE_BLOCK_M2, "collector", "local")
        if tier == 1
        else (_STREET_BLOCK_M2, "local", "path")
    )
    rank = np.where(areas > bounds[0] * plan.cell_scale, rank_of(bounds[1]), rank_of(bounds[2]))
    name = np.full(len(cuts), "", object)
    main = np.flatnonzero(rank == rank_of("collector"))
    pool = np.array(plan.names.roads, object)
    name[main] = np.resize(rng.permutation(pool), len(main))
    return Lines(
        shapes=cuts,
        rank=rank.astype(np.int8),
        name=name,
        bridge=np.zeros(len(cuts), bool),
        tier=np.full(len(cuts), tier, np.int8),
    )


def _join_lines(*parts: Lines) -> Lines:
    return Lines(
        shapes=np.concatenate([part.shapes for part in parts]),
        rank=np.concatenate([part.rank for part in parts]),
        name=np.concatenate([part.name for part in parts]),
        bridge=np.concatenate([part.bridge for part in parts]),
        tier=np.concatenate([part.tier for part in parts]),
    )


def _take_lines(lines: Lines, source: NDArray[np.int64], shapes: Shapes) -> Lines:
    """Return new shapes with what is known of the lines they come from."""
    return Lines(
        shapes=shapes,
        rank=lines.rank[source],
        name=lines.name[source],
        bridge=lines.bridge[source],
        tier=lines.tier[source],
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
    crook: tuple[tuple[Waves, Waves], tuple[Waves, Waves]],
    is_wild: Callable[[Floats, Floats], NDArray[np.bool_]],
) -> Network:
    """Node all lines, make them a little crooked, and take the faces."""
    edges = drop_stubs(node_faces(lines.shapes)[0])
    cut = _fence_in(_take_lines(lines, _source_of(edges, lines), edges), is_wild)
    bent = replace(
        cut, shapes=_sway(_crook(edges, cut.rank, crook[0], outline), cut.rank, crook[1])
    )
    edges, cells = node_faces(bent.shapes)
    cells = absorb_slivers(cells)
    final = _take_lines(bent, _source_of(edges, bent), edges)
    middle = shapely.point_on_surface(cells)
    unit_of = _locate(final.shapes[final.tier <= 1], middle)
    # townships of herders meet at rivers and ridges, not at a road
    bounds = (final.tier == 0) & (np.isin(final.rank, _NATURAL) | (not plan.pasture))
    quarter_of = _locate(final.shapes[bounds], middle)
    at = shapely.get_coordinates(shapely.centroid(cells))
    u, v = ground.to_plan(at[:, 0], at[:, 1])
    return Network(
        outline=outline,
        lines=final,
        cells=cells,
        unit_of=unit_of,
        quarter_of=quarter_of,
        reserved_of=_reserve(plan, ground, cells, unit_of, quarter_of),
        u=u,
        v=v,
    )


def _fence_in(lines: Lines, is_wild: Callable[[Floats, Floats], NDArray[np.bool_]]) -> Lines:
    """Return the lines, those that would be streets where no streets are as fences."""
    middle = shapely.line_interpolate_point(lines.shapes, 0.5, normalized=True)
    wild = (lines.tier > 0) & is_wild(*shapely.get_coordinates(middle).T)
    return replace(lines, rank=np.where(wild, rank_of("fence"), lines.rank).astype(np.int8))


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


def _source_of(edges: Shapes, lines: Lines) -> NDArray[np.int64]:
    """Return the most important line on which each noded edge lies."""
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    edge, line = shapely.STRtree(lines.shapes).query(middle, predicate="dwithin", distance=0.02)
    order = np.lexsort((line, lines.rank[line], edge))
    first = np.unique(edge[order], return_index=True)[1]
    source = shapely.STRtree(lines.shapes).nearest(middle)
    source[edge[order][first]] = line[order][first]
    return np.asarray(source, np.int64)


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


def _sway(edges: Shapes, rank: Ranks, sway: tuple[Waves, Waves]) -> Shapes:
    """Move the fences far from any street as ridges and streams run; the others stay."""
    fence = rank == rank_of("fence")
    if not fence.any():
        return edges
    fixed = shapely.STRtree(edges[~fence])
    xy, which = shapely.get_coordinates(edges, return_index=True)
    free = np.flatnonzero(fence[which])
    gap = fixed.query_nearest(shapely.points(xy[free]), return_distance=True, all_matches=False)[1]
    ease = np.clip(gap / _SWAY_EASE_M, 0, 1)[:, None]
    xy[free] += np.c_[sway[0].at(*xy[free].T), sway[1].at(*xy[free].T)] * ease
    return np.asarray(shapely.linestrings(np.rint(xy * 1000) / 1000, indices=which), object)


def _locate(edges: Shapes, points: Shapes) -> NDArray[np.int64]:
    faces = shapely.get_parts(shapely.polygonize(edges))
    found = np.full(len(points), -1, np.int64)
    point, face = shapely.STRtree(faces).query(points, predicate="within")
    found[point] = face
    lost = np.flatnonzero(found < 0)
    if len(lost):
        found[lost] = shapely.STRtree(faces).nearest(points[lost])
    return found
