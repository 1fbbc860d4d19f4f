"""What the auditor's page shows, as texts: the state of the log, its rows, the findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import orjson

from dashboard.parts.numbers import span
from geodata.audit.irregularities import OF_CASES, OF_TABLES, Finding
from geodata.audit.log import print_head
from geodata.audit.report import name_act, print_moment
from geodata.audit.watch import LogState
from geodata.city import City
from geodata.errors import BadSetting, Fault
from geodata.figures.counts import Rate
from geodata.store.audit_rows import LogRow, read_codes
from geodata.store.irregular_rows import Case, Share, TableChange
from geodata.store.records import ALWAYS
from geodata.words import Lang, has_words, say

DAYS = 30  # of findings, where the page is not told
MOST_DAYS = 366
SEALS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole local days, both of them included, and their moments (UTC s, the second left out)."""

    from_day: str
    to_day: str
    from_at: int
    to_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Who made a sheet, when (UTC s), and the head of the log that its making left."""

    head: str
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as texts: `heads`, `rows`, how many there are to page through; `shares` beside it."""

    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]
    listed: int
    cases: tuple[tuple[str, str], ...] = ()  # source and id of each row's case, for its link
    share_heads: tuple[str, ...] = ()
    shares: tuple[tuple[str, ...], ...] = ()


def read_period(asked: Mapping[str, str], zone: ZoneInfo, *, now: int) -> Period:
    """
    Return the days that an address asks for, the last thirty where it asks for none.

    Raises BadSetting for days that are none, in the wrong order or more than a year.
    """
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    try:
        last = date.fromisoformat(asked.get("to") or today.isoformat())
        first = date.fromisoformat(asked.get("from") or (last - timedelta(DAYS - 1)).isoformat())
        if not timedelta(0) <= last - first < timedelta(MOST_DAYS):
            raise BadSetting(Fault(key="audit_period", values={"days": MOST_DAYS}))
        begin, end = (
            int(datetime.combine(day, time(), zone).timestamp())
            for day in (first, last + timedelta(1))
        )
    except (ValueError, OverflowError) as error:
        raise BadSetting(Fault(key="audit_day")) from error
    return Period(from_day=str(first), to_day=str(last), from_at=begin, to_at=end)


def describe_state(state: LogState, zone: ZoneInfo, lang: Lang) -> dict[str, object]:
    """Return how the log stands, as the page's head says it."""
    broken = state.checked.broken
    done, total = state.checked.head.entry, state.head.entry
    if broken is not None:
        kind, sentence = "broken", say(f"audit.break.{broken.kind}", lang, row=f"{broken.entry:,}")
    elif not total:
        kind, sentence = "empty", say("audit.empty", lang)
    elif state.complete:
        kind = "whole"
        sentence = say("audit.state.whole", lang, rows=f"{total:,}")
    else:
        kind = "checking"
        sentence = say("audit.state.checking", lang, rows=f"{done:,}", total=f"{total:,}")
    return {
        "kind": kind,
        "sentence": sentence,
        "head": print_head(state.head) if total else "–",
        "head_at": print_moment(state.head.at, zone) if total else "–",
        "began_at": print_moment(state.began_at, zone),
        "seals": [
            (print_head(seal), print_moment(seal.at, zone))
            for seal in reversed(state.seals[-SEALS_SHOWN:])
        ],
        "sealed": len(state.seals),
    }


def describe_cards(findings: Sequence[Finding], lang: Lang) -> list[dict[str, str]]:
    """Return each finding as a card: its name, its rule in words, its count."""
    return [
        {
            "rule": finding.rule,
            "name": say(f"audit.rule.{finding.rule}.name", lang),
            "words": name_rule(finding, lang),
            "total": f"{finding.total:,}",
            "none": "" if finding.total else "1",
        }
        for finding in findings
    ]


def name_rule(finding: Finding, lang: Lang) -> str:
    """Return the rule of a finding in words, with its thresholds."""
    return say(f"audit.rule.{finding.rule}.words", lang, **finding.values)


def describe_rows(
    rows: Sequence[LogRow], codes: Mapping[int, str], zone: ZoneInfo, lang: Lang
) -> list[dict[str, str]]:
    """Return rows of the log as texts."""
    return [
        {
            "row": f"{row.number:,}",
            "at": print_moment(row.entry.at, zone),
            "account": row.entry.account or "–",
            "role": say(f"role.{row.entry.role}", lang) if row.entry.role else "",
            "act": row.entry.act,
            "act_name": name_act(row.entry.act, lang),
            "target": row.entry.target,
            "target_name": _name_target(row.entry.act, row.entry.target, lang),
            "grid": codes.get(row.entry.grid or 0, ""),
            "scope": _name_scope(row.entry.scope, lang),
            "n": f"{row.entry.n:,}",
            "revision": f"{row.entry.revision:,}",
            "detail": row.entry.detail or "",
            "detail_name": _name_detail(row.entry.detail, zone, lang),
        }
        for row in rows
    ]


def _name_target(act: str, target: str, lang: Lang) -> str:
    if act.endswith(".finding") and has_words(f"audit.rule.{target}.name"):
        return say(f"audit.rule.{target}.name", lang)
    return target or "–"


