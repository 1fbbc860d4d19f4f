"""
Promise: a server killed in the middle of an upgrade leaves the old store or the new one, and the
next start ends the work and serves.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from geodata.store import database
from geodata.store.schema import STEPS
from tests.city import make_empty_city
from tests.hardship.served_city import ROOT, ServedCity

OLD_STEP, TERMS = 3, 60_000
KILLS = [2, pytest.param(50, marks=pytest.mark.long)]
SEEN_EACH_S = 0.001


@pytest.fixture(scope="module")
def old_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a city that a program of three steps made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "STEPS", STEPS[:OLD_STEP])
        city = make_empty_city(tmp_path_factory.mktemp("old") / "city")
        with city.database.transaction() as connection:
            rows = [("kind", f"小类{n}") for n in range(TERMS)]
            connection.executemany("INSERT INTO term (sort, text) VALUES (?, ?)", rows)
    return city.folder


def state_of(store: Path) -> tuple[int, int]:
    """Return the step of a store and its terms, once SQLite has found it sound."""
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (step,) = connection.execute("PRAGMA user_version").fetchone()
        (terms,) = connection.execute("SELECT count(*) FROM term WHERE sort = 'kind'").fetchone()
    return step, terms


def upgrade_and_kill(folder: Path, *, after: int) -> None:
    """Start a server and kill it when so many bytes of the upgrade lie in the folder."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "app.py", "serve", "--city", folder, "--port", "0"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        written = [*folder.glob("*.part"), *folder.glob("getu-step*"), *folder.glob("*-wal")]
        if sum(one.stat().st_size for one in written if one.exists()) >= after:
            break
        time.sleep(SEEN_EACH_S)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("kills", KILLS)
def test_a_start_after_a_killed_upgrade_ends_it_and_serves(old_city, tmp_path, kills):
    store = old_city / "getu.sqlite"
    size = store.stat().st_size
    for number in range(kills):
        folder = tmp_path / f"city{number}"
        shutil.copytree(old_city, folder)
        upgrade_and_kill(folder, after=1 + size * number // kills)
        step, terms = state_of(folder / "getu.sqlite")
        assert step in (OLD_STEP, len(STEPS)), number
        assert terms == TERMS
        if number % 2 == 0:
            served = ServedCity(folder)
            try:
                assert served.get("/healthz").status == 200
            finally:
                served.stop()
            assert state_of(folder / "getu.sqlite") == (len(STEPS), TERMS)
            kept = folder / f"getu-step{OLD_STEP}.sqlite"
            assert state_of(kept) == (OLD_STEP, TERMS)
            assert list(folder.glob("*.part")) == []
        shutil.rmtree(folder)
