"""The plain types of a picture: Layer, Source, Style, Legend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geodata.access.scope import ROWS, Scope
from geodata.access.suppression import Span, plain_count
from geodata.errors import BadSetting, Fault, NotAllowed, NotFound
from geodata.words import Lang, say
from layers.facts import Facts

Theme = Literal["dark", "light"]
THEMES: tuple[Theme, ...] = ("dark", "light")
# In drawing order.
Kind = Literal["base", "choropleth", "outline", "labels", "halos", "heat", "dots", "clusters"]
Format = Literal["geojson", "png", "mvt"]
MAX_ZOOM = 24  # the world is 2**32 units wide: a 256-cell tile has one unit a cell here

_SOURCE_TYPE = {"geojson": "geojson", "png": "raster", "mvt": "vector"}
_TILE_PX = 512  # MapLibre's own tile size; a smaller picture is stretched to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """The address of one tile of the web-mercator pyramid, y counted from the north."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        side = 1 << self.z if 0 <= self.z <= MAX_ZOOM else 0
        if not (0 <= self.x < side and 0 <= self.y < side):
            raise BadSetting(Fault(key="tile_address", values={"max_zoom": MAX_ZOOM}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One request for a picture: of what, for whom, filtered how, as of when."""

    facts: Facts
    scope: Scope
    now: int
    filter: Any = None
    tile: Tile | None = None
    lang: Lang = "zh"
    theme: Theme = "light"
    heat_sigma_px: float = 12.0  # the setting of that name

    def allowed(self) -> NDArray[np.bool_] | None:
        """
        Return per finest grid whether it may be seen, at `owner + 1`; None: nothing is hidden.

        The first place stands for unowned incidents: they are nobody's, so only those who see
        everything see them.
        """
        if self.scope.everything:
            return None
        uids = self.facts.grids.finest()["uid"].to_numpy()
        return np.array([False, *(self.scope.allows(int(uid)) for uid in uids)], np.bool_)

    def hidden(self) -> NDArray[np.bool_]:
        """Return of which finest grids only bounds may be told."""
        uids = self.facts.grids.finest()["uid"].to_numpy()
        if not self.rows:
            return np.ones(len(uids), np.bool_)
        allowed = self.allowed()
        return np.zeros(len(uids), np.bool_) if allowed is None else ~allowed[1:]

    @property
    def rows(self) -> bool:
        """Tell whether the account may see single incidents, in its own grids."""
        return ROWS in self.scope.permissions

    def within(self, rows: slice = slice(None)) -> NDArray[np.bool_]:
        """
        Return which of these incidents the scope lets through.

        Facts made for a scope hold no others; this holds whatever facts a picture is given.
        """
        owner = self.facts.snapshot.owner[rows]
        if not self.rows:
            return np.zeros(len(owner), np.bool_)
        allowed = self.allowed()
        return np.ones(len(owner), np.bool_) if allowed is None else allowed[owner + 1]

    def selected(self, rows: slice = slice(None)) -> NDArray[np.bool_]:
        """Return which of these incidents both filter and scope let through."""
        return self.facts.select(self.filter, self.now)[rows] & self.within(rows)

    def count_points(self, points: Any) -> int:
        """Return how many of the points with an `owner` the scope lets through."""
        allowed = self.allowed()
        if allowed is None:
            return len(points)
        return int(allowed[points["owner"].to_numpy(np.int64) + 1].sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    Where a layer's bytes come from: `read(picture)` gives them, None for an empty tile.

    `fields` is the allow-list: no other property leaves the server. `needs` is the permission
    without which it does not exist for an account. Layers may share a source.
    `filtered`: changes with the page's filter and the revision. `themed`: drawn per theme.
    """

    name: str
    format: Format
    read: Callable[[Picture], bytes | None]
    fields: tuple[str, ...] = ()
    needs: str = "read"
    filtered: bool = False
    themed: bool = False
    minzoom: int = 0
    maxzoom: int = 14
    budget_bytes: int = 200_000  # of one answer as sent, compressed unless PNG

    def draw(self, picture: Picture) -> bytes | None:
        """
        Return the bytes of one picture; None: an empty tile.

        Raises NotAllowed when the scope lacks the permission the source needs, NotFound for a tile
        of a zoom that does not exist, and where a tile is missing or not asked for.
        """
        if self.needs not in picture.scope.permissions:
            raise NotAllowed(Fault(key="not_allowed", values={"need": self.needs}))
        tile = picture.tile
        if (tile is None) == self.tiled or (
            tile is not None and not self.minzoom <= tile.z <= self.maxzoom
        ):
            raise NotFound(
                Fault(key="tile_zoom", values={"low": self.minzoom, "high": self.maxzoom})
            )
        return self.read(picture)

    @property
    def tiled(self) -> bool:
        """Tell whether the source answers tile by tile."""
        return self.format != "geojson"

    def url(self, version: str) -> str:
        """Return the address below the base path."""
        place = "/{z}/{x}/{y}" if self.tiled else ""
        query = "" if self.filtered else f"?v={version}"
        return f"layers/{self.name}{place}.{self.format}{query}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line of the hover box: a property of the source, or `$value`, the layer's figure."""

    name: str
    title: str  # key of words
    format: Literal["text", "number", "percent", "time"] = "text"
    digits: int = 0
    codes: Callable[[Facts, Lang], Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One line of a legend: a mark, what it means, and how many there are (None: not counted).

    A number that the scope hides is a Span.
    """

    label: str
    shape: str  # fill, hatch, line, ramp, halo, pin, or a dot's shape
    color: Mapping[Theme, str | tuple[str, ...]]
    n: int | Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendFacts:
    """A legend filled for one picture; `full` is the figure at a ramp's end by tile zoom."""

    entries: tuple[Entry, ...] = ()
    shown: int | Span | None = None
    of: int | Span | None = None
    notes: tuple[str, ...] = ()
    full: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend:
    """What tells a stranger how to read the layer: unit, denominator, marks and their counts."""

    read: Callable[[Picture], LegendFacts]
    unit: str = ""  # key of words; empty where nothing is counted
    denominator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the map component draws the layer: the `style` of dashboard/gridmap/DESCRIPTORS.md."""

    plain: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """
    One figure per finest grid (NaN: none), class breaks, and the rows too thin to trust.

    `texts` says by row what is shown for a figure that the scope only knows in bounds.
    """

    values: NDArray[np.float64]
    breaks: tuple[float, ...] = ()
    thin: NDArray[np.int64]
    revision: int
    texts: Mapping[int, str] = field(default_factory=dict)

    def as_json(self, digits: int = 4) -> dict[str, Any]:
        """Return the `values` prop of the map for one layer."""
        figures: list[float | None] = np.round(self.values, digits).astype(object).tolist()
        for row in np.flatnonzero(~np.isfinite(self.values)):
            figures[row] = None
        plain: dict[str, Any] = {
            "values": figures,
            "breaks": list(self.breaks),
            "thin": self.thin.tolist(),
            "revision": self.revision,
        }
        if self.texts:
            plain["texts"] = {str(row): text for row, text in self.texts.items()}
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """
    One thing that can be drawn, as plain data: source, style, legend, fields, permission.

    `title` is a key of words. `read_values` gives the figures that colour the grids, for the kinds
    that have them; it asks for the same permission as the source.
    """

    id: str
    kind: Kind
    group: Literal["base", "grids", "incidents", "assets"]
    title: str
    source: Source
    legend: Legend
    more_sources: tuple[Source, ...] = ()  # labels take several
    style: Style = field(default_factory=Style)
    fields: tuple[Field, ...] = ()
    visible: bool = True
    minzoom: int = 0
    maxzoom: int = MAX_ZOOM
    read_values: Callable[[Picture], Values] | None = None
    values_filtered: bool = False  # the figures change with the page's filter

    def descriptor(self, lang: Lang, facts: Facts, *, version: str) -> dict[str, Any]:
        """
        Return the layer as the map component takes it (dashboard/gridmap/DESCRIPTORS.md).

        `version` stands in the address of what does not follow filter and revision: anything that
        changes with the drawing and the tables.
        """
        return {
            "id": self.id,
            "kind": self.kind,
            "title": say(self.title, lang),
            "group": self.group,
            "visible": self.visible,
            "minzoom": self.minzoom,
            "maxzoom": self.maxzoom,
            "source": self._source(facts, version),
            "style": dict(self.style.plain),
            "fields": [self._field(item, lang, facts) for item in self.fields],
            "attribution": "",
            "legend": {
                "title": say(self.title, lang),
                "unit": say(self.legend.unit, lang) if self.legend.unit else "",
                "denominator": say(self.legend.denominator, lang)
                if self.legend.denominator
                else "",
            },
        }

    def describe_legend(self, picture: Picture) -> dict[str, Any]:
        """Return the legend for one picture as JSON-able data: marks, counts, n of N, as of."""
        filled = self.legend.read(picture)
        plain: dict[str, Any] = self.descriptor(picture.lang, picture.facts, version="")["legend"]
        return plain | {
            "id": self.id,
            "kind": self.kind,
            "entries": [
                {"label": item.label, "shape": item.shape, "color": dict(item.color)}
                | {"n": plain_count(item.n)}
                for item in filled.entries
            ],
            "shown": plain_count(filled.shown),
            "of": plain_count(filled.of),
            "notes": list(filled.notes),
            "full": {str(z): figure for z, figure in filled.full.items()},
            "as_of": picture.facts.as_of,
        }

    def _source(self, facts: Facts, version: str) -> dict[str, Any]:
        source = self.source
        urls = [item.url(version) for item in (source, *self.more_sources)]
        plain: dict[str, Any] = {
            "type": _SOURCE_TYPE[source.format],
            "url": urls if self.more_sources else urls[0],
        }
        if source.tiled:
            plain |= {
                "tileSize": _TILE_PX,
                "minzoom": source.minzoom,
                "maxzoom": source.maxzoom,
                "bounds": [float(edge) for edge in facts.bounds],
            }
        if source.format == "mvt":
            plain["layer"] = source.name
        for flag in ("filtered", "themed"):
            if getattr(source, flag):
                plain[flag] = True
        return plain

    @staticmethod
    def _field(item: Field, lang: Lang, facts: Facts) -> dict[str, Any]:
        plain: dict[str, Any] = {"name": item.name, "title": say(item.title, lang)}
        if item.format != "text":
            plain["format"] = item.format
        if item.format in ("number", "percent"):
            plain["digits"] = item.digits
        if item.format == "time":
            plain["zone"] = facts.zone
        if item.codes:
            plain["codes"] = dict(item.codes(facts, lang))
        return plain
