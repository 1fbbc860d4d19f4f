"""The written page as DOCX: native text and tables, in the office's own template if it has one."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from geodata.briefing.about import say_caption
from geodata.briefing.rows import CHILD_COLUMNS, Row, list_children, list_key_figures
from geodata.briefing.sentences import name_title
from geodata.errors import BadFile, Fault
from geodata.words import Lang, say
from layers.office.map_picture import LegendRow
from layers.office.paper import Paper
from layers.office.sealing import seal_office
from layers.office.templates import check_template

PLACEHOLDER = "{{getu}}"
_TITLE_PLACEHOLDER = "{{title}}"
_PICTURE_WIDTH = Mm(156)
# GB/T 9704 sets Chinese official papers so: body 仿宋 三号, headings 黑体, title 小标宋.
_FONTS: dict[Lang, dict[str, tuple[str, str, float]]] = {
    "zh": {
        "body": ("Times New Roman", "仿宋", 16),
        "heading": ("Times New Roman", "黑体", 16),
        "title": ("Times New Roman", "方正小标宋简体", 20),
        "small": ("Times New Roman", "仿宋", 10.5),
    },
    "en": {
        "body": ("Georgia", "宋体", 11.5),
        "heading": ("Georgia", "黑体", 13),
        "title": ("Georgia", "黑体", 20),
        "small": ("Georgia", "宋体", 9),
    },
}
_QUIET = RGBColor(0x58, 0x65, 0x79)


def set_docx(
    paper: Paper,
    *,
    picture: bytes | None,
    legend: Sequence[LegendRow] = (),
    template: bytes | None = None,
) -> bytes:
    """
    Return the written page as DOCX.

    With the office's template the text takes the place of its paragraph `{{getu}}`, and its styles.
    Raises BadFile for a template that is no DOCX or has no such paragraph.
    """
    document = _open(template)
    place = None
    if template is not None:
        place = _find_place(document)
        _fill_title(document, paper)
    writer = _Writer(document, paper, place)
    writer.write(picture, legend)
    if place is not None:
        place._p.getparent().remove(place._p)
    out = io.BytesIO()
    document.save(out)
    return seal_office(out.getvalue(), paper.carried)


def check_docx(template: bytes) -> None:
    """Raise BadFile for a template that no page can be set into."""
    _find_place(_open(template))


def _open(template: bytes | None) -> Document:
    check_template(template, "DOCX")
    fault = Fault(key="briefing_template_kind", values={"kind": "DOCX"})
    try:
        document = docx.Document(None if template is None else io.BytesIO(template))
    except (PackageNotFoundError, KeyError, ValueError, OSError) as error:
        raise BadFile(fault) from error
    root = document.element
    if root.tag != qn("w:document") or root.body is None or not document.sections:
        raise BadFile(fault)
    return document


def _find_place(document: Document) -> Paragraph:
    for paragraph in document.paragraphs:
        if PLACEHOLDER in paragraph.text:
            return paragraph
    raise BadFile(Fault(key="briefing_template", values={"need": PLACEHOLDER}))


def _fill_title(document: Document, paper: Paper) -> None:
    for paragraph in document.paragraphs:
        if _TITLE_PLACEHOLDER in paragraph.text:
            paragraph.text = paragraph.text.replace(_TITLE_PLACEHOLDER, name_title(paper.briefing))


class _Writer:
    def __init__(self, document: Document, paper: Paper, place: Paragraph | None) -> None:
        self._document, self._paper, self._place = document, paper, place
        self._lang: Lang = paper.briefing.wish.lang

    def write(self, picture: bytes | None, legend: Sequence[LegendRow]) -> None:
        """Write title, sections, map, tables and the line of where it all comes from."""
        briefing, lang = self._paper.briefing, self._lang
        if self._place is None:
            self._set_page()
            self._line(name_title(briefing), "title", center=True)
        number = self._paper.issue
        state = (
            say("briefing.draft", lang)
            if number is None
            else say("briefing.shown_issue", lang, issue=number)
        )
        self._line(f"{state}　{say_caption(briefing)}", "small", center=True)
        for section in self._paper.sections:
            self._line(section.title, "heading")
            if lang == "zh":
                self._line("".join(one.text for one in section.sentences), "body", indent=True)
            else:
                self._line(" ".join(one.text for one in section.sentences), "body")
        if picture is not None:
            self._move(self._picture(picture))
            self._legend(legend)
        children = list_children(briefing)
        heads = [say("briefing.column.name", lang)] + [
            say(f"briefing.figure.{name}", lang) for name in CHILD_COLUMNS
        ]
        if children:
            self._line(say("briefing.by_area", lang), "heading")
            self._table(heads, children)
        self._line(say("briefing.figures_used", lang), "heading")
        keys = [say("briefing.figure_name", lang), say("briefing.figure_value", lang)]
        self._table(keys, list_key_figures(briefing))
        self._line(say("briefing.made", lang), "small")
        self._line(say("briefing.chain", lang, head=self._paper.head), "small")

    def _set_page(self) -> None:
        section = self._document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        normal = self._document.styles["Normal"]
        latin, asian, size = _FONTS[self._lang]["body"]
        normal.font.name, normal.font.size = latin, Pt(size)
        normal.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), asian)

    def _line(self, text: str, kind: str, *, center: bool = False, indent: bool = False) -> None:
        paragraph = self._document.add_paragraph()
        if kind == "heading":
            self._style(paragraph, "Heading 1")
        run = paragraph.add_run(text)
        if self._place is None:
            self._letter(run, kind)
            if center:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            if indent:
                size = _FONTS[self._lang]["body"][2]
                paragraph.paragraph_format.first_line_indent = Pt(size * 2)
        self._move(paragraph)

    def _letter(self, run: Any, kind: str) -> None:
        latin, asian, size = _FONTS[self._lang][kind]
        run.font.name, run.font.size = latin, Pt(size)
        run.font.bold = kind == "title" or (kind == "heading" and self._lang == "en")
        run.font.color.rgb = _QUIET if kind == "small" else RGBColor(0, 0, 0)
        fonts = run._element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), asian)

    def _table(self, heads: list[str], rows: Iterable[Row]) -> None:
        listed = list(rows)
        table = self._document.add_table(rows=1 + len(listed), cols=len(heads))
        self._style(table, "Table Grid")
        _repeat_head(table)
        for place, head in enumerate(heads):
            self._cell(table.rows[0].cells[place], head, bold=True, right=place > 0, with_next=True)
        for line, row in zip(table.rows[1:], listed, strict=True):
            cells = line.cells
            self._cell(cells[0], row.name)
            for place, text in enumerate(row.cells, start=1):
                self._cell(cells[place], text, right=True)
        self._move(table)

    def _cell(
        self, cell: Any, text: str, *, bold: bool = False, right: bool = False,
        with_next: bool = False,
    ) -> None:  # fmt: skip
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.keep_with_next = with_next
        run = paragraph.add_run(text)
        if self._place is None:
            self._letter(run, "small")
            run.font.color.rgb = RGBColor(0, 0, 0)
        run.font.bold = bold
        if right:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT

    def _picture(self, picture: bytes) -> Paragraph:
        paragraph = self._document.add_paragraph()
        paragraph.add_run().add_picture(io.BytesIO(picture), width=_PICTURE_WIDTH)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        return paragraph

    def _legend(self, legend: Sequence[LegendRow]) -> None:
        """Write the map's legend, a line a layer, each class behind a mark of its colour."""
        paragraph = None
        for row in legend:
            if not row.color or paragraph is None:
                paragraph = self._document.add_paragraph()
                self._move(paragraph)
            if row.color:
                mark = paragraph.add_run("  ● " if row.round_ else "  ■ ")
                self._letter(mark, "small")
                mark.font.color.rgb = RGBColor.from_string(row.color.upper())
            run = paragraph.add_run(row.text)
            self._letter(run, "small")
            run.font.bold = not row.color

    def _style(self, thing: Any, name: str) -> None:
        if name in [style.name for style in self._document.styles]:
            thing.style = self._document.styles[name]

    def _move(self, thing: Any) -> None:
        """Put what was just added at the end in the template's place."""
        if self._place is not None:
            self._place._p.addprevious(thing._element)


def _repeat_head(table: Any) -> None:
    """Let the first row stand on every page, no row be torn, and the last column be wide."""
    for row in table.rows:
        settings = row._tr.get_or_add_trPr()
        settings.append(OxmlElement("w:cantSplit"))
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    widths = _WIDTHS_MM[len(table.columns)]
    table.autofit = False
    for column, wide in zip(table.columns, widths, strict=True):
        column.width = Mm(wide)
        for cell in column.cells:
            cell.width = Mm(wide)


_WIDTHS_MM = {2: (60, 96), 5: (52, 20, 20, 20, 44)}
