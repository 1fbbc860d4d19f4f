"""The map as a Dash component; what a layer says to it is in DESCRIPTORS.md beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from dash.development.base_component import Component, ComponentRegistry

from geodata.words import Lang, load_words

__version__ = "0.1.0"
BUILT = Path(__file__).parent / "built"
_FILES = ("guard.js", "gridmap.js", "gridmap-worker.js", "gridmap.css")
_WORDS = "map."

_js_dist = [
    {"relative_package_path": "built/guard.js", "namespace": __name__},
    {"relative_package_path": "built/gridmap.js", "namespace": __name__},
    # Asked for by the map itself, not by the page: registered so that Dash serves it.
    {"relative_package_path": "built/gridmap-worker.js", "namespace": __name__, "dynamic": True},
]
_css_dist = [{"relative_package_path": "built/gridmap.css", "namespace": __name__}]


class NotBuilt(RuntimeError):
    """The component's JavaScript has not been bundled yet."""


class GridMap(Component):
    """
    A map of grids, heat, incidents, cameras and places over the city's own ground.

    Given by the page:
        id, className, style: as of any Dash component.
        basePath: the path the app is mounted at, with its slashes (`/` or `/getu/`).
        bounds: [west, south, east, north] in degrees: the first view, and that of the reset button.
        covered: {left, right, top, bottom} in pixels that the page's own panels cover.
        layers: list of layer descriptors (DESCRIPTORS.md), in drawing order within a kind.
        shown: ids of the layers switched on; None shows those with `visible`.
        values: {layer id: {values, breaks, thin, revision}}, one value per grid row.
        filter: query string (without `?`) sent with every source that is `filtered`.
        revision: of the store: cache key of the filtered sources, `data-revision` of the page.
        theme: "dark" or "light". lang: "zh" or "en". words: sentences of `map_words(lang)`.
        selected: uid of the outlined area, or None.
        view: {center: [lon, lat], zoom} or {bounds} or {uid}: where to go now.
        scale: factor of names, symbols and lines (walls). fonts: local font families, first wins.
        pixelRatio: None chooses: the screen's, or less where the processor draws.
        interactive: False makes a picture that cannot be moved. controls: False hides the buttons.
        sketch: True gives the page's script a drawing to redraw by hand (event `gridmap:sketch`).
    Told to the page:
        clicked: {layer, id, lng, lat, properties, n}; `id` is the area's uid, else the
            feature's id; layer None: the click met nothing. None after Escape.
        viewport: {center, zoom, bounds} after each move.
        status: {state, reason, revision, layers: {id: {state, reason}}, software, pixelRatio}.
    """

    _namespace = "gridmap"
    _type = "GridMap"
    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _prop_names: ClassVar[list[str]] = [
        *("id", "className", "style", "basePath", "bounds", "covered", "layers", "shown", "values"),
        *(
            "filter",
            "revision",
            "theme",
            "lang",
            "words",
            "selected",
            "view",
            "scale",
            "fonts",
            "pixelRatio",
        ),
        *("interactive", "controls", "sketch", "clicked", "viewport", "status"),
    ]

    def __init__(self, **props: Any) -> None:
        check_built()
        self.available_properties = self._prop_names
        self._valid_wildcard_attributes: list[str] = []
        self.available_wildcard_properties: list[str] = []
        super().__init__(**props)


# Dash looks for `_js_dist` in the top package of a component's module; ours is a room of it.
ComponentRegistry.registry.add(__name__)
ComponentRegistry.namespace_to_package[GridMap._namespace] = __name__


def check_built() -> None:
    """Raise NotBuilt, naming the remedy, where the bundle is missing."""
    missing = [name for name in _FILES if not (BUILT / name).is_file()]
    if missing:
        raise NotBuilt(
            f"the map component is not built ({', '.join(missing)} missing in {BUILT}): "
            "run `make setup`, or `npm ci` and `node dashboard/gridmap/build.mjs`"
        )


def map_words(lang: Lang) -> dict[str, str]:
    """Return the map's own sentences, by their keys within the section [map]."""
    found = load_words(lang).items()
    return {key[len(_WORDS) :]: text for key, text in found if key.startswith(_WORDS)}
