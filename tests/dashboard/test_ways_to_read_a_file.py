"""Promise: a button that reads a file in another way sends what the press can read."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.data_systems import list_readings, pick_system
from geodata.city import City
from geodata.coordinates import parse_crs
from geodata.intake.looking import Looks
from geodata.intake.shelf import Shelf
from tests.city import CRS, NOW, SOUTH_M, WEST_M, make_gridded_city


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


def test_the_order_of_numbers_is_exchanged_in_a_system_written_out(city: City) -> None:
    """A system given as WKT has a name that nobody can read again: the button leaves it as set."""
    system = CRS.to_wkt("WKT1_GDAL").replace('"false_easting",500000', '"false_easting",600000')
    assert parse_crs(system).label != CRS.to_string()
    rows = [f"A{n},2026-05-01,{SOUTH_M + 100},{WEST_M + 100_000 + n}" for n in range(1, 60)]
    text = "\n".join(["案件编号,上报时间,a,b", *rows])
    shelf, looks = Shelf(city), Looks(city)
    files = [("a.csv", io.BytesIO(text.encode()))]
    upload = shelf.keep(files, kind="incidents", source="", account="a", now=NOW)
    upload = replace(upload, options={"crs": system, "mapping": {"lon": "a", "lat": "b"}})
    seen = looks.look_at(shelf.paths(upload), upload, now=NOW)
    (turned,) = [one for one in list_readings(seen, "en") if one.pick]
    assert turned.best
    pressed = replace(upload, options=pick_system(upload.options, turned.pick))
    again = looks.look_at(shelf.paths(pressed), pressed, now=NOW)
    assert pressed.options["crs"] == system
    assert again.outline is not None
    assert again.outline.outside[again.outline.declared] == 0
