"""Role by target: no route and no callback tells a post of what lies outside its grids."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import brotli
import numpy as np
import pytest
from dash import Dash
from flask.testing import FlaskClient

from dashboard.guard import ALSO, OPEN, _of_dash, _permission_of, is_file
from dashboard.server import make_app
from geodata.access.accounts import ROLES
from geodata.access.scope import ROWS, Scope
from geodata.city import City, open_city
from geodata.snapshots.facts import Facts, load_facts
from geodata.snapshots.snapshot import Filter
from layers.registry import LAYERS
from tests.city import NOW
from tests.dashboard.callers import fill_rule, list_every_call, list_screens, with_values
from tests.dashboard.twins import Twins, make_twins
from tests.layers.mvt_reader import read_tile

SOURCES = {one.name: one for layer in LAYERS for one in (layer.source, *layer.more_sources)}
ASKED_AT_MOST = 100_000
WHOLE = frozenset({"auditor", "administrator", "analyst"})  # roles that are given to no area
NOBODY = "nobody"
SOURCE = "a source's token"
PERMISSIONS = {**ROLES, NOBODY: frozenset(), SOURCE: frozenset({"events.write"})}
FILTERS = (
    {"days": 90}, {"days": 28}, {"days": 0, "state": "open"}, {"days": 365, "state": "overdue"},
    {"days": 0, "category": 0}, {"days": 90, "category": 1}, {"days": 0, "state": "closed"},
)  # fmt: skip
LEAST_PAIRS = 300
_ONCE = re.compile(rb'"end_id":"[^"]*"')  # a mark that Dash makes anew for each page it sends


@dataclass(frozen=True)
class Target:
    """One thing to ask: a page, a picture, a poll, or a callback; `need` is what it asks for."""

    name: str
    need: str
    ask: Callable[[FlaskClient], Any]
    also: str = ""


@pytest.fixture(scope="module")
def twins(tmp_path_factory) -> Twins:
    return make_twins(tmp_path_factory.mktemp("twins"))


@pytest.fixture(scope="module")
def acted_on(twins, tmp_path_factory) -> City:
    """Return a copy of the first city for the tests whose roles may act: twins stay twins."""
    folder = tmp_path_factory.mktemp("acted") / "city"
    shutil.copytree(twins.city.folder, folder)
    return open_city(folder)


@pytest.fixture(scope="module")
def facts(twins) -> Facts:
    found = load_facts(twins.city, now=NOW)
    assert found
    return found


def scope_of(role: str, twins: Twins) -> Scope:
    grids = None if role in WHOLE else twins.own
    return Scope(account=role, grids=grids, permissions=PERMISSIONS[role], role=role)


@pytest.fixture
def open_app(monkeypatch) -> Callable[..., Dash]:
    """Return a function that opens a city as a role."""

    def open_it(city: Any, scope: Scope) -> Dash:
        monkeypatch.setattr("dashboard.server._local_account", lambda _: scope)
        # Every route is asked at once, as fast as the machine can: no haste of an account's.
        object.__setattr__(city.settings, "requests_burst", ASKED_AT_MOST)
        return make_app(city, now=lambda: NOW)

    return open_it


def list_targets(app: Dash, facts: Facts, twins: Twins) -> Iterator[Target]:
    """Return every route and callback, each with every grid, layer, tile and filter there is."""
    list_screens(app)
    for rule in app.server.url_map.iter_rules():
        if is_file(app.server, rule.endpoint):
            continue  # styles and scripts: files of the program, no word of a city in them
        view = app.server.view_functions[rule.endpoint]
        need = "" if _of_dash(app.server, rule.endpoint) else str(_permission_of(view))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for path in fill_paths(rule.rule, facts, twins):
                more = SOURCES[path[1]].needs if path[1] in SOURCES else need
                yield Target(
                    f"{method} {path[0]}",
                    max(need, more, key=len),
                    lambda client, m=method, p=path[0]: client.open(p, method=m),
                    also=getattr(view, ALSO, ""),
                )
    uids = facts.grids.grids["uid"].tolist()
    for call in list_every_call(app):
        screen = next(one for one in list_screens(app) if call.path.startswith(
            one.config.routes_pathname_prefix) and call.name in one.callback_map)  # fmt: skip
        need = str(_permission_of(screen.callback_map[call.name]["callback"]))
        asked = {one["id"] for one in call.body["inputs"]}
        for chosen in FILTERS if "days" in asked else ({},):
            for grid in uids if "grid" in asked else (None,):
                if grid is not None and chosen not in FILTERS[:5:2]:
                    continue
                body = with_values(call.body, **{"grid": grid, "lang": "zh", **chosen})
                yield Target(
                    f"POST {call.name[:40]} {chosen} {grid}",
                    need,
                    lambda client, p=call.path, b=body: client.post(p, json=b),
                )


def fill_paths(rule: str, facts: Facts, twins: Twins) -> list[tuple[str, str]]:
    """
    Return the paths of a rule, with the name of the layer in each.

    Every layer and its tiles; a case of the post's own grids and one of another.
    """
    if "incident_id" in rule:
        cases = (min(twins.own_ids), min(twins.hidden_ids))
        sources = facts.source_terms.values()
        return [
            (fill_rule(rule, source=source, incident_id=case), "")
            for source in sources
            for case in cases
        ]
    if "<name>" not in rule:
        return [(fill_rule(rule), "")]
    tiled = "<int:z>" in rule
    out = []
    for name, source in SOURCES.items():
        for tile in tiles_over(facts, source) if source.tiled else ({},):
            if source.tiled is tiled:
                path = fill_rule(rule, name=name, extension=source.format, **tile)
                out += [(path, name), (f"{path}?since={NOW - 30 * 86_400}&state=open", name)]
    return out


def tiles_over(facts: Facts, source: Any) -> list[dict[str, str]]:
    west, south, east, north = facts.bounds
    x = np.array([west, east]) / 360 + 0.5
    y = 0.5 - np.arctanh(np.sin(np.radians([north, south]))) / (2 * np.pi)
    return [
        {"z": str(z), "x": str(column), "y": str(row)}
        for z in sorted({source.minzoom, min(14, source.maxzoom), source.maxzoom})
        for column in range(int(x[0] * 2**z), int(x[1] * 2**z) + 1)
        for row in range(int(y[0] * 2**z), int(y[1] * 2**z) + 1)
    ]


def read_body(answer: Any) -> bytes:
    body: bytes = answer.data
    if answer.headers.get("Content-Encoding") == "br":
        body = brotli.decompress(body)
    answer.close()
    if body.startswith(b"PK"):  # a paper prints the head of its city's own log, the rest is alike
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"".join(_HEAD.sub(b"", archive.read(name)) for name in archive.namelist())
        body = _CELL.sub(b"", body)
    return _ONCE.sub(b"", body)


_HEAD = re.compile(rb"\d+:[0-9a-f]{16}")
_CELL = re.compile(rb' r="[A-Z]+\d+"')  # where a cell stands: P1 is a place of the tiny city too


@cache
def words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w.-]+", text))


# --- who may ask at all ----------------------------------------------------------------------


@pytest.mark.parametrize("role", PERMISSIONS)
def test_each_role_gets_what_its_permissions_name_and_is_refused_the_rest(
    role, twins, acted_on, facts, open_app
):
    scope = scope_of(role, twins)
    app = open_app(acted_on, scope)
    client = app.server.test_client()
    refused = answered = 0
    for target in list_targets(app, facts, twins):
        answer = target.ask(client)
        allowed = {target.need, target.also} - {"", OPEN} <= scope.permissions
        if not allowed:
            assert answer.status_code in {302, 401, 403, 422}, (role, target.name)
            refused += 1
        else:
            assert answer.status_code < 500, (role, target.name)
            closed = answer.status_code == 403 and target.need != OPEN
            assert not closed or target.name.startswith("POST"), target.name
            answered += 1
        answer.close()
    assert refused + answered >= LEAST_PAIRS // len(PERMISSIONS)
    if role in {NOBODY, SOURCE}:
        assert refused > answered


def test_there_are_at_least_three_hundred_pairs(twins, facts, open_app):
    app = open_app(twins.city, scope_of("viewer", twins))
    assert len(PERMISSIONS) * sum(1 for _ in list_targets(app, facts, twins)) >= LEAST_PAIRS


# --- and what it says ------------------------------------------------------------------------

SEEING = [role for role, permissions in PERMISSIONS.items() if "read" in permissions]


BRIEF = {"approver", "analyst"}  # between them they hold most rights; the others take longer
in_brief_and_long = pytest.mark.parametrize(
    "role",
    [role if role in BRIEF else pytest.param(role, marks=pytest.mark.long)
     for role in SEEING if role != "auditor"],
)  # fmt: skip


@in_brief_and_long
def test_two_cities_that_differ_only_where_a_role_may_not_look_answer_it_alike(
    role, twins, facts, open_app
):
    """Not an id, a name, a place, a minute nor a count of it can be in any answer, then."""
    scope = scope_of(role, twins)
    answers = []
    for city in (twins.city, twins.twin):
        app = open_app(city, scope)
        client = app.server.test_client()
        told = {}
        for target in list_targets(app, facts, twins):
            answer = target.ask(client)
            told[target.name] = (answer.status_code, read_body(answer))
        answers.append(told)
    one, other = answers
    assert one.keys() == other.keys()
    unlike = [name for name in one if one[name] != other[name]]
    assert [(name, one[name][0], other[name][0]) for name in unlike] == []


def test_the_twins_do_differ_for_who_may_see_it_all(twins, facts, open_app):
    """Else the test above proves nothing."""
    answers = []
    for city in (twins.city, twins.twin):
        app = open_app(city, scope_of("auditor", twins))
        client = app.server.test_client()
        targets = list_targets(app, facts, twins)
        answers.append({target.name: read_body(target.ask(client)) for target in targets})
    differing = {name for name in answers[0] if answers[0][name] != answers[1][name]}
    for part in ("/dots/", "/heat/", "POST card.children", "POST ..map.values"):
        assert any(part in name for name in differing), part


@pytest.mark.parametrize("role", SEEING)
def test_no_id_name_or_place_from_elsewhere_is_in_any_answer(role, twins, facts, open_app):
    scope = scope_of(role, twins)
    uids = facts.grids.finest()["uid"].to_numpy()
    rows = ROWS in scope.permissions
    seen = np.append([rows and scope.allows(int(uid)) for uid in uids], rows and scope.everything)
    inside = np.append([scope.allows(int(uid)) for uid in uids], scope.everything)
    snapshot = facts.snapshot
    allowed = set(snapshot.incident[seen[snapshot.owner]].tolist())
    needles = set() if scope.everything and rows else set(twins.hidden_ids)
    needles |= set() if rows else set(twins.own_ids)
    for points in (facts.cameras, facts.places):
        hidden = points[~inside[points["owner"].to_numpy()]]
        needles |= {str(value) for name in ("id", "name") for value in hidden[name]}
    if not (scope.everything and rows):
        needles |= twins.hidden_places
    app = open_app(twins.city, scope)
    client = app.server.test_client()
    dots = 0
    for target in list_targets(app, facts, twins):
        answer = target.ask(client)
        body = read_body(answer)
        if answer.mimetype == "application/vnd.mapbox-vector-tile":
            found = {f["id"] for f in read_tile(body).get("dots", {"features": []})["features"]}
            assert found <= allowed, target.name
            dots += len(found)
        elif answer.mimetype == "image/png":
            assert rows, f"{target.name}: heat is drawn from single incidents"
        else:
            text = body.decode("utf-8", "replace")
            text = json.dumps(json.loads(text), ensure_ascii=False) if text[:1] == "{" else text
            found = needles & words_of(text)
            assert not found, (target.name, found)
    assert (dots > 0) is (rows and bool(allowed))


# --- counts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_a_card_of_another_grid_shows_bounds_with_the_true_count_within(
    role, twins, facts, open_app
):
    scope = scope_of(role, twins)
    app = open_app(twins.city, scope)
    (call,) = [one for one in list_every_call(app) if one.name == "card.children"]
    finest = facts.grids.finest()
    midnight = NOW - (NOW + 8 * 3600) % 86_400
    counted = facts.select(Filter(), NOW) & (facts.snapshot.reported_at < midnight)
    told = 0
    for row, uid in enumerate(finest["uid"]):
        if scope.grids and scope.allows(uid):
            continue
        body = with_values(call.body, grid=int(uid), days=0, state="all", lang="zh")
        card = app.server.test_client().post(call.path, json=body).get_json()
        shown = texts_of(card)
        exact = int((counted & (facts.snapshot.owner == row)).sum())
        low, high = read_bounds(shown[shown.index("事件") + 1])
        assert low <= exact <= high
        assert high - low >= 2
        assert "六步闭环" not in shown
        assert not any("超期最久" in text for text in shown)
        told += 1
    assert told >= 6


def texts_of(node: Any) -> list[str]:
    """Return every text of a Dash answer, in order."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, list):
        return [text for one in node for text in texts_of(one)]
    if isinstance(node, dict):
        inner = node.get("props", node)
        return [text for key, one in inner.items() if key != "className" for text in texts_of(one)]
    return []


def read_bounds(text: str) -> tuple[int, int]:
    if text.startswith("<"):
        return 0, int(text[1:]) - 1
    low, high = text.replace(",", "").split("–")
    return int(low), int(high)


def test_the_page_says_in_words_that_it_is_narrowed(twins, open_app):
    for role, words in (
        ("viewer", "可见范围：第1社区；范围外只显示汇总"),
        ("analyst", "可见范围：全市；只显示汇总，不显示单个事件"),
        ("auditor", None),
    ):
        app = open_app(twins.city, scope_of(role, twins))
        (call,) = [one for one in list_every_call(app) if one.name.startswith("..map.layers")
                   and one.path.count("/") == 1]  # fmt: skip
        texts = texts_of(app.server.test_client().post(call.path, json=call.body).get_json())
        assert (words in texts) if words else not any("可见范围" in text for text in texts)
