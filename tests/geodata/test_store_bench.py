"""Promise: the store's benchmark says true things of a small city, and leaves nothing behind."""

from __future__ import annotations

from bench.histories import Histories
from bench.store import run_store


def test_every_work_of_the_store_comes_to_the_right_answer(tmp_path):
    rows = run_store(events=4_000, folder=tmp_path)
    assert len(rows) >= 11
    assert all(row["equal"] for row in rows), [row["case"] for row in rows if not row["equal"]]
    assert all("load" in row["note"] for row in rows)
    assert not list(tmp_path.iterdir())


def test_made_up_histories_are_the_same_each_time_and_tell_of_every_incident():
    one, other = (Histories(incidents=500) for _ in range(2))
    parts = list(zip(one.parts(), other.parts(), strict=True))
    assert all((a.hash == b.hash).all() and a.ids.texts == b.ids.texts for a, b in parts)
    assert len({text for part, _ in parts for text in part.ids.texts}) == 500
    twice = sum(len(part) for part, _ in parts) - len(
        set().union(*(a.hash.tolist() for a, _ in parts))
    )
    assert twice == 0  # a second content has another hash
