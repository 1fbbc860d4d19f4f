"""What a browser says to the desk, parsed: anything may arrive, only what is known goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from geodata.words import Lang, parse_lang

Place = tuple[float, float]  # longitude and latitude in degrees
_LARGEST = 2**53
_EQUATOR_M, _TILE_PX, _CLOSEST_ZOOM = 40_075_016.7, 512, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The case that the page shows, and the revision it was read at."""

    inc: int
    source: str
    incident_id: str
    revision: int
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """A place picked for a case; of another case it counts for nothing."""

    inc: int
    place: Place | None
    revision: int = 0
    pixel_m: float | None = None  # of the map when it was clicked

    def as_json(self) -> dict[str, Any]:
        """Return what the page keeps."""
        return asdict(self)


def read_seen(raw: Any) -> Seen | None:
    """Return the case that the page shows, None for none."""
    if not isinstance(raw, Mapping):
        return None
    inc, revision = read_number(raw.get("inc")), read_number(raw.get("revision"))
    if inc is None or revision is None:
        return None
    return Seen(
        inc=inc,
        source=read_text(raw.get("source"), 200),
        incident_id=read_text(raw.get("id"), 200),
        revision=revision,
        place=read_lonlat(raw.get("place")),
    )


def read_picked(raw: Any) -> Picked | None:
    """Return the place that was picked, None for none."""
    if not isinstance(raw, Mapping):
        return None
    inc = read_number(raw.get("inc"))
    if inc is None:
        return None
    revision = read_number(raw.get("revision")) or 0
    pixel_m = raw.get("pixel_m")
    return Picked(
        inc=inc,
        place=read_lonlat(raw.get("place")),
        revision=revision,
        pixel_m=pixel_m if isinstance(pixel_m, float) and math.isfinite(pixel_m) else None,
    )


def read_place(clicked: Any) -> Place | None:
    """Return where the map was clicked."""
    if not isinstance(clicked, Mapping):
        return None
    return read_lonlat([clicked.get("lng"), clicked.get("lat")])


def measure_pixel(viewport: Any) -> float | None:
    """Return how many metres a pixel of the map is, None where it has not said its view."""
    if not isinstance(viewport, Mapping):
        return None
    zoom, place = viewport.get("zoom"), read_lonlat(viewport.get("center"))
    if place is None or isinstance(zoom, bool) or not isinstance(zoom, int | float):
        return None
    if not 0 <= zoom <= _CLOSEST_ZOOM:
        return None
    return float(_EQUATOR_M * math.cos(math.radians(place[1])) / (_TILE_PX * 2**zoom))


def read_lonlat(raw: Any) -> Place | None:
    """Return a place in degrees, None for what is none on earth."""
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        return None
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in raw):
        return None
    lon, lat = (float(one) for one in raw)
    on_earth = math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90
    return (lon, lat) if on_earth else None


def read_lang(raw: Any) -> Lang:
    """Return the language that the page speaks."""
    return parse_lang(raw if isinstance(raw, str) else None)


def read_number(raw: Any) -> int | None:
    """Return a whole number from 0 on that a store may hold."""
    if isinstance(raw, bool) or not isinstance(raw, int):
        return None
    return raw if 0 <= raw <= _LARGEST else None


def read_text(raw: Any, longest: int) -> str:
    """Return a text, cut where it would be endless; anything else is empty."""
    return raw[:longest].strip() if isinstance(raw, str) else ""
