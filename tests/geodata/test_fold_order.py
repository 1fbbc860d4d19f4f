"""Promise: events in any order, duplicated or late, fold to the same incidents."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geodata.events.incidents import (
    FLAG_CONFLICT,
    FLAG_EXTENDED,
    KIND,
    NO_SEQ,
    PLACE,
    STAGE_CODE,
    STAGES,
    Folded,
    fold_events,
)

HOUR = 3600
Row = tuple[int, int, int, int, int, int, int]  # inc, seq, at, hash, stage, due, version


def fold(rows: list[Row]) -> Folded:
    table = np.array(sorted(rows, key=lambda row: row[0]), np.int64).reshape(-1, 7)
    return fold_events(
        table[:, 0].copy(),
        seq=table[:, 1].copy(),
        at=table[:, 2].copy(),
        hash=table[:, 3].copy(),
        stage=table[:, 4].copy(),
        due=table[:, 5].copy(),
        version=table[:, 6].copy(),
        body=np.zeros(len(table), np.int64),
        carries=np.where(table[:, 4] == STAGE_CODE["reported"], PLACE | KIND, 0).astype(np.uint8),
    )


def as_rows(folded: Folded) -> list[tuple[object, ...]]:
    return [
        tuple(np.asarray(getattr(folded, name))[i].tolist() for name in Folded.__slots__)
        for i in range(len(folded.incident))
    ]


def story(*steps: tuple[str, int], due: int = 0) -> list[Row]:
    return [
        (1, NO_SEQ, at * HOUR, number + 1, STAGE_CODE[stage], due if number == 0 else 0, 0)
        for number, (stage, at) in enumerate(steps)
    ]


rows = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from([NO_SEQ, 1, 2, 3]),
        st.integers(1, 20).map(lambda hour: hour * HOUR),
        st.integers(-5, 5),
        st.integers(0, len(STAGES) - 1),
        st.sampled_from([0, 50 * HOUR]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=70,
)


@given(rows, st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_order_and_any_copies_fold_to_the_same_rows(events, random, copies):
    # One hash is one payload: the same identity never comes with two stages, dues or versions.
    unique = list({row[:4]: row for row in events}.values())
    shuffled = unique * copies
    random.shuffle(shuffled)
    assert as_rows(fold(shuffled)) == as_rows(fold(unique))


@given(st.integers(50, 200), st.randoms(use_true_random=False))
def test_a_sensor_with_many_events_folds_like_a_short_story(n, random):
    events = [
        (1, seq % 7 or NO_SEQ, (seq % 31 + 1) * HOUR, seq % 11, seq % len(STAGES), 0, seq % 3)
        for seq in range(n)
    ]
    events = list({row[:4]: row for row in events}.values())
    shuffled = events * 2
    random.shuffle(shuffled)
    assert as_rows(fold(shuffled)) == as_rows(fold(events))


def test_the_six_steps_close_an_incident():
    folded = fold(
        story(
            ("reported", 1), ("registered", 2), ("dispatched", 3),
            ("handled", 4), ("closed", 5), ("evaluated", 6),
        )
    )  # fmt: skip
    assert folded.times[0].tolist() == [n * HOUR for n in range(1, 7)]
    assert not folded.open[0]
    assert STAGES[folded.stage[0]] == "evaluated"


def test_a_reported_incident_is_open_until_it_is_refused():
    assert fold(story(("reported", 1))).open[0]
    assert not fold(story(("reported", 1), ("not_registered", 2))).open[0]
    assert not fold(story(("reported", 1), ("void", 2))).open[0]


def test_suspended_time_moves_the_deadline():
    folded = fold(story(("reported", 1), ("suspended", 3), ("resumed", 8), due=10 * HOUR))
    assert folded.due_at[0] == 15 * HOUR
    assert folded.suspended_since[0] == 0


def test_an_extension_sets_a_new_deadline_and_stays_visible():
    events = story(("reported", 1), ("extended", 3), due=10 * HOUR)
    events[1] = (*events[1][:5], 30 * HOUR, 0)
    folded = fold(events)
    assert folded.due_at[0] == 30 * HOUR
    assert folded.flags[0] & FLAG_EXTENDED


def test_a_reopened_incident_starts_a_new_leg():
    folded = fold(
        story(("reported", 1), ("registered", 2), ("closed", 5), ("reopened", 9), due=10 * HOUR)
    )
    assert folded.open[0]
    assert folded.reopened[0] == 1
    assert folded.clock_from[0] == 9 * HOUR
    assert folded.due_at[0] == 0  # the old leg's deadline is not the new one's


def test_of_two_contents_of_one_event_the_newest_version_counts_and_is_flagged():
    old = (1, 1, 5 * HOUR, 7, STAGE_CODE["reported"], 10 * HOUR, 0)
    corrected = (1, 1, 4 * HOUR, 3, STAGE_CODE["reported"], 20 * HOUR, 1)
    folded = fold([old, corrected])
    assert folded.due_at[0] == 20 * HOUR
    assert folded.times[0, 0] == 4 * HOUR
    assert folded.flags[0] & FLAG_CONFLICT
    assert not fold([old, old]).flags[0] & FLAG_CONFLICT


def test_no_events_fold_to_no_incidents():
    assert len(fold([]).incident) == 0
