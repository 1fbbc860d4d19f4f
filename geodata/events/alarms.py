"""Alarms: what events say of them, folded into one alarm a device and kind, and its state."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geodata.events.incidents import FLAG_DRILL, NO_SEQ, STAGE_CODE

State = Literal["new", "escalated", "acknowledged", "cleared", "judged"]
# Level 1 is the gravest, as in 突发事件应对法: red, orange, yellow, blue.
LEVEL_WORDS: dict[str, int] = {
    word: level
    for level, words in enumerate(
        (
            ("1", "i", "ⅰ", "一", "一级", "红", "红色", "特别重大", "red", "critical"),
            ("2", "ii", "ⅱ", "二", "二级", "橙", "橙色", "重大", "orange", "major"),
            ("3", "iii", "ⅲ", "三", "三级", "黄", "黄色", "较大", "yellow", "moderate"),
            ("4", "iv", "ⅳ", "四", "四级", "蓝", "蓝色", "一般", "blue", "minor"),
        ),
        start=1,
    )
    for word in words
}
LEVEL, DEVICE, CLEARED_AT, CLEARED, DRILL = (
    "alarm_level", "device_id", "cleared_at", "cleared", "drill",
)  # fmt: skip
FIELDS = (LEVEL, DEVICE, CLEARED_AT, CLEARED, DRILL)
VERDICTS = ("real", "false", "test")
NOTES = ("ack", "note", "hand_over", "verdict")
_YES = frozenset({"true", "yes", "1", "是", "y"})
_NO = frozenset({"false", "no", "0", "否", "n", ""})
_ENDS = frozenset(STAGE_CODE[name] for name in ("closed", "duplicate", "void", "not_registered"))
CLEARS = 0  # the level of a mark that clears


def parse_level(value: Any) -> int | None:
    """Return the level 1 (gravest) to 4 that a number or a word names, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value
    text = str(value).strip().lower()
    # NFKC would write Ⅰ as I; both are known.
    return LEVEL_WORDS.get(text) or LEVEL_WORDS.get(unicodedata.normalize("NFKC", text).lower())


def parse_yes(value: Any) -> bool | None:
    """Return what a truth value, a number or a word says, None where it says neither."""
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float | str):
        return None
    text = str(value).strip().lower()
    return True if text in _YES else False if text in _NO else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEvent:
    """
    One event of an incident that carries an alarm; times UTC seconds.

    `kind` is the number of its kind, 0 for none; `said` its attributes as the store keeps them.
    """

    inc: int
    source: int
    seq: int
    at: int
    hash: int
    stage: int
    version: int
    received: int
    kind: int
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    """
    One thing that is said of an alarm: that it is on at a level, or (level 0) that it is over.

    Marks of one `line` make one alarm after another; a mark on a `wide` line (a device, whatever
    the kind) ends those of every kind.
    """

    at: int
    over: bool  # of one second, what is on comes before what is over
    hash: int
    inc: int
    line: str
    wide: str
    level: int
    received: int


def marks_of(events: Sequence[AlarmEvent]) -> list[Mark]:
    """
    Return what the events of one incident say of alarms, in order of time.

    Of several versions of one event the newest counts, as in the fold of incidents. Device, kind
    and drill are the incident's: whichever of its events names them. Its end ends its alarm.
    """
    winners = _winners(events)
    said = {name: _last(winners, name) for name in (DEVICE, DRILL)}
    drill = any(one.said.get(DRILL) for one in winners)
    alarming = any(LEVEL in one.said for one in winners)
    if not (alarming or (said[DEVICE] and any(CLEARED_AT in one.said for one in winners))):
        return []
    kind = next((one.kind for one in reversed(winners) if one.kind), 0)
    inc, source = winners[0].inc, winners[0].source
    line, wide = name_lines(source, inc, device=said[DEVICE], kind=kind, drill=drill)
    marks = []
    for one in winners:
        here = {"inc": inc, "line": line, "wide": wide, "received": one.received, "hash": one.hash}
        if LEVEL in one.said:
            level = int(one.said[LEVEL])
            marks.append(Mark(at=one.at, over=False, level=level, **here))  # type: ignore[arg-type]
        ends = int(one.said.get(CLEARED_AT, 0)) or (one.at if one.stage in _ENDS else 0)
        if ends:
            marks.append(Mark(at=ends, over=True, level=CLEARS, **here))  # type: ignore[arg-type]
    return sorted(marks)


