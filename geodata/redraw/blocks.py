"""Blocks: the smallest pieces of land that a brush paints and a proposal puts together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import Floats, Geometries, to_mm
from geodata.errors import BadGrid, Fault


# Not slotted: the search tree is made at first use.
@dataclass(frozen=True, kw_only=True, eq=False)
class Blocks:
    """
    Blocks by number 0..n-1: polygons on whole millimetres (mm) and the load of each.

    They should tile the city; where they do not, the land between them stays as it is. `band`
    (n, 2) is between what the load of a block without history lies, NaN where the load is known.
    """

    shapes: Geometries
    loads: Floats
    band: Floats | None = None

    def __len__(self) -> int:
        return len(self.shapes)

    def sum_in(self, shapes: Geometries) -> Floats:
        """Return the load of the blocks whose inner point lies in each polygon (mm)."""
        shape, block = self._tree.query(shapes, predicate="contains")
        loads = np.bincount(shape, weights=self.loads[block], minlength=len(shapes))
        return loads.astype(np.float64)

    @cached_property
    def inner(self) -> Geometries:
        """Return a point inside each block."""
        return np.asarray(shapely.point_on_surface(self.shapes), dtype=object)

    @cached_property
    def _tree(self) -> Any:
        return shapely.STRtree(self.inner)

    def pick(self, numbers: list[int]) -> Geometries:
        """Return the polygons (mm) of some blocks. Raises BadGrid for a number there is not."""
        wrong = [number for number in numbers if not 0 <= number < len(self.shapes)]
        if wrong:
            values = {"block": wrong[0], "blocks": len(self.shapes)}
            raise BadGrid(Fault(key="redraw_block_unknown", values=values))
        return self.shapes[np.array(numbers, np.int64)]


def make_blocks(shapes_m: Any, loads: Any = None, band: Floats | None = None) -> Blocks:
    """Return blocks from polygons in metres; without loads each counts by its area in hectares."""
    shapes = to_mm(shapes_m)
    weight = shapely.area(shapes) / 1e10 if loads is None else np.asarray(loads, np.float64)
    return Blocks(shapes=shapes, loads=weight, band=band)
