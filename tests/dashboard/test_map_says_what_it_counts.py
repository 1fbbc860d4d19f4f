"""Promise: the map page says what its figures count, and what of a link is not in force."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import plotly.utils
import pytest

from dashboard.map_page import _name_dropped
from dashboard.parts import overview
from dashboard.view import View
from geodata.access.scope import Scope
from geodata.access.sight import Sight, SightKeeper
from geodata.snapshots.facts import load_facts
from geodata.words import say
from tests.dashboard.conftest import DEMO_NOW


@pytest.fixture(scope="module")
def sight(gaoshan) -> Sight:
    facts = load_facts(gaoshan, now=DEMO_NOW)
    assert facts
    everything = Scope.whole_city("viewer", ("read", "read.rows"), role="viewer")
    return SightKeeper().narrow(facts, everything, now=DEMO_NOW)


def read_texts(parts: Any) -> str:
    return json.dumps(parts, cls=plotly.utils.PlotlyJSONEncoder, ensure_ascii=False)


def draw(sight: Sight, view: View) -> str:
    return read_texts(overview.draw(sight, view.picture(sight, DEMO_NOW), view))


def test_a_period_stands_beside_what_is_open_and_late_whenever_it_was_reported(sight):
    ever = overview.count_view(sight, View(days=0).filter(sight, DEMO_NOW), now=DEMO_NOW).of_all()
    counts = {"open": f"{ever.open:,}", "overdue": f"{ever.overdue:,}"}
    text = draw(sight, View(lang="zh", days=28))
    assert ever.overdue
    assert say("map_page.period", "zh", n=28, **counts) in text
    assert say("map_page.all_time", "zh") in draw(sight, View(lang="zh", days=0))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_rates_under_a_filter_by_state_say_what_they_are_of_and_risk_that_it_follows_none(
    sight, lang
):
    free, late = (draw(sight, View(lang=lang, state=state)) for state in ("all", "overdue"))
    assert re.search(r"\d %", free)
    assert say("map_page.rates_of_state", lang) not in free
    assert say("map_page.rates_of_state", lang) in late
    assert say("map_page.risk_stays", lang) in free
    assert f"/street/?lang={lang}" in free


def test_a_filter_that_lets_nothing_through_says_so(sight):
    view = View(lang="en", category=0)
    nothing = replace(view, category=len(sight.categories) + 5)
    assert say("map_page.nothing", "en") in draw(sight, nothing)
    assert say("map_page.nothing", "en") not in draw(sight, replace(view, category=None))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?category=xx", ["category"]),
        ("?category=9999&days=5", ["period", "category"]),
        ("?state=nosuch", ["state"]),
        ("?days=28&state=overdue&lang=en", []),
        ("", []),
        (None, []),
    ],
)
def test_what_a_link_asks_for_and_nobody_knows_is_named(sight, query, names):
    said = read_texts(_name_dropped(query, sight, "en"))
    assert bool(names) == ("does not exist here" in said)
    for name in names:
        assert name in said
