"""Ownership: which grid answers for a place, by which rule, and how near the line it lies.

The owner is the first grid in rank order that covers the point, interior or boundary, special grids
before all others. Nothing is lost on the way: every point gets exactly one rule, and the
points of all owners and of nobody add up to all points.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from geodata.compiled import share_out
from geodata.errors import BadGrid, Fault
from geodata.ownership.line_tree import (
    LineTree,
    build_tree,
    find_nearest,
    flag_near,
    is_close_to,
    settle_nearest,
)
from geodata.ownership.millimetres import MM_PER_M, to_millimetres
from geodata.ownership.raster_edit import edit_index
from geodata.ownership.raster_index import RasterIndex
from geodata.ownership.raster_rows import Floats, Ints
from geodata.ownership.raster_search import (
    NEAR,
    NOBODY,
    NONE,
    RULES,
    find_point,
    find_points,
    judge_points,
)

__all__ = ["RULES", "OwnerIndex", "Ownership", "own_points", "warm"]

# How far off a place may lie and still be told its distance to the nearest grid.
SEARCH_LIMIT_M = 100_000.0
_CHUNK = 1 << 16  # points that a thread takes at a time
_WORTH_A_THREAD = 500_000  # points: 5 ms on one; starting others costs a tenth of that or more
_KIND_SPECIAL = "special"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """
    Who answers for each point, in the order of the points.

    `owner` is the rank of the grid, -1 for nobody; `rule` the place in RULES of the reason;
    `distance_m` the distance to the owner (0 when covered), for unowned points that to the nearest
    grid, NaN beyond SEARCH_LIMIT_M and without a place; `near_line` tells whether the
    owner's boundary is within the limit.
    """

    owner: NDArray[np.int32]
    rule: NDArray[np.uint8]
    distance_m: NDArray[np.float32]
    near_line: NDArray[np.bool_]


class OwnerIndex:
    """
    One drawing's finest grids, ready to say who owns a point. Built once, never changed.

    `polygons` stand in rank order (by uid, or by code as text), as polygons or multipolygons whose
    coordinates are whole millimetres in float64, so that neighbours share the same vertices.
    None, empty and zero-area ones own nothing. Grids with `special` set rank before all others.
    `find` and `find_one` work in any plane and unit; `own` takes coordinates for millimetres.
    Any number of threads may ask at a time. Raises BadGrid for coordinates that are no numbers.
    """

    def __init__(
        self,
        polygons: ArrayLike,
        *,
        special: ArrayLike | None = None,
        cells: int | None = None,
    ) -> None:
        shapes = np.asarray(polygons, dtype=object)
        first = np.zeros(len(shapes), np.bool_) if special is None else np.array(special, np.bool_)
        if first.shape != shapes.shape or shapes.ndim != 1:
            msg = f"special has shape {first.shape}, polygons have shape {shapes.shape}."
            raise ValueError(msg)
        order = np.argsort(~first, kind="stable").astype(np.int32)
        self._index = RasterIndex(shapes[order], specials=int(first.sum()), cells=cells)
        # Rank by number in the index, and at the end, where -1 points, nobody.
        self._rank = np.append(order, np.int32(NOBODY)) if first.any() else None
        self._cells = cells

    @classmethod
    def of_metres(
        cls, polygons: ArrayLike, *, special: ArrayLike | None = None, cells: int | None = None
    ) -> OwnerIndex:
        """Return the index over grids in metres, rounded to whole millimetres first."""
        shapes = np.asarray(polygons, dtype=object)
        whole = shapely.transform(shapes, lambda coords: np.rint(coords * MM_PER_M))
        return cls(whole, special=special, cells=cells)

    def replace(self, changes: Mapping[int, Any]) -> OwnerIndex:
        """
        Return the index after an edit: other polygons for some ranks, None to take one away.

        Only the cells around the old and the new shapes are made anew; the answers are those of
        an index built anew. This index stays as it is.
        """
        numbers = {rank: rank for rank in changes}
        if self._rank is not None:
            place = {int(rank): number for number, rank in enumerate(self._rank[:-1])}
            numbers = {rank: place[rank] for rank in changes}
        shapes = self._index.polygons.copy()
        for rank, shape in changes.items():
            shapes[numbers[rank]] = shape
        index = edit_index(self._index, shapes, numbers.values())
        if index is None:
            specials = self._index.raster.specials
            index = RasterIndex(shapes, specials=specials, cells=self._cells)
        made = OwnerIndex.__new__(OwnerIndex)
        made._index, made._rank, made._cells = index, self._rank, self._cells
        return made

    @property
    def nbytes(self) -> int:
        """Memory held for finding owners, in bytes."""
        return self._index.nbytes

    def find(self, x: ArrayLike, y: ArrayLike, *, threads: int = 1) -> Ints:
        """
        Return the rank of each point's owner, -1 for nobody.

        `x`, `y` (n,) in the grids' plane and unit; any double, a NaN or infinity owns to nobody.
        The answer is exact: what real arithmetic gives for these very doubles.
        """
        xs, ys = _read_points(x, y)
        owner = np.empty(len(xs), np.int32)
        share_out(
            lambda part: find_points(xs[part], ys[part], self._index.raster, owner[part]),
            len(xs),
            threads=threads if len(xs) >= _WORTH_A_THREAD else 1,
            chunk=_CHUNK,
        )
        return self._to_rank(owner)

    def find_one(self, x: float, y: float) -> int:
        """Return the rank of one point's owner, -1 for nobody, in about two microseconds."""
        found = find_point(float(x), float(y), self._index.raster)
        return found if self._rank is None else int(self._rank[found])

    def own(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        near_m: float = 0.0,
        near_line_m: float | None = 15.0,
        threads: int = 1,
    ) -> Ownership:
        """
        Return each point's owner, the rule, the distance in metres and the near-line flag.

        `x`, `y` (n,) in millimetres. A point that no grid covers goes to the nearest one within
        `near_m` (of equally near ones to the first); 0 gives it to nobody. Where `near_line_m` is
        None nobody asks for the flag: it is False. Raises ValueError for limits that are no
        distances.
        """
        if not (0 <= near_m < np.inf and 0 <= (near_line_m or 0.0) < np.inf):
            msg = f"near_m is {near_m}, near_line_m is {near_line_m}: both must be 0 or more."
            raise ValueError(msg)
        xs, ys = _read_points(x, y)
        owner, rule = np.empty(len(xs), np.int32), np.empty(len(xs), np.uint8)
        near_line = np.empty(len(xs), np.bool_)
        # STEP 1: who covers the point
        share_out(
            lambda part: judge_points(
                xs[part], ys[part], self._index.raster, owner[part], rule[part]
            ),
            len(xs),
            threads=threads,
            chunk=_CHUNK,
        )
        # STEP 2: how far off those are whom nobody covers
        distance_m = np.where(owner == NOBODY, np.float32(np.nan), np.float32(0))
        left = np.flatnonzero(rule == NONE)
        if len(left):
            nearest, distance = self._search(xs[left], ys[left], near_m * MM_PER_M, threads)
            distance_m[left] = distance / MM_PER_M
            taken = nearest >= 0
            owner[left[taken]] = nearest[taken]
            rule[left[taken]] = NEAR
        # STEP 3: how near the owner's line they are
        if near_line_m is None:
            near_line[:] = False
            return Ownership(
                owner=self._to_rank(owner), rule=rule, distance_m=distance_m, near_line=near_line
            )
        frame, maybe = self._index.raster.frame, self._near_lines(near_line_m * MM_PER_M)
        share_out(
            lambda part: flag_near(
                xs[part],
                ys[part],
                owner[part],
                near_line_m * MM_PER_M,
                self._tree,
                frame,
                maybe,
                near_line[part],
            ),
            len(xs),
            threads=threads,
            chunk=_CHUNK,
        )
        return Ownership(
            owner=self._to_rank(owner), rule=rule, distance_m=distance_m, near_line=near_line
        )

    @cached_property
    def _tree(self) -> LineTree:
        edges = self._index.edges[self._index.steps]
        return build_tree(edges, self._index.owners, self._index.raster.polygons)

    def _near_lines(self, limit: float) -> NDArray[np.bool_]:
        """Return the coarse cells near lines; those of the last limit are kept."""
        kept = self.__dict__.get("_kept_near")
        if kept is None or kept[0] != limit:
            kept = self._kept_near = limit, self._index.cells_near_lines(limit)
        return kept[1]

    def _search(self, x: Floats, y: Floats, near: float, threads: int) -> tuple[Ints, Floats]:
        """Return the nearest grid within `near`, -1 for none, and the distance to the nearest."""
        nearest, distance = np.empty(len(x), np.int32), np.empty(len(x))
        unsure = np.empty(len(x), np.bool_)
        reach = max(SEARCH_LIMIT_M * MM_PER_M, 2 * near)
        tree = self._tree
        share_out(
            lambda part: find_nearest(
                x[part], y[part], reach, tree, nearest[part], distance[part], unsure[part]
            ),
            len(x),
            threads=threads,
            chunk=_CHUNK,
        )
        within = (nearest >= 0) & (distance <= near) & (near > 0)
        if near > 0:
            on_limit = is_close_to(distance, near)
            for i in np.flatnonzero((unsure & within) | on_limit):
                nearest[i], within[i] = settle_nearest(
                    x[i], y[i], distance=distance[i], limit=near, tree=tree
                )
        nearest[~within] = NOBODY
        return nearest, distance

    def _to_rank(self, owner: Ints) -> Ints:
        return owner if self._rank is None else self._rank[owner]


