"""Promise: a load that is told to end takes back what it wrote, and says so."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from geodata.city import City
from tests.city import (
    INCIDENT_COLUMNS,
    incident_rows,
    load_one,
    make_gridded_city,
    stored_state,
    write_table,
)
from tests.cli.processes import Nursery

ROWS = 30_000


def written(city: City) -> int:
    """Return how many batches no reader sees yet."""
    with city.database.read() as connection:
        return connection.execute("SELECT count(*) FROM batch_part").fetchone()[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_a_load_told_to_end_leaves_the_city_as_it_was(tmp_path: Path, nursery: Nursery, number):
    city = make_gridded_city(tmp_path / "city")
    first = write_table(tmp_path / "first.csv", INCIDENT_COLUMNS, incident_rows(40))
    load_one(city, "incidents", first)
    some = incident_rows(100, seed=2)
    rows = ([f"B{n:06d}", *some[n % len(some)][1:]] for n in range(ROWS))
    cases = write_table(tmp_path / "cases.csv", INCIDENT_COLUMNS, rows)
    before, parts = stored_state(city), written(city)
    pid = nursery.start("load", "incidents", cases, "--city", city.folder, "--source", "big")
    deadline = time.monotonic() + 300
    while written(city) == parts and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(pid, number)
    run = nursery.wait()
    assert run.code == 130, run.said
    assert "没有留下任何内容" in run.out or "Nothing stays" in run.out, run.said
    assert stored_state(city) == before