def name_lines(source: int, inc: int, *, device: str, kind: int, drill: bool) -> tuple[str, str]:
    """
    Return the line that an alarm stands on, and its device's whole line ("" without a device).

    Of one source, device and kind there is one alarm at a time; without a device, of one incident.
    A drill never stands on the line of what is real.
    """
    lead = f"{source}|{'drill' if drill else 'real'}"
    if not device:
        return f"{lead}|{kind}|i:{inc}", ""
    wide = f"{lead}|*|d:{device}"
    return (f"{lead}|{kind}|d:{device}" if kind else wide), wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    One alarm of a line: raised `count` times from `first_at` to `last_at`, `cleared_at` 0 while on.

    `level` is the gravest it had; `inc` the incident that raised it last; `received` when it was
    first heard of.
    """

    line: str
    wide: str
    inc: int
    level: int
    first_at: int
    last_at: int
    received: int
    count: int = 1
    cleared_at: int = 0


def fold_line(marks: Iterable[Mark], *, window_s: int) -> list[Run]:
    """
    Return the alarms of one line, in whatever order its marks came in.

    A repeat within `window_s` of the one before is the same alarm once more.
    """
    runs: list[Run] = []
    for mark in sorted(marks):
        if mark.level == CLEARS:
            runs = [end_run(run, mark.at) for run in runs]
            continue
        repeated = repeat_run(runs[-1], mark, window_s=window_s) if runs else None
        if repeated is None:
            runs.append(start_run(mark))
        else:
            runs[-1] = repeated
    return runs


def start_run(mark: Mark) -> Run:
    """Return the alarm that a mark begins."""
    return Run(
        line=mark.line,
        wide=mark.wide,
        inc=mark.inc,
        level=mark.level,
        first_at=mark.at,
        last_at=mark.at,
        received=mark.received,
    )


def repeat_run(run: Run, mark: Mark, *, window_s: int) -> Run | None:
    """Return the alarm raised once more, None where the mark begins another."""
    if run.cleared_at or mark.at - run.last_at > window_s:
        return None
    return replace(
        run,
        inc=mark.inc,
        level=min(run.level, mark.level),
        last_at=mark.at,
        received=min(run.received, mark.received),
        count=run.count + 1,
    )


def end_run(run: Run, at: int) -> Run:
    """Return the alarm as over at a moment, if it was still on."""
    return run if run.cleared_at else replace(run, cleared_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmNote:
    """What a post did about an alarm: `what` is one of NOTES; `to` is who it was handed to."""

    at: int
    what: str
    post: str
    to: str = ""
    verdict: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """
    One alarm as a duty desk reads it; places are degrees, None for none.

    `placed` says where the place is from: "event", "device", or "" where nobody knows it: the alarm
    stands all the same. `owner` is the uid of the grid, -1 for none.
    """

    alarm: int
    run: Run
    source: str
    incident_id: str
    device: str
    kind: str
    drill: bool
    owner: int
    lon: float | None
    lat: float | None
    placed: str
    rev: int
    notes: tuple[AlarmNote, ...] = field(default=())

    @property
    def seen(self) -> AlarmNote | None:
        """Return the first act that shows that somebody has seen it."""
        return next((one for one in self.notes if one.what != "note"), None)

    @property
    def handed(self) -> AlarmNote | None:
        """Return the hand-over that waits for its taker; None where nobody has to take it."""
        acts = [one for one in self.notes if one.what != "note"]
        return acts[-1] if acts and acts[-1].what == "hand_over" else None

    @property
    def acknowledged(self) -> AlarmNote | None:
        """Return the act by which a post took it: since it was last handed over, if it was."""
        found: AlarmNote | None = None
        for one in self.notes:
            if one.what == "hand_over":
                found = None
            elif one.what != "note" and found is None:
                found = one
        return found

    @property
    def waits_since(self) -> int:
        """Return since when it waits to be taken: our hearing of it, or its last hand-over."""
        return self.run.received if self.handed is None else self.handed.at

    @property
    def verdict(self) -> str:
        """Return what was found: "real", "false", "test", or "" before anyone said."""
        found = [one.verdict for one in self.notes if one.what == "verdict"]
        return found[-1] if found else ""

    @property
    def _goes_on(self) -> bool:
        """Tell whether it is real and was handed on since: then it waits for its taker again."""
        return self.verdict == "real" and self.handed is not None

    @property
    def waits(self) -> bool:
        """Tell whether somebody has to take it."""
        judged = self.verdict and not self._goes_on
        return not (self.acknowledged or self.run.cleared_at or self.drill or judged)

    def state(self, *, now: int, escalate_s: int) -> State:
        """
        Return what is to be done about it at a moment.

        An alarm that nobody took within `escalate_s` of our hearing of it, or of its hand-over, is
        escalated; a drill never is.
        """
        if self.verdict and not self._goes_on:
            return "judged"
        if self.run.cleared_at:
            return "cleared"
        if self.acknowledged:
            return "acknowledged"
        late = now - self.waits_since >= escalate_s
        return "escalated" if late and not self.drill else "new"


def order_alarms(alarms: Iterable[Alarm], *, now: int, escalate_s: int) -> list[Alarm]:
    """Return alarms as a desk takes them: real ones first, untaken, gravest, newest."""
    order = {"escalated": 0, "new": 1, "acknowledged": 2, "cleared": 3, "judged": 4}
    return sorted(
        alarms,
        key=lambda one: (
            one.drill,
            order[one.state(now=now, escalate_s=escalate_s)],
            one.run.level,
            -one.run.last_at,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What events say beside what happened: where its device stands (mm), and what is a drill."""

    places: Mapping[int, tuple[int, int]]
    drills: Sequence[int]


