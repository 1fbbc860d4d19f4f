"""City components (lamps, covers, trees): each a dot, one that is not in order a triangle."""

from __future__ import annotations

import numpy as np

from geodata.words import say
from layers.component_tile import TABLE, find_components, place_components
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Source, Style
from layers.palette import COMPONENT, STATE_COLOR
from layers.vector_tile import encode_layer, make_column, make_points

FIELDS = ("id", "name", "kind", "order", "n")
MINZOOM, MAXZOOM = 15, 17
MOST_DOTS = 8_000  # a tile; above it components that share half a pixel are drawn as one
ORDERS = ("whole", "faulty")


def read_tile(picture: Picture) -> bytes | None:
    """Return one tile of the components in the grids that the scope allows."""
    assert picture.tile is not None
    placed = place_components(picture)
    dots = find_components(placed, picture.tile, picture.allowed())
    if not len(dots.rows):
        return None
    dots = dots.thin(placed.faulty[dots.rows].astype(np.int32), most=MOST_DOTS)
    points = picture.facts.find_points(TABLE)
    rows = placed.rows[dots.rows]
    columns = {
        name: make_column(points[name].to_numpy(object)[rows])
        for name in ("id", "name", "kind")
        if name in points
    }
    columns["order"] = make_column(np.array(ORDERS)[placed.faulty[dots.rows].astype(int)])
    columns["n"] = make_column([many if many > 1 else None for many in dots.stands_for.tolist()])
    return encode_layer(TABLE, make_points(dots.x, dots.y), columns=columns, ids=rows + 1)


def read_legend(picture: Picture) -> LegendFacts:
    """Return a mark for components in order and for those that are not, with their numbers."""
    placed = place_components(picture)
    allowed = picture.allowed()
    seen = np.ones(len(placed.rows), np.bool_) if allowed is None else allowed[placed.owner + 1]
    faulty = int((seen & placed.faulty).sum())
    shown = int(seen.sum())
    return LegendFacts(
        entries=(
            Entry(
                label=say("layer.component.faulty", picture.lang),
                shape="triangle",
                color=STATE_COLOR["amber"],
                n=faulty,
            ),
            Entry(
                label=say("layer.component.whole", picture.lang),
                shape="circle",
                color=COMPONENT,
                n=shown - faulty,
            ),
        ),
        shown=shown,
        of=shown,
    )


COMPONENTS = Source(
    name=TABLE,
    format="mvt",
    read=read_tile,
    fields=FIELDS,
    minzoom=MINZOOM,
    maxzoom=MAXZOOM,
    budget_bytes=400_000,
)
LAYER = Layer(
    id="components",
    kind="dots",
    group="assets",
    title="layer.components",
    source=COMPONENTS,
    legend=Legend(read=read_legend),
    style=Style(
        plain={
            "field": "order",
            "states": {
                "whole": {"shape": "circle", "color": dict(COMPONENT), "size": 4},
                "faulty": {"shape": "triangle", "color": dict(STATE_COLOR["amber"]), "size": 9},
            },
        }
    ),
    fields=(
        Field(name="name", title="layer.field.name"),
        Field(name="id", title="layer.field.component_id"),
        Field(name="kind", title="layer.field.component_kind"),
        Field(
            name="order",
            title="layer.field.condition",
            codes=lambda _, lang: {one: say(f"layer.component.{one}", lang) for one in ORDERS},
        ),
        Field(name="n", title="layer.field.stacked", format="number"),
    ),
    visible=False,
    minzoom=MINZOOM,
)
