"""Any JSON into any callback of any screen, any query and any body to any route: never a 5xx."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import time
from typing import Any

import pytest
from dash import Dash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dashboard.server import MAX_BODY_BYTES, make_app
from geodata.access.accounts import ROLES
from geodata.access.scope import Scope
from geodata.city import City
from tests.dashboard.callers import fill_rule, list_every_call, list_screens
from tests.dashboard.conftest import DEMO_NOW

MEDIAN_MS = 300.0
BUSY = 1.5  # a load above this many tasks a core is not ours to be measured by
ANYTHING: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
# What pages send, and what is nearly that.
NEARLY = st.sampled_from(
    [0, 1, 2, 3, -1, 7, 28, 90, 365, 2**31, 2**53, 2**63, 1e308, "28", "٣", "zh", "en", "dark",
     "overdue", "open", "closed", ["grid-risk"], ["grid-risk", None], [[]], [1, 2, 3] * 50,
     {"lang": "zh"}, {"lng": 119.6, "lat": 32.3}, {"lng": "x", "lat": None}, {"uid": 2},
     {"pick": 2}, {"properties": {"uid": [2]}}, "\ud800", "\x00", "../..", "1; DROP TABLE incident",
     "?grid=1&lang=xx", "?case=1&tray=unplaced", "?days=-1&state=", "?" + "&" * 99, "x" * 5_000,
     "?%ff=%00&grid=%d9%a3", {"a": {"b": {"c": [{"d": None}]}}}]
)  # fmt: skip
QUERIES = [
    "since", "until", "category", "state", "theme", "lang", "v", "page", "grid", "account", "act",
    "days", "next", "<b>",
]  # fmt: skip
QUICK = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
THOROUGH = settings(QUICK, max_examples=400)


class Ground:
    """A server that lets everything be asked, how long each answer took, and what failed it."""

    def __init__(self, app: Dash) -> None:
        self.app, self.client = app, app.server.test_client()
        self.took_ms: dict[str, list[float]] = {}
        self.failed: list[tuple[str, int]] = []

    def ask(self, name: str, method: str, path: str, **body: Any) -> Any:
        begun = time.perf_counter()
        answer = self.client.open(path, method=method, **body)
        answer.get_data()
        self.took_ms.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
        answer.close()
        if answer.status_code >= 500 and answer.status_code != 507:  # a full disk may say so
            self.failed.append((name, answer.status_code))
        return answer


@pytest.fixture(scope="module")
def every_right() -> Scope:
    rights = frozenset().union(*ROLES.values(), {"events.write"})
    return Scope(account="everything", grids=None, permissions=rights, role="auditor")


@pytest.fixture(scope="module")
def ground(gaoshan: City, every_right: Scope, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("asked") / "city"  # what is asked may write: a copy of its own
    shutil.copytree(gaoshan.folder, folder, ignore=shutil.ignore_patterns("*.lock"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboard.server._local_account", lambda _: every_right)
        return Ground(make_app(City(folder), now=lambda: DEMO_NOW))


def send_anything(ground: Ground, data: st.DataObject) -> None:
    """Send one call, its values the page's own or others, its form whole or broken."""
    call = data.draw(st.sampled_from(list_every_call(ground.app)))
    body = json.loads(json.dumps(call.body))
    values = NEARLY | ANYTHING
    for one in (*body["inputs"], *body["state"]):
        if isinstance(one, dict) and data.draw(st.integers(0, 3)):
            one["value"] = data.draw(values)
    if not data.draw(st.integers(0, 4)):
        for part in data.draw(st.lists(st.sampled_from(sorted(body)), max_size=2)):
            body[part] = data.draw(values)
    text = json.dumps(body)  # NaN and lone surrogates too, as a hostile client would
    ground.ask(call.name, "POST", call.path, data=text, content_type="application/json")


@QUICK
@given(data=st.data())
def test_any_json_in_any_callback_is_answered(ground, data):
    for _ in range(6):
        send_anything(ground, data)
    assert ground.failed == []


@pytest.mark.long
@THOROUGH
@given(data=st.data())
def test_any_json_in_any_callback_is_answered_at_length(ground, data):
    for _ in range(20):
        send_anything(ground, data)
    assert ground.failed == []


def test_every_callback_takes_every_likely_value_in_each_of_its_places(ground):
    """One value wrong, all others the page's own: what a fuzzer seldom comes to."""
    likely = [None, True, -1, 2**63, 0.5, "x", "\ud800", [], [None], {}, {"uid": []}, [[1]], "?a=%"]
    for call in list_every_call(ground.app):
        places = [("inputs", n) for n in range(len(call.body["inputs"]))]
        places += [("state", n) for n in range(len(call.body["state"]))]
        for part, place in places:
            for value in likely:
                body = json.loads(json.dumps(call.body))
                if not isinstance(body[part][place], dict):
                    continue
                body[part][place]["value"] = value
                text = json.dumps(body)
                ground.ask(call.name, "POST", call.path, data=text, content_type="application/json")
    assert ground.failed == []


def list_rules(app: Dash) -> list[tuple[str, str]]:
    list_screens(app)
    return [
        (rule.rule, method)
        for rule in app.server.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@settings(QUICK, max_examples=4)
@given(data=st.data())
def test_any_query_path_and_body_of_any_route_is_answered(ground, data):
    for rule, method in list_rules(ground.app):
        words = st.text(st.characters(exclude_characters="/?#"), min_size=1, max_size=12)
        numbers = st.integers(0, 2**70).map(str)
        values = {
            name: data.draw(numbers if f"int:{name}" in rule else words | numbers)
            for name in ("z", "x", "y", "name", "source", "incident_id", "rule", "code", "alarm")
            if f"{name}>" in rule and data.draw(st.booleans())
        }
        query = data.draw(
            st.dictionaries(
                st.sampled_from(QUERIES),
                st.text(max_size=12) | st.integers().map(str), max_size=3,
            )
        )  # fmt: skip
        kinds = ["application/json", "application/x-www-form-urlencoded", "text/plain", "x"]
        body: dict[str, Any] = {"query_string": query}
        if method not in {"GET", "DELETE"}:
            body["data"] = data.draw(
                ANYTHING.map(json.dumps).map(str.encode) | st.binary(max_size=40)
            )
            body["content_type"] = data.draw(st.sampled_from(kinds))
        ground.ask(f"{method} {rule}", method, fill_rule(rule, **values), **body)
    assert ground.failed == []


def test_no_callback_and_no_route_takes_long_at_the_median(ground):
    """After the tests above; each median over all that it was asked."""
    assert ground.took_ms, "the whole file belongs together"
    slow = {
        name: round(statistics.median(took))
        for name, took in ground.took_ms.items()
        if statistics.median(took) > MEDIAN_MS
    }
    load = os.getloadavg()[0]
    worst = max(statistics.median(took) for took in ground.took_ms.values())
    if slow and load > BUSY * (os.cpu_count() or 1):
        pytest.skip(f"medians up to {worst:.0f} ms at a load of {load:.1f}: {slow}")
    assert not slow, f"at a load of {load:.1f}"


def test_a_body_of_more_than_two_megabytes_is_refused_before_it_is_read(ground):
    assert MAX_BODY_BYTES == 2_000_000
    big = json.dumps({"output": "x" * MAX_BODY_BYTES})
    for path in sorted({call.path for call in list_every_call(ground.app)}):
        answer = ground.ask("big", "POST", path, data=big, content_type="application/json")
        assert answer.status_code == 413
