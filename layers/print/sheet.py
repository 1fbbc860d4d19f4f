"""The map sheet: any view with all that a printed map needs, as SVG, PDF and PNG alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from geodata.access.sight import Sight
from geodata.errors import Fault, NotAllowed, NotFound
from geodata.figures.area import AreaFigures, count_area
from geodata.figures.period import Period
from geodata.words import Lang, say
from layers.print.frame import fit_frame
from layers.print.furniture import draw_degrees
from layers.print.grid_marks import PAPER
from layers.print.layout import STRIP, draw_strip, lay_out
from layers.print.legend import Key
from layers.print.map_body import draw_layers
from layers.print.margin import Imprint, draw_imprint, draw_title, list_imprint, title_of
from layers.print.page import Page, check_dpi
from layers.print.scene import Scene
from layers.print.typesetting import Leaf, set_pdf, set_png
from layers.print.view import PrintView, Subject
from layers.print.wording import describe_filter, describe_period, print_count

EXPORT: Final = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """
    One finished sheet. `figures` are the numbers printed on it, equal to the screen's.

    The three forms are drawn from one scene and show the same; each is the same bytes for the same
    sight, view, moment and page.
    """

    page: Page
    title: str
    about: str
    lang: Lang
    now: int
    figures: AreaFigures
    scene: Scene = field(repr=False)
    keys: tuple[Key, ...] = ()  # the legend, layer by layer, as printed

    def svg(self) -> bytes:
        """Return the sheet as SVG: text as text, with the part of the font that it needs."""
        return self.scene.svg(title=self.title, about=self.about).encode()

    def pdf(self) -> bytes:
        """Return the sheet as PDF: vectors, text as text, the font embedded."""
        return set_pdf([self.leaf()], title=self.title, lang=self.lang, at=self.now)

    def png(self, dpi: int = 300) -> bytes:
        """Return the sheet as PNG; raises BadSetting outside 150 to 600 dpi."""
        return set_png(self.leaf(), dpi=check_dpi(dpi))

    def leaf(self, *, level: int = 1) -> Leaf:
        """Return the sheet as a page of a document."""
        return Leaf(
            svg=self.scene.svg(with_font=False),
            width_mm=self.page.width_mm,
            height_mm=self.page.height_mm,
            bookmark=self.title,
            alt=self.about,
            level=level,
        )


def draw_sheet(
    sight: Sight,
    view: PrintView,
    *,
    page: Page,
    lang: Lang,
    now: int,
    imprint: Imprint | None = None,
    empty: bool = False,
) -> Sheet:
    """
    Draw the map sheet of a view.

    `sight` says for whom and of which revision, `now` (UTC s) is the moment deadlines are judged
    at and the date inside the files. All figures come from `count_area`. Raises NotAllowed without
    the permission `export`, NotFound where no incident is in the view (unless `empty`, for an area
    of an atlas) or where the scope hides all of it, and for an area the drawing does not have.
    """
    subject = Subject(sight=sight, view=view, now=now, lang=lang)
    figures = count_view(subject, empty=empty)
    imprint = imprint or Imprint()
    scene = Scene(page.width_mm, page.height_mm)
    scene.rect(0, 0, page.width_mm, page.height_mm, fill=PAPER)
    top = draw_title(scene, subject, page, imprint)
    left, right = page.margin_mm, page.width_mm - page.margin_mm
    foot = draw_imprint(
        scene, list_imprint(subject, imprint), left, page.height_mm - page.margin_mm * 0.7,
        right - left, page.text_mm,
    )  # fmt: skip
    body = (left, top + page.text_mm * 1.2, right - left, foot - top - page.text_mm * 2.0)
    keys = lay_out(scene, subject, figures, page, body)
    title = title_of(subject)
    return Sheet(
        page=page,
        title=title,
        about=_describe(subject, figures, title),
        lang=lang,
        now=now,
        figures=figures,
        scene=scene,
        keys=keys,
    )


def draw_map(
    sight: Sight, view: PrintView, *, width_mm: float, height_mm: float, lang: Lang, now: int
) -> Sheet:
    """
    Draw the map alone, with its scale bar and north arrow, for a slide or a written page.

    Its legend is in `keys`, for whoever sets it beside. Raises as `draw_sheet`.
    """
    page = Page(name="map", width_mm=width_mm, height_mm=height_mm, margin_mm=0.0, text_mm=2.8)
    subject = Subject(sight=sight, view=view, now=now, lang=lang)
    figures = count_view(subject, empty=True)
    scene = Scene(width_mm, height_mm)
    scene.rect(0, 0, width_mm, height_mm, fill=PAPER)
    strip = page.text_mm * STRIP
    edge = page.text_mm
    place = (edge, edge, width_mm - 2 * edge, height_mm - strip - edge)
    frame = fit_frame(place, subject.ground(), subject.crs)
    keys, _ = draw_layers(scene, subject, frame)
    draw_degrees(scene, frame, page.text_mm)
    draw_strip(scene, frame, page.text_mm, lang)
    title = title_of(subject)
    return Sheet(
        page=page, title=title, about=_describe(subject, figures, title), lang=lang, now=now,
        figures=figures, scene=scene, keys=keys,
    )  # fmt: skip


def count_view(subject: Subject, *, empty: bool = False) -> AreaFigures:
    """
    Return the figures of a view, those of every screen, once it may be exported.

    Raises NotAllowed without the permission, NotFound where there is nothing to draw (unless
    `empty`) or where the scope tells nothing of it.
    """
    if not subject.sight.scope.has(EXPORT):
        raise NotAllowed(Fault(key="not_allowed", values={"need": EXPORT}))
    view = subject.view
    figures = count_area(
        subject.sight,
        grid=view.area,
        period=Period(since=view.filter.since, until=view.filter.until),
        filter=view.filter,
        now=subject.now,
    )
    if subject.without_rows() and figures.total is None:
        raise NotFound(Fault(key="sheet_hidden"))
    if not empty and figures.total == 0:
        raise NotFound(Fault(key="sheet_empty", values={"period": describe_period(subject)}))
    return figures


def _describe(subject: Subject, figures: AreaFigures, title: str) -> str:
    """Return the sheet in one sentence, for who cannot see it."""
    told = " · ".join(part for part in (describe_period(subject), describe_filter(subject)) if part)
    return say(
        "sheet.about", subject.lang, title=title, told=told,
        total=print_count(figures.total), open=print_count(figures.open),
        overdue=print_count(figures.overdue),
    )  # fmt: skip
