"""Counts under any filter, by any axes, are those of a plain loop, and stay so when events come."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from geodata.snapshots import counting, question, timeline
from geodata.snapshots.counting import CountFilter, build_counter
from geodata.snapshots.timeline import Rows

DAY = 86_400
START = 1_760_000_000
GRIDS, KINDS, STAGES, CATEGORIES = 5, 6, 4, 3
CATEGORY_OF = np.array([0, 1, 1, 2, 0, 2])
AXES = ("grid", "category", "kind", "stage", "day", "weekday", "hour")
ZONES = ("Asia/Shanghai", "Europe/Paris", "Asia/Kolkata", "America/St_Johns")


def make_rows(n, seed, days=200):
    rng = np.random.default_rng(seed)
    at = START + rng.integers(0, days * DAY, n)
    at[rng.random(n) < 0.1] = 0  # never reported
    return Rows(
        at=at,
        grid=rng.integers(-1, GRIDS, n).astype(np.int32),
        kind=rng.integers(0, KINDS, n),
        stage=rng.integers(0, STAGES, n).astype(np.uint8),
    )


def join(*parts):
    names = ("at", "grid", "kind", "stage")
    return Rows(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def take(rows, which):
    return Rows(at=rows.at[which], grid=rows.grid[which], kind=rows.kind[which],
                stage=rows.stage[which])  # fmt: skip


def count_plainly(rows, by, chosen, counter, zone):
    """The same by a loop over Python objects."""
    found = np.zeros([counter.scale.size(axis) for axis in by], np.int64)
    first = datetime.fromtimestamp(int(counter.scale.midnights[0]), zone).date()
    for at, grid, kind, stage in zip(rows.at, rows.grid, rows.kind, rows.stage, strict=True):
        local = datetime.fromtimestamp(int(at), zone) if at > 0 else None
        if chosen.since is not None and at < chosen.since:
            continue
        if chosen.until is not None and at >= chosen.until:
            continue
        values = {
            "grid": GRIDS if grid < 0 else grid, "category": CATEGORY_OF[kind], "kind": kind,
            "stage": stage,
            "day": (local.date() - first).days if local else None,
            "weekday": local.weekday() if local else None,
            "hour": local.hour if local else None,
        }  # fmt: skip
        tables = {
            "grid": chosen.grids, "category": chosen.categories, "kind": chosen.kinds,
            "stage": chosen.stages, "weekday": chosen.weekdays, "hour": chosen.hours,
        }  # fmt: skip
        asked = {axis: table for axis, table in tables.items() if table is not None}
        if any(values[axis] is None or not table[values[axis]] for axis, table in asked.items()):
            continue
        place = tuple(values[axis] for axis in by)
        if None not in place:
            found[place] += 1
    return found


@st.composite
def questions(draw):
    by = draw(st.lists(st.sampled_from(AXES), max_size=3, unique=True))
    if {"kind", "category"} <= set(by):
        by.remove("kind")
    hourly = not {"day"} & set(by)
    if not hourly:
        by = [axis for axis in by if axis not in {"hour", "weekday"}]

    def table(n):
        return st.none() | st.lists(st.booleans(), min_size=n, max_size=n).map(np.array)

    moment = st.none() | st.integers(START - DAY, START + 210 * DAY)
    return by, CountFilter(
        since=draw(moment),
        until=draw(moment),
        grids=draw(table(GRIDS + 1)),
        categories=draw(table(CATEGORIES)),
        kinds=draw(table(KINDS)),
        stages=draw(table(STAGES)),
        hours=draw(table(24)) if hourly else None,
        weekdays=draw(table(7)) if hourly else None,
    )


def make_counter(rows, zone):
    return build_counter(
        rows, grids=GRIDS, category_of=CATEGORY_OF, stages=STAGES, zone=ZoneInfo(zone)
    )


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.integers(0, 300), st.integers(0, 9), st.sampled_from(ZONES), questions(), st.booleans())
def test_any_question_is_answered_as_by_a_plain_loop(n, seed, zone, question, runs):
    rows = make_rows(n, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timeline, "_LEAST_RUN", 1 if runs else 1_000)
        counter = make_counter(rows, zone)
    assert bool(counter.rows.runs) == (runs and n > 0)
    by, chosen = question
    expected = count_plainly(rows, by, chosen, counter, ZoneInfo(zone))
    with pytest.MonkeyPatch.context() as patch:
        for few in (0, 1_000):  # by running totals where they can answer, and row by row
            patch.setattr(counting, "FEW_ROWS", few)
            np.testing.assert_array_equal(counter.count(by, chosen), expected)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(0, 9), questions())
def test_after_updates_the_counts_are_those_of_a_new_counter(n, seed, question):
    rows = make_rows(n, seed)
    counter = make_counter(rows, "Asia/Shanghai")
    by, chosen = question
    if seed % 2:
        assert counter._totals  # are there before the update
    rng = np.random.default_rng(seed)
    for step in range(3):
        old = np.flatnonzero(rng.random(len(rows.at)) < 0.1)
        moved = take(rows, old)
        moved = Rows(
            at=moved.at, grid=moved.grid, kind=moved.kind,
            stage=((moved.stage + 1) % STAGES).astype(np.uint8),
        )  # fmt: skip
        new = join(moved, make_rows(4, 100 + step))
        followed = counter.changed(gone=take(rows, old), new=new)
        rest = np.setdiff1d(np.arange(len(rows.at)), old)
        rows = join(take(rows, rest), new)
        counter = followed or make_counter(rows, "Asia/Shanghai")
    assert counter.n == len(rows.at)
    expected = count_plainly(rows, by, chosen, counter, ZoneInfo("Asia/Shanghai"))
    with pytest.MonkeyPatch.context() as patch:
        for few in (0, 1_000):
            patch.setattr(counting, "FEW_ROWS", few)
            np.testing.assert_array_equal(counter.count(by, chosen), expected)


def test_two_threads_and_totals_too_large_to_keep_answer_alike(monkeypatch):
    rows = make_rows(400_000, 3)
    counter = make_counter(rows, "Asia/Shanghai")
    period = CountFilter(since=START + 5 * DAY + 77, until=START + 60 * DAY + 3)
    monkeypatch.setattr(counting, "FEW_ROWS", 0)
    by_totals = counter.count(["grid", "category"], period)
    monkeypatch.setattr(counting, "MOST_TOTALS", 1_000)
    plain = make_counter(rows, "Asia/Shanghai")
    scarce = make_counter(rows, "Asia/Shanghai").count(["grid", "category"], period)
    np.testing.assert_array_equal(scarce, by_totals)
    monkeypatch.setattr(counting, "FEW_ROWS", len(rows.at))
    for threads in (1, 2, 3):
        found = plain.count(["grid", "category"], period, threads=threads)
        np.testing.assert_array_equal(found, by_totals)
    np.testing.assert_array_equal(plain.count(["category"], period), by_totals.sum(axis=0))
    assert plain.rows.runs.keys() == {"day", "hour"}
    by_hour = plain.count(["grid", "hour"], period, threads=1)
    monkeypatch.setattr(question, "_CHUNK", 7_001)
    for threads in (1, 2, 3):  # chunks end amid an hour
        found = plain.count(["grid", "hour"], period, threads=threads)
        np.testing.assert_array_equal(found, by_hour)
    assert by_hour.sum() == by_totals.sum()
    np.testing.assert_array_equal(plain.count(["category", "grid"], period), by_totals.T)


def test_a_counter_says_when_it_is_worn_and_what_it_cannot_count():
    rows = make_rows(50, 1)
    counter = make_counter(rows, "Asia/Shanghai")
    assert counter.changed(gone=take(rows, slice(0)), new=take(rows, slice(0))) is counter
    late = Rows(
        at=rows.at.max(keepdims=True) + 90 * DAY, grid=rows.grid[:1], kind=rows.kind[:1],
        stage=rows.stage[:1],
    )  # fmt: skip
    assert counter.changed(gone=take(rows, slice(0)), new=late) is None
    unknown = Rows(at=rows.at[:1], grid=rows.grid[:1], kind=rows.kind[:1] + KINDS,
                   stage=rows.stage[:1])  # fmt: skip
    assert counter.changed(gone=take(rows, slice(0)), new=unknown) is None
    for axis in ("body", "course", "standing"):
        with pytest.raises(ValueError, match="these rows"):
            counter.count([axis])
    for by in (["grid", "grid"], ["kind", "category"], ["day", "hour"]):
        with pytest.raises(ValueError, match="cannot count"):
            counter.count(by)
    with pytest.raises(ValueError, match="grid has codes up to"):
        build_counter(
            rows, grids=2, category_of=CATEGORY_OF, stages=STAGES, zone=ZoneInfo("Asia/Shanghai")
        )


def test_no_incidents_are_counted_as_none():
    counter = make_counter(make_rows(0, 1), "Asia/Shanghai")
    assert counter.count(["grid", "category"]).sum() == 0
    assert counter.count(["hour"], CountFilter(since=5)).tolist() == [0] * 24
    assert counter.count([]) == 0
