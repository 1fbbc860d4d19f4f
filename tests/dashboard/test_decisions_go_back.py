"""Promise: what was decided goes back to its source, each decision once, and to no other."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app import main
from dashboard.server import FEED, make_app
from geodata.access.scope import Scope
from geodata.access.source_tokens import change_tokens
from geodata.city import City
from geodata.desk.acts import Wish, decide
from geodata.desk.decision_list import COLUMNS, list_decisions
from geodata.errors import NotAllowed
from tests.city import NOW, grid_code, make_tiny_city

DESK = Scope.whole_city("duty-1", ("act", "decide"))
URL = "/api/decisions"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    city = make_tiny_city(tmp_path_factory.mktemp("back") / "city")
    grid = city.grids_in_force(NOW).find_uid(grid_code(1, 1))
    for source, incident_id, reason in (
        ("incidents", "A0000", '=HYPERLINK("http://x")'),
        ("incidents", "A0001", "属第五网格"),
        ("events", "E0", "属第五网格"),
        ("incidents", "A0002", "属第五网格"),
    ):
        wish = Wish(
            source=source, incident_id=incident_id, what="owner", reason=reason, seen=10**6,
            grid=grid,
        )  # fmt: skip
        decide(city, DESK, wish, now=NOW)
    return city


@pytest.fixture(scope="module")
def app(city: City) -> Iterator[Any]:
    made = make_app(city, now=lambda: NOW)
    yield made
    made.server.extensions[FEED].close()


@pytest.fixture(scope="module")
def ask(app, city):
    secrets = {
        source: str(change_tokens(city.folder, "add", source, now=NOW).secret)
        for source in ("incidents", "events", "else")
    }
    client = app.server.test_client()

    def get(query: str = "", *, source: str | None = "incidents"):
        headers = {"Authorization": f"Bearer {secrets[source]}"} if source else {}
        return client.get(f"{URL}{query}", headers=headers)

    return get


def test_a_source_gets_its_own_decisions_and_no_others(ask):
    ids = {
        source: [row["incident_id"] for row in ask(source=source).json["decisions"]]
        for source in ("incidents", "events", "else")
    }
    assert ids == {"incidents": ["A0000", "A0001", "A0002"], "events": ["E0"], "else": []}
    first = ask().json["decisions"][0]
    assert set(first) == set(COLUMNS)
    assert (first["owner"], first["post"], first["what"]) == (grid_code(1, 1), "duty-1", "owner")


def test_who_asks_on_from_the_revision_gets_each_once(ask, city):
    with city.database.read() as connection:
        whole = list_decisions(connection, city, DESK, "incidents", since=0)
        parts, since = [], 0
        for _ in range(5):
            part = list_decisions(connection, city, DESK, "incidents", since=since, most=1)
            parts += part.rows
            since = part.revision
            if not part.more:
                break
    assert parts == whole.rows
    assert ask(f"?since={whole.revision}").json == {
        "decisions": [], "revision": whole.revision, "more": False,
    }  # fmt: skip


def test_one_source_cannot_ask_for_anothers(city):
    events = Scope(account="events", grids=frozenset(), permissions=frozenset({"events.write"}))
    with city.database.read() as connection, pytest.raises(NotAllowed):
        list_decisions(connection, city, events, "incidents", since=0)


@pytest.mark.parametrize("since", ["-1", "x", "1e3", "9" * 40, "٣"])
def test_nonsense_is_named(ask, since):
    answer = ask(f"?since={since}")
    assert (answer.status_code, answer.json["faults"][0]["key"]) == (422, "since_unknown")


def test_nobody_without_a_token_gets_any(ask):
    assert ask(source=None).status_code == 401


def test_what_was_handed_out_is_in_the_log(ask, city):
    ask()
    with city.database.read() as connection:
        row = connection.execute(
            "SELECT account, target, n FROM audit WHERE act = 'export.decisions'"
        ).fetchone()
    assert row == ("incidents", "incidents", 3)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_command_writes_the_same(city, tmp_path, capsys, form):
    out = tmp_path / f"made.{form}"
    command = ["decisions", "export", "--city", str(city.folder), "--source", "incidents"]
    assert main([*command, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == 3
    if form == "json":
        rows = json.loads(out.read_bytes())["decisions"]
    else:
        rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"))))
    assert [row["incident_id"] for row in rows] == ["A0000", "A0001", "A0002"]
    assert rows[0]["reason"].startswith("'=" if form == "csv" else "=")


def test_the_command_names_a_form_it_does_not_know(city, tmp_path, capsys):
    command = ["decisions", "export", "--city", str(city.folder), "--source", "incidents"]
    assert main([*command, "--out", str(tmp_path / "made.xyz"), "--lang", "en"]) == 2
    assert ".csv or .json" in capsys.readouterr().err
