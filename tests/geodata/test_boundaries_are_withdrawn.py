"""Promise: boundaries are withdrawn like any load, as if they had never come."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.server import INTAKE, make_app
from geodata.city import City, create_city
from geodata.errors import BadSetting
from geodata.events.withdrawal import withdraw_batch
from geodata.loading import load_files
from geodata.loading.request import LoadRequest
from geodata.plans.plan import make_plan
from geodata.snapshots.facts import load_facts
from geodata.store.dump import canonical_dump
from geodata.store.mappings import list_batches
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    community_features,
    grid_features,
    incident_rows,
    load_one,
    make_tiny_city,
    write_shapes,
    write_table,
)
from tests.planned_city import PLANNER


@pytest.fixture
def city(tmp_path: Path) -> City:
    return create_city(tmp_path / "city", {"name_zh": "小城"})


def newest(city: City) -> int:
    with city.database.read() as connection:
        return list_batches(connection, most=1)[0][0].batch


def state(city: City) -> tuple[str, str, list[tuple]]:
    """Return what readers see: the dump, the coordinate system, the drawing with its shapes."""
    with city.database.read() as connection:
        grids = connection.execute(
            "SELECT g.* FROM grid g JOIN drawing d USING (drawing)"
            " WHERE d.state IN ('in_force', 'draft') ORDER BY 1, 2"
        ).fetchall()
        return canonical_dump(connection), city.database.meta("crs"), grids


def test_each_load_of_boundaries_goes_as_it_came(city, tmp_path):
    steps, batches = [state(city)], []
    outer = write_shapes(tmp_path / "outer.geojson", community_features())
    inner = write_shapes(tmp_path / "inner.geojson", grid_features())
    cases = write_table(tmp_path / "cases.csv", INCIDENT_COLUMNS, incident_rows())
    for kind, file, how in (
        ("grids", outer, {"level": "community"}), ("incidents", cases, {}),
        ("grids", inner, {"level": "grid"}), ("grids", inner, {"level": "grid"}),
    ):  # fmt: skip
        load_one(city, kind, file, **how)
        steps.append(state(city))
        batches.append(newest(city))
    with pytest.raises(BadSetting) as refused:
        withdraw_batch(city, batches[0], now=NOW)
    assert refused.value.faults[0].key == "batch_level_later"
    assert state(city) == steps.pop()
    while batches:
        withdraw_batch(city, batches.pop(), now=NOW)
        assert state(city) == steps.pop()
    assert city.crs_text == ""
    again = load_one(city, "grids", outer, level="community", crs="EPSG:4326")
    assert again.accepted == 3
    assert load_facts(city, now=NOW).grids.grids["uid"].min() > 12  # no uid is given twice


def test_boundaries_go_again_though_their_batch_has_the_number_of_one_that_went(city, tmp_path):
    inner = write_shapes(tmp_path / "inner.geojson", grid_features())
    numbers = []
    for _ in range(2):
        load_one(city, "grids", inner, level="grid")
        assert city.grids_in_force(NOW) is not None
        numbers.append(newest(city))
        withdraw_batch(city, numbers[-1], now=NOW)
        assert city.grids_in_force(NOW) is None
    assert numbers[0] == numbers[1]  # else this tries nothing


def test_boundaries_that_an_open_plan_starts_from_stay(tmp_path):
    city = make_tiny_city(tmp_path / "city")
    make_plan(city, PLANNER, name="a", now=NOW)
    with city.database.read() as connection:
        loads = list_batches(connection, most=50)[0]
    (first,) = (one.batch for one in loads if one.what == "grids")
    before = state(city)
    with pytest.raises(BadSetting) as refused:
        withdraw_batch(city, first, now=NOW)
    assert refused.value.faults[0].key == "batch_drawing_followed"
    assert state(city) == before


@pytest.mark.parametrize("kind", ["grids", "incidents"])
def test_a_first_load_that_is_stopped_chooses_no_coordinate_system(city, tmp_path, kind):
    before = state(city)
    file = (
        write_shapes(tmp_path / "outer.geojson", community_features())
        if kind == "grids"
        else write_table(tmp_path / "cases.csv", INCIDENT_COLUMNS, incident_rows())
    )
    last = {"grids": ("progress.grids", 0.0), "incidents": ("progress.derive", 0.0)}[kind]

    def stop(step: str, share: float) -> None:
        if (step, share) == last:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_files(city, kind, [file], LoadRequest(now=NOW, level=None), progress=stop)
    assert state(city) == before
    assert before[1] == ""


def test_the_page_withdraws_the_first_boundaries_and_takes_better_ones(city, tmp_path):
    load_one(city, "grids", write_shapes(tmp_path / "g.geojson", grid_features()), level="grid")
    server = make_app(City(city.folder), now=lambda: NOW).server
    client = server.test_client()
    assert client.get("/?lang=zh").status_code == 200
    assert "g.geojson" in client.get("/data?lang=zh").get_data(as_text=True)
    answer = client.post(f"/data/batch/{newest(city)}/withdraw?lang=zh")
    assert (answer.status_code, city.database.meta("crs")) == (303, "")
    assert "g.geojson" not in client.get("/data?lang=zh").get_data(as_text=True)
    assert client.get("/?lang=zh").status_code == 200
    load_one(city, "grids", write_shapes(tmp_path / "b.geojson", grid_features()), level="grid")
    assert "b.geojson" in client.get("/data?lang=zh").get_data(as_text=True)

    server.extensions[INTAKE].close()
