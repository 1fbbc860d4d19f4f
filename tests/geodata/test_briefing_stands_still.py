"""Promise: a briefing says what was known at its cut-off, and the next one what has changed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from geodata.access.scope import ROWS, Scope
from geodata.briefing.briefing import make_briefing, read_briefing
from geodata.briefing.cut_off import look_back, see_at
from geodata.briefing.issuing import compare_issue, compute, find_issue, issue_briefing
from geodata.briefing.recipes import describe_issues, get_recipe, save
from geodata.briefing.sentences import name_period, write_page
from geodata.briefing.verifying import verify_carried
from geodata.briefing.wish import Wish, find_dates, parse_wish
from geodata.city import City
from geodata.errors import BadSetting, NotFound
from geodata.figures.period import find_period_before
from geodata.snapshots.facts import Facts, load_facts
from geodata.snapshots.snapshot import Snapshot
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    load_one,
    local_text,
    make_gridded_city,
    make_tiny_city,
    middle,
    write_table,
)

SCOPE = Scope.whole_city("console", ("read", ROWS, "export"))
DAY_S = 86_400
LATER = NOW + 3 * DAY_S


def facts_of(city: City, now: int) -> Facts:
    found = load_facts(city, now=now)
    assert found is not None
    return found


def late_rows(n: int) -> list[list[object]]:
    """Return incidents of the tiny city's own months that nobody had told of before."""
    rows = []
    for number in range(n):
        at = NOW - (number + 2) * DAY_S
        rows.append([f"L{number}", local_text(at), "积水", *middle(number % 3, 0), *[""] * 5])
    return rows


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, Facts, Facts]:
    """Return a city with its facts as they were, and after 15 late reports and later steps."""
    tmp_path = tmp_path_factory.mktemp("told")
    city = make_tiny_city(tmp_path / "city")
    before = facts_of(city, NOW)
    load_one(city, "incidents", write_table(tmp_path / "late.csv", INCIDENT_COLUMNS, late_rows(15)),
             now=LATER)  # fmt: skip
    steps = [[f"A{number:04d}", "closed", local_text(NOW + DAY_S)] for number in range(4)]
    load_one(city, "events", write_table(tmp_path / "steps.csv", ("incident_id", "stage", "at"),
                                         steps), now=LATER, source="incidents")  # fmt: skip
    return city, before, facts_of(city, LATER)


def sorted_rows(snapshot: Snapshot) -> dict[str, np.ndarray]:
    order = np.argsort(snapshot.incident)
    return {
        item.name: getattr(snapshot, item.name)[order]
        for item in fields(Snapshot)
        if isinstance(getattr(snapshot, item.name), np.ndarray)
    }


def test_what_was_known_at_a_moment_is_what_the_facts_were_then(told):
    _, before, after = told
    assert after.snapshot.n == before.snapshot.n + 15
    back = look_back(after, NOW)
    then, now = sorted_rows(before.snapshot), sorted_rows(back.snapshot)
    for name, values in then.items():
        assert np.array_equal(values, now[name]), name


def test_before_the_first_event_there_is_no_briefing(told):
    with pytest.raises(NotFound) as caught:
        look_back(told[2], NOW - DAY_S)
    assert caught.value.faults[0].key == "briefing_before_data"


def test_a_cut_off_gives_the_figures_of_its_moment_whatever_came_later(told):
    _, before, after = told
    wish = parse_wish({"period": "90d"})
    _, then = compute(before, SCOPE, wish, now=NOW)
    dates = then.dates
    sight = see_at(after, SCOPE, cut_off=dates.cut_off)
    assert make_briefing(sight, wish, dates).figures == then.figures


def test_the_next_issue_says_how_many_came_late(told):
    city, before, after = told
    wish = parse_wish({"period": local_text(NOW)[:7], "lang": "zh"})
    wish = parse_wish({**wish.as_json(), "period": "2026-05"})
    _, first = compute(before, SCOPE, wish, now=NOW)
    issue = issue_briefing(city, SCOPE, "迟到", first, at=NOW)
    found = compare_issue(after, SCOPE, issue, cut_off=LATER)
    total = next(one for one in found.differences if one.key == "total")
    assert total.now is not None
    came = total.now.a - total.before.a
    assert came > 0
    assert found.reasons is not None
    assert (found.reasons.arrived, found.reasons.left) == (came, 0)
    said = found.sentences("zh")[0].text
    assert f"{total.before.text} → {total.now.text}" in said
    assert f"{came} 件迟到" in said
    assert name_period(first) == "2026年5月"


