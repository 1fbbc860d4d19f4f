"""KML without GDAL: placemarks, their data and shapes; nothing in it is followed or fetched."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np

from geodata.errors import BadFile, Fault
from geodata.notes import Note
from geodata.reading.encodings import to_utf8
from geodata.reading.features import Features, build_shapes

_DECLARATION = re.compile(rb"\A\s*<\?xml[^>]*\?>")
# Entities can name files and grow without end; no KML needs one.
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_DEEPEST = 64
_SINGLE = {"Point": "Point", "LineString": "LineString", "LinearRing": "LineString"}
_SHAPES = (*_SINGLE, "Polygon", "MultiGeometry")
_WRITTEN = ("name", "description")
_LINKS = ("NetworkLink", "GroundOverlay", "PhotoOverlay", "ScreenOverlay", "Model")
_LONLAT = "EPSG:4326"  # by the standard of KML


def parse_kml(raw: bytes, *, encoding: str | None = None, file: str | None = None) -> Features:
    """
    Read the placemarks of a KML text in file order; the folder they lie in becomes a column.

    Links, overlays and models are counted in a note and left alone. A placemark without a shape is
    a fault of its row. Raises BadFile for broken XML, document types and entities, and files
    without placemarks.
    """
    text, found = to_utf8(raw, encoding=encoding, file=file)
    text = _DECLARATION.sub(b"", text, count=1)
    if _DOCTYPE.search(text):
        raise BadFile(Fault(key="format_hostile"), file=file)
    rows, shapes, links = _read_placemarks(text, file)
    if not rows:
        raise BadFile(Fault(key="file_no_rows"), file=file)
    names = list(dict.fromkeys(name for row in rows for name in row))
    features = Features(
        columns={name: [row.get(name, "") for row in rows] for name in names},
        shapes=np.empty(0, dtype=object),
        driver="KML",
        encoding=found,
        crs_text=_LONLAT,
    )
    if links:
        features.notes.append(Note(key="reading.kml_links", values={"count": links}))
    build_shapes(features, shapes)
    return features


def _read_placemarks(text: bytes, file: str | None) -> tuple[list[dict[str, str]], list[Any], int]:
    rows: list[dict[str, str]] = []
    shapes: list[Any] = []
    links = depth = 0
    folders: list[str] = []
    inside = False
    try:
        # Document types are refused above, so that no entity is left to expand.
        events = Xml.iterparse(io.BytesIO(text), events=("start", "end"))  # noqa: S314
        for event, element in events:
            tag = _local(element.tag)
            depth += 1 if event == "start" else -1
            if depth > _DEEPEST:
                raise BadFile(Fault(key="format_hostile"), file=file)
            if event == "start":
                inside = inside or tag == "Placemark"
                if tag == "Folder":
                    folders.append("")
            elif tag == "Placemark":
                rows.append(_read_data(element, folders[-1] if folders else ""))
                shapes.append(_find_shape(element))
                inside = False
                element.clear()
            elif not inside:
                links += tag in _LINKS
                if tag == "name" and folders and not folders[-1]:
                    folders[-1] = _text(element)
                if tag == "Folder":
                    folders.pop()
                    element.clear()
    except Xml.ParseError as error:
        line, column = error.position
        values = {"line": line, "column": column}
        raise BadFile(Fault(key="xml_broken", values=values), file=file) from None
    return rows, shapes, links


def _read_data(placemark: Xml.Element, folder: str) -> dict[str, str]:
    row = {"folder": folder} if folder else {}
    for element in placemark.iter():
        tag = _local(element.tag)
        if tag in _WRITTEN and element in list(placemark):
            row[tag] = _text(element)
        elif tag == "SimpleData":
            row[element.get("name", "")] = _text(element)
        elif tag == "Data":
            value = next((one for one in element if _local(one.tag) == "value"), None)
            row[element.get("name", "")] = "" if value is None else _text(value)
    row.pop("", None)
    return row


def _find_shape(placemark: Xml.Element) -> dict[str, Any] | None:
    shape = next((one for one in placemark if _local(one.tag) in _SHAPES), None)
    return None if shape is None else _read_shape(shape)


def _read_shape(element: Xml.Element) -> dict[str, Any] | None:
    tag = _local(element.tag)
    if tag in _SINGLE:
        places = _read_places(element)
        point = tag == "Point"
        coordinates = (places[0] if places else []) if point else places
        return {"type": _SINGLE[tag], "coordinates": coordinates}
    if tag == "Polygon":
        outer = _rings(element, "outerBoundaryIs")
        return {"type": "Polygon", "coordinates": outer + _rings(element, "innerBoundaryIs")}
    members = [_read_shape(one) for one in element if _local(one.tag) in _SHAPES]
    return _unite([one for one in members if one is not None])


def _unite(members: list[dict[str, Any]]) -> dict[str, Any] | None:
    kinds = {member["type"] for member in members}
    if not members:
        return None
    if len(kinds) == 1 and (kind := kinds.pop()) in ("Point", "LineString", "Polygon"):
        return {"type": f"Multi{kind}", "coordinates": [one["coordinates"] for one in members]}
    return {"type": "GeometryCollection", "geometries": members}


def _rings(polygon: Xml.Element, boundary: str) -> list[Any]:
    return [
        _read_places(ring)
        for side in polygon
        if _local(side.tag) == boundary
        for ring in side
        if _local(ring.tag) == "LinearRing"
    ]


def _read_places(element: Xml.Element) -> list[Any]:
    """Return positions as [lon, lat]; what is no number stays text, and the row is refused."""
    written = next((one for one in element if _local(one.tag) == "coordinates"), None)
    return [_read_place(part) for part in _text(written).split()] if written is not None else []


def _read_place(part: str) -> list[Any]:
    numbers = part.split(",")[:2]
    try:
        return [float(number) for number in numbers]
    except ValueError:
        return list(numbers)


def _text(element: Xml.Element) -> str:
    return "".join(element.itertext()).strip()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
