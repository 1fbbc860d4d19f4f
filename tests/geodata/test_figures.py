"""Promise: every figure is what contracts say it is, and parts add up to the whole."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.events.clock import AMBER, RED, SUSPENDED
from geodata.figures.counts import Rate
from geodata.figures.period import Period
from geodata.figures.tally import tally_areas, tally_rows
from geodata.grids import LEVELS
from geodata.snapshots.facts import Facts, load_facts
from geodata.snapshots.snapshot import Filter
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    incident_rows,
    load_one,
    local_text,
    make_gridded_city,
    make_tiny_city,
    middle,
    uids_above,
    write_table,
)
from tests.plain_figures import PlainFigures, compare, count_by_grid, count_figures

HOUR = 3_600


@pytest.fixture(scope="module")
def facts(tmp_path_factory) -> Facts:
    city = make_tiny_city(tmp_path_factory.mktemp("figures") / "city")
    rows = [[f"C{row[0]}", *row[1:]] for row in incident_rows(300, seed=9)]
    load_one(city, "incidents", write_table(city.folder / "more.csv", INCIDENT_COLUMNS, rows))
    found = load_facts(city, now=NOW)
    assert found is not None
    return found


class Town:
    """Holds the facts where Hypothesis, which prints every argument, does not look for them."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts


@pytest.fixture(scope="module")
def town(facts) -> Town:
    return Town(facts)


def figures_of(tmp_path, rows: list[list[object]], columns=INCIDENT_COLUMNS) -> PlainFigures:
    city = make_gridded_city(tmp_path / "city")
    load_one(city, "incidents", write_table(tmp_path / "cases.csv", columns, rows))
    return figures(load_facts(city, now=NOW))


def figures_of_events(tmp_path, stories: dict[str, list[tuple[str, int]]]) -> PlainFigures:
    """Figures of incidents told as (stage, hours before now); a deadline 10 hours after report."""
    city = make_gridded_city(tmp_path / "city")
    rows = [
        [name, stage, local_text(NOW - ago * HOUR), *middle(1, 1),
         local_text(NOW - (steps[0][1] - 10) * HOUR) if place == 0 else ""]
        for name, steps in stories.items()
        for place, (stage, ago) in enumerate(steps)
    ]  # fmt: skip
    columns = ("incident_id", "stage", "at", "lon", "lat", "due_at")
    load_one(city, "events", write_table(tmp_path / "events.csv", columns, rows))
    return figures(load_facts(city, now=NOW))


def figures(facts: Facts, chosen: Filter | None = None) -> PlainFigures:
    """Count the plain way; what every screen counts by, of grids and of any rows, is the same."""
    mask = facts.select(chosen, NOW)
    plain = count_figures(facts.snapshot, mask, states=facts.states(NOW))
    asked = chosen or Filter()
    period = Period(since=asked.since, until=asked.until)
    compare(tally_areas(facts, period=period, filter=asked, now=NOW).of_all(), plain)
    compare(tally_rows(facts, np.flatnonzero(mask), now=NOW), plain)
    return plain


# --- rounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "of", "printed"),
    [
        (972879, 1_000_000, "97.29"),  # 97.2879
        (1, 3, "33.33"),
        (2, 3, "66.67"),
        (1, 8, "12.50"),
        (1, 800, "0.13"),  # 0.125: half goes up
        (3, 800, "0.38"),  # 0.375
        (999_949, 1_000_000, "99.99"),
        (99_995, 100_000, "100.00"),
        (1, 1, "100.00"),
        (0, 7, "0.00"),
        (0, 0, None),
    ],
)
def test_percentages_are_rounded_half_up_to_two_places(part, of, printed):
    assert Rate(part=part, of=of).percent() == printed


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_percentage_is_never_cut_off(part, of):
    part = min(part, of)
    printed = Decimal(Rate(part=part, of=of).percent())
    exact = Fraction(part * 100, of)
    assert abs(Fraction(printed) - exact) <= Fraction(1, 200)
    assert Fraction(printed) != exact - Fraction(1, 200)  # a half is never rounded down


# --- definitions ---------------------------------------------------------------------------------


def test_open_is_reported_or_registered_and_not_ended(tmp_path):
    found = figures_of_events(
        tmp_path,
        {
            "reported": [("reported", 5)],
            "registered": [("reported", 5), ("registered", 4)],
            "registered alone": [("registered", 4)],
            "handled": [("reported", 5), ("registered", 4), ("handled", 2)],
            "reopened": [("reported", 5), ("closed", 4), ("reopened", 3)],
            "closed": [("reported", 5), ("closed", 4)],
            "void": [("reported", 5), ("void", 4)],
            "duplicate": [("reported", 5), ("duplicate", 4)],
            "refused": [("reported", 5), ("not_registered", 4)],
        },
    )
    assert found.total == found.whole == 9
    assert found.open == 5


def test_overdue_is_open_and_past_its_deadline(tmp_path):
    found = figures_of_events(
        tmp_path,
        {
            "overdue": [("reported", 20)],
            "in time": [("reported", 2)],
            "due soon": [("reported", 9)],
            "closed late": [("reported", 30), ("closed", 5)],
            "suspended": [("reported", 20), ("suspended", 15)],
        },
    )
    assert (found.overdue, found.due_soon, found.suspended) == (1, 1, 1)


