"""The parts of the wall: each a small piece of HTML from a template, in one language."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from flask import render_template

from dashboard.parts import numbers
from dashboard.parts.freshness import tell_laggard
from dashboard.parts.overview import full_name
from dashboard.parts.totals import scope_words, sees_nothing
from dashboard.view import first_day
from dashboard.wall import today_rows
from geodata.access.sight import Sight
from geodata.desk.alarm_desk import AlarmList
from geodata.events.alarms import Alarm
from geodata.events.sources import SourceState, name_source, span_text
from geodata.figures.period import Period
from geodata.figures.tally import tally_areas
from geodata.risk import GridRisk
from geodata.settings import Settings
from geodata.snapshots.snapshot import Filter
from geodata.wall.late import AGES_DAYS, LateBoard, count_late
from geodata.wall.lately import find_lately
from geodata.wall.usual import compare_today
from geodata.words import Lang, join, say

BODIES_SHOWN, GRIDS_SHOWN, ALARMS_SHOWN, SOURCES_SHOWN = 16, 6, 4, 8
STEPS_DAYS = 28
_SILENT_S = 3_600  # without a step from sources of which none is live
_LEAST_SHARE = 0.1  # of a grid's risk, below which what it borrows is not worth a word
_LOST = frozenset({"out", "mad"})
_SOURCE_MARK = {"loaded": "○", "live": "●", "late": "▲", "mad": "▲", "out": "■"}
ALARM_MARK = {1: "■", 2: "■", 3: "▲", 4: "◆"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WallMoment:
    """What the parts are drawn from, at one moment (UTC s); `alarms` None: not for this account."""

    sight: Sight
    alarms: AlarmList | None
    sources: list[SourceState]
    settings: Settings
    lang: Lang
    now: int


def draw_figures(moment: WallMoment) -> dict[str, str]:
    """Return the parts that follow from the incidents."""
    sight, now = moment.sight, moment.now
    if sees_nothing(sight):  # none would read as if nothing were late
        return {"keys": _draw("hidden", moment)}
    board = count_late(sight, now=now)
    today = compare_today(find_lately(sight, now=now).steps[0], now=now, zone=sight.zone)
    silent = name_silence(moment)
    return {
        "keys": _draw("keys", moment, board=board),
        "late": _draw("late", moment, **_describe_late(moment, board)),
        "steps": _draw("steps", moment, **_describe_steps(moment)),
        "today": _draw(
            "today",
            moment,
            today=today,
            hours=today_rows.describe_hours(today),
            unusual=say(f"wall.unusual_{today.unusual}", moment.lang)
            if today.unusual and (silent is None or today.unusual == "more")
            else "",
            silent=silent,
        ),
        "top": _draw("top", moment, **_describe_top(moment)),
        "kinds": _draw(
            "kinds",
            moment,
            rows=today_rows.describe_categories(sight, now, moment.lang),
            silent=silent,
        ),
        "ticker": _draw(
            "ticker",
            moment,
            hour={say(f"wall.hour_{name}", moment.lang): n for name, n in board.hour.items()},
            newest=today_rows.describe_newest(sight, now, moment.lang),
            total=sight.snapshot.n,
        ),
    }


def name_silence(moment: WallMoment) -> str | None:
    """Return since when nothing came in, once that is too long: silence is no quiet day."""
    sight = moment.sight
    heard = any(one.state == "live" for one in moment.sources)
    if heard or moment.now - sight.as_of <= min(_SILENT_S, moment.settings.stale_after_s):
        return None
    since = numbers.moment(sight.as_of, sight.zone) if sight.as_of else numbers.NOT_TOLD
    return say("wall.silent", moment.lang, since=since)


def draw_news(moment: WallMoment) -> dict[str, str]:
    """Return the parts that follow from alarms, sources and the clock."""
    sight, lang = moment.sight, moment.lang
    parts = {
        "head": _draw(
            "head",
            moment,
            narrowed=scope_words(sight, lang),
            as_of=numbers.moment(sight.as_of, sight.zone, with_day=False) if sight.as_of else "",
            stale=moment.now - sight.as_of > moment.settings.stale_after_s,
            age=numbers.span(max(moment.now - sight.as_of, 0), lang),
            oldest=tell_laggard(moment.sources, sight, lang),
            marks=_order_sources(moment.sources),
            source_mark=_SOURCE_MARK,
            revision=sight.revision,
        ),
        "sources": _draw("sources", moment, **_describe_sources(moment)),
    }
    if moment.alarms is not None and not sees_nothing(sight):
        parts["alarms"] = _draw("alarms", moment, **_describe_alarms(moment, moment.alarms))
    return parts


def draw_nothing(lang: Lang) -> dict[str, str]:
    """Return the one part of a city without grids: what is missing, and what to do."""
    return {"keys": render_template("wall_nothing.html", **_speak(lang))}


def name_alarm(alarm: Alarm, sight: Sight, lang: Lang) -> str:
    """Return what an alarm is of: its kind, else its device, else what the list calls it."""
    column = f"name_{lang}"
    if alarm.kind in sight.kinds.index and column in sight.kinds:
        name = sight.kinds.at[alarm.kind, column]
        if isinstance(name, str) and name:
            return name
    return alarm.kind or alarm.device or say("wall.alarm_unnamed", lang)


def name_grid(sight: Sight, uid: int, lang: Lang) -> str:
    """Return the grid of an alarm by name, or that nobody owns its place."""
    known = uid >= 0 and (sight.grids.grids["uid"] == uid).any()
    return full_name(sight, uid) if known else say("wall.alarm_nowhere", lang)


def draw_piece(template: str, lang: Lang, **values: Any) -> str:
    """Return a piece of HTML from a template that speaks one language."""
    return render_template(template, **_speak(lang), **values)


def _draw(name: str, moment: WallMoment, **values: Any) -> str:
    return draw_piece(f"wall_{name}.html", moment.lang, **values)


def _speak(lang: Lang) -> dict[str, Any]:
    def speak(key: str, **named: Any) -> str:
        return say(key, lang, **named)

    return {"say": speak, "lang": lang, "count": numbers.count}


def _describe_late(moment: WallMoment, board: LateBoard) -> dict[str, Any]:
    sight, lang = moment.sight, moment.lang
    most = max((one.late for one in board.bodies), default=1)
    shown = board.bodies[:BODIES_SHOWN]
    oldest = None
    if board.oldest is not None:
        kind = sight.kind_names(lang).get(board.oldest.kind, "")
        oldest = {
            "kind": kind or say("desk.no_kind", lang),
            "grid": name_grid(sight, board.oldest.owner, lang),
            "body": sight.body_name(board.oldest.body, lang),
            "age": numbers.span(board.oldest.late_s, lang),
        }
    return {
        "bodies": [
            {
                "name": sight.body_name(one.body, lang) if one.body else say("wall.no_body", lang),
                "late": one.late,
                "parts": [100 * n / most for n in one.ages],
                "ages": one.ages,
            }
            for one in shown
        ],
        "board": board,
        "ages": _name_ages(lang),
        "of": len(board.bodies),
        "oldest": oldest,
    }


def _name_ages(lang: Lang) -> list[str]:
    """Return the names of the classes of age, the youngest first."""
    names = [say("wall.age_below", lang, n=AGES_DAYS[0])]
    for low, high in itertools.pairwise(AGES_DAYS):
        names.append(say("wall.age_between", lang, low=low, high=high))
    return [*names, say("wall.age_above", lang, n=AGES_DAYS[-1])]


def _describe_steps(moment: WallMoment) -> dict[str, Any]:
    sight, now = moment.sight, moment.now
    period = Period(since=first_day(sight, STEPS_DAYS, now))
    figures = tally_areas(sight, period=period, filter=Filter(), now=now).of_all()
    most = max(1, *figures.steps.values())
    steps = [{"name": name, "n": n, "share": 100 * n / most} for name, n in figures.steps.items()]
    return {"steps": steps, "days": STEPS_DAYS, "closing": numbers.rate(figures.closing)}


def _describe_top(moment: WallMoment) -> dict[str, Any]:
    sight, lang = moment.sight, moment.lang
    risk = sight.risk
    if risk is None:
        return {"grids": [], "days": 0, "of": 0}
    finest = sight.grids.finest()
    uids = finest["uid"].to_numpy()
    order = [row for row in np.argsort(-risk.value, kind="stable").tolist() if not risk.thin[row]]
    order = [row for row in order if sight.outside is None or sight.shows(int(uids[row]))]
    late = tally_areas(sight, period=Period(), filter=Filter(), now=moment.now).of_finest("overdue")
    shown = order[:GRIDS_SHOWN]
    mostly = today_rows.name_mostly(sight, shown, now=moment.now, lang=lang)
    grids = [
        {
            "name": full_name(sight, int(uids[row])),
            "value": numbers.decimal(risk.value[row]),
            "why": _tell_why(risk, row, mostly[row], lang),
            "late": int(late[row]),
        }
        for row in shown
    ]
    return {"grids": grids, "days": risk.days, "of": len(uids)}


def _tell_why(risk: GridRisk, row: int, mostly: str, lang: Lang) -> str:
    """Return why a grid stands here: what it had most, what it borrows, how sure that is."""
    low, high = numbers.decimal(risk.low[row]), numbers.decimal(risk.high[row])
    borrowed = float(risk.borrowed[row])
    lent = ""
    if borrowed >= _LEAST_SHARE * float(risk.value[row]):
        lent = say("wall.top_borrowed", lang, borrowed=numbers.decimal(borrowed))
    told = (mostly, lent, say("wall.top_why", lang, low=low, high=high))
    return " · ".join(part for part in told if part)


def _order_sources(sources: list[SourceState]) -> list[SourceState]:
    worst = ("out", "mad", "late", "live", "loaded")
    return sorted(sources, key=lambda one: (worst.index(one.state), one.source))


def _describe_sources(moment: WallMoment) -> dict[str, Any]:
    lang, ordered = moment.lang, _order_sources(moment.sources)
    return {
        "sources": [
            {
                "name": name_source(one.source, lang),
                "state": one.state,
                "mark": _SOURCE_MARK[one.state],
                "age": span_text(one.age_s, lang) if one.received_at else say("source.never", lang),
            }
            for one in ordered[:SOURCES_SHOWN]
        ],
        "states": [
            {
                "state": state,
                "mark": _SOURCE_MARK[state],
                "word": say(f"source_state.{state}", lang),
            }
            for state in dict.fromkeys(one.state for one in ordered)
        ],
        "of": len(ordered),
        "lost": join(
            [name_source(one.source, lang) for one in ordered if one.state in _LOST], lang
        ),
    }


def name_state(alarm: Alarm, now: int, settings: Settings, lang: Lang) -> str:
    """Return in a word what is to be done about an alarm."""
    state = alarm.state(now=now, escalate_s=settings.alarm_escalate_s)
    if alarm.handed and state in ("new", "escalated"):
        key = "handed" if state == "new" else "handed_escalated"
        return say(f"alarm_state.{key}", lang, to=alarm.handed.to)
    word = say(f"alarm_state.{state}", lang)
    if state == "judged":
        word = say(
            "alarm_state.judged_as", lang, verdict=say(f"duty.verdict_{alarm.verdict}", lang)
        )
    return word


def _describe_alarms(moment: WallMoment, found: AlarmList) -> dict[str, Any]:
    sight, lang, settings = moment.sight, moment.lang, moment.settings
    rows = [
        {
            "level": one.run.level,
            "mark": ALARM_MARK[one.run.level],
            "state": one.state(now=moment.now, escalate_s=settings.alarm_escalate_s),
            "drill": one.drill,
            "word": name_state(one, moment.now, settings, lang),
            "name": name_alarm(one, sight, lang),
            "grid": name_grid(sight, one.owner, lang),
            "at": numbers.moment(one.run.last_at, sight.zone, with_day=False),
            "number": one.alarm,
        }
        for one in found.alarms[:ALARMS_SHOWN]
    ]
    return {"alarms": rows, "of": len(found.alarms), "more": found.more}
