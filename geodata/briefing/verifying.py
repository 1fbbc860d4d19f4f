"""The check of a file that left the house: which of its figures still match their revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from geodata.access.scope import Scope
from geodata.briefing.briefing import Briefing, Figure, describe_sight, read_briefing
from geodata.briefing.issuing import compute, name_figure
from geodata.briefing.sentences import name_moment, name_title
from geodata.errors import GetuError
from geodata.snapshots.facts import Facts
from geodata.store.briefings import Issue, read_issue
from geodata.words import Lang, say

Verdict = Literal["same", "changed", "forged"]
_CARRIED = (
    "getu", "city", "wish", "dates", "as_of", "zone", "revision", "drawing", "drawing_from", "crs",
    "sight", "area_name", "names", "figures", "days",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One figure: as the file says, as it is counted now as of the same cut-off, the verdict."""

    key: str
    name: str
    printed: Figure
    now: Figure | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What the check of a file found; `issue` is the one that the file names, None for a trial."""

    briefing: Briefing
    issue: int | None
    revision: int
    figures: tuple[Checked, ...]

    @property
    def whole(self) -> bool:
        """Tell whether every figure matches."""
        return all(one.verdict == "same" for one in self.figures)

    def lines(self, lang: Lang) -> list[str]:
        """Return how many match, and each that does not."""
        same = sum(one.verdict == "same" for one in self.figures)
        told = [
            say(
                "briefing.verified",
                lang,
                title=name_title(self.briefing),
                at=name_moment(self.briefing.dates.cut_off, self.briefing.zone),
                revision=self.briefing.revision,
                now=self.revision,
                same=f"{same:,}",
                n=f"{len(self.figures):,}",
            )
        ]
        for one in self.figures:
            if one.verdict != "same":
                now = say("briefing.gone", lang) if one.now is None else one.now.text
                told.append(
                    say(f"briefing.verdict.{one.verdict}", lang, name=one.name,
                        printed=one.printed.text, now=now)
                )  # fmt: skip
        return told

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "issue": self.issue,
            "cut_off": self.briefing.dates.cut_off,
            "revision": self.briefing.revision,
            "now": self.revision,
            "whole": self.whole,
            "figures": [
                {
                    "key": one.key,
                    "printed": one.printed.text,
                    "now": None if one.now is None else one.now.text,
                    "verdict": one.verdict,
                }
                for one in self.figures
            ],
        }


def verify_carried(facts: Facts, scope: Scope, carried: Mapping[str, Any]) -> VerifyReport:
    """
    Say of each figure that a file carries whether it is what its cut-off gives.

    `same` as counted again as of the same cut-off; `changed` by what was withdrawn, decided or
    redrawn since; `forged` where the issue that the file names printed another number. Raises
    NotFound for figures of another form.
    """
    briefing = read_briefing({key: carried.get(key) for key in _CARRIED})
    number = carried.get("issue")
    issue: Issue | None = None
    if isinstance(number, int):
        with facts.city.database.read() as connection:
            issue = read_issue(connection, number)
    frozen: Mapping[str, Figure] | None = None
    if issue is not None:
        frozen = read_briefing(issue.briefing).figures
    now = _count_again(facts, scope, briefing)
    figures = tuple(
        Checked(
            key=key,
            name=name_figure(briefing, key),
            printed=printed,
            now=now.get(key),
            verdict=_judge(key, printed, now, frozen),
        )
        for key, printed in briefing.figures.items()
    )
    return VerifyReport(
        briefing=briefing,
        issue=None if issue is None else issue.issue,
        revision=facts.revision,
        figures=figures,
    )


def _judge(
    key: str, printed: Figure, now: Mapping[str, Figure], frozen: Mapping[str, Figure] | None
) -> Verdict:
    if frozen is not None and frozen.get(key) != printed:
        return "forged"
    return "same" if now.get(key) == printed else "changed"


def _count_again(facts: Facts, scope: Scope, briefing: Briefing) -> Mapping[str, Figure]:
    """Return the figures as of the briefing's own cut-off, none where the scope sees otherwise."""
    try:
        sight, again = compute(
            facts, scope, briefing.wish, now=briefing.dates.cut_off, dates=briefing.dates
        )
    except GetuError:
        return {}
    return again.figures if describe_sight(sight) == briefing.sight else {}
