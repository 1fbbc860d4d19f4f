"""The pages of an atlas around its sheets, as Typst source: every word of them comes as data."""

from __future__ import annotations

from typing import Final

# `told` is read from told.json (typesetting.py): no name can be read as a command.
ATLAS: Final = """
#let told = json("told.json")
#let t = told.page.text * 1mm
#set document(
  title: told.title, author: told.author,
  date: datetime(
    year: told.at.at(0), month: told.at.at(1), day: told.at.at(2),
    hour: told.at.at(3), minute: told.at.at(4), second: 0,
  ),
)
#let ink = rgb("#1b2430")
#let quiet = rgb("#586579")
#let rule = rgb("#c9d0db")
#set text(font: told.font, lang: told.lang, fallback: false, size: t * 1.15, fill: ink)
#let number(n) = context str(locate(label("sheet-" + str(n))).page())
#let foot = context align(right, text(size: t * 0.85, fill: quiet,
  told.words.page_of.replace("{n}", str(here().page()))
    .replace("{of}", str(counter(page).final().at(0)))))
#set page(
  width: told.page.width * 1mm, height: told.page.height * 1mm,
  margin: told.page.margin * 1mm + t * 2, footer: foot,
)
#set heading(outlined: false)
#show heading: it => block(below: t * 1.6, text(size: t * 1.8, stroke: 0.06mm + ink, it.body))
#let cells(row) = (
  link(label("sheet-" + str(row.sheet)), row.name),
  ..row.cells.map(one => align(right, one)),
  align(right, number(row.sheet)),
)
#let listing(heads, rows) = table(
  columns: (1fr,) + (auto,) * heads.len(),
  stroke: (x, y) => (bottom: if y == 0 { 0.3mm + quiet } else { 0.1mm + rule }),
  inset: (x: t * 0.7, y: t * 0.55),
  table.header(
    text(fill: quiet, heads.at(0)),
    ..heads.slice(1).map(one => align(right, text(fill: quiet, one))),
    align(right, text(fill: quiet, told.words.page)),
  ),
  ..rows.map(cells).flatten(),
)
#grid(
  columns: (1fr, auto),
  text(size: t * 2.4, stroke: 0.08mm + ink, told.title),
  if told.internal != "" {
    box(stroke: 0.3mm + rgb("#a00a1c"), radius: 0.6mm, inset: t * 0.6,
      text(fill: rgb("#a00a1c"), told.internal))
  },
)
#text(fill: quiet, told.lead)
#v(t * 1.5)
#heading(level: 1, told.words.contents)
#listing(told.contents.heads, told.contents.rows)
#v(1fr)
#for line in told.imprint { block(spacing: t * 0.6, text(size: t * 0.8, fill: quiet, line)) }
#pagebreak()
#heading(level: 1, told.words.changes)
#text(fill: quiet, told.changes.lead)
#v(t)
#if told.changes.rows.len() > 0 { listing(told.changes.heads, told.changes.rows) }
#for (n, sheet) in told.sheets.enumerate() {
  page(margin: 0pt, footer: none)[
    #place(hide[#heading(level: sheet.level, bookmarked: true, sheet.bookmark)
      #label("sheet-" + str(n))])
    #place(image(sheet.file, width: 100%, height: 100%, alt: sheet.alt))
    #place(bottom + right, dx: -told.page.margin * 1mm, dy: -told.page.margin * 0.35mm, foot)
  ]
}
#heading(level: 1, told.words.index)
#set text(size: t)
#columns(if told.page.width > told.page.height { 5 } else { 3 }, gutter: t * 2)[
  #for row in told.index {
    block(spacing: t * 0.7, link(label("sheet-" + str(row.sheet)),
      grid(columns: (1fr, auto), row.name, text(fill: quiet, number(row.sheet)))))
  }
]
"""
