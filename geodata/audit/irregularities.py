"""Irregularities: what the events, decisions and tables of a city give an auditor cause to ask."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geodata.access.scope import Scope
from geodata.city import City
from geodata.events.deadlines import find_calendar, find_deadlines, find_limits
from geodata.events.incidents import fold_events
from geodata.store.audit_rows import LogFilter, LogRow, count_log, read_log
from geodata.store.database import Connection, read_terms
from geodata.store.event_columns import read_event_columns
from geodata.store.irregular_rows import (
    Act,
    Case,
    Share,
    TableChange,
    Window,
    count_backdated,
    find_backdated,
    find_decisions,
    find_extensions,
    find_handovers,
    find_reopened,
    find_table_changes,
)
from geodata.store.records import read_records, read_versions

# In the order of the auditor's page.
OF_CASES = (
    "late_extension", "backdated", "handover", "reopened", "manual_owner", "manual_pin",
)  # fmt: skip
OF_TABLES = ("table_change",)
OF_THE_LOG = {
    "settings_change": "settings.",
    "batch_withdrawn": "batch.withdraw",
    "account_change": "account.",
    "refused": "refused",
}
RULES = (*OF_CASES, *OF_TABLES, *OF_THE_LOG)
MOST_LISTED = 20_000  # rows of one finding; its total counts all of them
_HOUR_S, _DAY_S = 3600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    What one rule found: `values` fill its words, `total` counts, the lists are newest first.

    Exactly one of `cases`, `tables` and `rows` holds what was found, at most MOST_LISTED of them.
    """

    rule: str
    values: dict[str, str] = field(default_factory=dict)
    total: int
    cases: tuple[Case, ...] = ()
    shares: tuple[Share, ...] = ()
    tables: tuple[TableChange, ...] = ()
    rows: tuple[LogRow, ...] = ()


def find_irregularities(
    city: City, scope: Scope, *, from_at: int, to_at: int, now: int
) -> tuple[Finding, ...]:
    """
    Return what every rule finds between two moments (UTC s, the second left out), for a scope.

    What concerns the whole city (tables, batches, accounts) is found for a scope of all of it.
    """
    window = Window(scope=scope, from_at=from_at, to_at=to_at)
    with city.database.read() as connection:
        decided = find_decisions(connection, window)
        found = [
            _late_extensions(city, connection, window, now=now),
            _backdated(city, connection, window),
            _handovers(city, connection, window, [act for _, act in decided], now=now),
            _reopened(city, connection, window),
            *(_manual(decided, what) for what in ("owner", "pin")),
        ]
        if scope.everything:
            changes = find_table_changes(connection, window)
            listed = tuple(changes[:MOST_LISTED])
            found.append(Finding(rule="table_change", total=len(changes), tables=listed))
        for rule, act in OF_THE_LOG.items():
            if scope.everything or rule == "refused":
                found.append(_of_the_log(connection, window, rule, act))
    return tuple(found)


def _late_extensions(city: City, connection: Connection, window: Window, *, now: int) -> Finding:
    """Find extensions made when the deadline was near or past."""
    hours = city.settings.audit_extension_h
    acts = find_extensions(connection, window)
    due = deadlines_before(city, connection, acts, now=now)
    at = np.array([act.case.at for act in acts], np.int64)
    late = (due > 0) & (at > due - round(hours * _HOUR_S))
    return _of_acts("late_extension", acts, due, late, hours=f"{hours:g}")


def _handovers(
    city: City, connection: Connection, window: Window, decided: list[Act], *, now: int
) -> Finding:
    """Find cases given to another body or grid shortly before their deadline."""
    hours = city.settings.audit_handover_h
    acts = [*find_handovers(connection, window), *(act for act in decided if _moved(act))]
    acts.sort(key=lambda act: (-act.case.at, act.case.inc))
    due = deadlines_before(city, connection, acts, now=now)
    left = due - np.array([act.case.at for act in acts], np.int64)
    near = (due > 0) & (left >= 0) & (left <= round(hours * _HOUR_S))
    return _of_acts("handover", acts, due, near, hours=f"{hours:g}")


def _moved(act: Act) -> bool:
    return act.case.before != act.case.after


