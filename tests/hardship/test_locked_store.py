"""
Promise: while another program keeps the store locked, readers go on, writers are told when to come
again, nothing acknowledged is lost, and all goes on by itself once the lock is gone.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from geodata.city import open_city
from geodata.store.database import BUSY_S
from tests.city import INCIDENT_COLUMNS, incident_rows, load_one, make_gridded_city, write_table
from tests.hardship.served_city import ServedCity
from tests.hardship.writers import add_token, event_of

QUICK_S = 3.0
LOCKED_S = [BUSY_S + 3, pytest.param(30, marks=pytest.mark.long)]
LOCKER = """
import sqlite3, sys, time
with sqlite3.connect(sys.argv[1], isolation_level=None) as store:
    store.execute("BEGIN IMMEDIATE")
    print("locked", flush=True)
    sys.stdin.readline()
    store.execute("ROLLBACK")
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedCity]:
    city = make_gridded_city(tmp_path / "city")
    load_one(city, "incidents", write_table(tmp_path / "a.csv", INCIDENT_COLUMNS, incident_rows(9)))
    started = ServedCity(city.folder, secret=add_token(city))
    yield started
    started.stop()


@contextmanager
def locking(folder: Path) -> Iterator[None]:
    """Let another process hold the writer's lock."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(folder / "getu.sqlite")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as locker:
        assert locker.stdin
        assert locker.stdout
        assert locker.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            locker.stdin.write("\n")
            locker.stdin.close()


def ids_in(folder: Path) -> set[str]:
    with open_city(folder).database.read() as connection:
        rows = connection.execute("SELECT ext_id FROM incident_key k JOIN event e USING (inc)")
        return {text for (text,) in rows}


@pytest.mark.parametrize("locked_s", LOCKED_S)
def test_readers_go_on_and_writers_are_told_when_to_come_again(served, locked_s):
    acknowledged: set[str] = set()
    refused = []
    assert served.post([event_of(0)]).status == 200
    acknowledged.add("L0")
    with locking(served.folder):
        until = time.monotonic() + locked_s
        number = 0
        while time.monotonic() < until:
            number += 1
            answer = served.post([event_of(number)])
            assert answer.status == 503
            assert answer.took_s < BUSY_S + QUICK_S
            assert int(answer.retry_after or 0) > 0
            told = answer.json()
            assert "Traceback" not in str(told)
            assert told
            refused.append(number)
            for path in ("/changes?since=0", "/healthz"):
                read = served.get(path)
                assert read.status == 200
                assert read.took_s < QUICK_S
    assert refused
    assert ids_in(served.folder) & {f"L{one}" for one in refused} == set()
    for one in refused:  # a source sends again what was refused
        assert served.post([event_of(one)]).status == 200
        acknowledged.add(f"L{one}")
    assert acknowledged <= ids_in(served.folder)
    with closing(served.folder.joinpath("getu.sqlite").open("rb")) as store:
        assert store.read(6) == b"SQLite"


def test_a_second_server_on_a_folder_says_so_and_the_first_goes_on(served):
    root = Path(__file__).resolve().parents[2]
    second = subprocess.run(
        [sys.executable, root / "app.py", "serve", "--city", served.folder, "--port", "0"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode != 0
    assert str(served.process.pid) in second.stderr
    assert "一个城市文件夹只能有一个服务" in second.stderr or "one server" in second.stderr
    assert "Traceback" not in second.stderr
    assert served.post([event_of(1)]).status == 200
    assert "L1" in ids_in(served.folder)
