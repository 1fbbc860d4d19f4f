"""Whoever sees single incidents, acts or exports stands in the log, and nothing is shown first."""

from __future__ import annotations

import math
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from dash import Dash

from dashboard.guard import LOG, PERMISSION
from dashboard.trail import LOGGED
from geodata.access.scope import Scope
from geodata.audit.check import check_log
from geodata.audit.report import name_act
from geodata.events.alarms import NOTES
from geodata.loading.posted_events import read_posted
from geodata.plans.plan import PLAN_ACTS
from geodata.store.decisions import WHATS
from tests.city import NOW, grid_code, middle
from tests.dashboard.callers import find_call, list_screens
from tests.dashboard.door_city import Door

# What needs to see rows, and shows none: each with its reason.
SHOWS_NOTHING = {
    "read_address": "reads the address into the page's own state",
    "draw_map": "layers of grids, and marks that the page gave itself",
    "marks": "says the place in its own address back",
    "pick": "a place that the post picked, and the grid it lies in",
    "preview": "the grid that a picked place would fall into",
    "show_atlas": "how far an atlas is: what it shows is noted when it is fetched",
    "show_scenes": "what the wall shows in turn: layers and names of areas",
}
ZOOM = 14
TILE = "/layers/dots/14/0/0.mvt"


@pytest.fixture(scope="module")
def door(tiny, tmp_path_factory) -> Door:
    door = Door(tiny, tmp_path_factory.mktemp("logged") / "city")
    door.add_every_role()
    return door


def list_handlers(app: Dash) -> Iterator[tuple[str, Any]]:
    """Yield every route and callback of every screen, what its guard declares still on it."""
    for rule in app.server.url_map.iter_rules():
        yield rule.rule, app.server.view_functions[rule.endpoint]
    for screen in list_screens(app):
        for name, entry in screen.callback_map.items():
            if "callback" in entry:
                yield name, entry["callback"]


def tile_with_dots() -> str:
    """Return the address of a tile with incidents of the tiny city in it."""
    lon, lat = middle(1, 1)
    x = int((lon + 180) / 360 * 2**ZOOM)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**ZOOM)
    return f"/layers/dots/{ZOOM}/{x}/{y}.mvt"


def find_guard(handler: Any) -> tuple[str | None, str | None, str]:
    """Return permission, what is logged (None for not declared) and name of a handler."""
    while handler is not None and not hasattr(handler, PERMISSION):
        handler = getattr(handler, "__wrapped__", None)
    if handler is None:
        return None, None, ""
    return getattr(handler, PERMISSION), getattr(handler, LOG), handler.__name__


def read_log(door: Door) -> list[tuple[Any, ...]]:
    with door.city.database.read() as connection:
        return connection.execute(
            "SELECT account, act, target, grid, n FROM audit ORDER BY entry"
        ).fetchall()


def test_whatever_needs_more_than_reading_declares_what_it_leaves_in_the_log(door):
    silent, unsaid = [], []
    for place, handler in list_handlers(door.app):
        need, log, name = find_guard(handler)
        if need not in LOGGED:
            continue
        if log is None:
            unsaid.append(f"{place} ({name})")
        elif log == "" and name not in SHOWS_NOTHING:
            silent.append(f"{place} ({name})")
    assert not unsaid, "declares nothing: " + "\n".join(unsaid)
    assert not silent, "shows rows without a word: " + "\n".join(silent)


def test_every_act_that_is_logged_has_words_of_its_own(door):
    acts = {log for _, handler in list_handlers(door.app) if (log := find_guard(handler)[1])}
    acts |= {f"decision.{what}" for what in WHATS} | {f"alarm.{what}" for what in NOTES}
    acts |= {f"plan.{what}" for what in PLAN_ACTS}
    acts -= {"decision", "alarm.*", "plan.act"}  # which of them, the act itself says
    nameless = sorted(act for act in acts if name_act(act, "zh") == act)
    assert not nameless, f"[audit_act] of geodata/text lacks {nameless}"


