"""A view is an address and back; what an address cannot mean is ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.view import (
    PERIODS_DAYS,
    View,
    filter_from_query,
    first_day,
    parse_address,
    parse_view,
)
from geodata.snapshots.facts import Facts, load_facts
from geodata.snapshots.snapshot import Filter
from tests.city import NOW

STATES = ("all", "open", "overdue", "closed")
VIEWS = st.builds(
    View,
    lang=st.sampled_from(["zh", "en"]),
    theme=st.sampled_from(["dark", "light"]),
    days=st.sampled_from(PERIODS_DAYS),
    category=st.none() | st.integers(0, 2**31),
    state=st.sampled_from(STATES),
    grid=st.none() | st.integers(0, 2**53),
    shown=st.none() | st.lists(st.sampled_from(["dots", "heat", "grid-risk"])).map(tuple),
)


@pytest.fixture(scope="module")
def facts(tiny) -> Facts:
    found = load_facts(tiny, now=NOW)
    assert found
    return found


def write_address(view: View) -> str:
    """Write a view as the page's own script does."""
    parts = {name: getattr(view, name) for name in ("lang", "theme", "days", "category", "grid")}
    parts["state"] = "" if view.state == "all" else view.state
    query = {name: value for name, value in parts.items() if value not in (None, "")}
    if view.shown is not None:
        query["shown"] = ",".join(view.shown)
    return "?" + urlencode(query)


@given(view=VIEWS)
def test_a_view_survives_its_address(view):
    start = View(lang="en", theme="light", days=28)
    found = parse_address(write_address(view), start=start)
    # An empty list cannot stand in a query: it means what is shown at first.
    assert found == view or (view.shown == () and found.shown is None)


PARTS = st.sampled_from(list(View.__slots__))


@given(raw=st.dictionaries(PARTS, st.text() | st.integers() | st.none()))
def test_anything_becomes_a_view_of_known_parts(raw):
    view = parse_view(raw)
    assert view.lang in {"zh", "en"}
    assert view.theme in {"dark", "light"}
    assert view.days in PERIODS_DAYS
    assert view.state in STATES
    assert view.category is None or view.category >= 0
    assert view.grid is None or 0 <= view.grid <= 2**53


@pytest.mark.parametrize("search", [None, "", "?", "??", "?a", "?lang=fr&days=7&state=x&grid=-1"])
def test_an_address_without_meaning_is_the_first_view(search):
    assert parse_address(search) == View()


def test_a_period_is_whole_local_days_that_end_with_the_data(facts):
    zone = ZoneInfo(facts.zone)
    since = first_day(facts, 28, NOW)
    begin = datetime.fromtimestamp(since, UTC).astimezone(zone)
    assert (begin.hour, begin.minute) == (0, 0)
    end = datetime.fromtimestamp(min(facts.risk_from, NOW), UTC).astimezone(zone).date()
    assert (end - begin.date()).days == 27


def test_the_pictures_filter_is_the_views_own(facts):
    for view in (View(), View(days=0), View(days=28, state="open", category=0)):
        query = dict(part.split("=") for part in view.query(facts, NOW).split("&") if part)
        assert filter_from_query(query, facts, NOW) == view.filter(facts, NOW)


def test_an_overdue_picture_gets_a_new_address_as_time_passes(facts):
    view = View(state="overdue")
    assert view.query(facts, NOW) != view.query(facts, NOW + 3_600)
    assert View().query(facts, NOW) == View().query(facts, NOW + 3_600)


def test_an_unknown_category_of_a_picture_filters_nothing(facts):
    for text in ("-1", "999", "x", "1.5", ""):
        assert filter_from_query({"category": text}, facts, NOW) == Filter()
