"""Promise: a source with its token posts events, all or none, and the page follows."""

from __future__ import annotations

import json
import resource
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.openapi import describe_api
from dashboard.server import FEED, make_app
from geodata.access.source_tokens import change_tokens
from geodata.city import City, create_city
from geodata.coordinates import parse_crs, to_metric, wgs84_to_bd09, wgs84_to_gcj02
from geodata.snapshots.facts import FactsKeeper
from geodata.store import database
from tests.city import NOW, ZONE, make_tiny_city, middle

URL = "/api/events"
PERSONAL = (
    "姓名", "身份证号", "手机", "联系电话", "联系人", "户主", "报案人", "举报人", "投诉人",
    "当事人", "来电人", "车牌", "银行卡", "微信号", "邮箱", "出生日期", "phone", "mobile",
    "email", "full_name",
)  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return make_tiny_city(tmp_path_factory.mktemp("api") / "city")


@pytest.fixture(scope="module")
def secret(city: City) -> str:
    return str(change_tokens(city.folder, "add", "hotline", now=NOW).secret)


@pytest.fixture(scope="module")
def app(city: City) -> Iterator[Any]:
    made = make_app(city, now=lambda: NOW)
    yield made
    made.server.extensions[FEED].close()


@pytest.fixture
def post(app, secret):
    client = app.server.test_client()

    def send(events: Any, *, token: str | None = secret, lang: str = "en", **named: Any):
        headers = {"Accept-Language": lang}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if "data" not in named:
            named["json"] = events
        return client.post(URL, headers={**headers, **named.pop("headers", {})}, **named)

    return send


def event(number: str, **more: Any) -> dict[str, Any]:
    lon, lat = middle(1, 1)
    plain = {"incident_id": number, "stage": "reported", "at": NOW - 600, "lon": lon, "lat": lat}
    return {**plain, **more}


def incident(city: City, number: str) -> sqlite3.Row | None:
    with city.database.read() as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(
            "SELECT i.*, t.text AS source_name FROM incident i JOIN incident_key k ON k.inc = i.inc"
            " JOIN term t ON t.term = k.source WHERE k.ext_id = ?",
            (number,),
        ).fetchone()


def count(city: City) -> int:
    with city.database.read() as connection:
        return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])


def keys(answer: Any) -> list[tuple[Any, Any, str]]:
    return [(item["index"], item["field"], item["key"]) for item in answer.get_json()["faults"]]


# --- good posts ----------------------------------------------------------------------------------


def test_an_event_is_taken_owned_and_repeated_without_effect(city, post):
    first = post(event("A1", kind="积水"))
    assert first.status_code == 200
    assert {name: first.get_json()[name] for name in ("accepted", "new", "copies")} == {
        "accepted": 1, "new": 1, "copies": 0,
    }  # fmt: skip
    row = incident(city, "A1")
    assert row["source_name"] == "hotline"
    assert row["owner"] >= 0
    again = post(event("A1", kind="积水")).get_json()
    assert (again["new"], again["copies"]) == (0, 1)
    assert again["revision"] == first.get_json()["revision"]


def test_lists_and_lines_carry_many_events(city, post):
    assert post([event("B1"), event("B2")]).get_json()["new"] == 2
    lines = "\n".join(json.dumps(event(f"B{n}"), ensure_ascii=False) for n in (2, 3)) + "\n\n"
    answer = post(None, data=lines.encode(), content_type="application/x-ndjson")
    assert answer.get_json()["new"] == 1
    assert answer.get_json()["copies"] == 1
    assert post([]).get_json()["accepted"] == 0


def test_a_place_in_each_system_comes_to_the_same_grid(city, post):
    lon, lat = middle(1, 1)
    degrees = {
        "WGS84": (lon, lat),
        "GCJ-02": tuple(float(v) for v in wgs84_to_gcj02(lon, lat)),
        "BD-09": tuple(float(v) for v in wgs84_to_bd09(lon, lat)),
    }
    for crs, (a, b) in degrees.items():
        assert post(event(f"C{crs}", lon=a, lat=b, crs=crs)).status_code == 200
    x, y = to_metric(lon, lat, parse_crs("EPSG:4490"), city.crs)
    plain = {"incident_id": "Cxy", "stage": "reported", "at": NOW - 600}
    assert post({**plain, "x": float(x), "y": float(y), "crs": "EPSG:4549"}).status_code == 200
    found = [incident(city, f"C{name}") for name in (*degrees, "xy")]
    assert len({row["owner"] for row in found}) == 1
    assert max(row["x"] for row in found) - min(row["x"] for row in found) <= 2  # mm


def test_times_are_iso_or_epoch_and_naive_ones_the_citys(city, post):
    local = datetime.fromtimestamp(NOW - 600, ZONE)
    forms = [NOW - 600, float(NOW - 600), local.isoformat(), local.replace(tzinfo=None).isoformat()]
    for number, at in enumerate(forms):
        assert post(event(f"D{number}", at=at)).status_code == 200
        assert incident(city, f"D{number}")["reported_at"] == NOW - 600


