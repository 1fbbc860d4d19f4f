"""A paper: one briefing with its sentences, ready to be set as slides, a page or tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from geodata.access.scope import Scope
from geodata.access.sight import Sight
from geodata.briefing.about import carry, describe_table
from geodata.briefing.briefing import Briefing, describe_sight, read_briefing
from geodata.briefing.cut_off import see_at
from geodata.briefing.issuing import (
    Comparison,
    compare_issue,
    compute,
    find_issue,
    find_previous,
    issue_briefing,
    read_issue_head,
)
from geodata.briefing.leaving import note_export
from geodata.briefing.sentences import Section, write_page
from geodata.briefing.tables import Picked, find_area, find_category, make_table
from geodata.briefing.wish import ALL, Wish, find_dates
from geodata.errors import GetuError
from geodata.snapshots.facts import Facts
from geodata.snapshots.snapshot import Filter
from geodata.store.briefings import Issue
from layers.office.table_files import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """
    A briefing on its way to paper.

    `head` is the log's, printed on every page; `issue` None is a trial that was not issued. The
    sections are its sentences, with what differs from the issue before.
    """

    briefing: Briefing
    sight: Sight
    sections: tuple[Section, ...]
    head: str
    issue: int | None
    by: str
    changed: bool = False  # the last section says what differs from the issue before

    @property
    def carried(self) -> dict[str, Any]:
        """Return what travels inside each file: the figures, and each sentence with its keys."""
        told = [
            [sentence.text, list(sentence.figures)]
            for section in self.sections
            for sentence in section.sentences
        ]
        return carry(self.briefing, head=self.head, issue=self.issue, sentences=told)


def make_paper(
    facts: Facts, scope: Scope, wish: Wish, *, now: int, what: str, target: str = ""
) -> Paper:
    """Return a trial paper of a wish, noted in the log as an export of `what`."""
    sight, briefing = compute(facts, scope, wish, now=now)
    head = note_export(
        facts.city,
        scope,
        what,
        target=target or wish.area,
        n=len(briefing.figures),
        at=now,
        detail=_name_dates(briefing),
    )
    return Paper(
        briefing=briefing,
        sight=sight,
        sections=write_page(briefing),
        head=head,
        issue=None,
        by=scope.account,
    )


def issue_paper(facts: Facts, scope: Scope, series: str, wish: Wish, *, now: int) -> Paper:
    """
    Issue a series' next briefing, or return the one that a second run at this revision repeats.

    What it says otherwise than the issue before stands in its last section.
    """
    city = facts.city
    dates = find_dates(wish, now=now, zone=facts.zone, newest=facts.risk_from)
    eyes = describe_sight(see_at(facts, scope, cut_off=now))
    issue = find_issue(city, eyes, series, wish, dates, revision=facts.revision)
    if issue is None:
        _, briefing = compute(facts, scope, wish, now=now, dates=dates)
        issue = issue_briefing(city, scope, series, briefing, at=now)
    return paper_of(facts, scope, issue)


def paper_of(facts: Facts, scope: Scope, issue: Issue) -> Paper:
    """Return the paper of an issue: its frozen figures, what differs from the issue before."""
    briefing = read_briefing(issue.briefing)
    compared = compare_previous(facts, scope, issue)
    further = () if compared is None else compared.sentences(briefing.wish.lang)
    return Paper(
        briefing=briefing,
        sight=see_at(facts, scope, cut_off=briefing.dates.cut_off),
        sections=write_page(briefing, further=further),
        head=read_issue_head(facts.city, issue),
        issue=issue.issue,
        by=issue.account,
        changed=bool(further),
    )


def compare_previous(facts: Facts, scope: Scope, issue: Issue) -> Comparison | None:
    """Return how the issue before differs from what was known at an issue's cut-off."""
    previous = find_previous(facts.city, issue.sight, issue.series, before=issue.issue)
    if previous is None:
        return None
    return compare_issue(facts, scope, previous, cut_off=issue.cut_off)


def tell_table(facts: Facts, scope: Scope, what: str, wish: Wish, *, now: int, target: str) -> Told:
    """Return one table of a wish with what it says of itself, noted in the log."""
    dates = find_dates(wish, now=now, zone=facts.zone, newest=facts.risk_from)
    sight = see_at(facts, scope, cut_off=dates.cut_off)
    area, chosen = find_area(sight, wish.area), find_category(sight, wish.category)
    picked = Picked(
        sight=sight,
        dates=dates,
        filter=Filter(categories=chosen.categories, state=wish.state),
        area=area,
        lang=wish.lang,
    )
    table = make_table(what, picked)
    briefing = _try_briefing(facts, scope, wish, now)
    head = note_export(
        facts.city, scope, "rows", target=f"{what} {target}", n=len(table.frame), at=now,
        grid=area, detail=_name_dates(briefing),
    )  # fmt: skip
    return Told(
        table=table,
        about=describe_table(table, briefing, head=head, by=scope.account),
        carried=carry(briefing, head=head, issue=None),
        lang=wish.lang,
    )


def tell_tables(paper: Paper, whats: tuple[str, ...]) -> dict[str, Told]:
    """Return the tables that belong to a paper, by name; what a scope has none of is left out."""
    wish, sight = paper.briefing.wish, paper.sight
    chosen = find_category(sight, wish.category)
    picked = Picked(
        sight=sight,
        dates=paper.briefing.dates,
        filter=Filter(categories=chosen.categories, state=wish.state),
        area=find_area(sight, wish.area),
        lang=wish.lang,
    )
    found = {}
    for what in whats:
        try:
            table = make_table(what, picked)
        except GetuError:
            continue
        about = describe_table(table, paper.briefing, head=paper.head, by=paper.by)
        found[what] = Told(table=table, about=about, carried=paper.carried, lang=wish.lang)
    return found


def _try_briefing(facts: Facts, scope: Scope, wish: Wish, now: int) -> Briefing:
    """Return the briefing of a wish, or the city's own where nothing is told of it."""
    try:
        return compute(facts, scope, wish, now=now)[1]
    except GetuError:
        return compute(facts, scope, replace(wish, area="", period=ALL, category=""), now=now)[1]


def _name_dates(briefing: Briefing) -> dict[str, Any]:
    dates = briefing.dates
    return {"since": dates.since, "until": dates.until, "cut_off": dates.cut_off}