def test_what_was_issued_is_never_changed_in_the_store(told):
    city, before, _ = told
    _, first = compute(before, SCOPE, parse_wish({"period": "90d"}), now=NOW)
    issue_briefing(city, SCOPE, "周报", first, at=NOW)
    for change in ("DELETE FROM briefing_issue", "UPDATE briefing_issue SET digest = ''"):
        with pytest.raises(Exception, match="never"), city.database.transaction() as connection:
            connection.execute(change)


def test_a_second_run_at_one_revision_finds_the_issue_it_would_repeat(told):
    city, _, after = told
    wish = parse_wish({"period": "2026-05"})
    _, first = compute(after, SCOPE, wish, now=LATER)
    issue = issue_briefing(city, SCOPE, "重跑", first, at=LATER)
    an_hour_on = find_dates(wish, now=LATER + 3_600, zone=after.zone, newest=after.risk_from)
    found = find_issue(city, first.sight, "重跑", wish, an_hour_on, revision=after.revision)
    assert found is not None
    assert found.issue == issue.issue
    assert read_briefing(found.briefing).digest == first.digest
    assert find_issue(city, "other", "重跑", wish, an_hour_on, revision=after.revision) is None


def test_a_check_tells_what_still_matches_and_what_was_forged(told):
    city, before, after = told
    wish = parse_wish({"period": "90d"})
    _, first = compute(before, SCOPE, wish, now=NOW)
    issue = issue_briefing(city, SCOPE, "核对", first, at=NOW)
    carried = {**first.as_json(), "issue": issue.issue}
    assert verify_carried(after, SCOPE, carried).whole
    carried["figures"] = {**carried["figures"], "open": ["count", 1, None]}
    report = verify_carried(after, SCOPE, carried)
    assert [one.key for one in report.figures if one.verdict == "forged"] == ["open"]
    trial = {**carried, "issue": None}
    assert [one.verdict for one in verify_carried(after, SCOPE, trial).figures].count(
        "changed"
    ) == 1
    narrow = Scope(account="镇", grids=frozenset({4}), permissions=frozenset({"read", "export"}))
    assert not any(one.verdict == "same" for one in verify_carried(after, narrow, carried).figures)


def test_who_sees_less_is_shown_no_issue_of_who_sees_more(told):
    city, before, after = told
    _, first = compute(before, SCOPE, parse_wish({"period": "90d"}), now=NOW)
    issue_briefing(city, SCOPE, "可见", first, at=NOW)
    narrow = Scope(account="镇", grids=frozenset({4}), permissions=frozenset({"read", ROWS}))
    assert len(describe_issues(after, SCOPE, "可见", now=LATER).found) == 1
    assert not describe_issues(after, narrow, "", now=LATER).found


def test_no_sentence_stands_without_a_number_of_its_own(told):
    _, _, after = told
    for lang in ("zh", "en"):
        _, briefing = compute(after, SCOPE, parse_wish({"period": "90d", "lang": lang}), now=LATER)
        sentences = [one for part in write_page(briefing) for one in part.sentences]
        assert len(sentences) > 6
        for sentence in sentences:
            assert sentence.figures
            for key in sentence.figures:
                assert briefing.figures[key].text.lstrip("+-") in sentence.text, sentence


