"""Incidents counted in hexagons of one size on the screen, drawn on the server for walls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.words import say
from layers.incident_heat import HEAT
from layers.layer import Entry, Layer, Legend, LegendFacts, Picture, Style
from layers.palette import HEAT_LEVELS, RISK, heat_palette
from layers.raster_tile import GAMMA, round_up, write_png

BUDGET_BYTES = 60_000
SIDE_PX = 512  # of a tile on the screen
RADIUS_PX = 16.0  # of a hexagon, from its middle to a corner
_WORLD_BITS = 32
_ROW_BITS = 32
_OPAQUE = 215  # the street shows a little through
_GAP = 0.93  # share of the way to the edge that is coloured: hexagons part from each other
_FULL_QUANTILE = 0.99

Cells = tuple[NDArray[np.int64], NDArray[np.int64]]


def find_cells(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> tuple[Cells, Any]:
    """
    Return the hexagon (column, row) of each place in pixels, and how near its edge it is, 0 to 1.

    Axial coordinates of hexagons with a corner on top; the nearest middle by rounding all three
    cube coordinates and mending the one that was rounded furthest (Patel, Hexagonal Grids, 2013).
    """
    q, r = (np.sqrt(3) / 3 * x - y / 3) / RADIUS_PX, (2 / 3 * y) / RADIUS_PX
    s = -q - r
    near_q, near_r, near_s = np.rint(q), np.rint(r), np.rint(s)
    off_q, off_r, off_s = np.abs(near_q - q), np.abs(near_r - r), np.abs(near_s - s)
    bend_q = (off_q > off_r) & (off_q > off_s)
    bend_r = ~bend_q & (off_r > off_s)
    near_q = np.where(bend_q, -near_r - near_s, near_q)
    near_r = np.where(bend_r, -near_q - near_s, near_r)
    a, b = q - near_q, r - near_r
    c = -a - b
    edge = np.maximum.reduce([np.abs(a - b), np.abs(b - c), np.abs(c - a)])
    return (near_q.astype(np.int64), near_r.astype(np.int64)), edge


def read_tile(picture: Picture) -> bytes | None:
    """Return one tile of hexagons as PNG; None where nothing happened."""
    tile = picture.tile
    assert tile is not None
    column, row, counts = _count_all(picture, tile.z)
    if not len(counts):
        return None
    left, top = tile.x * SIDE_PX, tile.y * SIDE_PX
    axis = np.arange(SIDE_PX) + 0.5
    (wide, high), edge = find_cells((left + axis)[None, :], (top + axis)[:, None])
    table = _table_of(column, row, counts, (wide, high))
    if not table.any():
        return None
    here = table[wide - wide.min(), high - high.min()]
    full = round_up(float(np.quantile(counts, _FULL_QUANTILE)))
    tone = np.minimum((here / full) ** GAMMA, 1.0)
    levels = np.where(here > 0, 1 + tone * (HEAT_LEVELS - 2), 0).astype(np.uint8)
    levels[edge > _GAP] = 0
    colors, _ = heat_palette(picture.theme)
    return write_png(levels, colors, bytes([0, *[_OPAQUE] * (HEAT_LEVELS - 1)]))


def read_legend(picture: Picture) -> LegendFacts:
    """Return the ramp from few to many."""
    ramp = Entry(label=say("legend.hexes", picture.lang), shape="ramp", color=RISK)
    placed = slice(picture.facts.snapshot.placed)
    return LegendFacts(
        entries=(ramp,),
        shown=int(picture.selected(placed).sum()),
        of=int(picture.within().sum()),
    )


def _table_of(column: Any, row: Any, counts: Any, pixels: Cells) -> NDArray[np.int64]:
    """Return the counts of the hexagons that a tile's pixels lie in, by column and row."""
    wide, high = pixels
    low = int(wide.min()), int(high.min())
    table = np.zeros((int(wide.max()) - low[0] + 1, int(high.max()) - low[1] + 1), np.int64)
    a, b = column - low[0], row - low[1]
    within = (a >= 0) & (a < table.shape[0]) & (b >= 0) & (b < table.shape[1])
    table[a[within], b[within]] = counts[within]
    return table


def _count_all(picture: Picture, z: int) -> tuple[Any, Any, Any]:
    """Return every hexagon of a zoom with a count; kept, because each tile asks for them."""
    facts = picture.facts

    def count() -> tuple[Any, Any, Any]:
        placed = slice(facts.snapshot.placed)
        chosen = picture.selected(placed)
        scale = SIDE_PX * float(1 << z) / float(1 << _WORLD_BITS)
        x = facts.snapshot.tile_x[placed][chosen] * scale
        y = facts.snapshot.tile_y[placed][chosen] * scale
        (column, row), _ = find_cells(x, y)
        both = (column.astype(np.int64) << _ROW_BITS) | row.astype(
            np.int64
        )  # one number sorts fast
        cells, counts = np.unique(both, return_counts=True)
        return cells >> _ROW_BITS, cells & ((1 << _ROW_BITS) - 1), counts

    late = picture.filter is not None and picture.filter.state == "overdue"
    minute = picture.now // 60 if late else 0
    key = ("hexes", z, picture.filter, minute, picture.scope.grids, facts.snapshot.revision)
    return facts.keep(key, count)  # type: ignore[no-any-return]


HEXES = replace(HEAT, name="hexes", read=read_tile, budget_bytes=BUDGET_BYTES)
LAYER = Layer(
    id="incident-hexes",
    kind="heat",
    group="incidents",
    title="layer.incident_hexes",
    source=HEXES,
    legend=Legend(read=read_legend, unit="legend.unit_incidents"),
    style=Style(plain={"opacity": 0.9}),
    visible=False,
)
