"""Promise: repeats are one alarm with a count, whatever order they came in; drills stay apart."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.events.alarms import (
    Alarm,
    AlarmEvent,
    AlarmNote,
    Mark,
    end_run,
    fold_line,
    marks_of,
    order_alarms,
    parse_level,
    parse_yes,
    repeat_run,
    start_run,
)
from geodata.events.incidents import NO_SEQ, STAGE_CODE

T = 1_780_000_000
WINDOW_S = 600


def said(
    at: int, *, inc: int = 1, seq: int = NO_SEQ, version: int = 0, kind: int = 7,
    stage: str = "reported", hash: int | None = None, **fields: str,
) -> AlarmEvent:  # fmt: skip
    return AlarmEvent(
        inc=inc, source=1, seq=seq, at=at, hash=at if hash is None else hash, version=version,
        stage=STAGE_CODE[stage], received=at + 5, kind=kind, said=fields,
    )  # fmt: skip


def marks(*incidents: list[AlarmEvent]) -> list[Mark]:
    return [mark for events in incidents for mark in marks_of(events)]


def alarm(run=None, *notes: AlarmNote, **values) -> Alarm:
    run = run or fold_line(marks([said(T, alarm_level="2")]), window_s=WINDOW_S)[0]
    plain = {
        "alarm": 1, "run": run, "source": "iot", "incident_id": "A", "device": "", "kind": "火警",
        "drill": False, "owner": 1, "lon": None, "lat": None, "placed": "", "rev": 1,
    }  # fmt: skip
    return Alarm(**{**plain, **values}, notes=notes)


@pytest.mark.parametrize(
    ("value", "level"),
    [(1, 1), ("1", 1), ("Ⅰ", 1), ("Ⅳ", 4), ("红色", 1), ("二级", 2), ("Yellow", 3),
     (4.0, 4), (" 蓝 ", 4), (0, None), (5, None), (True, None), (2.5, None), ("", None),
     (None, None), ([1], None)],
)  # fmt: skip
def test_a_level_is_a_number_or_a_word(value, level):
    assert parse_level(value) == level


def test_a_yes_is_said_in_many_ways():
    assert [parse_yes(v) for v in (True, "是", "1", 1, "TRUE")] == [True] * 5
    assert [parse_yes(v) for v in (False, None, "", "否", 0)] == [False] * 5
    assert [parse_yes(v) for v in ("maybe", [], {})] == [None] * 3


def test_repeats_of_a_device_and_kind_are_one_alarm_with_a_count():
    found = fold_line(
        marks(
            [said(T, inc=1, alarm_level="3", device_id="D1")],
            [said(T + 300, inc=2, alarm_level="2", device_id="D1")],
            [said(T + 800, inc=3, alarm_level="4", device_id="D1")],
        ),
        window_s=WINDOW_S,
    )
    (run,) = found
    assert (run.count, run.level, run.first_at, run.last_at, run.inc) == (3, 2, T, T + 800, 3)
    assert run.received == T + 5


def test_another_kind_another_device_or_a_long_silence_is_another_alarm():
    events = marks(
        [said(T, inc=1, alarm_level="3", device_id="D1")],
        [said(T, inc=2, alarm_level="3", device_id="D1", kind=8)],
        [said(T, inc=3, alarm_level="3", device_id="D2")],
        [said(T, inc=4, alarm_level="3")],
    )
    assert len({mark.line for mark in events}) == 4
    late = marks(
        [said(T, inc=1, alarm_level="3", device_id="D1")],
        [said(T + WINDOW_S + 1, inc=2, alarm_level="3", device_id="D1")],
    )
    assert len(fold_line(late, window_s=WINDOW_S)) == 2


def test_a_drill_never_joins_what_is_real():
    events = marks(
        [said(T, inc=1, alarm_level="1", device_id="D1")],
        [said(T + 1, inc=2, alarm_level="1", device_id="D1", drill="true")],
    )
    assert len({mark.line for mark in events}) == 2


def test_an_alarm_is_over_when_it_is_cleared_or_its_incident_ends():
    clear = said(T + 60, inc=1, cleared_at=str(T + 50), stage="handled")
    closed = said(T + 70, inc=1, stage="closed")
    for last, at in ((clear, T + 50), (closed, T + 70)):
        (run,) = fold_line(marks([said(T, alarm_level="2"), last]), window_s=WINDOW_S)
        assert run.cleared_at == at
    again = marks(
        [said(T, alarm_level="2", device_id="D"), clear],
        [said(T + 90, inc=2, alarm_level="2", device_id="D")],
    )
    first, second = fold_line(again, window_s=WINDOW_S)
    assert first.cleared_at == T + 50
    assert second.cleared_at == 0


def test_a_corrected_event_counts_once_and_the_newest_version_counts():
    events = [
        said(T, seq=1, alarm_level="4", hash=1),
        said(T, seq=1, version=2, alarm_level="1", hash=2),
    ]
    for order in itertools.permutations(events):
        (run,) = fold_line(marks(list(order)), window_s=WINDOW_S)
        assert (run.count, run.level) == (1, 1)


def test_events_without_an_alarm_say_nothing():
    assert marks([said(T), said(T + 1, stage="closed")]) == []
    assert marks([said(T, device_id="D1")]) == []
    assert marks([said(T, cleared_at=str(T))]) == []


moments = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 4)), min_size=1, max_size=25)


@given(moments, st.randoms())
def test_any_order_folds_alike_and_a_step_at_a_time_too(said_at, random):
    line = [
        Mark(at=T + at, over=level == 0, hash=n, inc=n, line="l", wide="", level=level,
             received=T + at)
        for n, (at, level) in enumerate(said_at)
    ]  # fmt: skip
    whole = fold_line(line, window_s=WINDOW_S)
    shuffled = list(line)
    random.shuffle(shuffled)
    assert fold_line(shuffled, window_s=WINDOW_S) == whole
    assert sum(run.count for run in whole) == sum(mark.level > 0 for mark in line)
    # What the store does for a mark that comes after all others of its line.
    runs = []
    for mark in sorted(line):
        if mark.level == 0:
            runs = [end_run(run, mark.at) for run in runs]
            continue
        again = repeat_run(runs[-1], mark, window_s=WINDOW_S) if runs else None
        runs = [*runs[:-1], again] if again else [*runs, start_run(mark)]
    assert runs == whole


def test_what_nobody_takes_is_escalated_but_a_drill_never():
    one = alarm()
    heard = one.run.received
    assert one.state(now=heard + 299, escalate_s=300) == "new"
    assert one.state(now=heard + 300, escalate_s=300) == "escalated"
    assert replace(one, drill=True).state(now=heard + 3_000, escalate_s=300) == "new"
    note = AlarmNote(at=T, what="note", post="duty-1", text="看过录像")
    assert alarm(None, note).state(now=heard + 300, escalate_s=300) == "escalated"
    taken = AlarmNote(at=T, what="ack", post="duty-1")
    assert alarm(None, taken).state(now=heard + 300, escalate_s=300) == "acknowledged"
    cleared = replace(one, run=end_run(one.run, T + 9))
    assert cleared.state(now=heard + 300, escalate_s=300) == "cleared"
    judged = AlarmNote(at=T, what="verdict", post="duty-1", verdict="false")
    assert alarm(None, judged).state(now=heard + 300, escalate_s=300) == "judged"


def test_a_desk_takes_the_gravest_untaken_real_one_first():
    base = alarm()
    graver = replace(base, alarm=2, run=replace(base.run, level=1))
    drill = replace(graver, alarm=3, drill=True)
    taken = replace(graver, alarm=4, notes=(AlarmNote(at=T, what="ack", post="d"),))
    found = order_alarms([drill, taken, base, graver], now=base.run.received, escalate_s=300)
    assert [one.alarm for one in found] == [2, 1, 4, 3]