def test_relative_periods_become_dates(tmp_path: Path):
    zone = "Asia/Shanghai"  # NOW is noon of 1 June 2026 there
    days = {
        "last-month": ("2026-05-01", "2026-06-01"),
        "this-month": ("2026-06-01", "2026-06-02"),
        "last-week": ("2026-05-25", "2026-06-01"),
        "last-quarter": ("2026-01-01", "2026-04-01"),
        "2026-Q1": ("2026-01-01", "2026-04-01"),
        "2025": ("2025-01-01", "2026-01-01"),
        "2026-05-03": ("2026-05-03", "2026-05-04"),
        "2026-05-03..2026-05-05": ("2026-05-03", "2026-05-06"),
    }
    for period, (first, end) in days.items():
        dates = find_dates(parse_wish({"period": period}), now=NOW, zone=zone, newest=NOW)
        assert (local_text(dates.since)[:10], local_text(dates.until)[:10]) == (first, end), period
        assert dates.cut_off == NOW - NOW % 60
    city = make_gridded_city(tmp_path / "city")
    save(city, SCOPE, "月报", Wish(period="last-month", cut_off="+0"), at=NOW)
    wish = get_recipe(city, "月报")
    dates = find_dates(wish, now=NOW, zone=zone, newest=NOW)
    assert dates.cut_off == dates.until


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"period": "soon"}, "briefing_period"),
        ({"period": "2026-13"}, "briefing_period"),
        ({"period": "9999"}, "briefing_period"),
        ({"period": "2026-05-05..2026-05-03"}, "briefing_period"),
        ({"lang": "fr"}, "briefing_lang"),
        ({"state": "late"}, "briefing_state"),
        ({"area": "x" * 300}, "briefing_text"),
        ({"area": 7}, "briefing_text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(raw, key):
    with pytest.raises(BadSetting) as caught:
        parse_wish(raw)
    assert caught.value.faults[0].key == key


@pytest.mark.parametrize("cut_off", ["never", "+x", "2030-01-01", "+99999999999", "2026-02-30"])
def test_a_cut_off_that_is_none_or_lies_ahead_is_refused(cut_off):
    with pytest.raises(BadSetting) as caught:
        find_dates(parse_wish({"cut_off": cut_off}), now=NOW, zone="Asia/Shanghai", newest=NOW)
    assert caught.value.faults[0].key.startswith("briefing_cut_off")


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"period": "2019"}, "briefing_empty"),
        ({"area": "404"}, "briefing_area"),
        ({"category": "没有"}, "briefing_category"),
        ({"period": "2026-05", "area": "321012001001"}, None),
    ],
)
def test_a_briefing_of_nothing_is_refused_in_a_sentence(told, raw, key):
    wish = parse_wish(raw)
    if key is None:
        assert compute(told[2], SCOPE, wish, now=LATER)[1].figures["total"].told
        return
    with pytest.raises((NotFound, BadSetting)) as caught:
        compute(told[2], SCOPE, wish, now=LATER)
    assert caught.value.faults[0].key == key


def test_a_scope_that_hides_all_is_told_so(told):
    narrow = Scope(account="镇", grids=frozenset(), permissions=frozenset({"read", "export"}))
    with pytest.raises(NotFound) as caught:
        compute(told[2], narrow, parse_wish({"period": "2026-05"}), now=LATER)
    assert caught.value.faults[0].key == "briefing_hidden"


def test_where_a_scope_hides_rows_the_figures_are_bounds(told):
    analyst = Scope.whole_city("分析", ("read", "export"))
    _, open_to = compute(told[2], SCOPE, parse_wish({"period": "all"}), now=LATER)
    _, hidden = compute(told[2], analyst, parse_wish({"period": "all"}), now=LATER)
    total = hidden.figures["total"]
    assert total.kind == "bounds"
    assert total.a <= open_to.figures["total"].a <= total.b
    assert "own" not in hidden.figures
    assert not any(key.startswith(("worst.", "body.")) for key in hidden.figures)
    assert any(total.text in one.text for part in write_page(hidden) for one in part.sentences)


def test_a_month_is_compared_with_the_month_before_it(told):
    facts = told[2]
    dates = find_dates(parse_wish({"period": "2026-05"}), now=LATER, zone=facts.zone, newest=LATER)
    before = find_period_before(facts, dates.period, now=LATER)
    assert (local_text(before.since), local_text(before.until)) == (
        "2026-04-01 00:00:00",
        "2026-05-01 00:00:00",
    )
    this = find_dates(parse_wish({"period": "this-month"}), now=NOW, zone=facts.zone, newest=NOW)
    assert find_period_before(facts, this.period, now=NOW).until <= NOW - DAY_S + 1


def test_a_scope_that_sees_a_part_is_told_of_that_part_alone(told):
    facts = told[2]
    leaf = int(facts.grids.finest()["uid"].iloc[0])
    narrow = Scope(account="镇", grids=frozenset({leaf}), permissions=frozenset({"read", ROWS}))
    _, briefing = compute(facts, narrow, parse_wish({"period": "2026-05"}), now=LATER)
    assert "total" not in briefing.figures
    said = write_page(briefing)[0].sentences[0]
    assert said.figures == ("own",)
    assert briefing.figures["own"].text in said.text
    issue = issue_briefing(told[0], narrow, "片区", briefing, at=LATER)
    assert compare_issue(facts, narrow, issue, cut_off=LATER).differences == ()
