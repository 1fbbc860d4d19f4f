"""The layer switches and the legend that lie on the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from dashboard.parts import numbers
from geodata.access.suppression import Span
from geodata.words import Lang, say
from layers.layer import Layer, Picture, Theme

WIDTH_PX = 228  # of the panels that lie on the map's left edge, with their margin
_MIDDLE_ZOOM = 13  # whose figure stands at a heat ramp's end when the map has not said its own


# What a layer's "n of N" counts, by its kind.
_THINGS = frozenset({"lines", "blocks", "components"})
_COUNTED = {
    "choropleth": "grids",
    "outline": "grids",
    "halos": "grids",
    "labels": "grids",
    "heat": "n",
    "dots": "n",
    "clusters": "items",
    "base": "items",
}


def draw() -> html.Div:
    """Return the two boxes, still empty."""
    return html.Div(
        id="panels",
        children=[
            html.Details(
                id="layer-box",
                open=True,
                children=[
                    html.Summary(id="layer-title"),
                    dcc.Checklist(id="shown", className="switches", value=[]),
                ],
            ),
            html.Div(id="legend", role="region", tabIndex=0),  # it scrolls: keys must reach it
        ],
    )


def title(lang: Lang) -> str:
    """Return the heading of the switches."""
    return say("page.layers", lang)


def options(layers: Sequence[Layer], lang: Lang) -> list[dict[str, Any]]:
    """Return one switch a layer; the browser writes the layer's state beside its name."""
    return [
        {
            "value": layer.id,
            "label": html.Span(
                [say(layer.title, lang), html.Small()], **{"data-layer": layer.id}, className="of"
            ),
        }
        for layer in layers
    ]


def legends(layers: Sequence[Layer], picture: Picture) -> list[Any]:
    """Return the legends of the layers that have anything to explain."""
    blocks = []
    for layer in layers:
        plain = layer.describe_legend(picture)
        if plain["entries"]:
            blocks.append(_legend(plain, picture.lang, picture.theme))
    return blocks


def _legend(plain: dict[str, Any], lang: Lang, theme: Theme) -> html.Div:
    heading = [html.Strong(plain["title"])]
    if plain["unit"]:
        heading.append(html.Span(plain["unit"], className="quiet"))
    rows = [_entry(entry, theme, plain["full"]) for entry in plain["entries"]]
    foot = [text for text in (plain["denominator"], *plain["notes"]) if text]
    if plain["of"] is not None:
        n, of = (_count(plain[name] or 0) for name in ("shown", "of"))
        foot.insert(0, say(f"page.n_of_{_counted(plain)}", lang, n=n, of=of))
    return html.Div(
        className="legend",
        **{"data-layer": plain["id"]},
        children=[
            html.Div(heading, className="legend-head"),
            html.Div(rows, className="legend-rows"),
            *([html.Div(" · ".join(foot), className="quiet small")] if foot else []),
        ],
    )


def _count(plain: int | list[int]) -> str:
    """Return a legend's count; bounds come as a list of the two."""
    if isinstance(plain, list):
        return Span(low=plain[0], high=plain[1]).text
    return numbers.count(plain)


def _entry(entry: dict[str, Any], theme: Theme, full: dict[str, float]) -> html.Div:
    color = entry["color"][theme] if entry["color"] else "transparent"
    if isinstance(color, (list, tuple)):
        ends = numbers.decimal(full.get(str(_MIDDLE_ZOOM), 0)) if full else ""
        return html.Div(
            className="legend-row ramp",
            children=[
                html.Span("0"),
                html.I(style={"background": f"linear-gradient(90deg, {', '.join(color)})"}),
                html.Span(ends or entry["label"]),
            ],
        )
    mark = html.I(className=f"swatch {entry['shape']}", style={"--swatch": color})
    n = [] if entry["n"] is None else [html.Span(_count(entry["n"]), className="n")]
    return html.Div([mark, html.Span(entry["label"]), *n], className="legend-row")


def _counted(plain: dict[str, Any]) -> str:
    """Return what a legend counts: lines and blocks are outlines too, and no grids."""
    return "items" if plain["id"] in _THINGS else _COUNTED[plain["kind"]]