def own_points(
    points: gpd.GeoDataFrame | gpd.GeoSeries | tuple[ArrayLike, ArrayLike],
    grids: gpd.GeoDataFrame,
    *,
    near_m: float = 0.0,
    near_line_m: float = 15.0,
    threads: int | None = None,
) -> pd.DataFrame:
    """
    Return the owner of each point as a table with the points' own index and order.

    `points` are point geometries in the coordinate system of `grids`, or their x and y in metres;
    what is no point has no place. `grids` are the grids of one level in metres, with `code`, and
    `uid` and `kind` where known; ranked by uid, else by code as text, whatever their order.
    Columns: owner (row of `grids`, -1 nobody), grid_code (None for nobody), rule, distance_m,
    near_line. Raises BadGrid for a missing code column or coordinate systems that do not fit.
    """
    # STEP 1: checks
    _check_frames(points, grids)
    # STEP 2: grids in rank order, all on whole millimetres
    order = _rank_rows(grids)
    special = None
    if "kind" in grids.columns:
        special = (grids["kind"] == _KIND_SPECIAL).to_numpy()[order]
    index = OwnerIndex.of_metres(grids.geometry.to_numpy()[order], special=special)
    if isinstance(points, tuple):
        x_m, y_m = _read_points(*points)
        names: pd.Index[Any] = pd.RangeIndex(len(x_m))
    else:
        shapes = points.geometry.to_numpy()
        shapes = np.where(shapely.is_empty(shapes), None, shapes)  # an empty point has no x to get
        x_m, y_m, names = shapely.get_x(shapes), shapely.get_y(shapes), points.index
    # STEP 3: owners, back to rows
    owned = index.own(
        to_millimetres(x_m),
        to_millimetres(y_m),
        near_m=near_m,
        near_line_m=near_line_m,
        threads=threads or os.cpu_count() or 1,
    )
    owner = np.append(order, NOBODY)[owned.owner]
    codes = np.array([*grids["code"].astype(str), None], object)
    return pd.DataFrame(
        {
            "owner": owner,
            "grid_code": pd.array(codes[owner], dtype="str"),
            "rule": pd.Categorical.from_codes(owned.rule.astype(np.int8), categories=list(RULES)),
            "distance_m": owned.distance_m,
            "near_line": owned.near_line,
        },
        index=names,
    )


