"""The base map: the city's own water, green, roads and buildings, or pictures where it has some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geodata.snapshots.facts import base_version
from geodata.snapshots.later import make_once
from geodata.words import Lang
from layers.base_tile import MAXZOOM, MINZOOM, build_tile, prepare_base
from layers.facts import Facts
from layers.layer import Layer, Legend, LegendFacts, Picture, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseMap(Layer):
    """The one layer whose source a city may replace: by a picture map of its settings."""

    def descriptor(self, lang: Lang, facts: Facts, *, version: str) -> dict[str, Any]:
        """Return the vector layers, or the pictures that come through our own server."""
        city = getattr(facts, "city", None)  # facts of a test have none
        # A new drawing of the grids leaves the ground as it is.
        plain = Layer.descriptor(self, lang, facts, version=_find_version(facts) or version)
        if city is None or not city.settings.picture_map:
            return plain
        return plain | {
            "source": {
                "type": "raster",
                "url": "picture/{z}/{x}/{y}",
                "tileSize": 256,
                "minzoom": city.settings.picture_map_min_zoom,
                "maxzoom": city.settings.picture_map_max_zoom,
                "bounds": [float(edge) for edge in facts.bounds],
            },
            "style": {"opacity": {"dark": 0.6, "light": 1}},
            "attribution": city.settings.picture_map_attribution,
        }


def _find_version(facts: Facts) -> str:
    """Return what changes with the base map alone, empty for the facts of a test."""
    city = getattr(facts, "city", None)
    return "" if city is None else str(base_version(city.base_folder))


def read_tile(picture: Picture) -> bytes | None:
    """Return one tile; the base map is the same for everyone."""
    assert picture.tile is not None
    facts = picture.facts
    key = "base", "tiles", _find_version(facts)
    return build_tile(make_once(facts.kept, key, lambda: prepare_base(facts.base)), picture.tile)


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
LAYER = BaseMap(
    id="base-map",
    kind="base",
    group="base",
    title="layer.base_map",
    source=BASE_TILES,
    legend=Legend(read=read_legend),
)
