"""Slides as PPTX, native and editable: real text, tables and charts, the map as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pptx
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.exc import PackageNotFoundError
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from geodata.briefing.about import say_caption
from geodata.briefing.rows import (
    CHILD_COLUMNS,
    KEY_FIGURES,
    Row,
    list_bodies,
    list_categories,
    list_children,
    list_days,
    list_key_figures,
)
from geodata.briefing.sentences import Section, name_area, name_period, name_title
from geodata.errors import BadFile, Fault
from geodata.safe_text import escape_formula
from geodata.words import Lang, Word, say
from layers.office.map_picture import LegendRow
from layers.office.paper import Paper
from layers.office.sealing import seal_office
from layers.office.templates import check_template

MAP_MM = (215.0, 142.0)
_WIDTH, _HEIGHT = Inches(13.333), Inches(7.5)
_ROWS_A_SLIDE = 14
_MOST_BARS = 20
_LATIN = "Arial"
_ASIAN = "微软雅黑"
_color: Any = RGBColor  # it has no types
_INK, _QUIET = _color(0x1B, 0x24, 0x30), _color(0x58, 0x65, 0x79)
_ACCENT, _LATE, _LINE = (
    _color(0x0B, 0x6B, 0xCB),
    _color(0xB3, 0x26, 0x1E),
    _color(0xD9, 0xDE, 0xE7),
)


def set_slides(
    paper: Paper,
    *,
    picture: bytes | None,
    legend: Sequence[LegendRow] = (),
    template: bytes | None = None,
) -> bytes:
    """
    Return the slides as PPTX; `picture` is the map as PNG in the shape of MAP_MM.

    With the office's template its size, masters and title placeholders are used. Raises BadFile for
    a template that is no PPTX, or has no layout with a title.
    """
    show = _Show(_open(template), paper, own=template is None)
    show.begin()
    show.tell_figures()
    if picture is not None:
        show.show_map(picture, legend)
    show.chart_days()
    show.chart_children()
    show.list_children()
    show.chart_categories()
    show.tell_sections()
    out = io.BytesIO()
    show.deck.save(out)
    return seal_office(out.getvalue(), paper.carried)


def check_pptx(template: bytes) -> None:
    """Raise BadFile for a template that no slides can be set into."""
    _find_layout(_open(template))


def _open(template: bytes | None) -> Any:
    check_template(template, "PPTX")
    fault = Fault(key="briefing_template_kind", values={"kind": "PPTX"})
    try:
        deck = pptx.Presentation(None if template is None else io.BytesIO(template))
    except (PackageNotFoundError, KeyError, ValueError, OSError) as error:
        raise BadFile(fault) from error
    if deck.element.tag != qn("p:presentation"):
        raise BadFile(fault)
    if template is None or deck.slide_width is None or deck.slide_height is None:
        deck.slide_width, deck.slide_height = _WIDTH, _HEIGHT
    if template is not None:  # its own example slides are no part of the briefing
        for slide in list(deck.slides._sldIdLst):
            deck.part.drop_rel(slide.rId)
            deck.slides._sldIdLst.remove(slide)
    return deck


def _find_layout(deck: Any) -> Any:
    """Return the layout with a title and the fewest other places."""
    with_title = [
        layout
        for layout in deck.slide_layouts
        if any(place.placeholder_format.type in _TITLES for place in layout.placeholders)
    ]
    if not with_title:
        raise BadFile(Fault(key="briefing_template", values={"need": Word("briefing.title_place")}))
    return min(with_title, key=lambda layout: len(list(layout.placeholders)))


class _Show:
    """The slides one after the other."""

    def __init__(self, deck: Any, paper: Paper, *, own: bool) -> None:
        self.deck, self._paper, self._own = deck, paper, own
        self._lang: Lang = paper.briefing.wish.lang
        self._layout = _find_layout(deck)
        self._wide, self._high = deck.slide_width, deck.slide_height
        self._edge = Emu(int(self._wide * 0.045))

    def begin(self) -> None:
        """Add the title slide: what, of when, as of when, which issue, the log's head."""
        briefing, lang = self._paper.briefing, self._lang
        slide = self._add(name_title(briefing), big=True)
        state = (
            say("briefing.draft", lang)
            if self._paper.issue is None
            else say("briefing.shown_issue", lang, issue=self._paper.issue)
        )
        lines = [
            f"{name_area(briefing)} · {name_period(briefing)}",
            f"{state} · {say('briefing.internal', lang)}",
            say_caption(briefing),
            say("briefing.made", lang),
            say("briefing.chain", lang, head=self._paper.head),
        ]
        box = self._box(slide, 0.045, 0.5, 0.91, 0.4)
        for place, line in enumerate(lines):
            self._write(box, line, size=20 if place == 0 else 13, first=place == 0,
                        color=_INK if place == 0 else _QUIET)  # fmt: skip

    def tell_figures(self) -> None:
        """Add the key figures, large, as text."""
        slide = self._add(say("briefing.key_figures", self._lang))
        rows = list_key_figures(self._paper.briefing, KEY_FIGURES)
        for place, row in enumerate(rows):
            column, line = place % 3, place // 3
            box = self._box(slide, 0.045 + column * 0.31, 0.22 + line * 0.33, 0.29, 0.28)
            value, _, of = row.cells[0].partition(" (")
            self._write(box, row.name, size=16, first=True, color=_QUIET)
            color = _LATE if row.keys[0] == "overdue" else _INK
            self._write(box, value, size=40, color=color)
            if of:
                self._write(box, f"({of}", size=14, color=_QUIET)
        self._foot(slide)

    def show_map(self, picture: bytes, legend: Sequence[LegendRow]) -> None:
        """Add the map as a picture of high resolution, its legend as shapes and text beside it."""
        slide = self._add(say("briefing.map", self._lang))
        top, left = int(self._high * 0.16), self._edge
        wide = min(int(self._wide * 0.66), int(self._high * 0.76 * MAP_MM[0] / MAP_MM[1]))
        high = int(wide * MAP_MM[1] / MAP_MM[0])
        shape = slide.shapes.add_picture(io.BytesIO(picture), left, top, wide, high)
        about = f"{say('briefing.map', self._lang)} · {name_title(self._paper.briefing)}"
        shape._element.nvPicPr.cNvPr.set("descr", about)
        step = min(int(self._high * 0.034), int(high / max(len(legend), 1)))
        at = left + wide + int(self._wide * 0.02)
        room = self._wide - self._edge - at
        for place, row in enumerate(legend):
            self._legend_row(slide, row, at, top + place * step, room, step)
        self._foot(slide)

    def _legend_row(
        self, slide: Any, row: LegendRow, left: int, top: int, wide: int, high: int
    ) -> None:
        side = int(high * 0.62)
        if row.color:
            kind = MSO_SHAPE.OVAL if row.round_ else MSO_SHAPE.RECTANGLE
            mark = slide.shapes.add_shape(kind, left, top + int(high * 0.19), side, side)
            mark.fill.solid()
            mark.fill.fore_color.rgb = _color.from_string(row.color.upper())
            mark.line.color.rgb, mark.line.width = _LINE, Pt(0.5)
            mark.shadow.inherit = False
        indent = side * 2 if row.color else 0
        shape = slide.shapes.add_textbox(left + indent, top, wide - indent, high)
        frame = shape.text_frame
        frame.word_wrap = True
        frame.margin_top = frame.margin_bottom = frame.margin_left = 0
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        self._write(frame, row.text, size=11, first=True, bold=not row.color, space=0)

    def chart_days(self) -> None:
        """Add the reports of each day as a chart."""
        title, days = list_days(self._paper.briefing)
        if len(days) > 1:
            self._chart(
                say(f"briefing.{title}", self._lang),
                XL_CHART_TYPE.COLUMN_CLUSTERED,
                [name for name, _ in days],
                {say("briefing.figure.total", self._lang): [n for _, n in days]},
            )

    def chart_children(self) -> None:
        """Add the areas below as a chart, where their counts are told exactly."""
        rows = [row for row in list_children(self._paper.briefing) if row.values[0] is not None]
        self._bars(say("briefing.by_area", self._lang), rows, {"total": 0, "overdue": 2})

    def list_children(self) -> None:
        """Add the areas below as tables, so many rows a slide."""
        rows = list_children(self._paper.briefing)
        heads = [say("briefing.column.name", self._lang)] + [
            say(f"briefing.figure.{name}", self._lang) for name in CHILD_COLUMNS
        ]
        for start in range(0, min(len(rows), _MOST_ROWS), _ROWS_A_SLIDE):
            self._table(
                say("briefing.by_area", self._lang), heads, rows[start : start + _ROWS_A_SLIDE]
            )

    def chart_categories(self) -> None:
        """Add the categories as a chart and whose the overdue are as a table."""
        rows = list_categories(self._paper.briefing)
        self._bars(say("briefing.by_category", self._lang), rows, {"total": 0, "overdue": 1})
        late = list_bodies(self._paper.briefing)
        if late:
            heads = [say("briefing.column.body", self._lang), say("briefing.figure.overdue",
                                                                  self._lang)]  # fmt: skip
            self._table(say("briefing.whose", self._lang), heads, late)

    def tell_sections(self) -> None:
        """Add the sentences, a section a slide."""
        for section in self._paper.sections:
            self._tell(section)

    def _tell(self, section: Section) -> None:
        slide = self._add(section.title)
        box = self._box(slide, 0.045, 0.19, 0.91, 0.7)
        size = 18 if sum(len(one.text) for one in section.sentences) < _LONG else 14
        for place, one in enumerate(section.sentences):
            self._write(box, one.text, size=size, first=place == 0, space=8)
        self._foot(slide)

    def _bars(self, title: str, rows: list[Row], of: dict[str, int]) -> None:
        shown = rows[:_MOST_BARS]
        if shown:
            series = {
                say(f"briefing.figure.{name}", self._lang): [row.values[at] or 0 for row in shown]
                for name, at in of.items()
            }
            names = [row.name for row in shown]
            self._chart(title, XL_CHART_TYPE.COLUMN_CLUSTERED, names, series)

    def _chart(self, title: str, kind: Any, names: list[str], series: dict[str, list[int]]) -> None:
        slide = self._add(title)
        data: Any = CategoryChartData(number_format="#,##0")  # type: ignore[no-untyped-call]
        data.categories = [escape_formula(name) for name in names]
        for name, values in series.items():
            data.add_series(name, values)
        frame = slide.shapes.add_chart(
            kind, self._edge, int(self._high * 0.17), self._wide - 2 * self._edge,
            int(self._high * 0.74), data,
        )  # fmt: skip
        chart = frame.chart
        chart.font.size, chart.font.name = Pt(12), _LATIN
        chart.font.color.rgb = _INK
        chart.has_title = False
        chart.has_legend = len(series) > 1
        if chart.has_legend:
            chart.legend.position = XL_LEGEND_POSITION.TOP
            chart.legend.include_in_layout = False
        chart.value_axis.major_gridlines.format.line.color.rgb = _LINE
        chart.value_axis.format.line.fill.background()
        plot = chart.plots[0]
        plot.gap_width = 60
        plot.has_data_labels = len(names) <= _MOST_BARS
        if plot.has_data_labels:
            plot.data_labels.font.size = Pt(10)
            plot.data_labels.number_format, plot.data_labels.number_format_is_linked = (
                "#,##0",
                False,
            )
        for one, color in zip(plot.series, (_ACCENT, _LATE), strict=False):
            one.format.fill.solid()
            one.format.fill.fore_color.rgb = color
        self._foot(slide)

    def _table(self, title: str, heads: list[str], rows: list[Row]) -> None:
        slide = self._add(title)
        step = int(self._high * 0.72 / (_ROWS_A_SLIDE + 1))
        frame = slide.shapes.add_table(
            len(rows) + 1, len(heads), self._edge, int(self._high * 0.18),
            self._wide - 2 * self._edge, step * (len(rows) + 1),
        )  # fmt: skip
        table = frame.table
        for place, head in enumerate(heads):
            self._cell(table.cell(0, place), head, head=True, right=place > 0)
        for line, row in enumerate(rows, start=1):
            self._cell(table.cell(line, 0), row.name)
            for place, text in enumerate(row.cells, start=1):
                self._cell(table.cell(line, place), text, right=True)
        self._foot(slide)

    def _cell(self, cell: Any, text: str, *, head: bool = False, right: bool = False) -> None:
        cell.margin_top = cell.margin_bottom = Emu(20_000)
        cell.vertical_anchor = MSO_ANCHOR.MIDDLE
        frame = cell.text_frame
        frame.word_wrap = True
        self._write(frame, text, size=13, first=True, bold=head, color=None if head else _INK)
        if right:
            frame.paragraphs[0].alignment = PP_ALIGN.RIGHT

    def _add(self, title: str, *, big: bool = False) -> Any:
        slide = self.deck.slides.add_slide(self._layout)
        for place in list(slide.placeholders):
            if place.placeholder_format.type not in _TITLES:
                place._element.getparent().remove(place._element)
        shape = slide.shapes.title
        if self._own:
            shape.left, shape.width = self._edge, self._wide - 2 * self._edge
            shape.top = int(self._high * (0.25 if big else 0.05))
            shape.height = int(self._high * (0.22 if big else 0.1))
        frame = shape.text_frame
        frame.word_wrap = True
        self._write(frame, title, size=34 if big else 26, first=True, bold=True)
        if self._own:
            frame.paragraphs[0].alignment = PP_ALIGN.LEFT
            frame.vertical_anchor = MSO_ANCHOR.BOTTOM if big else MSO_ANCHOR.MIDDLE
        return slide

    def _box(self, slide: Any, left: float, top: float, wide: float, high: float) -> Any:
        shape = slide.shapes.add_textbox(
            int(self._wide * left), int(self._high * top), int(self._wide * wide),
            int(self._high * high),
        )  # fmt: skip
        shape.text_frame.word_wrap = True
        return shape.text_frame

    def _foot(self, slide: Any) -> None:
        box = self._box(slide, 0.045, 0.93, 0.91, 0.05)
        line = f"{say_caption(self._paper.briefing)} · {self._paper.head}"
        self._write(box, line, size=9, first=True, color=_QUIET)

    def _write(
        self, frame: Any, text: str, *, size: float, first: bool = False, bold: bool = False,
        color: Any = _INK, space: float = 2,
    ) -> None:  # fmt: skip
        """Write a paragraph; the office's own template keeps its own letters in titles."""
        paragraph = frame.paragraphs[0] if first else frame.add_paragraph()
        paragraph.space_after = Pt(space)
        run = paragraph.add_run()
        run.text = text
        font = run.font
        font.size, font.bold = Pt(size), bold
        if color is not None:
            font.color.rgb = color
        if self._own:
            font.name = _LATIN
            properties = run._r.get_or_add_rPr()
            asian = properties.makeelement(qn("a:ea"), {"typeface": _ASIAN})
            properties.append(asian)


_TITLES = (1, 3)  # PP_PLACEHOLDER.TITLE and CENTER_TITLE
_MOST_ROWS = 140
_LONG = 420
