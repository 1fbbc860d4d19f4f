"""Promise: what appears in the watched folder is loaded once and whole, or refused with reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from geodata.city import City, create_city, open_city, writing
from geodata.errors import BadSetting, Busy
from geodata.intake.watched import Watch, Watcher, clean_name, find_folder
from tests.city import EPSG, INCIDENT_COLUMNS, NOW, incident_rows, make_tiny_city, write_table

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Inbox:
    """A city with a watched folder, and a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.city = make_tiny_city(folder / "city")
        object.__setattr__(self.city.settings, "watched_folder", str(folder / "inbox"))
        self.folder = folder / "inbox"
        self.clock = Clock()
        self.watch = Watch(self.city, clock=self.clock)

    def put(self, place: str, *, seed: int = 5, n: int = 6) -> Path:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_table(path, INCIDENT_COLUMNS, incident_rows(n, seed=seed))

    def look(self, *, wait_s: float = 6):
        handled = self.watch.look(now=NOW)
        self.clock.now += wait_s
        return handled + self.watch.look(now=NOW)

    def left(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*")
                      if not path.is_dir())  # fmt: skip

    def incidents(self, source: str) -> int:
        with self.city.database.read() as connection:
            return int(
                connection.execute(
                    "SELECT count(*) FROM incident i JOIN term t ON t.term = i.source"
                    " WHERE t.text = ?",
                    (source,),
                ).fetchone()[0]
            )

    def batches(self) -> int:
        with self.city.database.read() as connection:
            return int(connection.execute("SELECT count(*) FROM batch").fetchone()[0])


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def test_a_file_is_loaded_as_its_folders_say_and_put_away_with_its_report(inbox):
    inbox.put("incidents/hotline/day1.csv")
    (one,) = inbox.look()
    assert one.taken
    assert inbox.left() == [
        "done/incidents/hotline/day1.csv", "done/incidents/hotline/day1.csv.report.json",
    ]  # fmt: skip
    report = json.loads((inbox.folder / inbox.left()[1]).read_text("utf-8"))
    assert (report["accepted"], report["refused"], report["at"]) == (6, 0, NOW)
    assert inbox.incidents("hotline") == 6


def test_a_file_that_still_grows_waits(inbox):
    path = inbox.put("incidents/hotline/growing.csv")
    assert inbox.watch.look(now=NOW) == []
    for _ in range(3):
        inbox.clock.now += 4
        with path.open("a") as file:
            file.write("\n")
        assert inbox.watch.look(now=NOW) == []
        assert inbox.watch.waiting() == 1
    inbox.clock.now += 4
    assert inbox.watch.look(now=NOW) == []
    inbox.clock.now += 4
    assert len(inbox.watch.look(now=NOW)) == 1


def test_a_bad_file_is_refused_whole_with_its_sentences(inbox):
    path = inbox.folder / "incidents" / "bad.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    before = inbox.batches()
    (one,) = inbox.look()
    assert not one.taken
    assert inbox.left() == ["refused/incidents/bad.csv", "refused/incidents/bad.csv.report.json"]
    report = json.loads((inbox.folder / inbox.left()[1]).read_text("utf-8"))
    assert report["accepted"] == 0
    assert all(fault["cause"] and fault["remedy"] for fault in report["faults"])
    assert inbox.batches() == before


def test_a_file_may_be_as_large_as_an_upload_and_no_larger(inbox):
    object.__setattr__(inbox.city.settings, "upload_mb", 1)
    small, large = (inbox.put(f"incidents/hotline/{name}.csv") for name in ("small", "large"))
    with small.open("a") as file:
        file.write("\n" * 900_000)
    with large.open("a") as file:
        file.write("\n" * 1_100_000)
    taken = {one.name: (one.taken, str(one.report["faults"])) for one in inbox.look()}
    assert taken["small.csv"][0]
    assert not taken["large.csv"][0]
    assert "1 MB" in taken["large.csv"][1]


