"""Promise: fifty posting sources do not stop a screen, and a flooding one stops no other."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from waitress import wasyncore

from dashboard.connections import make_server
from dashboard.server import FEED, make_app
from geodata.access.source_tokens import change_tokens
from geodata.city import City
from tests.city import NOW, make_tiny_city, middle

SOURCES, HELD_S, ANSWER_S = 50, 3.0, 1.0
HOST = "127.0.0.1"


def ask(port: int, method: str, path: str, body: Any = None, secret: str = "") -> Any:
    """Return (status, Retry-After, seconds) of one request on a connection of its own."""
    started = time.monotonic()
    with closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connection.request(method, path, body and json.dumps(body), headers if secret else {})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Retry-After"), time.monotonic() - started


def post(port: int, secret: str, events: Any) -> Any:
    return ask(port, "POST", "/api/events", events, secret)


def look(port: int) -> float:
    status, _, took = ask(port, "GET", "/changes?since=0")
    assert status in (200, 204)
    return took


def event(number: str) -> dict[str, Any]:
    lon, lat = middle(1, 1)
    return {"incident_id": number, "stage": "reported", "at": NOW - 60, "lon": lon, "lat": lat}


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_tiny_city(tmp_path / "city")


@pytest.fixture
def port(city):
    app = make_app(city, now=lambda: NOW)
    settings = city.settings
    server = make_server(
        app.server, settings, host=HOST, port=0,
        threads=settings.server_threads + settings.api_waiting, largest_body=10_000_000,
    )  # fmt: skip
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
    thread.join(10)
    server.task_dispatcher.shutdown()
    app.server.extensions[FEED].close()


def test_fifty_waiting_sources_leave_screens_their_threads(city, port):
    secrets = [change_tokens(city.folder, "add", f"s{n}", now=NOW).secret for n in range(SOURCES)]
    look(port)
    post(port, secrets[0], event("warm"))
    answers: Counter[int] = Counter()
    took: list[float] = []
    lock = threading.Lock()

    def send(number: int) -> None:
        for _ in range(60):
            status, wait, _ = post(port, secrets[number], event(f"P{number}"))
            with lock:
                answers[status] += 1
            if status == 200:
                return
            assert wait is not None
            time.sleep(float(wait))

    threads = [threading.Thread(target=send, args=(n,)) for n in range(SOURCES)]
    with city.database.transaction():  # the disk of a busy day: no commit comes through
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        while time.monotonic() - begin < HELD_S:
            took.append(look(port))
            time.sleep(0.02)
    for thread in threads:
        thread.join()
    print(f"{dict(answers)} looks={len(took)} worst={max(took):.3f} s load={os.getloadavg()}")
    assert answers[200] == SOURCES
    assert answers[503] > 0
    assert set(answers) == {200, 503}
    assert max(took) < ANSWER_S or os.getloadavg()[0] > 2 * (os.cpu_count() or 1)


def test_a_flooding_source_is_told_to_wait_and_another_is_heard(city, port):
    flood = change_tokens(city.folder, "add", "flood", now=NOW).secret
    calm = change_tokens(city.folder, "add", "calm", now=NOW).secret
    body = [event(f"F{n}") for n in range(city.settings.api_events)]
    answers = [post(port, flood, body) for _ in range(4)]
    assert [status for status, *_ in answers[:2]] == [200, 200]
    assert answers[-1][0] == 429
    assert int(answers[-1][1]) > 0
    status, _, took = post(port, calm, event("C1"))
    assert status == 200
    print(f"beside a flood: {took:.3f} s, load={os.getloadavg()}")


def test_the_client_of_the_docs_pushes_until_it_is_taken(city, port):
    page = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    secret = change_tokens(city.folder, "add", "docs", now=NOW).secret
    command = [sys.executable, "-c", script, f"http://{HOST}:{port}/api/events", str(secret)]
    lines = "\n".join(json.dumps(event(f"D{n}")) for n in range(3))
    with city.database.transaction():  # busy at first: it comes again
        running = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert running.stdin is not None
        running.stdin.write(lines.encode())
        running.stdin.close()
        running.stdin = None
        time.sleep(6)
    out, errors = running.communicate(timeout=60)
    assert b"'accepted': 3" in out, errors
    bad = subprocess.run(command, input=b'{"stage":"lost"}', capture_output=True, check=False)
    assert bad.returncode == 1
    assert b"refused (422)" in bad.stderr
