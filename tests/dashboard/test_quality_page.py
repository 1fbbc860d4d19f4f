"""The page of quality says to each account what it may know of sources, silence and books."""

from __future__ import annotations

import pytest

from dashboard.server import INTAKE
from tests.city import NOW, grid_code, load_one, middle, write_table
from tests.dashboard.door_city import Door

COLUMNS = ("incident_id", "reported_at", "kind", "lon", "lat", "recorded_grid")


@pytest.fixture(scope="module")
def door(tiny, tmp_path_factory) -> Door:
    door = Door(tiny, tmp_path_factory.mktemp("quality") / "city")
    door.add_every_role()
    door.add("narrow", role="staff", areas=("321012001003",))
    rows = [["Q1", "2026-05-30 10:00", "积水", *middle(0, 0), grid_code(2, 2)]]
    load_one(
        door.city, "incidents", write_table(door.city.folder / "q.csv", COLUMNS, rows),
        source="热线", now=NOW,
    )  # fmt: skip
    yield door
    door.app.server.extensions[INTAKE].close()


def page(door: Door, name: str, path: str = "/quality") -> str:
    answer = door.client(name).get(f"{path}?lang=zh")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_who_loads_sees_rows_of_files_and_who_sees_cases_where_they_lie(door):
    duty, clerk, analyst = (page(door, name) for name in ("duty", "clerk", "analyst"))
    assert "热线" in duty
    assert "无主" in duty
    assert "退回行" not in duty
    assert "退回行" in clerk
    assert "无主</th>" not in clerk
    assert "退回行" not in analyst
    assert "静默网格" not in analyst


def test_a_case_booked_elsewhere_waits_for_who_may_see_it(door):
    path = "/quality/owners"
    told = page(door, "duty", path)
    assert "Q1" in told
    assert grid_code(2, 2) in told
    assert "/desk/?" in told
    assert "Q1" not in page(door, "narrow", path)
    assert door.client("clerk").get(path).status_code == 403
    with door.city.database.read() as connection:
        acts = connection.execute(
            "SELECT account, n FROM audit WHERE act = 'view.booked'"
        ).fetchall()
    assert ("duty", 1) in acts
