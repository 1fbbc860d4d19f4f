"""Where the pictures of a base map come from: a template of addresses, or a file of tiles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from geodata.errors import BadSetting, Fault
from geodata.settings import Settings

KEY_VARIABLE = "GETU_PICTURE_MAP_KEY"
FILES_FOLDER = "base"
_HOLDERS = re.compile(r"\{([^{}]*)\}")
_KNOWN = frozenset({"z", "x", "y", "-y", "key"})
# The national service; its capabilities declare wrong scales, so the addresses are written out.
_TIANDITU = (
    "https://t0.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    "&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    "&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={{key}}"
)
_TIANDITU_LAYERS = ("vec", "cva", "img", "cia", "ter", "cta")
_PREFIX = "tianditu:"
_SUFFIXES: Mapping[str, Literal["mbtiles", "pmtiles"]] = {
    ".mbtiles": "mbtiles",
    ".pmtiles": "pmtiles",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSource:
    """
    One source of pictures.

    `kind` "server": `template` is an address with {z}, {x}, {y} or {-y} (counted from the south)
    and perhaps {key}; else a file. `host` is what people may read of an address.
    """

    kind: Literal["server", "mbtiles", "pmtiles"]
    template: str = ""
    path: Path | None = None

    @property
    def host(self) -> str:
        """Return the name of the server or of the file, never a key."""
        if self.path is not None:
            return self.path.name
        return urlsplit(self.template).hostname or ""

    @property
    def needs_key(self) -> bool:
        """Tell whether the address needs a key."""
        return "{key}" in self.template

    def address(self, z: int, x: int, y: int, *, key: str) -> str:
        """Return the address of one tile; it holds the key: never print or log it."""
        values = {"z": z, "x": x, "y": y, "-y": (1 << z) - 1 - y, "key": quote(key, safe="")}
        return _HOLDERS.sub(lambda found: str(values[found[1]]), self.template)


def find_sources(settings: Settings, folder: Path) -> tuple[PictureSource, ...]:
    """
    Return the picture map of a city and, over it, its labels; none where none is set.

    Raises BadSetting for an address that is none, lacks a place for z, x or y, or holds a name or
    a password, for a file outside the city's `base` folder or of another kind.
    """
    found = []
    for name in ("picture_map", "picture_map_labels"):
        text = getattr(settings, name)
        if text:
            found.append(parse_source(text, folder, setting=name))
    return tuple(found)


def parse_source(text: str, folder: Path, *, setting: str = "picture_map") -> PictureSource:
    """Return what one setting means; raises BadSetting, see `find_sources`."""
    fault = Fault(key="picture_map_source", field=setting)
    if text.startswith(_PREFIX):
        layer = text.removeprefix(_PREFIX)
        if layer not in _TIANDITU_LAYERS:
            raise BadSetting(fault)
        return PictureSource(kind="server", template=_TIANDITU.format(layer=layer))
    kind = _SUFFIXES.get(Path(text).suffix.lower())
    if kind is not None and "://" not in text:
        path = (folder / FILES_FOLDER / text).resolve()
        if Path(text).name != text or path.parent != (folder / FILES_FOLDER).resolve():
            raise BadSetting(fault)
        return PictureSource(kind=kind, path=path)
    text = re.sub(r"\{TileMatrix\}", "{z}", text, flags=re.IGNORECASE)
    text = re.sub(r"\{TileRow\}", "{y}", text, flags=re.IGNORECASE)
    text = re.sub(r"\{TileCol\}", "{x}", text, flags=re.IGNORECASE)
    holders = set(_HOLDERS.findall(text))
    try:
        parts = urlsplit(text)
        whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise BadSetting(fault) from None
    plain = parts.scheme in ("http", "https") and not parts.username and not parts.fragment
    outside = "{" in parts.netloc or not text.isprintable() or not text.isascii() or " " in text
    enough = {"z", "x"} <= holders and bool(holders & {"y", "-y"}) and holders <= _KNOWN
    if not (whole and plain and enough) or outside:
        raise BadSetting(fault)
    return PictureSource(kind="server", template=text)