def warm() -> None:
    """Compile every kernel of ownership and keep the machine code on disk, for set-up."""
    polygons = shapely.box([0, 10_000, 0], [0, 0, 5_000], [10_000, 20_000, 9_000], 10_000)
    index = OwnerIndex(polygons, special=[False, False, True])
    x = np.linspace(-5_000, 25_000, 40)
    index.find(x, x)
    index.find_one(5_000, 5_000)
    index.own(np.append(x, 21_000), np.append(x, 5_000), near_m=1, near_line_m=1)
    index.replace({1: shapely.box(10_000, 0, 19_000, 9_000)}).find(x, x)


def _check_frames(points: object, grids: gpd.GeoDataFrame) -> None:
    faults = []
    if "code" not in grids.columns:
        faults.append(Fault(key="grid_no_code", values={"columns": ", ".join(grids.columns)}))
    if grids.crs is None or not grids.crs.is_projected:
        name = "" if grids.crs is None else grids.crs.name
        faults.append(Fault(key="grid_crs_not_metric", values={"crs": name}))
    elif not isinstance(points, tuple):
        system = getattr(points, "crs", None)
        if system != grids.crs:
            name = "" if system is None else system.name
            values = {"points": name, "grids": grids.crs.name}
            faults.append(Fault(key="ownership_crs_differs", values=values))
    if faults:
        raise BadGrid(faults)


def _rank_rows(grids: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Return the rows of `grids` by uid, else by code as text."""
    if "uid" in grids.columns:
        return np.argsort(grids["uid"].to_numpy(np.int64), kind="stable")
    return np.argsort(grids["code"].astype(str).to_numpy(str), kind="stable")


def _read_points(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as read-only arrays: a kernel is compiled for one kind of array, once."""
    xs, ys = (np.require(part, np.float64, ("C", "A")).view() for part in (x, y))
    if xs.ndim != 1 or xs.shape != ys.shape:
        msg = f"x has shape {xs.shape}, y has shape {ys.shape}: both must be (n,)."
        raise ValueError(msg)
    xs.flags.writeable = ys.flags.writeable = False
    return xs, ys