def _backdated(city: City, connection: Connection, window: Window) -> Finding:
    """Find events that a source posted long after they happened, and their share."""
    hours = city.settings.audit_backdated_h
    over_s = round(hours * _HOUR_S)
    shares = count_backdated(connection, window, over_s=over_s)
    cases = find_backdated(connection, window, over_s=over_s, most=MOST_LISTED)
    return Finding(
        rule="backdated",
        values={"hours": f"{hours:g}"},
        total=sum(share.part for share in shares),
        cases=tuple(cases),
        shares=tuple(shares),
    )


def _reopened(city: City, connection: Connection, window: Window) -> Finding:
    days = city.settings.audit_reopened_days
    cases = find_reopened(connection, window, within_s=round(days * _DAY_S))
    return Finding(
        rule="reopened",
        values={"days": f"{days:g}"},
        total=len(cases),
        cases=tuple(cases[:MOST_LISTED]),
    )


def _manual(decided: list[tuple[str, Act]], what: str) -> Finding:
    cases = tuple(act.case for name, act in decided if name == what)
    return Finding(rule=f"manual_{what}", total=len(cases), cases=cases[:MOST_LISTED])


def _of_the_log(connection: Connection, window: Window, rule: str, act: str) -> Finding:
    wanted = LogFilter(act=act, from_at=window.from_at, to_at=window.to_at)
    return Finding(
        rule=rule,
        total=count_log(connection, window.scope, wanted),
        rows=tuple(read_log(connection, window.scope, wanted, most=MOST_LISTED)),
    )


def _of_acts(
    rule: str, acts: list[Act], due: NDArray[np.int64], found: NDArray[np.bool_], **values: str
) -> Finding:
    cases = [dataclasses.replace(acts[i].case, other_at=int(due[i])) for i in np.flatnonzero(found)]
    return Finding(rule=rule, values=values, total=len(cases), cases=tuple(cases[:MOST_LISTED]))


def deadlines_before(
    city: City, connection: Connection, acts: Sequence[Act], *, now: int
) -> NDArray[np.int64]:
    """
    Return the deadline (UTC s, 0 for none) of each act's incident as it stood just before the act.

    The events before the act are folded as if nothing had come after; a suspension that was going
    on had moved the deadline until then.
    """
    due = np.zeros(len(acts), np.int64)
    if not acts:
        return due
    incidents = np.array([act.case.inc for act in acts], np.int64)
    events = read_event_columns(connection, only=np.unique(incidents).tolist())
    # STEP 1: for each act the rows of its incident that come before it
    start = np.searchsorted(events["inc"], incidents, side="left")
    count = np.searchsorted(events["inc"], incidents, side="right") - start
    act_of = np.repeat(np.arange(len(acts)), count)
    row = np.arange(count.sum()) + np.repeat(start - np.r_[0, np.cumsum(count)[:-1]], count)
    earlier = _come_before(events, row, acts, act_of)
    act_of, row = act_of[earlier], row[earlier]
    # STEP 2: fold them, as many incidents as there are acts
    folded = fold_events(
        act_of.astype(np.int64),
        **{name: events[name][row] for name in ("seq", "at", "hash", "due", "version", "body")},
        stage=events["stage"][row],
        carries=np.zeros(len(row), np.uint8),
    )
    # STEP 3: what the source gave, else the kind's limit
    at = np.array([act.case.at for act in acts], np.int64)[folded.incident]
    kind = np.array([act.kind for act in acts], np.float64)[folded.incident]
    stood = find_deadlines(
        folded,
        kind,
        find_limits(read_versions(connection, "kinds"), read_terms(connection, "kind")),
        find_calendar(city, read_records(connection, "calendar", at=now), folded.clock_from, now),
    )
    since = folded.suspended_since
    due[folded.incident] = stood + np.where((since > 0) & (stood > 0), at - since, 0)
    return due


def _come_before(
    events: dict[str, NDArray[np.int64]],
    row: NDArray[np.int64],
    acts: Sequence[Act],
    act_of: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Tell of each row whether it comes before its act in the order of the fold."""
    keys = [(act.case.at, act.stage, act.seq, act.hash) for act in acts]
    wanted = np.array(keys, np.int64)[act_of]
    before = np.zeros(len(row), np.bool_)
    equal = np.ones(len(row), np.bool_)
    for place, name in enumerate(("at", "stage", "seq", "hash")):
        value = events[name][row]
        before |= equal & (value < wanted[:, place])
        equal &= value == wanted[:, place]
    return before
