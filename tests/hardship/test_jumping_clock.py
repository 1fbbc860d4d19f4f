"""Promise: a clock that jumps back an hour or on by a day while served breaks and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.server import FEED
from geodata.access.source_tokens import change_tokens
from geodata.events.rebuild import rebuild
from tests.city import INCIDENT_COLUMNS, NOW, incident_rows, load_one, make_tiny_city, write_table
from tests.dashboard.door_city import Door
from tests.hardship.writers import event_of

HOUR_S, DAY_S = 3_600, 86_400
PAGES = {"administrator": ("/", "/data"), "duty": ("/desk/",), "auditor": ("/audit",)}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(make_tiny_city(tmp_path / "made"), tmp_path / "city")
    for role in PAGES:
        made.add(role, role=role)
    yield made
    made.app.server.extensions[FEED].close()


def story(number: int, stage: str, at: int) -> dict[str, Any]:
    return {**event_of(number, stage=stage), "at": at}


@pytest.mark.parametrize("jumps", [(0, -HOUR_S, 0), (0, DAY_S, -DAY_S, 2 * DAY_S)], ids=str)
def test_events_sessions_and_pages_outlive_a_jump(door, jumps, tmp_path):
    secret = str(change_tokens(door.city.folder, "add", "hotline", now=NOW).secret)
    source = door.app.server.test_client()
    clients = {role: door.client(role) for role in PAGES}
    posted: set[str] = set()
    revisions = []
    for turn, jump in enumerate(jumps):
        door.clock.now = NOW + jump
        for number, stage in ((turn, "reported"), (turn - 1, "closed")):
            if number < 0:
                continue
            answer = source.post(
                "/api/events",
                json=[story(number, stage, door.clock.now - 60)],
                headers={"Authorization": f"Bearer {secret}"},
            )
            assert answer.status_code == 200, answer.get_data(as_text=True)
            posted.add(f"L{number}")
        rows = incident_rows(3, seed=turn)
        file = write_table(tmp_path / f"{turn}.csv", INCIDENT_COLUMNS, rows)
        load_one(door.city, "incidents", file, source=f"file{turn}", now=door.clock.now)
        for role, page in [(role, page) for role, pages in PAGES.items() for page in pages]:
            answer = clients[role].get(page)
            if answer.status_code in {302, 303, 401}:  # a day on, everybody signs in again
                assert abs(jump) >= DAY_S
                clients[role] = door.client(role)
                answer = clients[role].get(page)
            assert answer.status_code == 200, (page, jump)
        revisions.append(clients["auditor"].get("/changes?since=0").json["revision"])
    assert revisions == sorted(set(revisions))  # a poller never goes back
    with door.city.database.read() as connection:
        known = {row[0] for row in connection.execute("SELECT ext_id FROM incident_key")}
    assert posted <= known
    assert rebuild(door.city, now=door.clock.now).equal
