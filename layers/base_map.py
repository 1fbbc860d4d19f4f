"""The city's own base map: water, green, roads and buildings as vector tiles."""

from __future__ import annotations

from layers.base_tile import MAXZOOM, MINZOOM, build_tile, prepare_base
from layers.layer import Layer, Legend, LegendFacts, Picture, Source


def read_tile(picture: Picture) -> bytes | None:
    """Return one tile; the base map is the same for everyone."""
    assert picture.tile is not None
    kept = picture.facts.kept
    if "base" not in kept:
        kept["base"] = prepare_base(picture.facts.base)
    return build_tile(kept["base"], picture.tile)


def read_legend(picture: Picture) -> LegendFacts:
    """Return an empty legend: a base map explains itself."""
    del picture
    return LegendFacts()


BASE_TILES = Source(
    name="base",
    format="mvt",
    read=read_tile,
    fields=("class", "name", "floors"),
    minzoom=MINZOOM,
    maxzoom=MAXZOOM,
    budget_bytes=250_000,
)
LAYER = Layer(
    id="base-map",
    kind="base",
    group="base",
    title="layer.base_map",
    source=BASE_TILES,
    legend=Legend(read=read_legend),
)
