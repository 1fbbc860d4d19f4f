"""The routes of the pictures: layers as GeoJSON and tiles, each with its ETag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import orjson
from flask import Flask, Response, request

from dashboard import trail
from dashboard.guard import OPEN, current_scope, guarded
from dashboard.pictures import Pictures
from dashboard.view import filter_from_query
from geodata.access.scope import ROWS
from geodata.errors import Fault, NotAllowed, NotFound
from geodata.words import parse_lang
from layers.encode import compress, make_etag
from layers.layer import Format, Picture, Source, Tile
from layers.registry import find_source

Coding = Literal["", "gzip", "br"]
CONTENT_TYPES: dict[Format, str] = {
    "geojson": "application/geo+json",
    "png": "image/png",
    "mvt": "application/vnd.mapbox-vector-tile",
}
# An address with a version may be kept for good; the map asks a new one when the version moves.
_KEEP = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"


def add_routes(server: Flask, pictures: Pictures, *, base_path: str) -> None:
    """Add `/layers/...`, `/changes` and `/healthz` below the base path."""

    @guarded("read", logs="view.tiles")
    def layer(name: str, extension: str) -> Response:
        return _answer(pictures, _allowed_source(name, extension), None)

    @guarded("read", logs="view.tiles")
    def tile(name: str, z: int, x: int, y: int, extension: str) -> Response:
        return _answer(pictures, _allowed_source(name, extension), Tile(z=z, x=x, y=y))

    @guarded("read")
    def changes() -> Response:
        revision = pictures.keeper.revision(pictures.now())
        if request.args.get("since", type=int) == revision:
            return Response(status=204)
        return Response(orjson.dumps({"revision": revision}), mimetype="application/json")

    @guarded(OPEN)
    def healthz() -> Response:
        return Response(b'{"ok":true}', mimetype="application/json")

    for rule, name, view in (
        ("/layers/<name>.<extension>", "layer", layer),
        ("/layers/<name>/<int:z>/<int:x>/<int:y>.<extension>", "tile", tile),
        ("/changes", "changes", changes),
        ("/healthz", "healthz", healthz),
    ):
        server.add_url_rule(base_path + rule, endpoint=f"getu_{name}", view_func=view)


def _allowed_source(name: str, extension: str) -> Source:
    source = find_source(name)
    if source.format != extension:
        raise NotFound(Fault(key="layer_missing", values={"name": name}))
    if source.needs not in current_scope().permissions:
        raise NotAllowed(Fault(key="not_allowed", values={"need": source.needs}))
    return source


def _answer(pictures: Pictures, source: Source, tile: Tile | None) -> Response:
    scope, now = current_scope(), pictures.now()
    facts = pictures.facts(scope)
    chosen = filter_from_query(request.args, facts, now) if source.filtered else None
    theme: Literal["dark", "light"] = "dark" if request.args.get("theme") == "dark" else "light"
    lang = parse_lang(request.args.get("lang"))
    picture = Picture(
        facts=facts,
        scope=scope,
        now=now,
        filter=chosen,
        tile=tile,
        lang=lang,
        theme=theme,
        heat_sigma_px=facts.city.settings.heat_sigma_px,
    )
    coding = _coding(source.format, request.headers)

    def draw() -> bytes | None:
        body = source.draw(picture)
        return compress(body, coding) if body and coding else body

    minute = now // 60 if source.filtered and source.format == "mvt" else 0  # deadlines pass
    whom = scope.grids, scope.permissions
    body = pictures.cache.get(
        (source.name, tile, facts.revision, chosen, minute, theme, lang, whom, coding), draw
    )
    trail.show(target=source.name, n=1 if source.needs == ROWS and body else 0)
    return _respond(body, source.format, coding)


def _respond(body: bytes | None, format: Format, coding: Coding) -> Response:
    etag = make_etag(body or b"", coding)
    headers = {
        "ETag": etag,
        "Cache-Control": _KEEP if "v" in request.args else _ASK_AGAIN,
        "Vary": "Accept-Encoding, Cookie",
    }
    # Weak, as RFC 9110 asks for here: a proxy that compresses makes the tag a weak one.
    if request.if_none_match.contains_weak(etag.strip('"')):
        return Response(status=304, headers=headers)
    if not body:
        return Response(status=204, headers=headers)
    if coding:
        headers["Content-Encoding"] = coding
    return Response(body, mimetype=CONTENT_TYPES[format], headers=headers)


def _coding(format: Format, headers: Mapping[str, str]) -> Coding:
    """Return how to compress: PNG is compressed already, and a browser says what it can read."""
    accepted = headers.get("Accept-Encoding", "")
    if format == "png":
        return ""
    return "br" if "br" in accepted else "gzip" if "gzip" in accepted else ""
