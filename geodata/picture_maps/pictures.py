"""The pictures of a city's base map, tile by tile, each checked to be a picture."""

from __future__ import annotations

import io
import math
import os
import threading
import time
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from geodata.city import City
from geodata.errors import BadSetting, Busy, Fault, NotFound
from geodata.picture_maps.fetching import Fetcher, PictureFailed
from geodata.picture_maps.pmtiles import read_pmtiles
from geodata.picture_maps.source import KEY_VARIABLE, PictureSource, find_sources
from geodata.store.mbtiles import read_mbtile

REST_S = 15.0  # a server that failed is left alone for so long
LARGEST_PX = 1024
_FORMATS = ("PNG", "JPEG", "WEBP")
_MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTile:
    """One picture as it goes to a browser."""

    body: bytes
    mimetype: str


class PictureMap:
    """
    The picture map of one city: from a server, through this one, or from a file.

    At most `picture_map_per_s` tiles a second leave for the server, over time: a map is looked at
    here, never copied. After a failure nothing is asked for some seconds.
    """

    def __init__(self, city: City) -> None:
        self._city = city
        self._fetcher = Fetcher(private=city.settings.picture_map_private)
        self._lock = threading.Lock()
        self._rest_until_s = -math.inf
        self._allowance = float(city.settings.picture_map_per_s)
        self._counted_at_s = time.monotonic()

    @property
    def sources(self) -> tuple[PictureSource, ...]:
        """Return where its pictures come from; raises BadSetting for a wrong setting."""
        return find_sources(self._city.settings, self._city.folder)

    def draw(self, z: int, x: int, y: int, *, patient: bool = True) -> PictureTile | None:
        """
        Return one tile with its labels over it, None where there is none.

        Not `patient`, it asks a server that has just failed again. Raises NotFound where no picture
        map is set or the zoom is none of its own, Busy, BadFile, BadSetting or PictureFailed.
        """
        settings = self._city.settings
        sources = self.sources
        low, high = settings.picture_map_min_zoom, settings.picture_map_max_zoom
        inside = low <= z <= high and 0 <= x < 1 << z and 0 <= y < 1 << z
        if not sources or not inside:
            raise NotFound(Fault(key="picture_map_none"))
        bodies = [self._read(source, z, x, y, patient=patient) for source in sources]
        pictures = [_open(body) for body in bodies if body]
        if not pictures:
            return None
        if len(pictures) == 1:
            (body,) = (body for body in bodies if body)
            return PictureTile(body=body, mimetype=_MIME[str(pictures[0].format)])
        return _lay_over(*pictures)

    def _read(
        self, source: PictureSource, z: int, x: int, y: int, *, patient: bool
    ) -> bytes | None:
        if source.path is not None:
            if not source.path.is_file():
                raise BadSetting(Fault(key="picture_map_no_file"), file=source.path.name)
            read = read_mbtile if source.kind == "mbtiles" else read_pmtiles
            return read(source.path, z, x, y)
        key = os.environ.get(KEY_VARIABLE, "")
        if source.needs_key and not key:
            raise BadSetting(Fault(key="picture_map_key", values={"name": KEY_VARIABLE}))
        self._wait_turn(patient=patient)
        try:
            return self._fetcher.fetch(source.address(z, x, y, key=key))
        except PictureFailed:
            self._rest_until_s = time.monotonic() + REST_S
            raise

    def _wait_turn(self, *, patient: bool) -> None:
        now_s = time.monotonic()
        per_s = float(self._city.settings.picture_map_per_s)
        with self._lock:
            earned = (now_s - self._counted_at_s) * per_s
            self._allowance = min(self._allowance + earned, per_s * 4)
            self._counted_at_s = now_s
            if self._allowance < 1 or (patient and now_s < self._rest_until_s):
                raise Busy(Fault(key="picture_map_busy"))
            self._allowance -= 1


def _open(body: bytes) -> Image.Image:
    """Return a picture whose head was read; raises PictureFailed for anything else."""
    try:
        picture = Image.open(io.BytesIO(body), formats=_FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        raise PictureFailed(Fault(key="picture_map_no_picture")) from None
    if max(picture.size) > LARGEST_PX:
        raise PictureFailed(Fault(key="picture_map_no_picture"))
    return picture


def _lay_over(ground: Image.Image, labels: Image.Image) -> PictureTile:
    """Return one picture of a ground with labels over it."""
    try:
        base, top = ground.convert("RGBA"), labels.convert("RGBA")
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureFailed(Fault(key="picture_map_no_picture")) from error
    if top.size != base.size:
        top = top.resize(base.size)
    out = io.BytesIO()
    Image.alpha_composite(base, top).convert("RGB").save(out, "PNG")
    return PictureTile(body=out.getvalue(), mimetype=_MIME["PNG"])
