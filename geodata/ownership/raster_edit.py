"""Raster edit: the index after an edit of a few polygons, with only their own cells made anew.

What an edit can change lies in the boxes around the old and the new shapes. The coarse cells of
those boxes get new blocks, built from all polygons that come near them; all other cells stay. What
the old blocks said stays in memory too, unread, until there is more of it than of the index itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.ownership import raster_cells, raster_pack, raster_rows
from geodata.ownership.raster_cells import SLOTS
from geodata.ownership.raster_index import RasterIndex, count_sets, read_edges
from geodata.ownership.raster_pack import LINE, NEST, RECORD
from geodata.ownership.raster_rows import SHIFT, SIDE, Floats, Frame, Ints
from geodata.ownership.raster_search import Raster

# An index that holds this many times the edges it needs is built anew.
_WORN = 2
_SURE_MARGIN = 0.01  # a raster whose margin is wider knows no own cells of a polygon


def edit_index(
    index: RasterIndex, polygons: NDArray[Any], changed: Collection[int]
) -> RasterIndex | None:
    """
    Return the index over `polygons`, of which only the numbers `changed` differ from the old ones.

    None where the edit asks for a whole new index: it leaves the old bounds, or the old index is
    empty, worn by many edits, or so fine that its cells are not sure.
    """
    frame, raster = index.frame, index.raster
    worn = len(index.edges) > _WORN * len(index.steps) + SLOTS
    if frame is None or frame.margin > _SURE_MARGIN or worn:
        return None
    numbers = np.fromiter(changed, np.int64)
    boxes = shapely.bounds(np.concatenate([index.polygons[numbers], polygons[numbers]]))
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    low, high = boxes[:, :2].min(axis=0, initial=np.inf), boxes[:, 2:].max(axis=0, initial=-np.inf)
    x1, y1 = raster.frame[4], raster.frame[5]
    if not (low >= (frame.x0, frame.y0)).all() or not (high <= (x1, y1)).all():
        return None
    # STEP 1: which coarse cells, and who comes near them
    taken, reach = _take_cells(boxes, frame)
    live = shapely.area(polygons) > 0
    near = live & _meet_any(shapely.bounds(polygons), reach)
    # STEP 2: their cells, by the steps of a whole index
    edges, steps, owners = read_edges(polygons, near)
    made = _fill_part(index, edges, steps + len(index.edges), owners, taken)
    # STEP 3: beside the old ones
    keep = ~np.isin(index.owners, numbers)
    fresh = np.isin(owners, numbers)
    all_owners = np.concatenate([index.owners[keep], owners[fresh]])
    all_steps = np.concatenate([index.steps[keep], steps[fresh] + np.int32(len(index.edges))])
    order = np.argsort(all_owners, kind="stable")
    return RasterIndex.of_parts(
        polygons, raster=made, frame=frame, steps=all_steps[order], owners=all_owners[order]
    )


def _take_cells(boxes: Floats, frame: Frame) -> tuple[NDArray[np.bool_], Floats]:
    """Return the coarse cells (rows, columns) that the boxes may touch, and their own boxes."""
    corner, per = np.array([frame.x0, frame.y0]), np.array([frame.per_x, frame.per_y])
    last = np.array([frame.nx, frame.ny]) - 1
    fine = (boxes.reshape(-1, 2, 2) - corner) * per
    low = np.clip(np.floor(fine[:, 0]) - 1, 0, last).astype(np.int64) >> SHIFT
    high = np.clip(np.floor(fine[:, 1]) + 1, 0, last).astype(np.int64) >> SHIFT
    taken = np.zeros((frame.ny >> SHIFT, frame.nx >> SHIFT), np.bool_)
    for (c0, r0), (c1, r1) in zip(low, high, strict=True):
        taken[r0 : r1 + 1, c0 : c1 + 1] = True
    reach = np.hstack([(low * SIDE - 1) / per, ((high + 1) * SIDE + 1) / per])
    return taken, reach + np.tile(corner, 2)


def _meet_any(bounds: Floats, boxes: Floats) -> NDArray[np.bool_]:
    """Tell which of `bounds` (n, 4) share a point with one of a few boxes; NaN never does."""
    meets = np.zeros(len(bounds), np.bool_)
    for x0, y0, x1, y1 in boxes:
        meets |= (
            (bounds[:, 0] <= x1) & (bounds[:, 2] >= x0)
            & (bounds[:, 1] <= y1) & (bounds[:, 3] >= y0)
        )  # fmt: skip
    return meets


def _fill_part(
    index: RasterIndex, edges: Floats, steps: Ints, owners: Ints, taken: NDArray[np.bool_]
) -> Raster:
    """Return the raster with new cells where `taken`; `steps` number the new edges at the end."""
    old, frame = index.raster, index.frame
    assert frame is not None
    all_edges = np.concatenate([index.edges, edges])
    ends = np.concatenate(
        [np.zeros((len(index.edges), 5), np.int32), raster_rows.place_ends(edges, frame)]
    )
    rows = raster_rows.sort_rows(all_edges, ends, steps, owners, old.polygons, frame)
    cells = raster_cells.open_cells(rows, frame)
    table = raster_cells.fill_cells(all_edges, ends, rows, cells, frame)
    flat = taken.ravel()
    cells.block[~flat] = -1  # of polygons that reach out of the taken cells: not packed, not read
    divisions = raster_rows.count_divisions(all_edges, frame)
    codes, lines, words, table = raster_pack.pack_cells(all_edges, cells, table, frame, divisions)
    sets = count_sets(table, old.polygons, old.specials)
    blocks = len(old.codes) // SLOTS
    more_sets = old.sets.shape[1] - old.polygons
    records = codes[(codes < -1) & ((-2 - codes) & 3 == RECORD)]
    whole = np.unique((-2 - records.astype(np.int64)) >> 2)  # where records name their set
    words[whole] = _move_sets(words[whole], old.polygons, more_sets)
    codes = _move_codes(_move_sets(codes, old.polygons, more_sets), old, blocks)
    coarse = old.coarse.copy()
    new = _move_sets(cells.coarse[:-1][flat], old.polygons, more_sets)
    coarse[:-1][flat] = np.where(new < -1, new - blocks, new)
    return old._replace(
        coarse=coarse,
        codes=np.concatenate([old.codes, codes]),
        lines=np.concatenate([old.lines, lines]),
        words=np.concatenate([old.words, words]),
        edges=all_edges,
        sets=np.concatenate([old.sets, sets[:, old.polygons :]], axis=1),
    )


def _move_sets(codes: Ints, polygons: int, more: int) -> Ints:
    """Return codes with the numbers of sets of several polygons moved behind the old ones."""
    return np.where(codes >= polygons, codes + np.int32(more), codes)


def _move_codes(codes: Ints, old: Raster, blocks: int) -> Ints:
    """Return codes with the numbers of lines, records and blocks moved behind the old ones."""
    moved = np.zeros(4, np.int64)
    moved[LINE], moved[RECORD], moved[NEST] = len(old.lines), len(old.words), blocks
    number = -2 - codes.astype(np.int64)
    return np.where(codes < -1, codes - 4 * moved[number & 3], codes).astype(np.int32)
