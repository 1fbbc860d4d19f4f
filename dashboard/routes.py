"""The routes of the pictures: layers as GeoJSON, tiles and base map, each with its ETag."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask, Response, request

from dashboard.guard import OPEN, current_scope, guarded
from geodata.errors import Fault, GetuError, NotFound, http_status
from geodata.facts import Facts, FactsKeeper
from geodata.words import parse_lang
from layers.encode import Encoded, encode_body
from layers.layer import Picture, Source, Tile
from layers.registry import SOURCES
from layers.tile_cache import TileCache

from dashboard.view import filter_from_query

CONTENT_TYPES = {
    "geojson": "application/geo+json",
    "png": "image/png",
    "mvt": "application/vnd.mapbox-vector-tile",
}
# An address with a version may be kept for good; the browser asks again when the version moves.
_KEEP = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What the picture routes need: the facts, their cache and the clock."""

    keeper: FactsKeeper
    cache: TileCache
    now: Callable[[], int] = lambda: int(time.time())

    def facts(self) -> Facts:
        """Return the newest facts; raises NotFound while the city has no grids."""
        facts = self.keeper.current(self.now())
        if facts is None:
            raise NotFound(Fault(key="city_without_grids"))
        return facts


def add_routes(server: Flask, pictures: Pictures, *, base_path: str) -> None:
    """Add `/layers/...`, `/changes` and `/healthz` below the base path."""

    @guarded("map.read")
    def layer(name: str, extension: str) -> Response:
        return _answer(pictures, _source(name, extension), None, request.args)

    @guarded("map.read")
    def tile(name: str, z: int, x: int, y: int, extension: str) -> Response:
        return _answer(pictures, _source(name, extension), Tile(z=z, x=x, y=y), request.args)

    @guarded("map.read")
    def changes() -> Response:
        since = request.args.get("since", type=int)
        revision = pictures.keeper.city.database.revision()
        if since == revision:
            return Response(status=204)
        return Response(f'{{"revision":{revision}}}', mimetype="application/json")

    @guarded(OPEN)
    def healthz() -> Response:
        return Response('{"ok":true}', mimetype="application/json")

    for rule, name, view in (
        ("/layers/<name>.<extension>", "layer", layer),
        ("/layers/<name>/<int:z>/<int:x>/<int:y>.<extension>", "tile", tile),
        ("/changes", "changes", changes),
        ("/healthz", "healthz", healthz),
    ):
        server.add_url_rule(base_path + rule, endpoint=f"getu_{name}", view_func=view)


def answer_fault(error: GetuError) -> Response:
    """Return an error as the sentence that says what, where and what to do."""
    lang = parse_lang(request.args.get("lang") or request.accept_languages.best)
    return Response(error.sentence(lang), status=http_status(error), mimetype="text/plain")


def _source(name: str, extension: str) -> Source:
    source = SOURCES.get(name)
    if source is None or source.format != extension:
        raise NotFound(Fault(key="layer_missing", values={"name": name[:40]}))
    return source


def _answer(
    pictures: Pictures, source: Source, tile: Tile | None, query: Mapping[str, str]
) -> Response:
    facts, scope = pictures.facts(), current_scope()
    now = pictures.now()
    chosen = filter_from_query(query, facts, now)
    theme = "dark" if query.get("theme") == "dark" else "light"
    address = (source.name, source.format, tile, facts.revision, chosen, theme, scope.grids)
    encoded = pictures.cache.get(address)
    if encoded is None:
        picture = Picture(
            facts=facts, scope=scope, now=now, filter=chosen, tile=tile, theme=theme
        )
        encoded = encode_body(source.draw(picture), source.format)
        pictures.cache.put(address, encoded)
    return _respond(encoded, source, versioned="v" in query)


def _respond(encoded: Encoded, source: Source, *, versioned: bool) -> Response:
    headers = {
        "ETag": f'"{encoded.etag}"',
        "Cache-Control": _KEEP if versioned else _ASK_AGAIN,
        "Vary": "Accept-Encoding, Cookie",
    }
    if request.if_none_match.contains(encoded.etag):
        return Response(status=304, headers=headers)
    if not encoded.body:
        return Response(status=204, headers=headers)
    body, coding = encoded.best(request.headers.get("Accept-Encoding", ""))
    if coding:
        headers["Content-Encoding"] = coding
    return Response(body, mimetype=CONTENT_TYPES[source.format], headers=headers)