def test_completion_is_handled_of_dispatched_and_closing_closed_of_registered(tmp_path):
    found = figures_of_events(
        tmp_path,
        {
            "to the end": [("reported", 9), ("registered", 8), ("dispatched", 7), ("handled", 6),
                           ("closed", 5)],
            "handled": [("reported", 9), ("registered", 8), ("dispatched", 7), ("handled", 6)],
            "dispatched": [("reported", 9), ("registered", 8), ("dispatched", 7)],
            "registered": [("reported", 9), ("registered", 8)],
            "closed at once": [("reported", 9), ("closed", 8)],
        },
    )  # fmt: skip
    assert found.completion == Rate(part=2, of=3)
    assert found.closing == Rate(part=1, of=4)
    assert found.steps == {
        "reported": 5, "registered": 4, "dispatched": 3, "handled": 2, "closed": 2, "evaluated": 0,
    }  # fmt: skip


def test_on_time_is_closed_on_time_of_closed_with_a_deadline(tmp_path):
    found = figures_of_events(
        tmp_path,
        {
            "on time": [("reported", 30), ("closed", 25)],
            "at the deadline": [("reported", 30), ("closed", 20)],
            "late": [("reported", 30), ("closed", 5)],
            "void in time": [("reported", 30), ("void", 25)],  # ended, but never closed
            "duplicate": [("reported", 30), ("duplicate", 25)],
            "refused": [("reported", 30), ("not_registered", 25)],
            "still open": [("reported", 5)],
            "reopened": [("reported", 30), ("closed", 25), ("reopened", 20)],
        },
    )
    assert found.on_time == Rate(part=2, of=3)


def test_a_closing_without_a_deadline_is_in_no_rate_of_deadlines(tmp_path):
    at = local_text(NOW - 9 * HOUR)
    rows = [["A", at, *middle(0, 0), local_text(NOW - HOUR)]]
    found = figures_of(tmp_path, rows, ("incident_id", "reported_at", "lon", "lat", "closed_at"))
    assert found.on_time == Rate(part=0, of=0)
    assert found.on_time.percent() is None
    assert found.closing.percent() is None  # nothing was registered


def test_rates_carry_what_they_are_made_of(facts):
    found = figures(facts)
    assert found.completion.of == found.steps["dispatched"]
    assert found.closing.of == found.steps["registered"]
    assert found.closing.part <= found.closing.of


# --- sums ----------------------------------------------------------------------------------------

filters = st.builds(
    Filter,
    since=st.none() | st.integers(NOW - 95 * 86_400, NOW),
    until=st.none() | st.integers(NOW - 95 * 86_400, NOW + 86_400),
    categories=st.none() | st.sets(st.integers(0, 3)).map(tuple),
    state=st.sampled_from(["all", "open", "overdue", "closed"]),
)


@settings(max_examples=60)
@given(filters)
def test_grids_and_unowned_add_up_to_the_total_at_every_level(town, chosen):
    facts = town.facts
    mask = facts.select(chosen, NOW)
    finest = facts.grids.finest()
    counts = count_by_grid(facts.snapshot, mask, grids=len(finest))
    assert len(counts) == len(finest) + 1
    assert counts.sum() == mask.sum()
    found = figures(facts, chosen)
    assert found.total == mask.sum()
    assert counts[-1] == found.unowned
    for level in LEVELS:
        above = uids_above(facts.grids, level)
        uids = facts.grids.level(level)["uid"].tolist()
        by_uid = [int(counts[:-1][above == uid].sum()) for uid in uids]
        elsewhere = int(counts[:-1][above == -1].sum())  # branches without this level
        assert sum(by_uid) + elsewhere + counts[-1] == found.total
        assert not elsewhere or not uids


@settings(max_examples=60)
@given(filters)
def test_parts_of_a_figure_add_up(town, chosen):
    facts = town.facts
    found = figures(facts, chosen)
    assert sum(found.rules.values()) == found.total
    assert found.overdue + found.due_soon + found.suspended <= found.open <= found.total
    assert found.steps["reported"] <= found.total
    assert found.near_line <= found.total
    for rate in (found.completion, found.closing, found.on_time):
        assert 0 <= rate.part <= rate.of


@settings(max_examples=40)
@given(filters)
def test_a_figure_is_what_counting_one_by_one_gives(town, chosen):
    facts = town.facts
    mask, states, snapshot = facts.select(chosen, NOW), facts.states(NOW), facts.snapshot
    found = figures(facts, chosen)
    rows = np.flatnonzero(mask).tolist()
    assert found.open == sum(bool(snapshot.open[row]) for row in rows)
    for state, name in ((RED, "overdue"), (AMBER, "due_soon"), (SUSPENDED, "suspended")):
        counted = sum(bool(snapshot.open[row]) and states[row] == state for row in rows)
        assert getattr(found, name) == counted
    assert found.unowned == sum(snapshot.owner[row] < 0 for row in rows)


def test_nothing_selected_comes_to_nothing(facts):
    found = figures(facts, Filter(categories=()))
    assert (found.total, found.open, found.unowned, found.rules) == (0, 0, 0, {})
    assert found.completion.percent() is None
    assert found.whole == facts.snapshot.n
