"""Promise: a large upload is read and loaded in a process of its own, and its end harms nobody."""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import python_calamine

from geodata.city import City
from geodata.intake.jobs import IntakeJobs, Job
from geodata.intake.looking import Looks, Preview
from geodata.intake.shelf import Shelf, Upload
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    incident_rows,
    make_tiny_city,
    stored_state,
    write_table,
)

ROWS = 20_000
_PATIENCE_S = 300


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_tiny_city(tmp_path / "city")


def bring(city: City, folder: Path, n: int) -> Upload:
    some = incident_rows(100, seed=2)
    rows = ([f"B{i:06d}", *some[i % len(some)][1:]] for i in range(n))
    table = write_table(folder / "cases.csv", INCIDENT_COLUMNS, rows)
    files = [("cases.csv", io.BytesIO(table.read_bytes()))]
    return Shelf(city).keep(files, kind="incidents", source="s", account="clerk", now=NOW)


def open_jobs(city: City, *, apart: bool = True) -> IntakeJobs:
    own = City(city.folder)
    object.__setattr__(own.settings, "upload_apart_mb", 0 if apart else 2_000)
    return IntakeJobs(own, Shelf(city), now=lambda: NOW)


def wait_until(done) -> None:
    until_s = time.monotonic() + _PATIENCE_S
    while not done():
        assert time.monotonic() < until_s, "it never came"
        time.sleep(0.01)


def load(jobs: IntakeJobs, upload: Upload) -> Job:
    jobs.start(upload, dry_run=False)
    wait_until(lambda: not jobs.find(upload.id).busy)
    return jobs.find(upload.id)


def test_a_load_apart_says_and_does_what_a_load_in_the_server_does(tmp_path):
    found = []
    for apart in (False, True):
        city = make_tiny_city(tmp_path / f"city-{apart}")
        upload = bring(city, tmp_path, 200)
        with closing(open_jobs(city, apart=apart)) as jobs:
            job = load(jobs, upload)
        found.append((job.state, job.outcome, stored_state(city)))
    assert found[0] == found[1]
    assert found[0][0] == "done"


def test_a_look_apart_shows_what_a_look_in_the_server_shows(city, tmp_path):
    upload = bring(city, tmp_path, 200)
    here = Looks(city).look_at(Shelf(city).paths(upload), upload, now=NOW)
    looks, seen = Looks(city), []
    with closing(open_jobs(city)) as jobs:
        wait_until(lambda: seen.append(jobs.look(upload, looks)) or isinstance(seen[-1], Preview))
        again = jobs.look(upload, looks)
    assert again is seen[-1]  # kept: no process was started for it
    assert (again.rows, again.columns, again.first_rows) == (200, here.columns, here.first_rows)
    assert np.array_equal(again.points, here.points)


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_a_load_apart_that_ends_early_leaves_the_city_as_it_was(city, tmp_path, end):
    upload = bring(city, tmp_path, ROWS)
    before = stored_state(city)
    with closing(open_jobs(city)) as jobs:
        jobs.start(upload, dry_run=False)
        wait_until(lambda: jobs.find(upload.id).step == "progress.append")
        if end == "stopped":
            jobs.cancel(upload)
        else:
            (child,) = (one for one in multiprocessing.active_children() if one.name == "intake")
            os.kill(child.pid, signal.SIGKILL)
        wait_until(lambda: not jobs.find(upload.id).busy)
        job = jobs.find(upload.id)
    keys = [fault.key for fault in job.faults]
    expected = ("cancelled", []) if end == "stopped" else ("refused", ["intake_lost"])
    assert (job.state, keys) == expected
    assert stored_state(city) == before


_SERVER = """
import sys
from pathlib import Path
from tests.geodata.test_large_uploads_stay_apart import City, Shelf, load, open_jobs
if __name__ == "__main__":
    city = City(Path(sys.argv[1]))
    load(open_jobs(city), Shelf(city).find(sys.argv[2], account="clerk"))
"""


@pytest.mark.long
def test_a_load_whose_server_is_killed_takes_back_what_it_wrote(city, tmp_path):
    upload = bring(city, tmp_path, ROWS)
    before = stored_state(city)
    script = tmp_path / "server.py"
    script.write_text(_SERVER, "utf-8")
    root = Path(__file__).parents[2]
    server = subprocess.Popen(
        [sys.executable, str(script), str(city.folder), upload.id],
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    wait_until(lambda: stored_state(city)[2][-1] > before[2][-1])
    server.kill()
    server.wait()
    wait_until(lambda: stored_state(city) == before)
    assert stored_state(city) == before


def test_the_reading_of_a_table_tells_how_far_it_is(tmp_path):
    city = make_tiny_city(tmp_path / "city")
    upload, heard = bring(city, tmp_path, 200), []
    Looks(city).look_at(
        Shelf(city).paths(upload),
        upload,
        now=NOW,
        progress=lambda _step, share: heard.append(share),
    )
    assert heard == sorted(heard)
    assert 0 < heard[0] < heard[-1] < 1


def test_what_was_refused_stays_in_a_file_and_comes_back_as_a_workbook(tmp_path):
    city = make_tiny_city(tmp_path / "city")
    upload = bring(city, tmp_path, 200)
    (path,) = Shelf(city).paths(upload)
    lines = path.read_text("utf-8").splitlines()
    spoilt = [line.replace("2026-", "20x6-") for line in lines[1:151]]
    path.write_text("\n".join([lines[0], *spoilt, *lines[151:]]), "utf-8")
    with closing(open_jobs(city)) as jobs:
        job = load(jobs, upload)
        book = jobs.refused_book(upload, "zh")
    assert (job.state, job.outcome.refused) == ("done", 150)
    assert len(pickle.dumps(job)) < 20_000  # nothing in it grows with the rows
    (sheet,) = python_calamine.load_workbook(io.BytesIO(book)).sheet_names
    told = python_calamine.load_workbook(io.BytesIO(book)).get_sheet_by_name(sheet).to_python()
    assert [row[0] for row in told[1:]] == list(range(1, 151))
    assert "时间无法识别" in told[1][1]
    assert "2026-03-05" in told[1][1]
