"""Promise: a civic client of GeoReport v2 reports and follows; nothing about persons stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.open311_answers import write_xml
from dashboard.server import FEED, make_app
from geodata.access.source_tokens import change_tokens
from geodata.city import City
from tests.city import NOW, ZONE, make_tiny_city, middle

BASE = "/api/open311/v2"
CODE = "占道经营"
PERSONAL = {"first_name": "明", "last_name": "王", "phone": "13912345678", "email": "a@b.example",
            "device_id": "phone-of-somebody", "account_id": "77",
            "media_url": "http://pictures.example/1.jpg"}  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return make_tiny_city(tmp_path_factory.mktemp("open311") / "city")


@pytest.fixture(scope="module")
def app(city: City) -> Iterator[Any]:
    made = make_app(city, now=lambda: NOW)
    yield made
    made.server.extensions[FEED].close()


@pytest.fixture(scope="module")
def client(app):
    return app.server.test_client()


@pytest.fixture(scope="module")
def key(city: City) -> str:
    return str(change_tokens(city.folder, "add", "civic", now=NOW).secret)


@pytest.fixture(scope="module")
def other_key(city: City) -> str:
    return str(change_tokens(city.folder, "add", "another", now=NOW).secret)


@pytest.fixture
def report(client, key):
    lon, lat = middle(1, 1)

    def send(form: str = "json", *, api_key: str | None = key, lang: str = "en", **values: Any):
        data = {"service_code": CODE, "lat": lat, "long": lon, **values}
        if api_key is not None:
            data["api_key"] = api_key
        data = {name: value for name, value in data.items() if value is not None}
        return client.post(f"{BASE}/requests.{form}?lang={lang}", data=data)

    return send


def stored(city: City, request_id: str) -> str:
    with city.database.read() as connection:
        rows = connection.execute(
            "SELECT p.attributes FROM payload p JOIN incident_key k ON k.inc = p.inc"
            " WHERE k.ext_id = ?",
            (request_id,),
        ).fetchall()
    return str(rows)


# --- services ------------------------------------------------------------------------------------


def test_services_are_the_citys_kinds_in_both_formats(client):
    plain = client.get(f"{BASE}/services.json")
    assert plain.content_type == "application/json; charset=utf-8"
    assert {one["service_code"] for one in plain.get_json()} == {CODE, "路面破损"}
    assert all(one["metadata"] is False and one["type"] == "realtime" for one in plain.get_json())
    answer = client.get(f"{BASE}/services.xml?jurisdiction_id=anything")
    assert answer.content_type == "text/xml; charset=utf-8"
    assert answer.data.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    root = Xml.fromstring(answer.data)
    assert [node.tag for node in root] == ["service", "service"]
    assert {node.findtext("service_code") for node in root} == {CODE, "路面破损"}
    assert {node.findtext("metadata") for node in root} == {"false"}


def test_a_service_has_a_definition_and_an_unknown_one_is_not_found(client):
    answer = client.get(f"{BASE}/services/{quote(CODE)}.json")
    assert answer.get_json() == {"service_code": CODE, "attributes": []}
    missing = client.get(f"{BASE}/services/nothing.json?lang=en")
    assert missing.status_code == 404
    assert missing.get_json()[0]["code"] == 404
    assert "service_code" in missing.get_json()[0]["description"]
    root = Xml.fromstring(client.get(f"{BASE}/services/nothing.xml").data)
    assert (root.tag, root[0].tag, root[0].findtext("code")) == ("errors", "error", "404")


def test_discovery_says_where(client):
    plain = client.get("/api/open311/discovery.json").get_json()
    assert plain["endpoints"][0]["url"].endswith("/api/open311/v2")
    root = Xml.fromstring(client.get("/api/open311/discovery.xml").data)
    assert root.find("endpoints/endpoint/formats/format").text == "text/xml"


# --- reporting -----------------------------------------------------------------------------------


def test_a_report_is_an_incident_at_once_and_can_be_followed(client, key, report):
    answer = report(description="占用人行道", address_string="文昌路 12 号")
    assert answer.status_code == 201
    (made,) = answer.get_json()
    assert set(made) == {"service_request_id", "service_notice", "account_id"}
    request_id = made["service_request_id"]
    (found,) = client.get(f"{BASE}/requests/{request_id}.json?api_key={key}").get_json()
    lon, lat = middle(1, 1)
    assert found["status"] == "open"
    assert (found["service_code"], found["service_name"]) == (CODE, CODE)
    assert (found["long"], found["lat"]) == pytest.approx((lon, lat), abs=1e-6)
    assert (found["address"], found["description"]) == ("文昌路 12 号", "占用人行道")
    assert datetime.fromisoformat(found["requested_datetime"]).timestamp() == NOW
    assert datetime.fromisoformat(found["requested_datetime"]).utcoffset() == timedelta(hours=8)
    assert found["expected_datetime"] is not None  # the kind has a limit
    (token,) = client.get(f"{BASE}/tokens/{request_id}.json?api_key={key}").get_json()
    assert token == {"service_request_id": request_id, "token": request_id}


def test_a_closed_incident_is_a_closed_request(client, key, report):
    request_id = report(description="x").get_json()[0]["service_request_id"]
    event = {"incident_id": request_id, "stage": "closed", "at": NOW + 60}
    headers = {"Authorization": f"Bearer {key}"}
    assert client.post("/api/events", json=event, headers=headers).status_code == 200
    (found,) = client.get(f"{BASE}/requests/{request_id}.json?api_key={key}&lang=en").get_json()
    assert (found["status"], found["status_notes"]) == ("closed", "Closed")
    assert datetime.fromisoformat(found["updated_datetime"]).timestamp() == NOW + 60


def test_xml_clients_get_xml(client, key, report):
    answer = report("xml", description="a & b <c> \u0007"[:-1])
    root = Xml.fromstring(answer.data)
    assert root.tag == "service_requests"
    request_id = root[0].findtext("service_request_id")
    root = Xml.fromstring(client.get(f"{BASE}/requests/{request_id}.xml?api_key={key}").data)
    assert root[0].findtext("description") == "a & b <c>"
    assert root[0].findtext("media_url") == ""


def test_what_is_about_persons_is_dropped_and_the_answer_says_so(city, client, key, report):
    answer = report(**PERSONAL, description="请打 13912345678 找我", address_string="文昌路")
    assert answer.status_code == 201
    (made,) = answer.get_json()
    for name in (*PERSONAL, "description"):
        assert name in made["service_notice"]
    assert "address_string" not in made["service_notice"]
    kept = stored(city, made["service_request_id"])
    for value in (*PERSONAL.values(), "13912345678"):
        assert value not in kept
    for file in city.folder.glob("getu.sqlite*"):
        assert b"13912345678" not in file.read_bytes()


def test_attributes_are_kept_unless_personal_or_an_events_own(city, report):
    answer = report(
        **{"attribute[pole]": "P7", "attribute[stage]": "closed", "attribute[alarm_level]": "1",
           "attribute[手机]": "x", "unknown": "y", "attribute[]": "z"}
    )  # fmt: skip
    (made,) = answer.get_json()
    kept = stored(city, made["service_request_id"])
    assert "P7" in kept
    assert "alarm_level" not in kept
    for name in ("attribute[stage]", "attribute[alarm_level]", "attribute[手机]", "unknown"):
        assert name in made["service_notice"]


def test_a_long_description_is_cut_and_the_answer_says_so(client, key, report):
    (made,) = report(description="长" * 3_000).get_json()
    assert "description" in made["service_notice"]
    path = f"{BASE}/requests/{made['service_request_id']}.json?api_key={key}"
    assert len(client.get(path).get_json()[0]["description"]) == 2_000


def test_an_address_alone_is_a_place_to_find(client, key, report):
    (made,) = report(lat=None, long=None, address_string="文昌路 1 号").get_json()
    path = f"{BASE}/requests/{made['service_request_id']}.json?api_key={key}"
    assert client.get(path).get_json()[0]["lat"] is None


@pytest.mark.parametrize(
    ("change", "status"),
    [({"service_code": None}, 400), ({"service_code": "nothing"}, 404),
     ({"lat": None, "long": None}, 400), ({"lat": "north"}, 400), ({"lat": "nan"}, 400),
     ({"lat": "91"}, 400), ({"lat": 0, "long": 0}, 400),
     ({"lat": None}, 400), ({"api_key": None}, 403), ({"api_key": "getu_1_x"}, 403),
     ({"description": "a\x00b"}, 400)],
)  # fmt: skip
def test_a_report_that_lacks_something_says_which(report, change, status):
    for form in ("json", "xml"):
        answer = report(form, **change)
        assert answer.status_code == status
        if form == "json":
            assert answer.get_json()[0]["code"] == status
            assert answer.get_json()[0]["description"]
        else:
            assert Xml.fromstring(answer.data)[0].findtext("code") == str(status)


def test_other_bodies_formats_and_methods_are_refused(client, key):
    assert client.post(f"{BASE}/requests.json", json={"api_key": key}).status_code == 400
    big = {"api_key": key, "description": "x" * 200_000}
    assert client.post(f"{BASE}/requests.json", data=big).status_code in (400, 413)
    for path in ("requests.html", "services.csv", "services/x.y.z"):
        answer = client.get(f"{BASE}/{path}")
        assert answer.status_code == 404
        assert answer.get_json()[0]["code"] == 404
    assert client.delete(f"{BASE}/requests.json").status_code == 405


def test_a_city_with_a_name_refuses_another(city, client, key, report):
    object.__setattr__(city.settings, "jurisdiction_id", "jiangdu.example")
    try:
        assert report(jurisdiction_id="elsewhere").status_code == 404
        assert report(jurisdiction_id="jiangdu.example").status_code == 201
        assert client.get(f"{BASE}/services.json?jurisdiction_id=elsewhere").status_code == 404
    finally:
        object.__setattr__(city.settings, "jurisdiction_id", "")


# --- reading back --------------------------------------------------------------------------------


def test_a_source_reads_back_its_own_and_nobody_elses(client, key, other_key, report):
    mine = report(description="mine").get_json()[0]["service_request_id"]
    path = f"{BASE}/requests/{mine}.json"
    assert client.get(path).status_code == 403
    assert client.get(f"{path}?api_key={other_key}").status_code == 404
    assert client.get(f"{BASE}/requests.json?api_key={other_key}").get_json() == []
    ids = {one["service_request_id"]
           for one in client.get(f"{BASE}/requests.json?api_key={key}").get_json()}  # fmt: skip
    assert mine in ids
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get(path, headers=headers).status_code == 200


def test_lists_are_filtered_paged_and_say_their_limit(client, key, report):
    for number in range(3):
        report(description=f"page {number}", service_code="路面破损")
    first = client.get(
        f"{BASE}/requests.json?api_key={key}&service_code={quote('路面破损')}&page_size=2"
    )
    assert len(first.get_json()) == 2
    assert first.headers["X-Result-Limit"] == "2"
    assert first.headers["X-Result-More"] == "yes"
    second = client.get(
        f"{BASE}/requests.json?api_key={key}&service_code={quote('路面破损')}&page_size=2&page=2"
    )
    ids = {one["service_request_id"] for one in [*first.get_json(), *second.get_json()]}
    assert len(ids) == 3
    assert second.headers["X-Result-More"] == "no"
    everything = client.get(f"{BASE}/requests.json?api_key={key}&page_size=5000")
    assert everything.headers["X-Result-Limit"] == "1000"
    closed = client.get(f"{BASE}/requests.json?api_key={key}&status=closed").get_json()
    assert {one["status"] for one in closed} <= {"closed"}
    both = client.get(f"{BASE}/requests.json?api_key={key}&status=open,closed").get_json()
    assert len(both) == len(everything.get_json())
    several = ",".join(sorted(ids))
    by_id = client.get(f"{BASE}/requests.json?api_key={key}&service_request_id={several}")
    assert {one["service_request_id"] for one in by_id.get_json()} == ids


def test_a_range_of_dates_is_honoured(client, key, report):
    report(description="now")
    now = datetime.fromtimestamp(NOW, ZONE)

    def count(**dates: datetime) -> int:
        query = "&".join(f"{name}={quote(at.isoformat())}" for name, at in dates.items())
        return len(client.get(f"{BASE}/requests.json?api_key={key}&{query}").get_json())

    assert count(start_date=now - timedelta(days=1)) > 0
    assert count(start_date=now, end_date=now) > 0
    assert count(start_date=now + timedelta(seconds=1)) == 0
    assert count(end_date=now - timedelta(seconds=1)) == 0
    # A span of more than 90 days is cut to 90.
    assert count(start_date=now - timedelta(days=100), end_date=now) == 0


@pytest.mark.parametrize(
    "query", ["start_date=yesterday", "end_date=2026-13-01", "status=lost", "page=0", "page_size=x"]
)
def test_arguments_that_are_wrong_are_named(client, key, query):
    answer = client.get(f"{BASE}/requests.json?api_key={key}&{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.get_json()[0]["description"]


# --- hostile -------------------------------------------------------------------------------------

forms = st.dictionaries(
    st.sampled_from(["service_code", "lat", "long", "address_string", "description", "phone",
                     "attribute[a]", "attribute[", "jurisdiction_id", "lang", "x"]),
    st.text(max_size=30) | st.sampled_from([CODE, "32.5", "1e999", "-0", "nan"]), max_size=6,
)  # fmt: skip


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(forms, st.sampled_from(["json", "xml"]))
def test_any_form_is_taken_or_refused_never_a_defect(client, key, form, extension):
    answer = client.post(f"{BASE}/requests.{extension}", data={**form, "api_key": key})
    assert answer.status_code in (201, 400, 404)
    if extension == "xml":
        Xml.fromstring(answer.data)


@given(st.text(st.characters(codec=None), max_size=40))
def test_any_text_makes_xml_that_can_be_read(text):
    root = Xml.fromstring(write_xml("errors", [{"code": 400, "description": text}]))
    assert root[0].findtext("code") == "400"
