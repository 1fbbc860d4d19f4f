"""Pictures come with honest tags, polls cost next to nothing, nonsense is refused in words."""

from __future__ import annotations

import json
import math
from typing import Any

import brotli
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from geodata.city import City
from geodata.snapshots.facts import load_facts
from layers.registry import LAYERS
from tests.dashboard.callers import CALLBACKS, find_call, list_calls, with_values
from tests.dashboard.conftest import DEMO_NOW

SOURCES = {one.name: one for layer in LAYERS for one in (layer.source, *layer.more_sources)}


@pytest.fixture(scope="module")
def middle(gaoshan: City) -> tuple[float, float]:
    """Return longitude and latitude of the middle of the demo city."""
    facts = load_facts(gaoshan, now=DEMO_NOW)
    assert facts
    west, south, east, north = facts.bounds
    return (west + east) / 2, (south + north) / 2


def address(name: str, middle: tuple[float, float]) -> str:
    """Return the address of a source, of its most detailed tile in the middle of the city."""
    source = SOURCES[name]
    if not source.tiled:
        return f"/layers/{name}.{source.format}"
    side = 1 << source.maxzoom
    x = int((middle[0] / 360 + 0.5) * side)
    north = math.asinh(math.tan(math.radians(middle[1])))
    y = int((0.5 - north / (2 * math.pi)) * side)
    return f"/layers/{name}/{source.maxzoom}/{x}/{y}.{source.format}"


@pytest.mark.parametrize("name", SOURCES)
def test_a_picture_that_has_not_changed_is_not_sent_again(gaoshan_app, middle, name):
    client = gaoshan_app.server.test_client()
    path = address(name, middle)
    first = client.get(path)
    assert first.status_code == 200, "every source has something to show there"
    tag = first.headers["ETag"]
    assert not tag.startswith("W/")
    for given_tag in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": given_tag})
        assert again.status_code == 304, given_tag
        assert again.data == b""
        assert again.headers["ETag"] == tag
    other = client.get(path, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200
    assert other.data == first.data


@pytest.mark.parametrize("coding", ["br", "gzip", ""])
def test_each_coding_has_its_own_tag_and_the_same_content(tiny_app, coding):
    client = tiny_app.server.test_client()
    plain = client.get("/layers/grids.geojson")
    coded = client.get("/layers/grids.geojson", headers={"Accept-Encoding": coding})
    assert coded.headers.get("Content-Encoding", "") == coding
    assert "Accept-Encoding" in coded.headers["Vary"]
    if coding:
        assert coded.headers["ETag"] != plain.headers["ETag"]
        assert len(coded.data) < len(plain.data)
    if coding == "br":
        assert brotli.decompress(coded.data) == plain.data


def test_only_an_address_with_a_version_may_be_kept_without_asking(tiny_app):
    client = tiny_app.server.test_client()
    assert "immutable" in client.get("/layers/grids.geojson?v=1").headers["Cache-Control"]
    assert "no-cache" in client.get("/layers/grids.geojson").headers["Cache-Control"]
    for path in ("/layers/grids.geojson?v=1", "/layers/grids.geojson"):
        assert "private" in client.get(path).headers["Cache-Control"]


def test_a_filter_in_the_address_changes_the_dots_but_not_the_grids(gaoshan_app, middle):
    client = gaoshan_app.server.test_client()
    week = f"?since={DEMO_NOW - 7 * 86_400}"
    for name, changes in (("dots", True), ("heat", True), ("grids", False), ("cameras", False)):
        path = address(name, middle)
        assert (client.get(path + week).data != client.get(path).data) is changes, name


def test_a_tile_of_the_sea_is_empty_and_no_error(tiny_app):
    answer = tiny_app.server.test_client().get("/layers/dots/14/0/0.mvt")
    assert answer.status_code == 204
    assert answer.data == b""


def test_polls_without_news_cost_less_than_500_bytes(tiny_app):
    client = tiny_app.server.test_client()
    revision = client.get("/changes").get_json()["revision"]
    call = find_call(tiny_app, "revision.data")
    call["state"][0]["value"] = revision
    for answer in (
        client.get(f"/changes?since={revision}"),
        client.get("/changes?since=0"),
        client.post(CALLBACKS, json=call),
    ):
        assert answer.status_code in {200, 204}
        assert len(answer.data) <= 500
    assert client.get(f"/changes?since={revision}").data == b""


def test_news_are_told_to_who_polls(tiny_app):
    call = find_call(tiny_app, "revision.data")
    call["state"][0]["value"] = -1
    client = tiny_app.server.test_client()
    told = client.post(CALLBACKS, json=call).get_json()["response"]["revision"]["data"]
    assert told == client.get("/changes").get_json()["revision"]


# --- anything at all ---------------------------------------------------------------------------

ANYTHING: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
PLAUSIBLE = st.sampled_from(
    [0, 1, -1, 28, 90, 2**31, 2**53, 2**63, 1e308, "28", "٣", "zh", "en", "dark", "overdue", "open",
     ["grid-risk"], ["grid-risk", None], [[]], {"lang": "zh"}, "\ud800", "\x00", "../..",
     "?grid=1&lang=xx", "?shown=a,b,,", "?days=-1&state=", "?" + "&" * 99, "?%ff=%00&grid=%d9%a3"]
)  # fmt: skip
NAMES = ("since", "until", "category", "state", "at", "theme", "lang", "v", "grid", "<b>")
QUICK = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@QUICK
@given(data=st.data())
def test_any_value_in_any_callback_is_answered_without_failing(tiny_app, data):
    client = tiny_app.server.test_client()
    for call in list_calls(tiny_app).values():
        for one in (*call["inputs"], *call["state"]):
            one["value"] = data.draw(PLAUSIBLE | ANYTHING)
        body = json.dumps(call)  # NaN and lone surrogates too, as a hostile client would
        answer = client.post(CALLBACKS, data=body, content_type="application/json")
        assert answer.status_code < 500, call["output"]


@QUICK
@given(data=st.data())
def test_any_body_at_all_is_refused_without_failing(tiny_app, data):
    client = tiny_app.server.test_client()
    call = data.draw(st.sampled_from(list(list_calls(tiny_app).values())))
    broken = dict(call)
    for part in data.draw(st.lists(st.sampled_from(sorted(call)), min_size=1, unique=True)):
        broken[part] = data.draw(ANYTHING)
    for body in (broken, data.draw(ANYTHING)):
        answer = client.post(CALLBACKS, data=json.dumps(body), content_type="application/json")
        assert answer.status_code < 500
        if body != call and answer.status_code >= 400:
            assert "<" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"[" * 200_000, b"{" * 9, b"\xff\xfe", b'{"output": 1e999}', b"9" * 9_000, b"null"],
)
def test_bytes_that_are_no_call_are_refused(tiny_app, body):
    answer = tiny_app.server.test_client().post(
        CALLBACKS, data=body, content_type="application/json"
    )
    assert 400 <= answer.status_code < 500


