"""Promise: what is kept for later requests never takes more memory than the city allows."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from geodata.access.scope import ROWS, Scope
from geodata.access.sight import narrow_facts, sort_facts
from geodata.city import open_city
from geodata.snapshots.byte_cache import ENTRY_BYTES, ByteCache, measure_answer
from geodata.snapshots.facts import FactsKeeper, load_facts
from geodata.snapshots.snapshot import Filter
from tests.city import INCIDENT_COLUMNS, NOW, incident_rows, load_one, make_tiny_city, write_table

BUDGET_BYTES = 1_000_000  # the least that a city can be given
INCIDENTS = 12_000


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    made = make_tiny_city(tmp_path_factory.mktemp("budget") / "city")
    rows = [[f"M{row[0]}", *row[1:]] for row in incident_rows(INCIDENTS, seed=5)]
    load_one(made, "incidents", write_table(made.folder / "more.csv", INCIDENT_COLUMNS, rows))
    made.settings = replace(made.settings, answers_mb=1)
    return made


def ask(facts, day):
    """Ask as a slider does that is moved by a day: a mask of a byte a row."""
    return facts.select(Filter(since=day * 86_400), NOW)


def test_masks_of_every_scope_share_one_budget_and_the_last_used_stay(city):
    facts = load_facts(city, now=NOW)
    every = frozenset({"read", ROWS})
    some = frozenset(facts.grids.finest()["uid"].astype(int).tolist()[:2])
    cells = sort_facts(facts, NOW)
    sights = [
        facts,
        narrow_facts(facts, Scope(account="a", grids=None, permissions=every), cells=cells),
        narrow_facts(facts, Scope(account="b", grids=some, permissions=every), cells=cells),
    ]
    cache = facts._answers
    assert cache.limit_bytes == BUDGET_BYTES
    kept = ask(facts, 1)
    for day in range(100, 200):
        for sight in sights:
            assert len(ask(sight, day)) == sight.snapshot.n
            assert cache.used_bytes <= BUDGET_BYTES
        assert ask(facts, 1) is kept  # in use: it stays
    assert cache.used_bytes > BUDGET_BYTES / 2
    first = ask(sights[1], 100)
    assert first is not ask(facts, 100)  # another's answers are not taken for one's own
    assert (first == ask(facts, 100)).all()


def test_who_sees_nothing_shares_nothing_with_who_sees_all(city):
    facts = load_facts(city, now=NOW)
    cells = sort_facts(facts, NOW)
    read = frozenset({"read"})
    everything, nothing = (
        narrow_facts(facts, Scope(account="a", grids=grids, permissions=read), cells=cells)
        for grids in (None, frozenset())
    )
    assert everything.version != nothing.version


def test_answers_of_an_older_revision_take_no_memory(tmp_path, city):
    made = make_tiny_city(tmp_path / "city")
    keeper = FactsKeeper(open_city(made.folder))
    old = keeper.current(NOW)
    ask(old, 1)
    assert old._answers.used_bytes > ENTRY_BYTES
    rows = write_table(tmp_path / "one.csv", INCIDENT_COLUMNS, [["NEW", *incident_rows(1)[0][1:]]])
    load_one(made, "incidents", rows)
    new = keeper.current(NOW)
    assert new is not old
    assert old._answers.used_bytes == 0
    assert len(ask(old, 1)) == old.snapshot.n  # who still reads them is answered


def test_an_answer_is_measured_by_what_it_holds():
    column = np.zeros(1_000, np.int64)
    assert measure_answer(column) == 8_000
    assert 16_000 < measure_answer({"a": column, "b": [column]}) < 17_000
    assert measure_answer([column] * 500) == pytest.approx(500 * 8_000, rel=0.01)
    assert measure_answer("text") < 100


def test_an_answer_that_takes_long_to_measure_is_still_made_once():
    made, begin = [], threading.Barrier(8)

    def measure(_: object) -> int:
        time.sleep(0.02)
        return 1

    cache = ByteCache(limit_bytes=BUDGET_BYTES, measure=measure)

    def ask_once(_: int) -> object:
        begin.wait()
        return cache.get("key", lambda: made.append(1) or "answer")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask_once, range(8))) == {"answer"}
    assert len(made) == 1