def test_what_a_source_sends_beyond_the_contract_is_kept_as_texts(city, post):
    assert post(event("EX1", lamp=5, lit=False, height=2.5, note="坏了")).status_code == 200
    with city.database.read() as connection:
        (text,) = connection.execute(
            "SELECT p.attributes FROM payload p JOIN incident_key k ON k.inc = p.inc"
            " WHERE k.ext_id = 'EX1'"
        ).fetchone()
    assert json.loads(text) == {"height": "2.5", "lamp": "5", "lit": "false", "note": "坏了"}


def test_the_page_follows_within_three_seconds(app, city, post):
    client = app.server.test_client()
    before = FactsKeeper(city).current(NOW)
    started = time.monotonic()
    assert post(event("F1")).status_code == 200
    answer = client.get(f"/changes?since={before.revision}")
    assert answer.status_code == 200
    assert answer.get_json()["revision"] > before.revision
    after = FactsKeeper(city).current(NOW)
    assert time.monotonic() - started < 3
    assert after.snapshot.n == before.snapshot.n + 1
    assert after.as_of == NOW


# --- refusals ------------------------------------------------------------------------------------


def test_one_bad_event_refuses_all_and_every_fault_is_named(city, post):
    before = count(city)
    answer = post(
        [
            event("G1"),
            event("G2", stage="lost"),
            event("G3", at="yesterday", lon="x", seq=-1),
            {"stage": "closed"},
            7,
            event("G4", at=NOW + 3 * 86_400),
            event("G5", crs="Xian 80"),
            event("G6", x=1.0),
            event("G7", nested={"a": 1}),
            event("G8", source="other"),
            event("G9", lon=0, lat=0),
        ]
    )
    assert answer.status_code == 422
    assert keys(answer) == [
        (1, "stage", "stage_unknown"),
        (2, "at", "post_moment"),
        (2, "lon", "place_not_number"),
        (2, "seq", "post_whole"),
        (3, "at", "post_missing"),
        (3, "incident_id", "post_missing"),
        (4, None, "post_not_event"),
        (5, "at", "moment_future"),
        (6, "crs", "post_crs"),
        (7, "lon", "post_pair"),
        (8, "nested", "post_attribute"),
        (9, "source", "post_source"),
        (10, "lon", "place_zero"),
    ]
    assert count(city) == before


def test_faults_speak_the_language_asked_and_never_repeat_a_value(post):
    bad = event("H1", at="SECRETTEXT", stage="SECRETTEXT", crs="SECRETTEXT", seq="SECRETTEXT")
    english, chinese = post(bad), post(bad, lang="zh-CN")
    assert "cannot be read" in english.get_data(as_text=True)
    assert "读不懂" in chinese.get_data(as_text=True)
    assert "SECRETTEXT" not in english.get_data(as_text=True) + chinese.get_data(as_text=True)


@pytest.mark.parametrize("field", PERSONAL)
def test_fields_about_persons_are_refused_by_name(city, post, field):
    before = count(city)
    answer = post([event("I1"), event("I2", **{field: "甲"})])
    assert answer.status_code == 422
    assert keys(answer) == [(1, field, "post_personal")]
    assert count(city) == before


def test_a_mobile_number_in_a_text_is_refused(post):
    events = [event(f"J{n}", note="路灯坏了") for n in range(100)]
    events[60]["note"] = "请打 13912345678"
    assert keys(post(events)) == [(60, "note", "post_personal")]
    assert keys(post(event("J0", reason="请打 13912345678"))) == [(0, "reason", "post_personal")]


