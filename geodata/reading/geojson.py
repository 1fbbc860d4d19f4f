"""GeoJSON and TopoJSON without GDAL: strict about structure, exact about where it breaks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from geodata.errors import BadFile, BadSetting, Fault
from geodata.reading.encodings import to_utf8
from geodata.reading.features import Features, build_shapes
from geodata.reading.topojson import read_topology

_SHAPE_TYPES = {
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
}
_NOT_STRICT = (b"NaN", b"Infinity")
# A position takes at least "[1,2],": a file of little but brackets only serves to fill the memory.
_MANY_BRACKETS, _FEWEST_BYTES = 1_000_000, 6
# Above this share a defect is the file's, not the feature's; so few are named all the same.
_FILE_SHARE, _FEW = 0.5, 10
_ID = "id"


def parse_geojson(
    raw: bytes, *, encoding: str | None = None, layer: str | None = None, file: str | None = None
) -> Features:
    """
    Read GeoJSON text: a FeatureCollection, one Feature, or a bare geometry; TopoJSON likewise.

    Returns all features in file order with raw property values. Each broken feature is a fault with
    its number (1 is the first). A top-level GeometryCollection gives one feature a member. Raises
    BadFile when the text is no JSON (with line and column) or no GeoJSON, BadSetting for a layer
    that a TopoJSON file does not have.
    """
    text, found = to_utf8(raw, encoding=encoding, file=file)
    tree = _load(text, file)
    if not isinstance(tree, dict):
        raise BadFile(Fault(key="json_not_geojson"), file=file)
    if tree.get("UTF8Encoding") is True:
        raise BadFile(Fault(key="json_echarts"), file=file)
    driver = "TopoJSON" if tree.get("type") == "Topology" else "GeoJSON"
    members = read_topology(tree, layer=layer, file=file) if driver == "TopoJSON" else None
    if members is None:
        if layer is not None:
            raise BadSetting(Fault(key="layer_single"), file=file)
        members = _members(tree, file)
    if not members:
        raise BadFile(Fault(key="file_no_rows"), file=file)
    features = Features(
        columns={},
        shapes=np.empty(0, dtype=object),
        driver=driver,
        encoding=found,
        crs_text=_declared_crs(tree, file) if driver == "GeoJSON" else None,
    )
    properties, geometries = _split(features, members, file)
    build_shapes(features, geometries)
    features.faults.sort(key=lambda fault: fault.row or 0)
    features.columns = _columns(members, properties)
    return features


def _load(text: bytes, file: str | None) -> Any:
    if not text.strip():
        raise BadFile(Fault(key="file_empty"), file=file)
    brackets = text.count(b"[") + text.count(b"{")
    if brackets > _MANY_BRACKETS and brackets * _FEWEST_BYTES > len(text):
        raise BadFile(Fault(key="format_hostile"), file=file)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # Python's own writer puts NaN into coordinates, others numbers beyond any range: then only
        # those features are broken.
        if "number" in error.msg or any(word in text for word in _NOT_STRICT):
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                pass
        values = {"line": error.lineno, "column": error.colno}
        raise BadFile(Fault(key="json_broken", values=values), file=file) from None


def _members(tree: dict[str, Any], file: str | None) -> list[Any]:
    kind = tree.get("type")
    if kind == "FeatureCollection":
        members = tree.get("features")
        if isinstance(members, list):
            return members
    elif kind == "Feature":
        return [tree]
    elif kind == "GeometryCollection":
        members = tree.get("geometries")
        if isinstance(members, list):
            return [{"type": "Feature", "geometry": member} for member in members]
    elif isinstance(kind, str) and kind in _SHAPE_TYPES:
        return [{"type": "Feature", "geometry": tree}]
    raise BadFile(Fault(key="json_not_geojson"), file=file)


def _declared_crs(tree: dict[str, Any], file: str | None) -> str | None:
    declared = tree.get("crs")
    if declared is None:
        return None
    if isinstance(declared, dict) and declared.get("type") == "name":
        properties = declared.get("properties")
        name = properties.get("name") if isinstance(properties, dict) else None
        if isinstance(name, str) and name.strip():
            return name
    # A link would have to be fetched, from wherever the sender likes.
    raise BadFile(Fault(key="json_crs_unreadable"), file=file)


def _split(
    features: Features, members: list[Any], file: str | None
) -> tuple[list[dict[str, Any]], list[Any]]:
    properties: list[dict[str, Any]] = []
    geometries: list[Any] = []
    for row, member in enumerate(members, start=1):
        key = _fault_of(member)
        if key:
            features.faults.append(Fault(key=key, row=row))
        properties.append({} if key else member.get("properties") or {})
        geometries.append(None if key else member.get("geometry"))
    if len(features.faults) > max(_FILE_SHARE * len(members), _FEW):
        # Hardly anything in it is a feature: that is one fault, not a million.
        raise BadFile(features.faults[:_FEW], file=file)
    return properties, geometries


def _fault_of(member: Any) -> str | None:
    if not isinstance(member, dict) or member.get("type") != "Feature":
        return "feature_not_feature"
    properties = member.get("properties")
    if properties is not None and not isinstance(properties, dict):
        return "feature_properties"
    return None


def _columns(members: list[Any], properties: list[dict[str, Any]]) -> dict[str, Sequence[Any]]:
    names = list(dict.fromkeys(name for row in properties for name in row))
    columns: dict[str, Sequence[Any]] = {}
    for name in names:
        columns[name] = [row.get(name) for row in properties]
    ids = [member.get(_ID) if isinstance(member, dict) else None for member in members]
    if any(value is not None for value in ids):
        # Some exporters keep the code of an area beside its properties, as the feature's own id.
        name = _ID if _ID not in columns else "feature_id"
        columns = {name: ids, **columns}
    return columns
