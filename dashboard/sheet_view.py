"""The view of a sheet as people hand it over: a screen's address, or the same as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from dashboard.street.view import TEXTS, parse_street
from dashboard.view import View
from geodata.access.sight import Sight
from geodata.errors import BadSetting, Fault
from layers.print.view import PrintView
from layers.registry import find_layer

KEYS = ("days", "state", "category", "shown", "grid", "area", "bounds", "title", *TEXTS)
_QUIET_KEYS = ("lang", "theme", "measure")  # of an address: they change nothing on paper
_STREET = re.compile(r"/street/([^/?#]+)")
_PLACE = re.compile(r"([\d.]+)/(-?[\d.]+)/(-?[\d.]+)")
_SCREEN_PX = (1280.0, 760.0)  # what an address does not say: how large the map was
_EQUATOR_M_PER_PX = 40_075_016.686 / 512
_M_PER_DEGREE = 111_319.49
_LONGEST_TITLE = 80


def read_sheet_view(text: str, sight: Sight, *, now: int) -> PrintView:
    """
    Return the view that an address of the map or of a street page shows, or a JSON object says.

    JSON has the address's names and `area` (a code), `bounds` (west, south, east, north in
    degrees) and `title`. Raises BadSetting for what is neither or says what does not exist,
    NotFound for an unknown layer or area.
    """
    raw = _read_json(text) if text.lstrip().startswith("{") else _read_address(text)
    street = parse_street(raw, start=View())
    shown = raw.get("shown")
    if shown is not None:
        if not isinstance(shown, list) or not all(isinstance(one, str) for one in shown):
            raise BadSetting(Fault(key="view_part", field="shown"))
        for name in shown:
            find_layer(name)
    return PrintView(
        filter=street.filter(sight, now),
        shown=None if shown is None else tuple(shown),
        area=_find_area(raw, street.view.grid, sight),
        bounds=_read_bounds(raw.get("bounds")),
        title=str(raw.get("title") or "")[:_LONGEST_TITLE],
    )


def _read_json(text: str) -> dict[str, Any]:
    try:
        raw = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadSetting(Fault(key="view_json")) from error
    for name in raw:
        if name not in (*KEYS, *_QUIET_KEYS):
            known = ", ".join(KEYS)
            raise BadSetting(Fault(key="view_key", field=name[:40], values={"known": known}))
    return dict(raw)


def _read_address(text: str) -> dict[str, Any]:
    """Return an address's parts as JSON would have them."""
    parts = urlsplit(text)
    raw: dict[str, Any] = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if "shown" in raw:
        raw["shown"] = [item for item in raw["shown"].split(",") if item]
    raw.pop("bounds", None)
    found = _STREET.search(parts.path)
    if found:
        raw["area"] = unquote(found[1])
    place = _PLACE.fullmatch(parts.fragment)
    if place and not found:
        raw["bounds"] = _bounds_around(*(float(part) for part in place.groups()))
        raw.pop("grid", None)  # what was looked at is the map, a grid's card being open
    return raw


def _bounds_around(zoom: float, latitude: float, longitude: float) -> list[float]:
    shrink = math.cos(math.radians(min(max(latitude, -85.0), 85.0)))
    m_per_px = _EQUATOR_M_PER_PX * shrink / 2 ** min(max(zoom, 0.0), 24.0)
    high = _SCREEN_PX[1] / 2 * m_per_px / _M_PER_DEGREE
    wide = _SCREEN_PX[0] / 2 * m_per_px / _M_PER_DEGREE / shrink
    return [longitude - wide, latitude - high, longitude + wide, latitude + high]


def _read_bounds(raw: Any) -> tuple[float, float, float, float] | None:
    if raw is None:
        return None
    numbers = isinstance(raw, list) and all(
        isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)
        for one in raw
    )
    if not numbers or len(raw) != 4 or not (raw[0] < raw[2] and raw[1] < raw[3]):
        raise BadSetting(Fault(key="view_part", field="bounds"))
    west, south, east, north = (float(one) for one in raw)
    if not (west >= -180 and east <= 180 and south >= -85 and north <= 85):
        raise BadSetting(Fault(key="view_part", field="bounds"))
    return west, south, east, north


def _find_area(raw: Mapping[str, Any], grid: int | None, sight: Sight) -> int | None:
    """Return the uid of the area a sheet is about; raises NotFound for an unknown one."""
    code = raw.get("area")
    if code:
        level, _, plain = str(code).rpartition(":")
        return sight.grids.find_uid(plain, level=level or None)
    if grid is None:
        return None
    sight.grids.parent(grid)  # raises NotFound
    return grid
