"""Promise: a server answers its first page before it has read what only other pages need."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from dashboard.server import make_app, rehearse
from geodata.snapshots import facts as facts_module
from geodata.snapshots import tables
from geodata.snapshots.facts import FactsKeeper
from tests.city import NOW, make_tiny_city

ROOT = Path(__file__).resolve().parents[2]
# Each takes a tenth of a second or more to import, and serves what few ask for.
HEAVY = ("pypinyin", "folium", "matplotlib", "dask", "distributed")


def test_nothing_heavy_is_imported_for_what_few_ask():
    say = f"import sys, dashboard.server; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", say], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_first_page_reads_neither_cameras_nor_places(tmp_path, monkeypatch):
    city = make_tiny_city(tmp_path / "city")
    kept = []
    load = facts_module.load_facts

    def watch(*args, **named):
        kept.append(load(*args, **named))
        return kept[-1]

    monkeypatch.setattr(facts_module, "load_facts", watch)
    app = make_app(city, now=lambda: NOW)
    answer = app.server.test_client().get("/")
    assert answer.status_code == 200
    app.server.test_client().get("/_dash-layout")
    assert kept
    assert not any(later.is_made for facts in kept for later in facts.points.values())
    rehearse(app)
    for thread in threading.enumerate():
        if thread.name == "rehearsal":
            thread.join(60)
            assert not thread.is_alive()
    assert kept[-1].points["cameras"].is_made
    assert kept[-1].points["places"].is_made


def test_all_that_stands_somewhere_shares_one_index(tmp_path, monkeypatch):
    city = make_tiny_city(tmp_path / "city")
    built = []
    build = tables.index_of

    def count(system):
        built.append(system)
        return build(system)

    monkeypatch.setattr(tables, "index_of", count)
    facts = FactsKeeper(city).current(NOW)
    found = {name: len(facts.find_points(name)) for name in tables.THINGS}
    assert found["cameras"]
    assert found["places"]
    assert len(built) == 1
