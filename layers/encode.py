"""Facts to bytes: GeoJSON with an allow-list of properties, strong ETags, compression."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Literal

import brotli  # type: ignore[import-untyped]
import geopandas as gpd
import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geodata.coordinates import to_lonlat
from geodata.snapshots.later import make_once
from layers.layer import Picture

# 1e-6 degree is 0.11 m, below a pixel at zoom 20; a vertex that two grids share is one number
# before rounding and stays one after it, so no seam opens.
DIGITS = 6
LABEL_POINT = "lp"
_LABEL_TOLERANCE_M = 5.0  # the middle of a grid need not be truer than a letter is wide
_ETAG_BYTES = 16
_GZIP_LEVEL = 6
_BROTLI_QUALITY = 5  # as small as gzip at its best, at the speed of its middle
_EMPTY = b'{"type":"FeatureCollection","features":[]}'


def encode_grids(
    picture: Picture, grids: gpd.GeoDataFrame, *, key: str, fields: Sequence[str]
) -> bytes:
    """
    Return grids in metres as GeoJSON, `id` being the row, with `lp`, a point well inside.

    `key` names these rows: encoding is done once a drawing, whoever asks. Every account sees the
    drawing; a scope hides what happened there.
    """
    features: list[bytes] = make_once(
        picture.facts.kept,
        ("drawing", "features", key, picture.facts.grids.drawing),
        lambda: encode_features(
            _to_degrees(grids), fields=fields, label_points=_label_points(grids)
        ),
    )
    return join_features(features)


def encode_points(picture: Picture, points: gpd.GeoDataFrame, *, fields: Sequence[str]) -> bytes:
    """Return points in degrees, those whose `owner` the scope allows, as GeoJSON; `id`: the row."""
    features = encode_features(points, fields=fields)
    allowed = picture.allowed()
    if allowed is not None:
        seen = allowed[points["owner"].to_numpy(np.int64) + 1]
        features = [part for part, may in zip(features, seen, strict=True) if may]
    return join_features(features)


def encode_features(
    frame: gpd.GeoDataFrame,
    *,
    fields: Sequence[str],
    label_points: NDArray[np.float64] | None = None,
) -> list[bytes]:
    """
    Return one GeoJSON feature a row of a frame in degrees.

    Only columns named in `fields` are sent, only plain values (no lists, no objects), and no
    feature says what it does not know. `<` and `>` are written as escapes: nothing can be read as
    markup, whatever a file called a grid.
    """
    shapes = _geometries(frame.geometry.to_numpy())
    columns = {name: frame[name].tolist() for name in fields if name in frame.columns}
    if label_points is not None:
        columns[LABEL_POINT] = np.round(label_points, DIGITS).tolist()
    out = []
    for row, shape in enumerate(shapes):
        properties = {
            name: values[row] for name, values in columns.items() if _is_known(values[row])
        }
        feature = {"type": "Feature", "id": row, "properties": properties, "geometry": shape}
        out.append(escape_markup(orjson.dumps(feature, option=orjson.OPT_SERIALIZE_NUMPY)))
    return out


def join_features(features: Iterable[bytes]) -> bytes:
    """Return a GeoJSON feature collection of encoded features."""
    return _EMPTY[:-2] + b",".join(features) + _EMPTY[-2:]


def escape_markup(text: bytes) -> bytes:
    """Return JSON in which no `<` and `>` stand; they only ever occur inside its strings."""
    return text.replace(b"<", b"\\u003c").replace(b">", b"\\u003e")


def make_etag(body: bytes, encoding: str = "") -> str:
    """Return a strong ETag of exactly these bytes; each content encoding has its own (RFC 9110)."""
    mark = blake2b(body, digest_size=_ETAG_BYTES).hexdigest()
    return f'"{mark}-{encoding}"' if encoding else f'"{mark}"'


def compress(body: bytes, encoding: Literal["gzip", "br"]) -> bytes:
    """Return the body compressed; the same bytes each time, so that its ETag can be strong."""
    if encoding == "br":
        compressed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
        return compressed
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


def _is_known(value: Any) -> bool:
    return isinstance(value, list | str | int) or (
        isinstance(value, float) and math.isfinite(value)
    )


def _to_degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    def convert(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(to_lonlat(xy[:, 0], xy[:, 1], frame.crs), axis=1)

    return frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), convert), crs=4326)


def _label_points(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return in degrees the centre of the largest circle that fits into each grid."""
    middles = shapely.get_point(
        shapely.maximum_inscribed_circle(frame.geometry.to_numpy(), tolerance=_LABEL_TOLERANCE_M), 0
    )
    x, y = to_lonlat(shapely.get_x(middles), shapely.get_y(middles), frame.crs)
    return np.stack([x, y], axis=1)


def _geometries(shapes: NDArray[np.object_]) -> list[dict[str, Any] | None]:
    """Return GeoJSON geometries with rounded coordinates, all points of a layer at once."""
    if not (shapely.get_type_id(shapes) == shapely.GeometryType.POINT).all():
        return [_geometry(shape) for shape in shapes]
    rounded = np.round(np.stack([shapely.get_x(shapes), shapely.get_y(shapes)], axis=1), DIGITS)
    return [
        {"type": "Point", "coordinates": place} if there else None
        for place, there in zip(rounded.tolist(), ~shapely.is_empty(shapes), strict=True)
    ]


def _geometry(shape: Any) -> dict[str, Any] | None:
    """Return a GeoJSON geometry whose coordinates are rounded arrays."""
    if shape is None or shape.is_empty:
        return None
    kind = shape.geom_type
    if kind == "Point":
        return {"type": kind, "coordinates": np.round(shapely.get_coordinates(shape)[0], DIGITS)}
    if kind == "LineString":
        return {"type": kind, "coordinates": _line(shape)}
    if kind == "MultiLineString":
        return {"type": kind, "coordinates": [_line(part) for part in shape.geoms]}
    if kind == "Polygon":
        return {"type": kind, "coordinates": _rings(shape)}
    if kind == "MultiPolygon":
        return {"type": kind, "coordinates": [_rings(part) for part in shape.geoms]}
    raise ValueError(f"no picture draws a {kind}")


def _line(line: Any) -> NDArray[np.float64]:
    rounded: NDArray[np.float64] = np.round(shapely.get_coordinates(line), DIGITS)
    return rounded


def _rings(polygon: Any) -> list[NDArray[np.float64]]:
    return [np.round(shapely.get_coordinates(ring), DIGITS) for ring in
            (polygon.exterior, *polygon.interiors)]  # fmt: skip
