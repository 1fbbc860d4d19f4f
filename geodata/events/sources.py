"""Sources: what is expected of each, and whether it is live, late, out or mad."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata.audit.log import CONSOLE, write_entry
from geodata.city import City, open_city
from geodata.errors import BadSetting, Fault
from geodata.settings import Settings
from geodata.store.database import Connection
from geodata.store.sources import SourceRow, count_by_source, read_source_rows, set_plan
from geodata.store.tokens import clean_source
from geodata.words import Lang, has_words, say

# From the best to the worst. "loaded" is what comes as it comes: its age is no fault.
STATES = ("loaded", "live", "late", "mad", "out")
KINDS = ("report", "patrol", "device", "system")
OUT_AFTER = 3  # intervals without a word
LAG_S = 3_600  # so far behind the newest a source is named beside it
FRESH_S = 600  # an event that happened since then tells how fast a source talks now
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_EVERY = re.compile(r"([1-9]\d{0,6})([smhd])")
_LONGEST_S = 366 * 86_400
NOTHING = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """
    How one source does at a moment.

    `received_at` is UTC seconds of its last post or file, 0 for never; `age_s` the seconds since;
    `every_s` the interval that is expected, 0 for none; `why` tells of a mad one: "burst" (more at
    once than it can have seen) or "ahead" (times that are yet to come).
    """

    source: str
    kind: str
    state: str
    why: str
    received_at: int
    age_s: int
    every_s: int

    def as_json(self) -> dict[str, Any]:
        """Return what `info` and `/api/sources` say of it."""
        return {
            "source": self.source,
            "kind": self.kind or None,
            "state": self.state,
            "why": self.why or None,
            "received_at": self.received_at or None,
            "age_s": self.age_s,
            "every_s": self.every_s or None,
        }


def source_states(connection: Connection, *, now: int, settings: Settings) -> list[SourceState]:
    """Return how every source does at `now` (UTC s), by name; as long as the list of sources."""
    return [judge_source(row, now=now, settings=settings)
            for row in read_source_rows(connection, at=now)]  # fmt: skip


def judge_source(row: SourceRow, *, now: int, settings: Settings) -> SourceState:
    """
    Return how a source does.

    Late is more than one interval without a word, out more than three, whether it posts or brings
    files. A source that posts and of which nobody said what to expect is judged by
    `source_every_s`: no feed is ever silently old.
    """
    expected = row.every_s
    if expected is None:
        expected = settings.source_every_s if row.fed else 0
    received = max(row.fed, row.loaded)
    age_s = max(now - (received or row.planned_at), 0)  # a clock set back makes nothing young
    mad = 0 <= now - row.mad_at < settings.source_mad_s
    if expected and age_s > OUT_AFTER * expected:
        state = "out"
    elif mad:
        state = "mad"
    elif expected:
        # What was never heard is not live, however lately it was said to be expected.
        state = "late" if age_s > expected or not received else "live"
    else:
        state = "loaded"
    return SourceState(
        source=row.source,
        kind=row.kind,
        state=state,
        why=row.mad_by if state == "mad" else "",
        received_at=received,
        age_s=age_s,
        every_s=expected,
    )


def worst_state(states: Iterable[SourceState]) -> str:
    """Return the worst state among sources; "loaded" where none is expected."""
    return max((one.state for one in states), key=STATES.index, default=STATES[0])


def find_laggard(states: Iterable[SourceState], *, stale_after_s: int) -> SourceState | None:
    """
    Return the source heard longest ago, where that is LAG_S or more behind the newest.

    What is out, or brings files as they come and has brought none for `stale_after_s`, is no
    longer waited for here: its state says so.
    """
    alive = [
        one
        for one in states
        if one.received_at
        and one.state != "out"
        and (one.state != "loaded" or one.age_s <= stale_after_s)
    ]
    ages = [one.age_s for one in alive]
    if not ages or max(ages) - min(ages) < LAG_S:
        return None
    return max(alive, key=lambda one: one.age_s)


def list_sources(connection: Connection, *, now: int, settings: Settings) -> list[dict[str, Any]]:
    """Return every source as `info` says it, with its incidents; reads every incident."""
    counted = count_by_source(connection)
    return [
        {**one.as_json(), "incidents": counted.get(one.source, 0)}
        for one in source_states(connection, now=now, settings=settings)
    ]


def parse_every(text: str) -> int:
    """
    Return the seconds of an interval such as 15m, 2h or 1d; 0 for "none".

    Raises BadSetting for anything else, and for more than a year.
    """
    if text == NOTHING:
        return 0
    found = _EVERY.fullmatch(text.strip().lower())
    seconds = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST_S:
        raise BadSetting(Fault(key="source_every"))
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What `app.py source` prints: how the sources do."""

    sources: tuple[SourceState, ...]

    def lines(self, lang: Lang) -> list[str]:
        """Return a sentence for each source."""
        return [source_line(one, lang) for one in self.sources] or [say("source.none", lang)]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {"sources": [one.as_json() for one in self.sources]}


def source_line(one: SourceState, lang: Lang) -> str:
    """Return one sentence: the source, how it does, when it was heard, what is expected."""
    why = say(f"source_why.{one.why}", lang) if one.why else ""
    return say(
        "source.line",
        lang,
        source=one.source,
        state=say(f"source_state.{one.state}", lang) + why,
        heard=(
            say("source.heard", lang, age=span_text(one.age_s, lang))
            if one.received_at
            else say("source.never", lang)
        ),
        expected=(
            say("source.every", lang, every=span_text(one.every_s, lang))
            if one.every_s
            else say("source.unset", lang)
        ),
        kind=say(f"source_kind.{one.kind}", lang) if one.kind else "–",
    )


def span_text(seconds: int, lang: Lang) -> str:
    """Return a length of time in the largest unit that it fills, to the whole."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= size:
            return say(f"time.{unit}", lang, n=f"{seconds // size:,}")
    return say("time.seconds", lang, n=seconds)


def plan_source(
    folder: Path, source: str, *, every: str, kind: str | None, now: int
) -> SourceReport:
    """
    Say what is expected of a source from now on; return how it does.

    Without `kind` it keeps the one it has. Raises BadSetting for a name no source can have, an
    interval that is none, or an unknown kind.
    """
    city = open_city(folder)
    name, every_s = clean_source(source), parse_every(every)
    if kind is not None and kind not in KINDS:
        raise BadSetting(Fault(key="source_kind", values={"known": ", ".join(KINDS)}))
    with city.database.transaction() as connection:
        (number,) = city.database.intern(connection, "source", [name])
        before = {row.source: row for row in read_source_rows(connection, at=now)}.get(name)
        known = kind if kind is not None else before.kind if before else ""
        set_plan(connection, number, every_s=every_s, kind=known, valid_from=now)
        detail = {"every_s": every_s, "before_s": before.every_s if before else None, "kind": known}
        write_entry(
            connection, account=CONSOLE, act="source.set", target=name, at=now, detail=detail
        )
    report = report_sources(city, now=now)
    return SourceReport(sources=tuple(one for one in report.sources if one.source == name))


def report_sources(city: City, *, now: int) -> SourceReport:
    """Return how every source of a city does."""
    with city.database.read() as connection:
        states = source_states(connection, now=now, settings=city.settings)
    return SourceReport(sources=tuple(states))


def name_source(source: str, lang: Lang) -> str:
    """Return a source's name in words where the program knows them, else as it calls itself."""
    key = f"source_name.{source}"
    return say(key, lang) if has_words(key) else source
