"""Lines with somebody responsible: reaches of rivers, inspection routes, pipes."""

from __future__ import annotations

from layers.layer import Layer, Legend, Source, Style
from layers.palette import ACCENT
from layers.record_shapes import FIELDS, OUTLINE_FIELDS, legend_of, read_shapes

LINES = Source(
    name="lines",
    format="geojson",
    read=lambda picture: read_shapes(picture, "lines"),
    fields=FIELDS,
    budget_bytes=600_000,
)
LAYER = Layer(
    id="lines",
    kind="outline",
    group="assets",
    title="layer.lines",
    source=LINES,
    legend=Legend(read=legend_of("lines", "layer.lines", ACCENT)),
    style=Style(plain={"levels": {"lines": {"width": 3, "color": dict(ACCENT)}}}),
    fields=OUTLINE_FIELDS,
    visible=False,
)
