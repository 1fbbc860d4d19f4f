"""The stand-alone map as one file: own script, own style, data that can never be read as markup."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import orjson

from geodata.access.sight import Sight
from geodata.figures.area import AreaFigures
from geodata.words import Lang, say
from layers.encode import escape_markup
from layers.portable.portable_layers import draw_parts
from layers.print.lettering import embed_font
from layers.print.margin import Imprint, list_imprint, title_of
from layers.print.sheet import count_view
from layers.print.view import PrintView, Subject
from layers.print.wording import (
    describe_filter,
    describe_period,
    describe_scope,
    print_count,
    print_rate,
)

_HERE: Final = Path(__file__).parent
_WORDS = ("zoom_in", "zoom_out", "reset_view", "metres", "kilometres", "map_label")
_SCRIPTS = ("drawing.js", "asking.js")
_FIGURES = ("total", "open", "overdue")


def draw_portable(
    sight: Sight,
    view: PrintView,
    *,
    lang: Lang,
    now: int,
    imprint: Imprint,
) -> bytes:
    """
    Return the stand-alone map of a view as HTML: its layers, legend, figures and a table.

    The figures are the sheet's and the screen's. A policy inside the file lets nothing be fetched
    and no script run but its own, by its hash; every text reaches the page as text. Raises as
    `draw_sheet`.
    """
    subject = Subject(sight=sight, view=view, now=now, lang=lang)
    figures = count_view(subject)
    words = {name: say(f"map.{name}", lang, n="{n}") for name in _WORDS}  # the script fills it in
    data = {**draw_parts(subject), "words": words}
    told = escape_markup(orjson.dumps(data)).decode().replace("&", "\\u0026")
    body = _write_body(subject, figures, imprint)
    parts = "".join((_HERE / name).read_text("utf-8") for name in _SCRIPTS)
    script = f'(function () {{\n"use strict";\n{parts}}})();'
    style = (_HERE / "portable.css").read_text("utf-8") + embed_font([body, told])
    policy = (
        f"default-src 'none'; script-src {_hash_of(script)}; style-src {_hash_of(style)}; "
        "font-src data:; img-src data:; base-uri 'none'; form-action 'none'"
    )
    page = (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="renderer" content="webkit">\n'
        f"<title>{escape(title_of(subject))}</title>\n<style>{style}</style>\n</head>\n"
        f'{body}\n<script type="application/json" id="data">{told}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )
    return page.encode()


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _write_body(subject: Subject, figures: AreaFigures, imprint: Imprint) -> str:
    """Return the page around the map; every value is escaped here."""
    lang = subject.lang
    told = (
        describe_period(subject),
        describe_filter(subject),
        describe_scope(subject.sight, lang),
    )
    lead = " · ".join(part for part in told if part)
    mark = f'<p class="mark">{escape(say("sheet.internal", lang))}</p>' if imprint.internal else ""
    keys = "".join(
        f'<div class="key {name}"><span>{escape(say(f"figure.{name}", lang))}</span>'
        f"<b>{escape(print_count(getattr(figures, name)))}</b></div>"
        for name in _FIGURES
    )
    rates = "".join(
        f"<dt>{escape(say(f'figure.{name}', lang))}</dt><dd>{escape(print_rate(rate))}</dd>"
        for name, rate in (
            ("completion", figures.own.completion),
            ("closing", figures.own.closing),
            ("on_time", figures.own.on_time),
        )
        if figures.complete
    )
    lines = "".join(f"<p>{escape(line)}</p>" for line in list_imprint(subject, imprint))
    without = escape(say("portable.no_script", lang))
    return (
        f"<body>\n<noscript>{without}</noscript><header><div><h1>{escape(title_of(subject))}</h1><p>{escape(lead)}</p></div>"
        f'{mark}</header>\n<main><div id="map"><canvas id="canvas" tabindex="0"></canvas>'
        '<div id="tools"></div><div id="scale"></div><div id="tip"></div></div>\n'
        f'<aside><section class="keys">{keys}</section><dl>{rates}</dl>'
        '<section id="card"></section><section id="legend"></section>'
        f"{_write_table(subject, figures)}"
        f"</aside></main>\n<footer>{lines}</footer>"
    )


def _write_table(subject: Subject, figures: AreaFigures) -> str:
    """Return the table twin: the parts of the area with the same figures."""
    lang = subject.lang
    heads = [say("atlas.area", lang), *(say(f"figure.{name}", lang) for name in _FIGURES)]
    rows: list[Sequence[str]] = [
        [
            child.name if child.uid is not None else say("figure.unowned", lang),
            *(print_count(getattr(child, name)) for name in _FIGURES),
        ]
        for child in figures.children
    ]
    if not rows:
        return ""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    summary = escape(say("portable.table", lang))
    return (
        f"<details><summary>{summary}</summary><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></details>"
    )