def open_card(door: Door, name: str, *, uid: int | None = None) -> Any:
    call = find_call(door.app, "card.children")
    if uid is None:
        uid = grid_with_late_cases(door)
    call["inputs"][0]["value"] = uid
    return door.client(name).post("/_dash-update-component", json=call)


def grid_with_late_cases(door: Door) -> int:
    with door.city.database.read() as connection:
        return connection.execute(
            "SELECT owner FROM incident WHERE open = 1 AND due_at BETWEEN 1 AND ? AND owner > 0",
            (NOW - 1,),
        ).fetchone()[0]


def test_a_card_leaves_a_row_with_its_grid_and_how_many_cases_it_showed(door):
    uid = grid_with_late_cases(door)
    assert open_card(door, "duty").status_code == 200
    account, act, target, grid, n = read_log(door)[-1]
    assert (account, act, grid) == ("duty", "view.card", uid)
    assert target.startswith(grid_code(0, 0)[:9])
    assert 1 <= n <= 5


def test_dots_leave_one_row_an_account_layer_and_minute(door):
    client, tile = door.client("staff"), tile_with_dots()
    shown = client.get(tile)
    assert shown.status_code == 200
    before = read_log(door)
    assert before[-1][:3] == ("staff", "view.tiles", "dots")
    for _ in range(9):
        client.get(tile, headers={"If-None-Match": shown.headers["ETag"]})
    assert read_log(door) == before


def test_what_shows_no_single_case_leaves_no_row(door):
    client = door.client("duty")
    before = read_log(door)
    for path in ("/layers/grids.geojson", "/changes", "/healthz", "/layers/cameras.geojson"):
        assert client.get(path).status_code == 200
    assert client.get("/layers/dots/14/0/0.mvt").status_code == 204
    assert read_log(door) == before


def test_who_asks_for_more_than_its_own_stands_in_the_log(door):
    assert door.client("analyst").get(TILE).status_code == 403
    assert read_log(door)[-1][:3] == ("analyst", "refused", TILE)


def test_a_stranger_leaves_no_row(door):
    before = read_log(door)
    assert door.client().get(TILE).status_code in (401, 403)
    assert read_log(door) == before


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_on_a_full_disk_no_single_case_is_shown_and_all_else_still_is(door):
    client, planner, tile = door.client("approver"), door.client("planner"), tile_with_dots()
    assert planner.get("/layers/grids.geojson").status_code == 200
    with door.city.database.series(), full_disk():  # as `serving` keeps one open
        assert client.get(tile).status_code == 507
        assert planner.get("/layers/grids.geojson").status_code == 200
    assert client.get(tile).status_code == 200


def test_views_and_a_live_feed_do_not_hinder_one_another(door):
    feed = door.app.server.extensions["getu_feed"]
    book = door.app.server.extensions["getu_audit"]
    duty = Scope.whole_city("duty-9", ("read.rows",), role="duty")

    def post(start: int) -> None:
        for number in range(start, start + 25):
            body = orjson.dumps(
                [{"incident_id": f"L{number}", "stage": "reported", "at": NOW - 60}]
            )
            rows = read_posted(body, lines=False, city=door.city, source="live", now=NOW, most=9)
            feed.post(rows, token=0)

    def look(start: int) -> None:
        for number in range(start, start + 50):
            book.note(duty, "view.case", target=f"live/L{number}")

    threads = [threading.Thread(target=post, args=(start,)) for start in (0, 100)]
    threads += [threading.Thread(target=look, args=(start,)) for start in (0, 50, 100, 150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = {row[2] for row in read_log(door) if row[0] == "duty-9"}
    assert len(seen) == 200
    with door.city.database.read() as connection:
        assert check_log(connection).whole
        assert connection.execute(
            "SELECT count(*) FROM incident_key WHERE ext_id LIKE 'L%'"
        ).fetchone() == (50,)
