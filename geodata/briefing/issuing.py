"""Issuing: a briefing's figures are kept for good, and what the next one says otherwise is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.access.scope import Scope
from geodata.access.sight import Sight
from geodata.audit.log import print_head, write_entry
from geodata.briefing.briefing import (
    Briefing,
    Figure,
    describe_sight,
    make_briefing,
    read_briefing,
)
from geodata.briefing.cut_off import see_at
from geodata.briefing.sentences import Sentence, name_moment, name_period
from geodata.briefing.tables import find_area, find_category
from geodata.briefing.wish import AT_RUN, Dates, Wish, find_dates
from geodata.city import City
from geodata.errors import BadSetting, Fault, GetuError, NotFound
from geodata.figures.tally import order_leaves
from geodata.snapshots.facts import Facts
from geodata.snapshots.snapshot import Filter
from geodata.store.briefings import Issue, find_head, list_issues, read_issue, save_issue
from geodata.words import Lang, say

ISSUED = "briefing.issue"
_TOLD_FIRST = ("total", "own", "open", "overdue", "closing", "completion", "on_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure that an issue printed and that is another now."""

    key: str
    name: str
    before: Figure
    now: Figure | None

    def text(self, lang: Lang) -> str:
        """Return it as one line."""
        after = say("briefing.gone", lang) if self.now is None else self.now.text
        name = self.name or say(f"briefing.figure.{self.key.split('.')[-1]}", lang)
        return say("briefing.difference", lang, name=name, before=self.before.text, now=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """
    Why a total is another one.

    `arrived` incidents of the period were not known then, `left` no longer count in it, and
    `withdrawn` were printed and are gone from the store.
    """

    arrived: int
    left: int
    withdrawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What an issue printed against what is known now of the same period and area."""

    issue: Issue
    differences: tuple[Difference, ...]
    reasons: Reasons | None

    def sentences(self, lang: Lang) -> tuple[Sentence, ...]:
        """Return the differences as sentences; the reasons stand in the first."""
        before = read_briefing(self.issue.briefing)
        values = {
            "issue": self.issue.issue,
            "period": name_period(before),
            "at": name_moment(self.issue.cut_off, before.zone),
        }
        if not self.differences:
            return ()
        told = []
        for one in self.differences:
            total = one.key in ("total", "own") and self.reasons is not None
            reasons = ""
            if total and self.reasons is not None:
                parts = [
                    say(f"briefing.say.{name}", lang, n=f"{n:,}")
                    for name in ("arrived", "left", "withdrawn")
                    if (n := getattr(self.reasons, name))
                ]
                reasons = say("briefing.say.because", lang, why=tuple(parts)) if parts else ""
            text = say("briefing.say.changed", lang, line=one.text(lang), reasons=reasons, **values)
            told.append(Sentence(text=text, figures=(f"issue.{self.issue.issue}.{one.key}",)))
        return tuple(told)


def compute(
    facts: Facts, scope: Scope, wish: Wish, *, now: int, dates: Dates | None = None
) -> tuple[Sight, Briefing]:
    """Return the sight at a wish's cut-off and the briefing made from it; see `make_briefing`."""
    found = dates or find_dates(wish, now=now, zone=facts.zone, newest=facts.risk_from)
    sight = see_at(facts, scope, cut_off=found.cut_off)
    return sight, make_briefing(sight, wish, found)


def find_issue(
    city: City, scope_sight: str, series: str, wish: Wish, dates: Dates, *, revision: int
) -> Issue | None:
    """
    Return the issue that would be made again: same series, wish and period, at one revision.

    A cut-off "at the run" is that of the issue, so that a second run prints the same bytes.
    """
    with city.database.read() as connection:
        issues = list_issues(connection, sight=scope_sight, series=series)
    for issue in issues:
        kept = read_briefing(issue.briefing)
        same = (kept.dates.since, kept.dates.until) == (dates.since, dates.until)
        if (
            issue.revision == revision
            and kept.wish == wish
            and same
            and (wish.cut_off == AT_RUN or kept.dates.cut_off == dates.cut_off)
        ):
            return issue
    return None


def issue_briefing(city: City, scope: Scope, series: str, briefing: Briefing, *, at: int) -> Issue:
    """
    Keep a briefing's figures for good, and note it in the log; return the issue.

    Raises BadSetting for a series without a name.
    """
    check_name(series)
    dates = briefing.dates
    with city.database.transaction() as connection:
        plain = briefing.as_json()
        issue = Issue(
            issue=0, series=series, since=dates.since or 0, until=dates.until or 0,
            cut_off=dates.cut_off, revision=briefing.revision, at=at, account=scope.account,
            sight=briefing.sight, digest=briefing.digest, briefing=plain,
        )  # fmt: skip
        number = save_issue(connection, issue)
        write_entry(
            connection,
            account=scope,
            act=ISSUED,
            target=series,
            n=len(briefing.figures),
            at=at,
            detail=_detail(number, briefing.digest),
        )
    kept = {name: getattr(issue, name) for name in issue.__slots__} | {"issue": number}
    return Issue(**kept)


def check_name(name: str) -> None:
    """Raise BadSetting for a name that no recipe or series can have."""
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadSetting(Fault(key="briefing_series", values={"most": _LONGEST_NAME}))


_LONGEST_NAME = 60


def read_issue_head(city: City, issue: Issue) -> str:
    """Return the log's head with which an issue was noted, as people print it."""
    with city.database.read() as connection:
        head = find_head(
            connection, at=issue.at, act=ISSUED, detail=_detail(issue.issue, issue.digest)
        )
    return "" if head is None else print_head(head)


def _detail(issue: int, digest: str) -> dict[str, int | str]:
    return {"issue": issue, "digest": digest}


def open_issue(city: City, sight: str, number: int) -> Issue:
    """Return an issue that was made with this sight; any other is not found, as if it were not."""
    with city.database.read() as connection:
        issue = read_issue(connection, number)
    if issue is None or issue.sight != sight:
        raise NotFound(Fault(key="briefing_paper"))
    return issue


def find_previous(
    city: City, sight: str, series: str, *, before: int | None = None
) -> Issue | None:
    """Return the newest issue of a series that was made with the same sight, before one of them."""
    with city.database.read() as connection:
        issues = list_issues(connection, sight=sight, series=series)
    return next((one for one in issues if before is None or one.issue < before), None)


def compare_issue(facts: Facts, scope: Scope, issue: Issue, *, cut_off: int) -> Comparison:
    """
    Compare what an issue printed with what is known at another cut-off of the same period.

    An area that is no more, or that the scope hides now, has no figure now.
    """
    before = read_briefing(issue.briefing)
    dates = Dates(since=before.dates.since, until=before.dates.until, cut_off=cut_off)
    sight = see_at(facts, scope, cut_off=cut_off)
    try:
        now: Mapping[str, Figure] = make_briefing(sight, before.wish, dates).figures
    except GetuError:
        now = {}
    keys = sorted(before.figures, key=lambda key: (_order(key), key))
    differences = tuple(
        Difference(
            key=key,
            name=name_figure(before, key),
            before=before.figures[key],
            now=now.get(key),
        )
        for key in keys
        if now.get(key) != before.figures[key] and not key.startswith(_RANKED)
    )
    return Comparison(
        issue=issue,
        differences=differences,
        reasons=_find_reasons(facts, scope, before, sight, at=cut_off),
    )


_RANKED = ("worst.", "body.")  # what stands at a place of a list; another one may stand there now


def _order(key: str) -> int:
    return _TOLD_FIRST.index(key) if key in _TOLD_FIRST else len(_TOLD_FIRST)


def name_figure(briefing: Briefing, key: str) -> str:
    """Return what a figure is of and called, such as "仙女镇 超期"."""
    lang = briefing.wish.lang
    of, _, last = key.rpartition(".")
    if not of:
        return say(f"briefing.figure.{key}", lang)
    if of in ("ageing", "step"):
        return say(f"briefing.figure.{of}_{last}", lang)
    name = briefing.names.get(of) or say(f"briefing.figure.{of}", lang)
    return say("briefing.figure_of", lang, of=name, name=say(f"briefing.figure.{last}", lang))


def _find_reasons(
    facts: Facts, scope: Scope, before: Briefing, sight: Sight, *, at: int
) -> Reasons | None:
    """Return why the total is another one, None where the scope counts no single incidents."""
    frozen = before.figures.get("total") or before.figures["own"]
    if frozen.kind != "count" or frozen.a is None or describe_sight(sight) != before.sight:
        return None
    try:
        then_sight = see_at(facts, scope, cut_off=before.dates.cut_off)
        then = _select(then_sight, before, before.dates.cut_off)
        now = _select(sight, before, at)
    except GetuError:
        return None
    return Reasons(
        arrived=len(np.setdiff1d(now, then)),
        left=len(np.setdiff1d(then, now)),
        withdrawn=max(frozen.a - len(then), 0),
    )


def _select(sight: Sight, briefing: Briefing, at: int) -> NDArray[np.int64]:
    """Return the incidents that a briefing's total counts in a sight, ascending."""
    dates, wish = briefing.dates, briefing.wish
    chosen = Filter(
        since=dates.since,
        until=dates.until,
        categories=find_category(sight, wish.category).categories,
        state=wish.state,
    )
    mask: Any = sight.select(chosen, at)
    area = find_area(sight, wish.area)
    if area is not None:
        inside = np.zeros(len(order_leaves(sight).order) + 1, np.bool_)
        inside[order_leaves(sight).leaves(area)] = True
        mask = mask & inside[sight.snapshot.owner]
    found: NDArray[np.int64] = np.sort(sight.snapshot.incident[mask])
    return found