def _name_detail(detail: str | None, zone: ZoneInfo, lang: Lang) -> str:
    """Return what was seen again within the minute in words, every other detail as it is kept."""
    told = orjson.loads(detail) if detail else {}
    if set(told) == {"again", "since"}:
        return say("audit.again", lang, n=told["again"], at=print_moment(told["since"], zone))
    return " ".join(f"{name}={value}" for name, value in told.items())


def _name_scope(scope: str, lang: Lang) -> str:
    n, _, mark = scope.partition(":")
    return say("audit.scope_grids", lang, n=n, mark=mark) if mark else say("audit.scope_city", lang)


def finding_table(finding: Finding, city: City, lang: Lang, *, skip: int, most: int) -> Table:
    """Return one page of what a rule found, as texts."""
    with city.database.read() as connection:
        codes = read_codes(connection)
    end = skip + most
    zone = city.settings.zone
    if finding.rule in OF_TABLES:
        names = ("batch", "table", "file", "at", "changed", "added", "earliest")
        rows = [_table_cells(item, zone, lang) for item in finding.tables[skip:end]]
        listed = len(finding.tables)
    elif finding.rule in OF_CASES:
        names = _case_heads(finding.rule)
        rows = [_case_cells(case, names, codes, zone, lang) for case in finding.cases[skip:end]]
        listed = len(finding.cases)
    else:
        names = ("row", "at", "account", "role", "act_name", "target", "n", "detail_name")
        told = describe_rows(finding.rows[skip:end], codes, zone, lang)
        rows = [tuple(row[name] for name in names) for row in told]
        listed = len(finding.rows)
    cases = tuple((case.source, case.incident_id) for case in finding.cases[skip:end])
    shares = tuple(
        (share.source, share.body or "–", f"{share.part:,}", f"{share.of:,}", _percent(share))
        for share in finding.shares
    )
    share_names = ("source", "body", "late", "events", "share") if shares else ()
    return Table(
        heads=tuple(say(f"audit.head.{name}", lang) for name in names),
        rows=rows,
        listed=listed,
        cases=cases,
        share_heads=tuple(say(f"audit.head.{name}", lang) for name in share_names),
        shares=shares,
    )


def finding_sheet(
    finding: Finding, city: City, lang: Lang, *, period: Period, made: Made
) -> Iterator[Sequence[object]]:
    """Yield a finding's sheet: what it is, by whom, under which head, then the table."""
    yield (say(f"audit.rule.{finding.rule}.name", lang), name_rule(finding, lang))
    yield (say("audit.sheet.period", lang), period.from_day, period.to_day)
    yield (say("audit.sheet.total", lang), finding.total)
    yield (say("audit.sheet.by", lang), made.by, print_moment(made.at, city.settings.zone))
    yield (say("audit.sheet.head", lang), made.head)
    yield ()
    table = finding_table(finding, city, lang, skip=0, most=finding.total)
    if table.shares:
        yield table.share_heads
        yield from table.shares
        yield ()
    yield table.heads
    yield from table.rows


def _case_heads(rule: str) -> tuple[str, ...]:
    moments = {
        "late_extension": ("extended", "deadline", "left"),
        "backdated": ("happened", "received", "later"),
        "handover": ("moved", "deadline", "left", "before", "after", "post"),
        "reopened": ("reopened", "closed", "later"),
        "manual_owner": ("decided", "before", "after", "post"),
        "manual_pin": ("decided", "before", "after", "post"),
    }
    return ("case", "source", "grid", "body", *moments[rule])


def _case_cells(
    case: Case, names: Sequence[str], codes: Mapping[int, str], zone: ZoneInfo, lang: Lang
) -> tuple[str, ...]:
    at, other = print_moment(case.at, zone), print_moment(case.other_at, zone)
    cells = {
        "case": case.incident_id,
        "source": case.source,
        "grid": codes.get(case.owner, "–"),
        "body": case.body or "–",
        "extended": at,
        "happened": at,
        "moved": at,
        "reopened": at,
        "decided": at,
        "deadline": other,
        "received": other,
        "closed": other,
        "left": _left(case.other_at - case.at, lang),
        "later": span(abs(case.at - case.other_at), lang),
        "before": _name_owner(case.before, case.post, codes),
        "after": _name_owner(case.after, case.post, codes),
        "post": case.post or "–",
    }
    return tuple(cells[name] for name in names)


def _left(seconds: int, lang: Lang) -> str:
    key = "audit.left" if seconds >= 0 else "audit.past"
    return say(key, lang, span=span(abs(seconds), lang))


def _name_owner(name: str, post: str, codes: Mapping[int, str]) -> str:
    """Return a body's name, or the code of a grid where a post moved the case to it."""
    return codes.get(int(name), "–") if post else name


def _table_cells(item: TableChange, zone: ZoneInfo, lang: Lang) -> tuple[str, ...]:
    always = item.earliest == ALWAYS
    return (
        f"{item.batch:,}",
        say(f"record.{item.sort}", lang),
        item.file,
        print_moment(item.at, zone),
        f"{item.changed:,}",
        f"{item.added:,}",
        say("audit.always", lang) if always else print_moment(item.earliest, zone)[:10],
    )


def _percent(share: Share) -> str:
    percent = Rate(part=share.part, of=share.of).percent()
    return f"{percent} %" if percent else "–"