def test_the_same_content_is_loaded_once_whatever_its_name(inbox):
    inbox.put("incidents/hotline/day1.csv")
    inbox.look()
    before = inbox.batches()
    inbox.put("incidents/hotline/day1.csv")
    inbox.put("incidents/hotline/again.csv")
    handled = inbox.look()
    assert [one.taken for one in handled] == [True, True]
    assert all(one.report["notes"] for one in handled)
    assert inbox.batches() == before
    assert "done/incidents/hotline/day1-2.csv" in inbox.left()
    # Another source may well send the same.
    inbox.put("incidents/patrol/day1.csv")
    inbox.look()
    assert (inbox.incidents("hotline"), inbox.incidents("patrol")) == (6, 6)


def test_records_may_go_back_to_an_older_state(inbox):
    columns = ("id", "kind", "name", "lon", "lat")
    first, second = ([["P1", "school", name, 120.0, 32.5]] for name in ("旧", "新"))
    for rows in (first, second, first, first):
        write_table(inbox.folder / "places" / "p.csv", columns, rows)
        assert inbox.look()[0].taken
    with inbox.city.database.read() as connection:
        names = connection.execute(
            "SELECT data FROM record WHERE sort = 'places' AND id = 'P1' ORDER BY batch DESC"
        ).fetchall()
    assert len(names) == 4  # the tiny city's own and three changes
    assert "旧" in names[0][0]


def test_links_and_pipes_are_never_opened(inbox, tmp_path):
    secret = tmp_path / "secret.csv"
    write_table(secret, INCIDENT_COLUMNS, incident_rows(3))
    (inbox.folder / "incidents" / "link.csv").symlink_to(secret)
    os.mkfifo(inbox.folder / "events" / "pipe.csv")
    outside = tmp_path / "outside"
    outside.mkdir()
    write_table(outside / "far.csv", INCIDENT_COLUMNS, incident_rows(3))
    (inbox.folder / "incidents" / "folder").symlink_to(outside)
    handled = inbox.look()
    assert {one.name: one.taken for one in handled} == {
        "link.csv": False, "pipe.csv": False, "folder": False,
    }  # fmt: skip
    assert {one.report["faults"][0]["key"] for one in handled} == {"watched_link"}
    assert secret.exists()
    assert (outside / "far.csv").exists()


def test_hostile_names_come_through_and_stay_inside(inbox):
    hostile = ["网格 1.csv", "-rf.csv", "a\nb.csv", "x" * 240 + ".csv", "=cmd().csv", "%00.csv",
               "..csv", "a\u202egpj.csv"]  # fmt: skip
    for number, name in enumerate(hostile):
        inbox.put(f"incidents/s{number}/{name}", seed=number)
    raw = os.fsencode(inbox.folder / "incidents" / "bytes") + b"\xff\xfe.csv"
    Path(os.fsdecode(raw)).write_bytes(inbox.put("incidents/x/y.csv", seed=77).read_bytes())
    (inbox.folder / "incidents" / ("坏\u200b" * 40)).mkdir()
    inbox.put(f"incidents/{'坏' * 70}/z.csv", seed=78)
    handled = inbox.look()
    refused = [one.name for one in handled if not one.taken]
    assert refused == ["z.csv"]  # no source has a name of 70 letters
    assert len(handled) == len(hostile) + 2  # "..csv" is hidden; y.csv, its twin and z.csv are not
    for one in handled:
        assert one.kept.resolve().is_relative_to(inbox.folder.resolve())
        assert one.kept.name.isprintable()
        assert one.kept.with_name(one.kept.name + ".report.json").exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [("a.csv", "a.csv"), ("../x.csv", ".._x.csv"), ("a\nb.csv", "a_b.csv"), ("\udcff.csv", "?.csv"),
     ("con:1.csv", "con_1.csv"), ("", "_"), ("a" * 300 + ".geojson", "a" * 92 + ".geojson")],
)  # fmt: skip
def test_a_name_is_cleaned_and_keeps_its_ending(name, kept):
    assert clean_name(name).replace("?", "_") == kept.replace("?", "_").lstrip(".")


def test_what_is_unfinished_unknown_or_elsewhere_is_left_alone(inbox):
    for place in ("incidents/a.csv.part", "incidents/.hidden.csv", "loose.csv", "cats/a.csv",
                  "grids/g.csv", "incidents/s/deep/er.csv"):  # fmt: skip
        inbox.put(place)
    before = inbox.left()
    assert inbox.look() == []
    assert inbox.left() == before


