"""The bureau: makes papers for one account from the facts of one moment, and shows only those."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from geodata.access.scope import Scope
from geodata.briefing import templates
from geodata.briefing.briefing import describe_sight, make_briefing
from geodata.briefing.cut_off import see_at
from geodata.briefing.issuing import open_issue
from geodata.briefing.leaving import note_export, read_head_then
from geodata.briefing.recipes import IssueList, describe_issues
from geodata.briefing.sentences import name_days, write_page
from geodata.briefing.tables import TABLES
from geodata.briefing.wish import Wish, find_dates
from geodata.errors import BadFile, Fault, NotFound
from geodata.snapshots.facts import Facts
from layers.office.map_picture import draw_html, draw_map_sheet, find_view
from layers.office.pack import Style, make_docx, make_pdf, make_slides, name_stem, zip_pack
from layers.office.page_docx import check_docx
from layers.office.paper import Paper, issue_paper, make_paper, paper_of, tell_table
from layers.office.slides import check_pptx
from layers.office.table_files import WRITERS, table_bytes, table_ending
from layers.print.atlas import AtlasWish, Progress, draw_atlas, find_areas_of
from layers.print.margin import Imprint
from layers.print.page import Page

Make = Callable[[Paper, Style], bytes]
Bind = Callable[[Progress, Callable[[], bool]], bytes]  # with progress, until told to stop
MADE: dict[str, tuple[str, Make]] = {
    "page.docx": ("page", make_docx),
    "page.pdf": ("page", lambda paper, _: make_pdf(paper)),
    "slides.pptx": ("slides", make_slides),
    "map.pdf": ("map", lambda paper, style: draw_map_sheet(paper, style.page).pdf()),
    "map.svg": ("map", lambda paper, style: draw_map_sheet(paper, style.page).svg()),
    "map.png": ("map", lambda paper, style: draw_map_sheet(paper, style.page).png()),
    "map.html": ("html", lambda paper, _: draw_html(paper)),
    "pack.zip": ("pack", lambda paper, style: zip_pack(paper, _stem(paper), style)),
}
ROWS_MADE = tuple(f"{what}{suffix}" for what in TABLES for suffix in WRITERS)
_CHECKS: Final = {"docx": check_docx, "pptx": check_pptx}
_SCREEN_DPI = 150
_COMPARED = 3


class Bureau:
    """Makes papers for one scope; what it hands out shows that scope alone."""

    def __init__(self, facts: Facts, scope: Scope, *, now: int) -> None:
        self._facts, self._scope, self._now = facts, scope, now

    def look(self, wish: Wish) -> Paper:
        """Return a trial paper for the screen; nothing leaves, so nothing is noted here."""
        dates = find_dates(wish, now=self._now, zone=self._facts.zone, newest=self._facts.risk_from)
        sight = see_at(self._facts, self._scope, cut_off=dates.cut_off)
        briefing = make_briefing(sight, wish, dates)
        return Paper(
            briefing=briefing,
            sight=sight,
            sections=write_page(briefing),
            head="",
            issue=None,
            by=self._scope.account,
        )

    def draw(self, wish: Wish, page: Page) -> bytes:
        """Return the map sheet of a wish as PNG for the screen."""
        return draw_map_sheet(self.look(wish), page).png(_SCREEN_DPI)

    def make(self, name: str, wish: Wish, page: Page) -> tuple[str, bytes]:
        """Return a paper's or a table's file name and bytes, noted in the log. Raises NotFound."""
        if name in ROWS_MADE:
            what, _, suffix = name.partition(".")
            told = tell_table(
                self._facts, self._scope, what, wish, now=self._now, target=f".{suffix}"
            )
            period = wish.period if wish.period.isascii() else ""
            end = table_ending(f".{suffix}")
            return f"{name_stem(what, period)}{end}", table_bytes(told, f".{suffix}")
        if name not in MADE:
            raise NotFound(Fault(key="briefing_paper"))
        kind, make = MADE[name]
        paper = make_paper(self._facts, self._scope, wish, now=self._now, what=kind, target=name)
        return _name(name, paper, "briefing"), make(paper, self._style(page))

    def issue(self, series: str, wish: Wish) -> Paper:
        """Issue a series' next briefing; see `issue_paper`."""
        return issue_paper(self._facts, self._scope, series, wish, now=self._now)

    def make_again(self, name: str, number: int, page: Page) -> tuple[str, bytes]:
        """
        Return an issue's file, noted in the log.

        Raises NotFound for an issue that another sight made, as for one that is not.
        """
        issue = open_issue(self._facts.city, self._eyes(), number)
        if name not in MADE:
            raise NotFound(Fault(key="briefing_paper"))
        note_export(
            self._facts.city, self._scope, "issue", target=f"{issue.series} {number} {name}",
            n=len(issue.briefing["figures"]), at=self._now,
        )  # fmt: skip
        paper = paper_of(self._facts, self._scope, issue)
        return _name(name, paper, issue.series), MADE[name][1](paper, self._style(page))

    def issues(self, *, most: int) -> IssueList:
        """Return the newest issues, the first ones held against what is known now."""
        return describe_issues(
            self._facts, self._scope, "", now=self._now, most=most, compared=_COMPARED
        )

    def keep_template(self, name: str, body: bytes) -> None:
        """
        Keep the office's template of slides or pages for the account's papers, noted in the log.

        Raises BadFile for one that is neither, that nothing can be set into, or that brings more.
        """
        kind = name.lower().rpartition(".")[2]
        if kind not in _CHECKS:
            raise BadFile(Fault(key="briefing_template_kind", values={"kind": "DOCX / PPTX"}))
        _CHECKS[kind](body)
        templates.keep(self._facts.city, self._scope, kind, name=name, body=body, at=self._now)

    def drop_template(self, kind: str) -> None:
        """Remove the account's template of a kind, noted in the log. Raises NotFound."""
        templates.drop(self._facts.city, self._scope, kind, at=self._now)

    def templates(self) -> dict[str, str]:
        """Return the file names of the account's templates by kind."""
        return templates.read_names(self._facts.city, self._scope)

    def plan_atlas(self, wish: Wish, level: str, page: Page) -> Bind:
        """
        Return what binds the atlas of a wish, a sheet for each area of a level.

        Raises what `draw_atlas` does for a wish that cannot be bound, before anything is drawn.
        """
        paper = self.look(wish)
        cut_off = paper.briefing.dates.cut_off
        asked = AtlasWish(view=find_view(paper), level=level, page=page)
        find_areas_of(paper.sight, asked)

        def bind(progress: Progress, stopped: Callable[[], bool]) -> bytes:
            return draw_atlas(
                paper.sight,
                asked,
                lang=wish.lang,
                now=cut_off,
                imprint=Imprint(head=read_head_then(self._facts.city, cut_off)),
                progress=progress,
                stopped=stopped,
            )

        return bind

    def note_atlas(self, body: bytes) -> None:
        """Note in the log that an atlas leaves, by its hash as the command line does."""
        digest = hashlib.sha256(body).hexdigest()
        note_export(
            self._facts.city, self._scope, "atlas", target=digest, n=1, at=self._now,
            detail={"bytes": len(body)},
        )  # fmt: skip

    def _style(self, page: Page) -> Style:
        kept = templates.read_bodies(self._facts.city, self._scope)
        return Style(docx=kept["docx"], pptx=kept["pptx"], page=page)

    def _eyes(self) -> str:
        return describe_sight(see_at(self._facts, self._scope, cut_off=self._now))


def _name(name: str, paper: Paper, series: str) -> str:
    kind, _, suffix = name.partition(".")
    end = "-map" if kind == "map" else ""
    return f"{name_stem(series, name_days(paper.briefing))}{end}.{suffix}"


def _stem(paper: Paper) -> str:
    return name_stem(paper.briefing.area_name or "briefing", name_days(paper.briefing))