def test_without_a_token_with_a_wrong_or_a_revoked_one_nothing_is_taken(city, app, post):
    revoked = change_tokens(city.folder, "add", "old", now=NOW).secret
    assert post(event("K0"), token=revoked).status_code == 200
    assert change_tokens(city.folder, "revoke", "old", now=NOW).revoked == 1
    before = count(city)
    for token in (None, "", "x", "getu_1_", "getu_99_aaaa", "getu_²_a", "密", revoked):
        value = None if token is None else token.encode().decode("latin-1")
        answer = post(event("K1"), token=value)
        assert answer.status_code == 401, token
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert post(event("K1"), token=None, headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert count(city) == before


def test_a_token_opens_nothing_but_the_way_in(app, secret):
    client = app.server.test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    for path in ("/", "/changes", "/layers/grids.geojson", "/_dash-layout"):
        assert client.get(path, headers=headers).status_code == 403, path


def test_the_secret_is_not_in_the_store_and_use_is_noted_by_day(city, app, post, secret):
    post(event("L1"))
    for file in city.folder.glob("getu.sqlite*"):
        assert secret.encode() not in file.read_bytes()
    listed = change_tokens(city.folder, "list", None, now=NOW)
    assert {item.source: item.used_day for item in listed.tokens}["hotline"] == "2026-06-01"


def test_other_types_sizes_and_methods_are_refused(city, app, post, secret):
    assert post(None, data=b"{}", content_type="text/plain").status_code == 415
    assert (
        post(None, data=b"{}", content_type="application/x-www-form-urlencoded").status_code == 415
    )
    packed = {"Content-Encoding": "gzip"}
    answer = post(None, data=b"{}", content_type="application/json", headers=packed)
    assert answer.status_code == 415
    large = city.settings.api_body_mb * 1_000_000
    spaces = b" " * (large - 2) + b"[]"
    assert post(None, data=spaces, content_type="application/json").status_code == 200
    assert post(None, data=b" " + spaces, content_type="application/json").status_code == 413
    many = b"[" + b"1," * city.settings.api_events + b"1]"
    assert keys(post(None, data=many, content_type="application/json"))[0][2] == "post_many"
    client = app.server.test_client()
    for method in ("get", "put", "delete", "patch", "options"):
        assert getattr(client, method)(URL).status_code == 405


def test_a_busy_store_says_when_to_come_again(city, post, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.2)
    with city.database.transaction():
        answer = post(event("M1"))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert incident(city, "M1") is None
    assert post(event("M1")).status_code == 200


def test_a_full_disk_is_said_and_got_over(city, post):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(file.stat().st_size for file in city.folder.glob("getu.sqlite*"))
    events = [event(f"N{n}", note="x" * 1_900) for n in range(800)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4_096, hard))
    try:
        answer = post(events)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert answer.status_code == 507
    assert incident(city, "N1") is None
    assert post(events[:2]).get_json()["new"] == 2


def test_a_city_without_a_coordinate_system_says_so(tmp_path):
    city = create_city(tmp_path / "bare", {})
    token = change_tokens(city.folder, "add", "hotline", now=NOW).secret
    app = make_app(city, now=lambda: NOW)
    client = app.server.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post(URL, json=event("O1"), headers=headers)
    assert answer.status_code == 422
    assert keys(answer) == [(None, None, "city_without_crs")]
    app.server.extensions[FEED].close()


# --- hostile -------------------------------------------------------------------------------------

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = (
    "incident_id", "stage", "at", "due_at", "seq", "version", "lon", "lat", "x", "y", "crs",
    "kind", "body", "reason", "source", "received_at", "alarm_level",
)  # fmt: skip
names = st.sampled_from(NAMES)
near_events = st.dictionaries(names | st.text(max_size=12), anything, max_size=8).map(
    lambda extra: {"incident_id": "H", "stage": "reported", "at": NOW - 60, **extra}
)
any_json = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@any_json
@given(st.one_of(anything, near_events, st.lists(near_events, max_size=3)))
def test_any_json_is_taken_or_refused_never_a_defect(post, body):
    data = json.dumps(body).encode()
    answer = post(None, data=data, content_type="application/json")
    assert answer.status_code in (200, 422)


@any_json
@given(st.binary(max_size=200), st.sampled_from(["application/json", "application/x-ndjson"]))
def test_any_bytes_are_taken_or_refused_never_a_defect(post, body, kind):
    assert post(None, data=body, content_type=kind).status_code in (200, 422)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 50_000, b'"\\ud800"', b"\xff\xfe", b'{"at":1e400}', b"\x00",
     b'{"incident_id":"a\\u0000b","stage":"closed","at":1}', b'[{"at":' + b"9" * 5_000 + b"}]"],
)  # fmt: skip
def test_hostile_bodies_are_refused(post, body):
    assert post(None, data=body, content_type="application/json").status_code == 422


# --- the description -----------------------------------------------------------------------------


def test_the_description_says_what_the_route_does(app, city, post):
    answer = app.server.test_client().get("/api/openapi.json")
    plain = answer.get_json()
    assert plain == json.loads(json.dumps(describe_api(city.settings)))
    assert plain["openapi"].startswith("3.1")
    declared = plain["paths"]["/api/events"]["post"]["responses"]
    assert set(declared) == {"200", "401", "413", "415", "422", "429", "503", "507"}
    schema = plain["components"]["schemas"]
    assert set(post(event("P1")).get_json()) == set(schema["Receipt"]["required"])
    (fault,) = post(5).get_json()["faults"]
    assert set(fault) == set(schema["Faults"]["properties"]["faults"]["items"]["required"])
    for name in schema["Event"]["required"]:
        lacking = event("P2")
        del lacking[name]
        assert keys(post(lacking)) == [(0, name, "post_missing")]
    for stage in schema["Event"]["properties"]["stage"]["enum"]:
        assert post(event("P3", stage=stage)).status_code == 200


def test_it_lies_below_the_base_path(tmp_path: Path):
    city = create_city(tmp_path / "based", {"base_path": "/getu"})
    app = make_app(city, now=lambda: NOW)
    client = app.server.test_client()
    assert client.get("/getu/api/openapi.json").get_json()["servers"] == [{"url": "/getu"}]
    assert client.post("/getu/api/events", json=[]).status_code == 401
