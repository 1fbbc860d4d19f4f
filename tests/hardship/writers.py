"""Programs that write to a city until they are done or killed, and say what was acknowledged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import orjson

from geodata.access.scope import Scope
from geodata.access.source_tokens import change_tokens
from geodata.city import City, open_city, writing
from geodata.desk.acts import Wish, decide
from geodata.events.feed import Feed
from geodata.events.withdrawal import withdraw_batch
from geodata.intake.watched import Watch
from geodata.loading.posted_events import read_posted
from geodata.plans.publish import publish_plan, roll_back
from geodata.plans.workshop import Workshop
from geodata.store.plans import APPROVED, list_plans
from tests.city import NOW, middle
from tests.planned_city import APPROVER, TODAY

SOURCE = "hotline"
POSTS, EVENTS_A_POST = 25, 8
DESK = Scope.whole_city("duty-1", ("read", "read.rows", "act", "decide"))


@contextmanager
def acknowledging(path: str) -> Iterator[int]:
    """Open the file of acknowledgements: a line in it was promised to somebody."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield opened
    os.close(opened)


def event_of(number: int, *, stage: str = "reported") -> dict[str, object]:
    """Return one event as a source posts it."""
    lon, lat = middle(number % 3, number // 3 % 3)
    return {"incident_id": f"L{number}", "stage": stage, "at": NOW - 600, "lon": lon, "lat": lat}


def post_events(argv: list[str]) -> int:
    """Post events to the feed, each post acknowledged by the ids it held."""
    folder, acknowledgements, first = argv
    city = open_city(Path(folder))
    (token,) = _tokens(city)
    feed = Feed(city, now=lambda: NOW)
    with acknowledging(acknowledgements) as opened:
        for post in range(POSTS):
            start = int(first) + post * EVENTS_A_POST
            events = [event_of(number) for number in range(start, start + EVENTS_A_POST)]
            rows = read_posted(
                orjson.dumps(events), lines=False, city=city, source=SOURCE, now=NOW, most=1_000
            )
            feed.post(rows, token=token)
            os.write(opened, "".join(f"{one['incident_id']}\n" for one in events).encode())
    feed.close()
    return 0


def _tokens(city: City) -> list[int]:
    with city.database.read() as connection:
        found = connection.execute("SELECT token FROM token").fetchall()
    return [int(token) for (token,) in found[:1]]


def add_token(city: City) -> str:
    """Let the source of these tests in; return its secret."""
    return str(change_tokens(city.folder, "add", SOURCE, now=NOW).secret)


def decide_owners(argv: list[str]) -> int:
    """Give one incident after the other an owner by hand, each acknowledged by its id."""
    folder, acknowledgements, first = argv
    city = open_city(Path(folder))
    system = city.grids_in_force(NOW)
    assert system is not None
    grids = np.sort(system.finest()["uid"].to_numpy())
    with acknowledging(acknowledgements) as opened:
        for number in range(int(first), 40):
            wish = Wish(
                source="a",
                incident_id=f"A{number:04d}",
                what="owner",
                reason="现场核实",
                seen=city.database.revision(),
                grid=int(grids[number % len(grids)]),
            )
            decide(city, DESK, wish, now=NOW)
            os.write(opened, f"A{number:04d}\n".encode())
    return 0


def withdraw(argv: list[str]) -> int:
    """Withdraw the newest visible batch of incidents that came from a file of this name."""
    folder, file = argv
    city = open_city(Path(folder))
    with city.database.read() as connection:
        found = connection.execute(
            "SELECT max(batch) FROM batch WHERE file = ? AND state = 1", (file,)
        ).fetchone()[0]
    if found is not None:
        with writing(city):
            withdraw_batch(city, int(found), now=NOW)
    return 0


def watch(argv: list[str]) -> int:
    """Take what lies in the watched folder, as the server does."""
    city = open_city(Path(argv[0]))
    times = iter(range(0, 1_000_000, 1_000))
    watched = Watch(city, clock=lambda: next(times))
    watched.look(now=NOW)
    watched.look(now=NOW)
    return 0


def take_back(argv: list[str]) -> int:
    """Bring the first drawing back, at once; do nothing where it has come back."""
    city = open_city(Path(argv[0]))
    with city.database.read() as connection:
        plan = list_plans(connection)[0]
    if plan.start == plan.base:
        roll_back(city, APPROVER, plan.base, effective=TODAY, reason="试行无效", now=NOW + 60)
    return 0


def publish(argv: list[str]) -> int:
    """Publish the newest plan, which is approved, at once; do nothing where it is in force."""
    city = open_city(Path(argv[0]))
    with city.database.read() as connection:
        plan = list_plans(connection)[0]
    if plan.state == APPROVED:
        publish_plan(city, APPROVER, plan.plan, workshop=Workshop(city), now=NOW)
    return 0
