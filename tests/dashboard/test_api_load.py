"""Promise: 50 events a second are taken quickly, and a kill loses nothing that was acknowledged."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard.server import FEED, make_app
from geodata.access.source_tokens import change_tokens
from geodata.city import City, open_city
from geodata.events.derive import derive_incidents
from geodata.store.dump import canonical_dump
from tests.city import NOW, make_tiny_city, middle

ROOT = Path(__file__).resolve().parents[2]
EVENTS_A_SECOND, SECONDS, SENDERS = 50, 20, 10
P95_S = 0.25
EVENTS_A_POST = 7
START_S = 60


class Sender:
    """One source's connection, kept open between posts."""

    def __init__(self, port: int, secret: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def post(self, events: Any) -> tuple[int, dict[str, Any]]:
        self._connection.request("POST", "/api/events", json.dumps(events), self._headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._connection.close()


def event(number: str, *, now: int, lon: float, lat: float) -> dict[str, Any]:
    return {"incident_id": number, "stage": "reported", "at": now - 60, "lon": lon, "lat": lat}


@pytest.fixture
def fed(gaoshan, tmp_path) -> City:
    """Return a copy of the smallest demo city: the others' pages must not see what is posted."""
    shutil.copytree(gaoshan.folder, tmp_path / "fed", ignore=shutil.ignore_patterns("*.lock"))
    return City(tmp_path / "fed")


def test_fifty_events_a_second_are_each_taken_within_a_quarter_second(fed, served):
    lon, lat = (gaoshan_bounds(fed)[i] for i in (0, 1))
    secret = change_tokens(fed.folder, "add", "sensors", now=NOW).secret
    app = make_app(fed)
    port = int(served(app).rsplit(":", 1)[1])
    took: list[float] = []
    wrong: list[int] = []

    def send(number: int) -> None:
        sender = Sender(port, secret)
        begin = time.monotonic()
        every = SENDERS / EVENTS_A_SECOND
        for turn in range(SECONDS * EVENTS_A_SECOND // SENDERS):
            # Open loop: the next post is due when it is due, and waiting for it counts.
            due = begin + (turn + number / SENDERS) * every
            time.sleep(max(due - time.monotonic(), 0))
            body = event(f"P{number}-{turn}", now=int(time.time()), lon=lon, lat=lat)
            status, _ = sender.post(body)
            took.append(time.monotonic() - due)
            if status != 200:
                wrong.append(status)
        sender.close()

    warm = Sender(port, secret)  # the first post reads the drawing and builds its index
    assert warm.post(event("warm", now=int(time.time()), lon=lon, lat=lat))[0] == 200
    warm.close()
    load = os.getloadavg()[0]
    threads = [threading.Thread(target=send, args=(n,)) for n in range(SENDERS)]
    busy_s, begin = time.process_time(), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    busy = (time.process_time() - busy_s) / (time.monotonic() - begin)
    app.server.extensions[FEED].close()
    p50, p95, worst = np.percentile(took, [50, 95, 100])
    print(f"n={len(took)} p50={p50:.3f} p95={p95:.3f} max={worst:.3f} s, cores={busy:.2f}",
          f"load={os.getloadavg()}")  # fmt: skip
    assert not wrong
    assert len(took) == EVENTS_A_SECOND * SECONDS
    # A bar in seconds holds on a quiet machine; on a busy one only that nothing was lost.
    assert p95 <= P95_S or load > (os.cpu_count() or 1), f"p95 {p95:.3f} s, load {load:.1f} before"


def gaoshan_bounds(city: City) -> tuple[float, float]:
    system = city.grids_in_force(NOW)
    assert system is not None
    place = system.finest().to_crs(4326).geometry.iloc[0].representative_point()
    return place.x, place.y


@pytest.fixture
def tiny_own(tmp_path: Path) -> City:
    return make_tiny_city(tmp_path / "city")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(city: City) -> tuple[subprocess.Popen[bytes], int]:
    """Start `app.py serve` and wait until it answers."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py"), "serve", "--city", str(city.folder),
         "--port", str(port)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return process, port
        except OSError:
            time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError("the server did not start")


def kill_while_posting(city: City, secret: str, turn: int, delay_s: float) -> tuple[set, set]:
    """Post until the server is killed; return (posts acknowledged, posts sent)."""
    process, port = start(city)
    acknowledged: set[str] = set()
    sent: set[str] = set()

    def send(number: int) -> None:
        sender = Sender(port, secret)
        lon, lat = middle(number % 3, 1)
        try:
            for place in range(100_000):
                name = f"{turn}-{number}-{place}"
                sent.add(name)
                now = int(time.time())
                body = [
                    event(f"{name}.{i}", now=now, lon=lon, lat=lat) for i in range(EVENTS_A_POST)
                ]
                if sender.post(body)[0] == 200:
                    acknowledged.add(name)
        except (OSError, http.client.HTTPException):
            pass  # the kill
        finally:
            sender.close()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for thread in threads:
        thread.join()
    return acknowledged, sent


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.long)])
def test_a_killed_server_loses_nothing_acknowledged_and_keeps_no_half_post(tiny_own, kills):
    secret = change_tokens(tiny_own.folder, "add", "stream", now=NOW).secret
    rng = np.random.default_rng(3)
    acknowledged: set[str] = set()
    sent: set[str] = set()
    for turn in range(kills):
        took, tried = kill_while_posting(tiny_own, secret, turn, float(rng.uniform(1.0, 2.0)))
        acknowledged |= took
        sent |= tried
        with open_city(tiny_own.folder).database.read() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            rows = connection.execute(
                "SELECT k.ext_id, i.inc FROM incident_key k JOIN event e ON e.inc = k.inc"
                " LEFT JOIN incident i ON i.inc = k.inc WHERE k.ext_id LIKE '%-%-%.%'"
            ).fetchall()
        assert all(inc is not None for _, inc in rows), "an event without its incident"
        found: dict[str, int] = {}
        for name, _ in rows:
            key = name.rpartition(".")[0]
            found[key] = found.get(key, 0) + 1
        assert acknowledged <= set(found), "an acknowledged post is lost"
        assert set(found) <= sent
        assert set(found.values()) <= {EVENTS_A_POST}, "half a post"
    print(f"kills={kills} posts acknowledged={len(acknowledged)} sent={len(sent)}")
    assert len(acknowledged) > kills
    with tiny_own.database.read() as connection:
        live = canonical_dump(connection)
    derive_incidents(tiny_own, now=int(time.time()))
    with tiny_own.database.read() as connection:
        assert canonical_dump(connection) == live
