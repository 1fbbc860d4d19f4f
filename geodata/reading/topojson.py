"""TopoJSON: shared arcs unrolled into GeoJSON features."""

from __future__ import annotations

from typing import Any

import numpy as np

from geodata.errors import BadFile, BadSetting, Fault
from geodata.reading.shapes import BrokenShape, read_positions

Arc = list[list[float]]
# Where arcs stand: directly in the list, or one and two lists deeper.
_ARC_DEPTH = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}
# A value no shape can be built of, so that the row is refused by name.
_UNREADABLE = "unreadable"
_MOST_REUSED, _FEW_CORNERS = 20, 100_000


def read_topology(
    tree: dict[str, Any], *, layer: str | None, file: str | None
) -> list[dict[str, Any]]:
    """
    Return one layer of a TopoJSON tree as GeoJSON features, in file order.

    A geometry that points to arcs that do not exist keeps its row and is left unreadable. Raises
    BadFile when the arcs themselves are broken, BadSetting when the layer is not named clearly.
    """
    objects = tree.get("objects")
    if not isinstance(objects, dict) or not objects:
        raise BadFile(Fault(key="json_not_geojson"), file=file)
    if layer is None and len(objects) > 1:
        values = {"layers": ", ".join(sorted(objects))}
        raise BadSetting(Fault(key="layer_unclear", values=values), file=file)
    name = next(iter(objects)) if layer is None else layer
    if name not in objects:
        values = {"layer": name, "layers": ", ".join(sorted(objects))}
        raise BadSetting(Fault(key="layer_none", values=values), file=file)
    try:
        scale, translate = _read_transform(tree.get("transform"))
        arcs = [_decode_arc(arc, scale, translate) for arc in tree["arcs"]]
    except (BrokenShape, KeyError, TypeError, ValueError):
        raise BadFile(Fault(key="json_not_geojson"), file=file) from None
    top = objects[name]
    members = top.get("geometries") if isinstance(top, dict) else None
    if not isinstance(members, list):
        members = [top]
    _check_reuse(members, arcs, file)
    return [_to_feature(member, arcs, scale, translate) for member in members]


def _check_reuse(members: list[Any], arcs: list[Arc], file: str | None) -> None:
    # Neighbours share an arc, and so do the levels above them; a small file that lists one arc
    # without end would fill the memory.
    corners = 0
    most = _MOST_REUSED * sum(map(len, arcs)) + _FEW_CORNERS
    for member in members:
        waiting = [member.get("arcs") if isinstance(member, dict) else None]
        while waiting:
            item = waiting.pop()
            if isinstance(item, list):
                waiting += item
            elif isinstance(item, int) and -len(arcs) <= item < len(arcs):
                corners += len(arcs[item])
        if corners > most:
            raise BadFile(Fault(key="topology_repeats"), file=file)


def _read_transform(transform: Any) -> tuple[Any, Any]:
    if transform is None:
        return None, None
    both = read_positions([transform["scale"], transform["translate"]])
    return both[0], both[1]


def _decode_arc(arc: Any, scale: Any, translate: Any) -> Arc:
    xy = read_positions(arc)
    if scale is not None:
        with np.errstate(over="ignore", invalid="ignore"):  # what is beyond numbers has no shape
            xy = np.cumsum(xy, axis=0) * scale + translate
    return [[float(x), float(y)] for x, y in xy]


def _to_feature(member: Any, arcs: list[Arc], scale: Any, translate: Any) -> dict[str, Any]:
    if not isinstance(member, dict):
        return {}
    feature = {"type": "Feature", "properties": member.get("properties"), "id": member.get("id")}
    kind = member.get("type")
    if kind is None:
        return {**feature, "geometry": None}
    try:
        if kind == "Point":
            coordinates: Any = _place(member["coordinates"], scale, translate)
        elif kind == "MultiPoint":
            coordinates = [_place(one, scale, translate) for one in member["coordinates"]]
        else:
            coordinates = _unroll(member["arcs"], arcs, _ARC_DEPTH[kind])
    except (BrokenShape, KeyError, TypeError, IndexError):
        coordinates = _UNREADABLE
    return {**feature, "geometry": {"type": kind, "coordinates": coordinates}}


def _place(position: Any, scale: Any, translate: Any) -> list[float]:
    xy = read_positions([position])[0]
    if scale is not None:
        xy = xy * scale + translate
    return [float(xy[0]), float(xy[1])]


def _unroll(indices: Any, arcs: list[Arc], depth: int) -> Any:
    if depth > 0:
        return [_unroll(part, arcs, depth - 1) for part in indices]
    line: Arc = []
    for index in indices:
        # A negative number, its bits turned over, means the arc backwards.
        arc = arcs[~index][::-1] if index < 0 else arcs[index]
        line += arc[1:] if line else arc
    return line
