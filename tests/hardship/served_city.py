"""A city served by a real `app.py serve` in a process of its own, to be hurt from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOST, START_S = "127.0.0.1", 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: its status, its body, and how long it took."""

    status: int
    body: bytes
    took_s: float
    retry_after: str | None = None

    def json(self) -> Any:
        return json.loads(self.body)


class ServedCity:
    """Starts a server on a free port and talks to it."""

    def __init__(self, folder: Path, *, secret: str = "") -> None:
        self.folder = folder
        self._secret = secret
        with socket.create_server((HOST, 0)) as free:
            self.port = free.getsockname()[1]
        port = str(self.port)
        self._log = folder.with_name(f"{folder.name}-server.txt")
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "app.py", "serve", "--city", folder, "--port", port],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self._await_start()

    def _await_start(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said()
            try:
                if self.get("/changes?since=0").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.said()}")

    def said(self) -> str:
        """Return what the server wrote."""
        return self._log.read_text("utf-8", "replace")

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, events: Any) -> Answer:
        """Post events as the source whose secret this is."""
        return self._ask("POST", "/api/events", json.dumps(events))

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        started = time.monotonic()
        headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=60)) as connection:
            connection.request(method, path, body, headers if body else {})
            answer = connection.getresponse()
            raw = answer.read()
        return Answer(
            status=answer.status,
            body=raw,
            took_s=time.monotonic() - started,
            retry_after=answer.getheader("Retry-After"),
        )

    def memory_bytes(self) -> int:
        """Return the resident memory of the server."""
        text = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """Return how many files and sockets the server holds."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it as an operator does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