def test_a_call_may_not_choose_where_its_answer_goes(tiny_app):
    call = find_call(tiny_app, "card.children")
    call["outputs"] = {"id": "page", "property": "children"}
    assert tiny_app.server.test_client().post(CALLBACKS, json=call).status_code == 422


@QUICK
@given(
    query=st.dictionaries(
        st.sampled_from(NAMES), st.text(max_size=20) | st.integers().map(str), max_size=4
    ),
    place=st.tuples(*[st.integers(0, 2**70) | st.integers(0, 40)] * 3),
)
def test_any_query_of_any_route_is_answered_without_failing(gaoshan_app, middle, query, place):
    client = gaoshan_app.server.test_client()
    z, x, y = place
    for name, source in SOURCES.items():
        paths = [address(name, middle), f"/layers/{name}/{z}/{x}/{y}.{source.format}"]
        for path in paths:
            answer = client.get(path, query_string=query)
            assert answer.status_code < 500, path
    for path in ("/changes", "/", "/healthz", "/_dash-layout"):
        assert client.get(path, query_string=query).status_code < 500


def test_markup_in_a_search_never_comes_back(tiny_app):
    client = tiny_app.server.test_client()
    attack = '"><img src=x onerror=alert(1)>'
    call = with_values(find_call(tiny_app, "view.data"), address=f"?grid={attack}&shown={attack}")
    assert b"onerror" not in client.post(CALLBACKS, json=call).data
    assert "onerror" not in client.get("/", query_string={"lang": attack}).text


def test_a_figure_that_is_not_known_is_null_and_never_nan(tiny_app):
    call = with_values(find_call(tiny_app, "map.values"), days=28, state="open")
    answer = tiny_app.server.test_client().post(CALLBACKS, json=call)
    assert orjson.loads(answer.data)  # strict: refuses NaN
