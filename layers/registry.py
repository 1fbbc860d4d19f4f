"""Every layer there is, in drawing order; the only place to add a line."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from geodata.errors import Fault, NotFound
from layers import (
    base_map,
    blocks,
    cameras,
    components,
    grid_edges,
    grid_names,
    grid_risk,
    incident_dots,
    incident_heat,
    incident_hexes,
    lines,
    overdue_halos,
    places,
)
from layers.layer import Layer, Source

LAYERS: Final[tuple[Layer, ...]] = (
    base_map.LAYER,
    grid_risk.LAYER,
    blocks.LAYER,
    lines.LAYER,
    grid_edges.LAYER,
    incident_heat.LAYER,
    overdue_halos.LAYER,
    incident_dots.LAYER,
    components.LAYER,
    places.LAYER,
    cameras.LAYER,
    grid_names.LAYER,
)
# Not to choose on a map: shown by the scenes of a wall alone.
WALL_LAYERS: Final[tuple[Layer, ...]] = (*LAYERS, incident_hexes.LAYER)
_BY_ID = MappingProxyType({layer.id: layer for layer in LAYERS})
_SOURCES = MappingProxyType(
    {source.name: source for layer in WALL_LAYERS for source in (layer.source, *layer.more_sources)}
)


def find_layer(id: str) -> Layer:
    """Return the layer with this id; raises NotFound."""
    if id not in _BY_ID:
        raise NotFound(Fault(key="layer_missing", values={"name": id}))
    return _BY_ID[id]


def find_source(name: str) -> Source:
    """Return the source that answers under this name; raises NotFound."""
    if name not in _SOURCES:
        raise NotFound(Fault(key="layer_missing", values={"name": name}))
    return _SOURCES[name]
