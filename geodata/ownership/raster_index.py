"""Raster index: polygons made ready to be asked who covers a point."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from geodata.errors import BadGrid, Fault
from geodata.ownership import raster_cells, raster_pack, raster_rows
from geodata.ownership.raster_rows import SHIFT, SIDE, Floats, Ints
from geodata.ownership.raster_search import INSIDE, OVERLAP, SPECIAL, Raster

# Coordinates beyond this are no places; within it whole numbers are exact.
FARTHEST = 2.0**52
# Words of records are numbered in 29 bits; a corner takes 25 at the most.
MOST_CORNERS = 20_000_000


class RasterIndex:
    """
    The raster over polygons in rank order, special ones first; ready to be asked, never changed.

    `polygons` (n,): shapely polygons or multipolygons in any one plane; None, empty ones and those
    without area own nothing. `cells` is the number of fine cells along a side (a multiple
    of 8), chosen by the edges when not given. Raises BadGrid for coordinates that are no numbers,
    and for more than MOST_CORNERS.
    """

    def __init__(
        self, polygons: NDArray[Any], *, specials: int = 0, cells: int | None = None
    ) -> None:
        live = shapely.area(polygons) > 0  # None has the area NaN
        self.polygons = polygons
        self.edges, self.steps, self.owners = read_edges(polygons, live)
        count = len(polygons)
        self.frame: raster_rows.Frame | None = None
        if not len(self.edges):
            self.raster = _empty_raster(count, specials)
            return
        frame = raster_rows.choose_frame(self.edges, self.steps, cells=cells)
        self.frame = frame
        ends = raster_rows.place_ends(self.edges, frame)
        rows = raster_rows.sort_rows(self.edges, ends, self.steps, self.owners, count, frame)
        filled = raster_cells.open_cells(rows, frame)
        table = raster_cells.fill_cells(self.edges, ends, rows, filled, frame)
        divisions = raster_rows.count_divisions(self.edges, frame)
        codes, lines, words, table = raster_pack.pack_cells(
            self.edges, filled, table, frame, divisions
        )
        x1, y1 = self.edges[:, 2].max(), self.edges[:, 1::2].max()
        bounds = [frame.x0, frame.y0, frame.per_x, frame.per_y, x1, y1, frame.nx, frame.ny]
        self.raster = Raster(
            frame=np.array([*bounds, len(filled.coarse) - 1], np.float64),
            coarse=filled.coarse,
            codes=codes,
            lines=lines,
            words=words,
            edges=self.edges,
            sets=count_sets(table, count, specials),
            polygons=count,
            specials=specials,
        )

    @classmethod
    def of_parts(
        cls,
        polygons: NDArray[Any],
        *,
        raster: Raster,
        frame: raster_rows.Frame,
        steps: Ints,
        owners: Ints,
    ) -> RasterIndex:
        """Return the index of parts made elsewhere; `steps` number the edges of `raster`."""
        made = cls.__new__(cls)
        made.polygons, made.raster, made.frame = polygons, raster, frame
        made.edges, made.steps, made.owners = raster.edges, steps, owners
        return made

    def cells_near_lines(self, limit: float) -> NDArray[np.bool_]:
        """Return for each coarse cell (rows, columns) whether a line may be within `limit`."""
        frame = self.raster.frame
        shape = (int(frame[7]) >> SHIFT, int(frame[6]) >> SHIFT)
        passed = self.raster.coarse[:-1].reshape(shape) < -1
        reach = [
            2 * min(int(limit * per) // SIDE + 2, side) + 1
            for per, side in zip(frame[[3, 2]], shape, strict=True)
        ]
        return np.asarray(maximum_filter(passed, size=reach, mode="constant"), np.bool_)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        arrays = [part for part in self.raster if isinstance(part, np.ndarray)]
        return sum(array.nbytes for array in [*arrays, self.steps, self.owners])


def read_edges(polygons: NDArray[Any], live: NDArray[np.bool_]) -> tuple[Floats, Ints, Ints]:
    """
    Return the distinct edges of the `live` polygons, and per step its edge and its polygon.

    Raises BadGrid for coordinates that are no numbers, and for more than MOST_CORNERS.
    """
    numbers = np.flatnonzero(live)
    parts, polygon = shapely.get_parts(polygons[numbers], return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    if not (np.abs(coords) <= FARTHEST).all():
        raise BadGrid(Fault(key="ownership_no_number"))
    if len(coords) > MOST_CORNERS:
        values = {"corners": len(coords), "most": MOST_CORNERS}
        raise BadGrid(Fault(key="ownership_too_many_corners", values=values))
    edges, steps, owners = raster_rows.collect_edges(coords, ring, numbers[polygon[part]])
    return edges, steps, owners


def count_sets(table: Ints, polygons: int, specials: int) -> Ints:
    """Return first member, special and general members and rule of each set."""
    sets = np.zeros((4, table.shape[1]), np.int32)
    sets[0] = table[1]
    sets[1] = table[1] < specials
    sets[2] = table[1] >= specials
    for s in range(polygons, table.shape[1]):  # a set stands after the one it grew from
        sets[0, s] = min(sets[0, s], sets[0, table[0, s]])
        sets[1:3, s] += sets[1:3, table[0, s]]
    both = (sets[1] > 0) & (sets[2] > 0)
    sets[3] = np.where(both, SPECIAL, np.where(sets[1] + sets[2] > 1, OVERLAP, INSIDE))
    return sets


def _empty_raster(polygons: int, specials: int) -> Raster:
    nowhere = np.array([0.0, 0.0, 0.0, 0.0, -1.0, -1.0, SIDE, SIDE, 1], np.float64)
    return Raster(
        frame=nowhere,
        coarse=np.full(2, -1, np.int32),
        codes=np.empty(0, np.int32),
        lines=np.empty((0, 8)),
        words=np.zeros(SIDE, np.int32),
        edges=np.empty((0, 4)),
        sets=np.zeros((4, 0), np.int32),
        polygons=polygons,
        specials=specials,
    )
