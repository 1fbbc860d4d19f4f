"""The bureau: makes papers for one account from the facts of one moment, and shows only those."""

from __future__ import annotations

from collections.abc import Callable

from geodata.access.scope import Scope
from geodata.briefing.briefing import describe_sight, make_briefing
from geodata.briefing.cut_off import see_at
from geodata.briefing.issuing import open_issue
from geodata.briefing.leaving import note_export
from geodata.briefing.recipes import IssueList, describe_issues
from geodata.briefing.sentences import name_days, write_page
from geodata.briefing.tables import TABLES
from geodata.briefing.wish import Wish, find_dates
from geodata.errors import Fault, NotFound
from geodata.snapshots.facts import Facts
from layers.office.map_picture import find_view
from layers.office.pack import Style, make_docx, make_pdf, make_slides, name_stem
from layers.office.paper import Paper, issue_paper, make_paper, paper_of, tell_table
from layers.office.table_files import WRITERS, table_bytes
from layers.print.margin import Imprint
from layers.print.page import find_page
from layers.print.sheet import Sheet, draw_sheet

MADE: dict[str, tuple[str, Callable[[Paper], bytes]]] = {
    "page.docx": ("page", lambda paper: make_docx(paper, Style())),
    "page.pdf": ("page", make_pdf),
    "slides.pptx": ("slides", lambda paper: make_slides(paper, Style())),
    "map.pdf": ("map", lambda paper: draw_map_sheet(paper).pdf()),
    "map.svg": ("map", lambda paper: draw_map_sheet(paper).svg()),
}
_NOT_ON_SCREEN = ".csv"  # comes with a sidecar: one answer is one file
ROWS_MADE = tuple(
    f"{what}{suffix}" for what in TABLES for suffix in WRITERS if suffix != _NOT_ON_SCREEN
)
_SCREEN_DPI = 150
_PAGE = "A4"


def draw_map_sheet(paper: Paper) -> Sheet:
    """Return the map sheet of a paper, the log's head on it."""
    return draw_sheet(
        paper.sight,
        find_view(paper),
        page=find_page(_PAGE),
        lang=paper.briefing.wish.lang,
        now=paper.briefing.dates.cut_off,
        imprint=Imprint(head=paper.head),
    )


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

    def draw(self, wish: Wish) -> bytes:
        """Return the map sheet of a wish as PNG for the screen."""
        return draw_map_sheet(self.look(wish)).png(_SCREEN_DPI)

    def make(self, name: str, wish: Wish) -> tuple[str, bytes]:
        """Return a paper's or a table's file name and bytes, noted in the log. Raises NotFound."""
        if name in ROWS_MADE:
            what, _, suffix = name.partition(".")
            told = tell_table(
                self._facts, self._scope, what, wish, now=self._now, target=f".{suffix}"
            )
            period = wish.period if wish.period.isascii() else ""
            return f"{name_stem(what, period)}.{suffix}", table_bytes(told, f".{suffix}")
        if name not in MADE:
            raise NotFound(Fault(key="briefing_paper"))
        kind, make = MADE[name]
        paper = make_paper(self._facts, self._scope, wish, now=self._now, what=kind, target=name)
        return _name(name, paper, "briefing"), make(paper)

    def issue(self, series: str, wish: Wish) -> Paper:
        """Issue a series' next briefing; see `issue_paper`."""
        return issue_paper(self._facts, self._scope, series, wish, now=self._now)

    def make_again(self, name: str, number: int) -> tuple[str, bytes]:
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
        return _name(name, paper, issue.series), MADE[name][1](paper)

    def issues(self, *, most: int) -> IssueList:
        """Return the newest issues, the first ones held against what is known now."""
        return describe_issues(
            self._facts, self._scope, "", now=self._now, most=most, compared=_COMPARED
        )

    def _eyes(self) -> str:
        return describe_sight(see_at(self._facts, self._scope, cut_off=self._now))


_COMPARED = 3


def _name(name: str, paper: Paper, series: str) -> str:
    kind, _, suffix = name.partition(".")
    end = "-map" if kind == "map" else ""
    return f"{name_stem(series, name_days(paper.briefing))}{end}.{suffix}"
