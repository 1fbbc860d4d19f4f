"""Promise: playback shows each report in its frames, and only what is over."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from geodata.access.scope import Scope
from geodata.access.sight import SightKeeper
from geodata.snapshots.facts import FactsKeeper
from geodata.wall.film import HOUR_S, REELS, cut_film, make_film
from tests.city import NOW, local_text, make_gridded_city, middle

ZONE = "Asia/Shanghai"
ALL = Scope.whole_city("wall-1", ("read", "read.rows"), role="wall")


@pytest.mark.parametrize("name", REELS)
def test_frames_follow_each_other_and_end_with_what_is_over(name):
    end = int(datetime(2026, 3, 4, 7, 30, tzinfo=UTC).timestamp())  # half past three in the city
    edges = cut_film(name, end=end, zone=ZONE)
    reel = REELS[name]
    assert len(edges) == reel.frames + reel.window
    assert len({late - early for early, late in pairwise(edges)}) == 1
    assert edges[-1] <= end < edges[-1] + (edges[1] - edges[0])


def test_a_year_of_clock_changes_has_all_its_weeks():
    end = int(datetime(2026, 3, 30, 12, tzinfo=UTC).timestamp())
    edges = cut_film("year", end=end, zone="Europe/London")
    hours = {(late - early) // HOUR_S for early, late in pairwise(edges)}
    assert hours == {167, 168, 169}


def test_every_report_of_a_window_is_in_its_grid(tmp_path):
    from tests.city import load_one, write_table  # noqa: PLC0415

    city = make_gridded_city(tmp_path / "city")
    ages_h = (1, 1, 2, 5, 8, 30)
    rows = [
        [f"E{k}", *middle(0 if k % 2 else 2, 0), local_text(NOW - age * HOUR_S)]
        for k, age in enumerate(ages_h)
    ]
    file = write_table(tmp_path / "e.csv", ("incident_id", "lon", "lat", "reported_at"), rows)
    load_one(city, "incidents", file)
    facts = FactsKeeper(city).current(NOW)
    assert facts is not None
    sight = SightKeeper().narrow(facts, ALL, now=NOW)
    edges = cut_film("day", end=NOW + 1, zone=ZONE)
    film = make_film(sight, "day", edges=edges)
    ages = (edges[-1] - sight.snapshot.reported_at) / HOUR_S
    assert sum(film.reported) == ((ages > 0) & (ages <= 24)).sum() == 5
    assert film.counts[-1].sum() == ((ages > 0) & (ages <= 6)).sum()
    assert film.counts.shape == (24, len(sight.grids.finest()))
    assert np.count_nonzero(film.counts.any(axis=0)) == 2
    assert sum(film.closed) == 0
