"""Blocks: areas with households or another load, of which grids are drawn anew."""

from __future__ import annotations

from layers.layer import Layer, Legend, Source, Style
from layers.palette import BLOCK
from layers.record_shapes import FIELDS, OUTLINE_FIELDS, legend_of, read_shapes

MINZOOM = 14
BLOCKS = Source(
    name="blocks",
    format="geojson",
    read=lambda picture: read_shapes(picture, "blocks"),
    fields=FIELDS,
    budget_bytes=3_000_000,
)
LAYER = Layer(
    id="blocks",
    kind="outline",
    group="assets",
    title="layer.blocks",
    source=BLOCKS,
    legend=Legend(read=legend_of("blocks", "layer.blocks", BLOCK)),
    style=Style(plain={"levels": {"blocks": {"width": 1.4, "color": dict(BLOCK), "dash": [4, 2]}}}),
    fields=OUTLINE_FIELDS,
    visible=False,
    minzoom=MINZOOM,
)
