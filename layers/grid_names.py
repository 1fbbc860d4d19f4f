"""Names of grids and of the areas above them, each level where there is room for it."""

from __future__ import annotations

from layers.grid_edges import AREAS
from layers.grid_risk import GRIDS
from layers.layer import Layer, Legend, LegendFacts, Picture, Style


def read_legend(picture: Picture) -> LegendFacts:
    """Return an empty legend: names explain themselves."""
    del picture
    return LegendFacts()


LAYER = Layer(
    id="grid-names",
    kind="labels",
    group="grids",
    title="layer.grid_names",
    source=AREAS,
    more_sources=(GRIDS,),
    legend=Legend(read=read_legend),
    style=Style(
        plain={
            "field": "name",
            "levels": {
                "city": {"minzoom": 0, "maxzoom": 9, "size": 16, "strong": True},
                "district": {"minzoom": 0, "maxzoom": 11, "size": 16, "strong": True},
                "street": {"minzoom": 9, "maxzoom": 13.5, "size": 15, "strong": True},
                "community": {"minzoom": 12.5, "maxzoom": 16, "size": 13},
                "grid": {"minzoom": 14.5, "maxzoom": 24, "size": 12},
            },
        }
    ),
)
