"""Nobody uses up the server: not by asking fast, nor much at once, nor by sending slowly."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from flask import Response

from dashboard import connections
from dashboard.guard import guarded
from dashboard.limits import LIMITS, Limits
from dashboard.server import MAX_BODY_BYTES, make_app, serve
from geodata.city import City
from geodata.errors import TooMany
from geodata.settings import Settings
from tests.conftest import ROOT
from tests.dashboard.callers import CALLBACKS
from tests.dashboard.door_city import Door

SLOW = 60
ASKED = 20
PATIENCE_S = 30


# --- fast ----------------------------------------------------------------------------------------


def test_a_bucket_fills_again_by_the_second():
    at = [0.0]
    limits = Limits(Settings(requests_per_s=10, requests_burst=20), clock=lambda: at[0])
    for _ in range(20):
        limits.admit("a")
    with pytest.raises(TooMany):
        limits.admit("a")
    limits.admit("b")
    at[0] += 1
    for _ in range(10):
        limits.admit("a")
    with pytest.raises(TooMany):
        limits.admit("a")


def test_who_asks_too_fast_is_told_when_to_come_back_and_others_go_on(tiny, tmp_path):
    door = Door(tiny, tmp_path / "city", requests_per_s=1, requests_burst=5)
    door.add("fast")
    door.add("calm")
    fast, calm = door.client("fast"), door.client("calm")
    answers = [fast.get("/changes") for _ in range(8)]
    assert [answer.status_code for answer in answers[:4]] == [200] * 4
    last = answers[-1]
    assert last.status_code == 429
    assert last.mimetype == "text/plain"
    assert int(last.headers["Retry-After"]) >= 1
    assert calm.get("/changes").status_code == 200
    for _ in range(8):
        stranger = door.client().get("/changes").status_code
    assert stranger == 429
    assert door.client(address="10.0.0.5").get("/changes").status_code == 401


def test_one_account_never_has_every_thread(tiny, tmp_path):
    door = Door(tiny, tmp_path / "city", requests_at_once=2)
    door.add("greedy")
    door.add("modest")
    held, go = threading.Semaphore(0), threading.Event()

    @guarded("read")
    def wait() -> Response:
        held.release()
        go.wait(PATIENCE_S)
        return Response("done")

    door.app.server.add_url_rule("/wait", "wait", wait)
    clients = [door.client("greedy") for _ in range(3)]
    answers: list[int] = []

    def ask_and_wait(client: Any) -> None:
        answers.append(client.get("/wait").status_code)

    threads = [threading.Thread(target=ask_and_wait, args=(client,)) for client in clients[:2]]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert held.acquire(timeout=PATIENCE_S)
    refused = clients[2].get("/changes")
    assert refused.status_code == 429
    assert "Retry-After" in refused.headers
    assert door.client("modest").get("/changes").status_code == 200
    go.set()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert clients[2].get("/changes").status_code == 200


def test_a_request_that_fails_gives_its_place_back(tiny, tmp_path, monkeypatch):
    door = Door(tiny, tmp_path / "city", requests_at_once=2)
    door.add("greedy")

    @guarded("read")
    def fail() -> Response:
        raise RuntimeError("a defect")

    door.app.server.add_url_rule("/fail", "fail", fail)
    client = door.client("greedy")
    for _ in range(4):
        assert client.get("/fail").status_code == 500
    assert client.get("/changes").status_code == 200


def test_only_so_many_exports_are_made_at_a_time(monkeypatch):
    monkeypatch.setattr("dashboard.limits._EXPORT_WAIT_S", 0.01)
    limits = Limits(Settings(exports_at_once=2), clock=time.monotonic)
    with limits.exporting(), limits.exporting(), pytest.raises(TooMany), limits.exporting():
        pass
    with limits.exporting():
        pass


def test_a_route_that_needs_export_waits_for_its_turn(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("dashboard.limits._EXPORT_WAIT_S", 0.01)
    app = make_app(tiny)
    app.server.add_url_rule("/out", "out", guarded("export", logs="")(lambda: Response("a file")))
    limits: Limits = app.server.extensions[LIMITS]
    client = app.server.test_client()
    assert client.get("/out").status_code == 200
    with limits.exporting(), limits.exporting():
        assert client.get("/out").status_code == 429


def test_each_route_takes_bodies_of_its_own_size_and_strangers_send_little(tiny, tmp_path):
    door = Door(tiny, tmp_path / "city")
    door.add("duty-1")
    client, stranger = door.client("duty-1"), door.client()
    sizes = {
        (client, CALLBACKS): MAX_BODY_BYTES,
        (client, "/password"): 8_000,
        (stranger, "/sign-in"): 8_000,
    }
    for (who, path), most in sizes.items():
        answer = who.post(path, data=b"x" * (most + 1), content_type=type_of(path))
        assert answer.status_code == 413, path
    assert stranger.post(CALLBACKS, data=b"x" * 3_000_000).status_code == 401


def type_of(path: str) -> str:
    return "application/json" if path == CALLBACKS else "application/x-www-form-urlencoded"


# --- slow ----------------------------------------------------------------------------------------


@pytest.fixture
def real(tiny: City, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve the tiny city as `app.py serve` does, in a thread; answer its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made: list[Any] = []
    real_make = connections.make_server

    def make_and_keep(*args: Any, **named: Any) -> Any:
        made.append(real_make(*args, **named))
        return made[0]

    monkeypatch.setattr("dashboard.server.make_server", make_and_keep)
    app = make_app(tiny)
    options = {"host": "127.0.0.1", "port": port, "threads": 8}
    thread = threading.Thread(target=serve, args=(app,), kwargs=options, daemon=True)
    thread.start()
    wait_for(port)
    yield port
    server = made[0]
    server.trigger.pull_trigger(lambda: connections.close_all(server))
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    server.task_dispatcher.shutdown()


def wait_for(port: int) -> None:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(port)


def ask(port: int) -> float:
    """Ask for a picture; return the milliseconds it took."""
    began = time.perf_counter()
    with urlopen(f"http://127.0.0.1:{port}/layers/grids.geojson", timeout=PATIENCE_S) as answer:
        assert answer.status == 200
        answer.read()
    return 1000 * (time.perf_counter() - began)


POST = b"POST /sign-in HTTP/1.1\r\nHost: x\r\n"
HALVES = {
    "no header ends": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "the body never comes": POST + b"Content-Length: 4000\r\n\r\nname=",
    "chunks never end": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
}

# By its length alone it would have 80 s more than others.
LARGE = POST + b"Content-Length: 40000000\r\n\r\nname="


@pytest.mark.parametrize("half", HALVES)
def test_sixty_half_open_sockets_keep_nobody_waiting(real, half):
    ask(real)
    calm = statistics.median(ask(real) for _ in range(ASKED))
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", real)))
                for _ in range(SLOW)]  # fmt: skip
        for one in slow:
            one.sendall(HALVES[half])
        times = []
        for n in range(ASKED):
            for one in slow[n % 3 :: 3]:
                one.sendall(b"1")  # they are alive, a byte at a time
            times.append(ask(real))
    late = statistics.median(times)
    print(f"{calm:.1f} ms alone, {late:.1f} ms beside {SLOW}, load {os.getloadavg()[0]:.2f}")
    assert late < max(3 * calm, 100)
    assert max(times) < 1_500


@pytest.mark.parametrize("half", [*HALVES, "a large file never comes"])
def test_a_request_that_never_ends_is_let_go_though_bytes_drip(real, monkeypatch, half):
    monkeypatch.setattr("dashboard.connections.REQUEST_S", 1)
    with socket.create_connection(("127.0.0.1", real)) as slow:
        slow.settimeout(0.2)
        slow.sendall({**HALVES, "a large file never comes": LARGE}[half])
        assert drips_until_closed(slow, seconds=20)


def drips_until_closed(slow: socket.socket, *, seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            slow.sendall(b"1")
            if slow.recv(100) == b"":
                return True
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return True
    return False


def test_one_address_has_at_most_half_of_the_connections(tiny: City, tmp_path: Path):
    door = Door(tiny, tmp_path / "city", connections=20)
    server = connections.make_server(
        door.app.server, door.city.settings, host="127.0.0.1", port=0, threads=2, largest_body=1000
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    port = int(server.effective_port)
    with ExitStack() as stack:
        for _ in range(15):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        time.sleep(0.5)
        assert len(server.active_channels) <= 10
    server.trigger.pull_trigger(lambda: connections.close_all(server))
    thread.join(PATIENCE_S)
    server.task_dispatcher.shutdown()


# --- keys ----------------------------------------------------------------------------------------


def test_a_key_that_others_may_read_stops_the_server(tiny: City, tmp_path: Path):
    door = Door(tiny, tmp_path / "city")
    key = door.city.folder / "demo.key"
    key.write_text("00" * 32)
    key.chmod(0o644)
    ran = subprocess.run(
        [sys.executable, "app.py", "serve", "--city", str(door.city.folder), "--port", "0"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode != 0
    assert "demo.key" in ran.stderr
    assert "Traceback" not in ran.stderr
