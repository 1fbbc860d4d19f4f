"""Outlines of the levels above the grid: communities, streets, districts."""

from __future__ import annotations

from typing import Any

from geodata.words import say
from layers.encode import encode_grids
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Source, Style
from layers.palette import AREA_LINE

FIELDS = ("uid", "code", "name", "level", "body")
WIDTHS_PX = {"city": 3.0, "district": 3.0, "street": 2.2, "community": 1.2}


def find_areas(picture: Picture) -> Any:
    """Return the grids that have finer ones inside them, in metres."""
    grids = picture.facts.grids
    return grids.grids[~grids.grids["uid"].isin(grids.finest()["uid"])]


def read_areas(picture: Picture) -> bytes:
    """Return the areas: their shape is no secret."""
    return encode_grids(picture, find_areas(picture), key="areas", fields=FIELDS)


def read_legend(picture: Picture) -> LegendFacts:
    """Return a line for each level that this city has."""
    counts = find_areas(picture)["level"].value_counts()
    return LegendFacts(
        entries=tuple(
            Entry(
                label=say(f"level.{level}", picture.lang),
                shape="line",
                color=AREA_LINE,
                n=int(counts[level]),
            )
            for level in WIDTHS_PX
            if level in counts
        )
    )


AREAS = Source(
    name="areas", format="geojson", read=read_areas, fields=(*FIELDS, "lp"), budget_bytes=400_000
)
LAYER = Layer(
    id="grid-edges",
    kind="outline",
    group="grids",
    title="layer.grid_edges",
    source=AREAS,
    legend=Legend(read=read_legend),
    style=Style(
        plain={
            "levels": {level: {"width": width} for level, width in WIDTHS_PX.items()},
            "color": AREA_LINE,
        }
    ),
    fields=(
        Field(name="name", title="layer.field.name"),
        Field(name="code", title="layer.field.code"),
    ),
)
