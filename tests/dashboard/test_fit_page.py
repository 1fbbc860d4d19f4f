"""Control points typed on a page give the text by which a file of a city's own system loads."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

from dashboard.server import INTAKE, make_app
from geodata.coordinates import to_metric
from geodata.coordinates.conversion import lonlat_crs
from geodata.snapshots.facts import load_facts
from tests.city import CRS, INCIDENT_COLUMNS, NOW, load_one, lonlat, make_gridded_city, write_table

CORNERS = [(10, 10), (590, 15), (580, 585), (20, 570), (300, 310)]
OWN = (-499_000.0, -3_599_000.0)


@pytest.fixture
def city(tmp_path):
    return make_gridded_city(tmp_path / "city")


@pytest.fixture
def client(city):
    server = make_app(city, now=lambda: NOW).server
    yield server.test_client()
    server.extensions[INTAKE].close()


def own(east, north):
    lon, lat = lonlat(east, north)
    x, y = to_metric(np.array([lon]), np.array([lat]), lonlat_crs(), CRS)
    return float(x[0]) + OWN[0], float(y[0]) + OWN[1]


def lines():
    return "\n".join(
        f"G{n} {own(*place)[0]:.3f} {own(*place)[1]:.3f} {lonlat(*place)[0]} {lonlat(*place)[1]}"
        for n, place in enumerate(CORNERS)
    )


def test_a_fitted_system_loads_a_file_where_it_belongs(city, client, tmp_path):
    page = client.post("/fit?lang=zh", data={"points": lines()}).get_data(as_text=True)
    text = html.unescape(re.search(r'class="secret">([^<]+)<', page)[1])
    assert "残差" in page
    x, y = own(500, 500)
    row = ["A1", "2026-05-29 10:00", "积水", f"{x:.3f}", f"{y:.3f}", *[""] * 5]
    file = write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, [row])
    load_one(city, "incidents", file, crs=text, mapping={"lon": "lon", "lat": "lat"})
    facts = load_facts(city, now=NOW)
    finest = facts.grids.finest()
    assert finest["code"].iloc[facts.snapshot.owner[0]] == "321012001003003"


def test_what_was_typed_wrong_is_said_by_line_and_stays_on_the_page(client):
    answer = client.post("/fit?lang=zh", data={"points": lines() + "\nG9 一 二 三 四"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "G9 一 二 三 四" in page
    assert "第 6 行" in page