def place_devices(
    place: dict[str, NDArray[np.float64]], incident: NDArray[np.int64], said: Said
) -> dict[str, NDArray[np.float64]]:
    """Give incidents without a place of their own that of the device which told of them."""
    x, y = place["x"].copy(), place["y"].copy()
    for inc, found in said.places.items():
        row = int(np.searchsorted(incident, inc))
        if row < len(incident) and incident[row] == inc and np.isnan(x[row]):
            x[row], y[row] = found
    return {**place, "x": x, "y": y}


def flag_drills(
    flags: NDArray[np.uint8], incident: NDArray[np.int64], said: Said
) -> NDArray[np.uint8]:
    """Return the flags of incidents with drills marked: these count in no figure."""
    drill = np.isin(incident, np.array(said.drills, np.int64))
    return np.where(drill, flags | FLAG_DRILL, flags).astype(np.uint8)


def _winners(events: Sequence[AlarmEvent]) -> list[AlarmEvent]:
    newest: dict[tuple[int, ...], AlarmEvent] = {}
    for one in events:
        key = (one.seq,) if one.seq != NO_SEQ else (NO_SEQ, one.stage, one.at)
        held = newest.get(key)
        rank = (one.version, one.at, one.hash)
        if held is None or rank > (held.version, held.at, held.hash):
            newest[key] = one
    return sorted(newest.values(), key=lambda one: (one.at, one.stage, one.seq, one.hash))


def _last(events: Sequence[AlarmEvent], name: str) -> str:
    return next((one.said[name] for one in reversed(events) if one.said.get(name)), "")
