"""The picture map: its tiles through this server, and a page that tries it."""

from __future__ import annotations

import base64
import time
from typing import Any

import numpy as np
from flask import Flask, Response
from werkzeug.wrappers import Response as WsgiResponse

from dashboard.guard import guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.errors import GetuError
from geodata.picture_maps.pictures import PictureMap, PictureTile
from geodata.picture_maps.source import KEY_VARIABLE
from geodata.snapshots.snapshot import tile_position
from layers.tile_cache import TileCache

ADMIN = "admin"  # the permission to try it
KEPT_S = 86_400  # in browsers
_SHARE = 4  # of the memory for tiles that pictures may take
_TRIED_ZOOM = 14
_WORLD_BITS = 32


def add_picture_page(server: Flask, services: Services) -> None:
    """Add `/picture/...` and `/basemap`."""
    city, base = services.city, services.base_path
    pictures = PictureMap(city)
    cache = TileCache(limit_bytes=city.settings.tile_cache_mb * 1_000_000 // _SHARE)

    @guarded("read")
    def tile(z: int, x: int, y: int) -> Response:
        def draw() -> bytes | None:
            found = pictures.draw(z, x, y)
            return None if found is None else found.mimetype.encode() + b"\n" + found.body

        packed = cache.get((z, x, y), draw)
        if packed is None:
            return Response(status=204, headers={"Cache-Control": f"private, max-age={KEPT_S}"})
        mimetype, _, body = packed.partition(b"\n")
        response = Response(body, mimetype=mimetype.decode())
        response.headers["Cache-Control"] = f"private, max-age={KEPT_S}"
        return response

    @guarded(ADMIN, logs="view.basemap")
    def show_basemap() -> Response:
        return _draw(services, pictures)

    @guarded(ADMIN, logs="basemap.try")
    def try_it() -> WsgiResponse:
        zoom, x, y = _middle(services)
        begin_s = time.monotonic()
        found: PictureTile | None = None
        error: GetuError | None = None
        try:
            found = pictures.draw(zoom, x, y, patient=False)
        except GetuError as raised:
            error = raised
        show(target=f"{zoom}/{x}/{y}")
        took_ms = round((time.monotonic() - begin_s) * 1000)
        return _draw(services, pictures, tried=(zoom, x, y), found=found, error=error, ms=took_ms)

    server.add_url_rule(f"{base}/picture/<int:z>/<int:x>/<int:y>", "getu_picture", tile)
    server.add_url_rule(f"{base}/basemap", "getu_basemap", show_basemap)
    server.add_url_rule(f"{base}/basemap", "getu_basemap_try", try_it, methods=["POST"])


def _middle(services: Services) -> tuple[int, int, int]:
    """Return the tile over the middle of the city, at a zoom that the picture map has."""
    settings = services.city.settings
    low, high = settings.picture_map_min_zoom, settings.picture_map_max_zoom
    zoom = min(max(_TRIED_ZOOM, low), high)
    system = services.grids()
    lon, lat = 0.0, 0.0
    if system is not None:
        west, south, east, north = system.grids.to_crs(4326).total_bounds
        lon, lat = (west + east) / 2, (south + north) / 2
    x, y = tile_position(np.array([lon]), np.array([lat]))
    return zoom, int(x[0]) >> (_WORLD_BITS - zoom), int(y[0]) >> (_WORLD_BITS - zoom)


def _draw(
    services: Services,
    pictures: PictureMap,
    *,
    tried: tuple[int, int, int] | None = None,
    found: PictureTile | None = None,
    error: GetuError | None = None,
    ms: int = 0,
) -> Response:
    settings, lang = services.city.settings, find_page_lang()
    faults = [] if error is None else [fault.sentence(lang) for fault in error.faults]
    sources: list[dict[str, Any]] = []
    try:
        sources = [
            {"kind": one.kind, "host": one.host, "key": one.needs_key} for one in pictures.sources
        ]
    except GetuError as wrong:
        faults = faults or [fault.sentence(lang) for fault in wrong.faults]
    picture = ""
    if found is not None:
        picture = f"data:{found.mimetype};base64,{base64.b64encode(found.body).decode()}"
    return draw_plain(
        "basemap.html",
        settings=settings,
        variable=KEY_VARIABLE,
        sources=sources,
        tried=tried,
        picture=picture,
        size=0 if found is None else len(found.body),
        ms=ms,
        faults=faults,
    )
