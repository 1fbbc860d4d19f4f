"""The written page as PDF, set by Typst: every word comes in as data, never as source."""

from __future__ import annotations

from typing import Any

import orjson

from geodata.briefing.about import say_caption
from geodata.briefing.rows import CHILD_COLUMNS, list_children, list_key_figures
from geodata.briefing.sentences import name_title
from geodata.words import say
from layers.office.map_picture import LegendRow, list_legend
from layers.office.paper import Paper
from layers.print.lettering import print_text
from layers.print.sheet import Sheet
from layers.print.typesetting import compile_pages, tell_document

_SOURCE = """
#let told = json("told.json")
#set document(
  title: told.title,
  author: told.author,
  date: datetime(
    year: told.at.at(0), month: told.at.at(1), day: told.at.at(2),
    hour: told.at.at(3), minute: told.at.at(4), second: 0,
  ),
)
#set text(font: told.font, lang: told.lang, size: 11pt, fallback: false)
#set par(justify: true, leading: 0.9em, spacing: 1.1em)
#set page(paper: "a4", margin: (x: 26mm, top: 28mm, bottom: 24mm),
  footer: context [
    #set text(size: 7.5pt, fill: rgb("#586579"))
    #told.foot #h(1fr) #counter(page).display() / #counter(page).final().first()
  ])
#show heading: it => block(above: 1.5em, below: 0.8em, text(size: 12.5pt, it.body))
#pdf.attach("figures.json", bytes(told.carried), mime-type: "application/json",
  description: told.title)
#align(center)[
  #text(size: 18pt, told.title)
  #v(2mm)
  #text(size: 8.5pt, fill: rgb("#586579"), told.caption)
]
#v(3mm)
#for section in told.sections {
  heading(level: 1, section.title)
  for part in section.parts { part; linebreak() }
}
#if told.map != none {
  figure(image(told.map, width: 100%, alt: told.alt), caption: none)
  set text(size: 8pt)
  for key in told.legend {
    block(spacing: 0.7em, {
      strong(key.title)
      for one in key.entries {
        h(0.9em)
        box(width: 0.8em, height: 0.8em, baseline: 0.1em, fill: rgb(one.color),
          stroke: 0.3pt + rgb("#9fb0cc"), radius: if one.round { 50% } else { 0pt })
        h(0.3em)
        one.text
      }
    })
  }
}
#let grid-table(heads, rows) = table(
  columns: (1fr,) + (auto,) * (heads.len() - 1),
  stroke: (x, y) => (top: if y == 0 { 0.8pt } else { 0.3pt + rgb("#d9dee7") }, bottom: 0.8pt),
  align: (x, y) => if x == 0 { left } else { right },
  table.header(..heads.map(head => [*#head*])),
  ..rows.flatten(),
)
#set text(size: 9.5pt)
#for one in told.tables {
  heading(level: 1, one.title)
  grid-table(one.heads, one.rows)
}
#text(size: 8pt, fill: rgb("#586579"), told.made)
"""


def set_page_pdf(paper: Paper, *, map_sheet: Sheet | None) -> bytes:
    """Return the written page as PDF, the map as vectors, its figures as a file within."""
    briefing = paper.briefing
    lang = briefing.wish.lang
    title = name_title(briefing)
    state = (
        say("briefing.draft", lang)
        if paper.issue is None
        else say("briefing.shown_issue", lang, issue=paper.issue)
    )
    leaves = [] if map_sheet is None else [map_sheet.leaf()]
    children = list_children(briefing)
    heads = [say("briefing.column.name", lang)] + [
        say(f"briefing.figure.{name}", lang) for name in CHILD_COLUMNS
    ]
    tables = [
        {
            "title": say("briefing.by_area", lang),
            "heads": heads,
            "rows": [[row.name, *row.cells] for row in children],
        },
        {
            "title": say("briefing.figures_used", lang),
            "heads": [say("briefing.figure_name", lang), say("briefing.figure_value", lang)],
            "rows": [[row.name, *row.cells] for row in list_key_figures(briefing)],
        },
    ]
    chain = say("briefing.chain", lang, head=paper.head)
    told = {
        **tell_document(title=title, lang=lang, at=briefing.dates.cut_off),
        "caption": f"{state} · {say_caption(briefing)}",
        "foot": f"{say('briefing.internal', lang)} · {chain}",
        "made": say("briefing.made", lang),
        "sections": [
            {"title": one.title, "parts": [sentence.text for sentence in one.sentences]}
            for one in paper.sections
        ],
        "map": "sheet-0.svg" if leaves else None,
        "legend": [] if map_sheet is None else _group(list_legend(map_sheet)),
        "alt": map_sheet.about if map_sheet is not None else "",
        "tables": [table for table in tables if table["rows"]],
        "carried": orjson.dumps(_ordered(paper)).decode(),
    }
    printed = {name: _as_set(part) for name, part in told.items() if name != "carried"}
    return compile_pages(_SOURCE, {**printed, "carried": told["carried"]}, leaves)


def _group(rows: list[LegendRow]) -> list[dict[str, Any]]:
    """Return the legend's lines under their headings."""
    keys: list[dict[str, Any]] = []
    for row in rows:
        if row.color:
            entry = {"text": row.text, "color": f"#{row.color}", "round": row.round_}
            keys[-1]["entries"].append(entry)
        else:
            keys.append({"title": row.text, "entries": []})
    return keys


def _as_set(part: Any) -> Any:
    """Return words as the font can set them, in whatever they stand."""
    if isinstance(part, str):
        return print_text(part)
    if isinstance(part, list):
        return [_as_set(one) for one in part]
    return {name: _as_set(one) for name, one in part.items()} if isinstance(part, dict) else part


def _ordered(paper: Paper) -> dict[str, Any]:
    """Return what travels with the mark that `sealing.read_carried` looks for at its beginning."""
    carried = paper.carried
    return {"getu": carried["getu"], **carried}
