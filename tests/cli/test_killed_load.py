"""Promise: whatever moment a load is killed at, all of it is there or nothing, and all is sound."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from geodata.city import City, open_city
from geodata.store.database import read_revision
from geodata.store.dump import canonical_dump
from geodata.store.records import count_records
from tests.city import (
    INCIDENT_COLUMNS,
    incident_rows,
    load_one,
    make_gridded_city,
    middle,
    write_table,
)
from tests.cli.processes import Nursery

KILLS = 15
ROWS = 1_500
CAMERAS = 12_000  # two transactions


def state(city: City) -> tuple[str, int, int]:
    """What readers see: events and incidents, revision, cameras; and the file is sound."""
    with city.database.read() as connection:
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        cameras = count_records(connection).get("cameras", 0)
        return canonical_dump(connection), read_revision(connection), cameras


def left_over(city: City) -> dict[str, int]:
    """Rows that belong to no visible batch, or to nothing at all."""
    questions = {
        "batch": "SELECT count(*) FROM batch WHERE state <> 1",
        "event": "SELECT count(*) FROM event WHERE batch NOT IN (SELECT batch FROM batch)",
        "record": "SELECT count(*) FROM record WHERE batch NOT IN (SELECT batch FROM batch)",
        "payload": "SELECT count(*) FROM payload p WHERE NOT EXISTS"
        " (SELECT 1 FROM event e WHERE e.inc = p.inc AND e.hash = p.hash)",
        "key": "SELECT count(*) FROM incident_key k WHERE NOT EXISTS"
        " (SELECT 1 FROM event e WHERE e.inc = k.inc)",
        "incident": "SELECT count(*) FROM incident i WHERE NOT EXISTS"
        " (SELECT 1 FROM incident_key k WHERE k.inc = i.inc)",
    }
    with city.database.read() as connection:
        return {name: connection.execute(text).fetchone()[0] for name, text in questions.items()}


def test_a_load_killed_at_any_moment_is_whole_or_not_there(tmp_path: Path, nursery: Nursery):
    city = make_gridded_city(tmp_path / "city")
    first = write_table(tmp_path / "first.csv", INCIDENT_COLUMNS, incident_rows(40))
    load_one(city, "incidents", first)
    cases = write_table(tmp_path / "cases.csv", INCIDENT_COLUMNS, incident_rows(ROWS, seed=2))
    camera_rows = [[f"K{n}", *middle(n % 3, n % 2)] for n in range(CAMERAS)]
    cameras = write_table(tmp_path / "cameras.csv", ("camera_id", "lon", "lat"), camera_rows)
    orders = [("incidents", cases), ("cameras", cameras)]
    chance = random.Random(20_260_601)

    took: dict[str, float] = {}
    outcomes = {"nothing": 0, "everything": 0}
    after = state(city)
    for number in range(KILLS + len(orders)):
        kind, file = orders[number % 2]
        before = after
        started = time.perf_counter()
        pid = nursery.start("load", kind, file, "--city", city.folder, "--source", f"round{number}")
        if kind in took:
            time.sleep(chance.uniform(0, took[kind]))
            os.kill(pid, signal.SIGKILL)
        run = nursery.wait()
        if kind not in took:  # the first of each kind runs through: so long it takes
            assert run.code == 0, run.said
            took[kind] = time.perf_counter() - started
        after = state(open_city(city.folder))
        if run.code == 0 or after[1] > before[1]:
            outcomes["everything"] += 1
            assert after[1] == before[1] + 1
            assert after != before
            assert after[2] in (before[2], CAMERAS)
        else:
            outcomes["nothing"] += 1
            assert run.code == -signal.SIGKILL
            assert after == before

    # The next load clears what the killed ones left, and adds its own.
    assert nursery.run("load", "incidents", first, "--city", city.folder).code == 0
    assert not any(left_over(city).values()), left_over(city)
    assert not [path for path in city.folder.rglob("*") if path.name.endswith(".part")]
    assert outcomes["nothing"] >= KILLS // 3, (outcomes, took)
