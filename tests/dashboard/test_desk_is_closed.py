"""Promise: whatever anyone sends to the desk, it shows no other's case and never falls over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.server import FEED, make_app
from geodata.access.scope import Scope
from geodata.city import City
from geodata.store.dump import canonical_dump
from tests.city import NOW, grid_code, make_tiny_city
from tests.dashboard.callers import Call, list_every_call

PERMISSIONS = frozenset({"read", "read.rows", "act", "decide"})


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return make_tiny_city(tmp_path_factory.mktemp("closed") / "city")


@pytest.fixture(scope="module")
def scope(city: City) -> Scope:
    uid = city.grids_in_force(NOW).find_uid(grid_code(1, 1))
    return Scope(account="post", grids=frozenset({uid}), permissions=PERMISSIONS, role="staff")


@pytest.fixture(scope="module")
def app(city: City, scope: Scope) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboard.server._local_account", lambda _: scope)
        made = make_app(city, now=lambda: NOW)
        yield made
        made.server.extensions[FEED].close()


def desk_calls(app: Any) -> list[Call]:
    return [call for call in list_every_call(app) if call.path.startswith("/desk/")]


def send(app: Any, call: Call, values: dict[str, Any], trigger: str | None = None) -> Any:
    """Call with values by the id of an input or state; `trigger` is the id that changed."""
    body = {
        **call.body,
        **{
            part: [
                one if isinstance(one, list) else {**one, "value": values.get(one["id"])}
                for one in call.body[part]
            ]
            for part in ("inputs", "state")
        },
    }
    if trigger is not None:
        body["changedPropIds"] = [
            name for name in call.body["changedPropIds"] if name.startswith(f"{trigger}.")
        ]
    return app.server.test_client().post(call.path, json=body)


def heads(city: City) -> list[tuple[int, str, str, int]]:
    with city.database.read() as connection:
        return connection.execute(
            "SELECT k.inc, t.text, k.ext_id, i.owner FROM incident_key k"
            " JOIN incident i ON i.inc = k.inc JOIN term t ON t.term = k.source"
        ).fetchall()


def test_no_call_of_the_desk_shows_or_changes_a_case_of_other_grids(app, city, scope):
    rows = heads(city)
    hidden = [row for row in rows if not (row[3] >= 0 and scope.allows(row[3]))]
    assert len(rows) > len(hidden) > 10
    with city.database.read() as connection:
        before = canonical_dump(connection)
    told = 0
    for inc, source, incident_id, _ in hidden[::4]:
        seen = {"inc": inc, "source": source, "id": incident_id, "revision": 10**6, "place": None}
        values = {
            "case": inc, "seen": seen, "lang": "zh", "what": "owner", "tray": "unplaced",
            "closed": ["closed"], "code": grid_code(1, 1), "reason": "抢件", "save": 1,
            "address": f"?source={source}&id={incident_id}",
            "pin": {"inc": inc, "place": [120.0, 32.5], "revision": 10**6},
        }  # fmt: skip
        for call in desk_calls(app):
            for tray in ("unplaced", "near", "disputed") if "list.children" in call.name else ("",):
                answer = send(app, call, {**values, "tray": tray or "near"})
                assert answer.status_code < 500, call.name
                text = answer.get_data(as_text=True)
                # What was sent in the address is not news to who sent it.
                assert f'"{incident_id}"' not in text, (call.name, incident_id)
                assert f"/{incident_id}?" not in text, (call.name, incident_id)
                told += 1
    assert told > 50
    with city.database.read() as connection:
        assert canonical_dump(connection) == before


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["inc", "source", "id", "revision", "place", "lng", "lat", "take", "pin"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["case", "seen", "lang", "what", "tray", "closed", "code", "reason", "save", "address", "pin",
     "map", "source", "marks", "saved"]
)  # fmt: skip


@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    values=st.dictionaries(names, json, max_size=8),
    what=st.sampled_from(["owner", "pin", "decided", "answer", "x"]),
)
def test_any_json_gets_an_answer_in_words(app, values, what):
    values = {"what": what, "save": 1, **values}
    for call in desk_calls(app):
        for trigger in {one["id"] for one in call.body["inputs"] if isinstance(one, dict)}:
            answer = send(app, call, values, trigger)
            assert answer.status_code < 500, (call.name, values)


@pytest.mark.parametrize(
    "place", ["", "120,32", "nan,nan", "1e999,0", "120", "120,32,1", "x,y", "٣,٤", "-200,0"]
)
def test_a_mark_says_the_place_it_was_asked_or_none(app, place):
    answer = app.server.test_client().get("/desk/mark.geojson", query_string={"v": place})
    features = answer.get_json(force=True)["features"]
    assert len(features) == (place in {"120,32", "٣,٤"})