def test_another_load_at_work_makes_it_wait_and_lose_nothing(inbox):
    inbox.put("incidents/hotline/day1.csv")
    inbox.watch.look(now=NOW)
    inbox.clock.now += 6
    with writing(inbox.city), pytest.raises(Busy):
        inbox.watch.look(now=NOW)
    assert inbox.left() == [".loading/incidents/hotline/day1.csv"]
    assert len(inbox.watch.look(now=NOW)) == 1
    assert inbox.incidents("hotline") == 6


def test_a_kill_after_the_load_loads_nothing_twice(inbox, monkeypatch):
    inbox.put("incidents/hotline/day1.csv")
    monkeypatch.setattr(Path, "rename", killed_at("done", Path.rename))
    with pytest.raises(KeyboardInterrupt):
        inbox.look()
    monkeypatch.undo()
    batches = inbox.batches()
    assert inbox.left() == [
        ".loading/incidents/hotline/day1.csv", "done/incidents/hotline/day1.csv.report.json",
    ]  # fmt: skip
    (one,) = Watch(inbox.city, clock=inbox.clock).look(now=NOW)
    assert one.taken
    assert inbox.batches() == batches
    report = json.loads((inbox.folder / "done/incidents/hotline/day1.csv.report.json").read_text())
    assert report["accepted"] == 6  # what the load itself said, not that it was known


def killed_at(part: str, rename):
    def renamed(self: Path, target: Path) -> Path:
        if part in Path(target).parts:
            raise KeyboardInterrupt
        return rename(self, target)

    return renamed


def test_a_folder_that_holds_the_city_or_none_is_refused(tmp_path):
    city = create_city(tmp_path / "city", {"crs": f"EPSG:{EPSG}"})
    for text in ("", ".", "..", str(tmp_path)):
        object.__setattr__(city.settings, "watched_folder", text)
        with pytest.raises(BadSetting):
            find_folder(city)
    object.__setattr__(city.settings, "watched_folder", "inbox")
    assert find_folder(city) == (tmp_path / "city" / "inbox").absolute()


def test_the_server_looks_by_itself(inbox):
    object.__setattr__(inbox.city.settings, "watched_settle_s", 0)
    object.__setattr__(inbox.city.settings, "watched_every_s", 0.05)
    watcher = Watcher(inbox.city, now=lambda: NOW)
    watcher.start()
    try:
        inbox.put("incidents/hotline/day1.csv")
        deadline = time.monotonic() + 20
        while len(inbox.left()) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        watcher.stop()
    assert inbox.incidents("hotline") == 6


@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.long)])
def test_kill_9_at_any_instant_loses_nothing_and_loads_nothing_twice(tmp_path, kills):
    city = make_watched_city(tmp_path)
    rng = np.random.default_rng(11)
    files = 0
    for _ in range(kills):
        for _ in range(2):
            files += 1
            rows = [[f"k{files}-{row[0]}", *row[1:]] for row in incident_rows(40, seed=files)]
            write_table(tmp_path / "inbox" / "incidents" / "hot" / f"{files}.csv",
                        INCIDENT_COLUMNS, rows)  # fmt: skip
        process = start_watch(city)
        time.sleep(float(rng.uniform(0.8, 3.0)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        with open_city(city.folder).database.read() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    last = start_watch(city)
    assert last.wait(120) == 0
    with city.database.read() as connection:
        (found,) = connection.execute("SELECT count(*) FROM incident").fetchone()
        (batches,) = connection.execute("SELECT count(*) FROM batch WHERE rows > 0").fetchone()
    assert (found, batches) == (files * 40, files)
    kept = sorted(path.name for path in (tmp_path / "inbox" / "done").rglob("*.csv"))
    assert kept == sorted(f"{number}.csv" for number in range(1, files + 1))


def make_watched_city(folder: Path) -> City:
    city = create_city(
        folder / "city",
        {"crs": f"EPSG:{EPSG}", "watched_folder": str(folder / "inbox"), "watched_settle_s": 0},
    )
    (folder / "inbox" / "incidents" / "hot").mkdir(parents=True)
    return city


def start_watch(city: City) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "app.py"), "watch", "--once", "--city", str(city.folder)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
