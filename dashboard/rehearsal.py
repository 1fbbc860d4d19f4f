"""Rehearsal: what the first viewers will ask, asked before them, and never while one is waiting."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from dash import Dash

from dashboard.sessions import REHEARSAL
from layers.base_tile import MAXZOOM, MINZOOM
from layers.registry import LAYERS

_GROUND = ("grids", "areas")  # what every first map waits for, with the base map
# Any tile makes what all of its zoom are drawn from: the deepest have the buildings too.
_BASE, _BUILDINGS = (f"layers/base/{zoom}/0/0.mvt" for zoom in (MINZOOM, MAXZOOM))
_LAST = ("area/hot.json", "area/search.json?q=a")  # the index of buildings and roads, and of names
_QUIET_S = 0.75  # after the last answer: a page that is opening asks again sooner
_LONGEST_S = 30.0  # a busy server does not put it off for good
_LOOK_S = 0.05
_PATIENCE_S = 5.0  # for an answer nobody waits for
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Quiet:
    """The server's WSGI application, which knows whether somebody is waiting for an answer."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app
        self._waiting = 0
        self._answered_s = -_QUIET_S
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request; the rehearsal's own count as nobody's."""
        if REHEARSAL in environ:
            return self._app(environ, start_response)
        self._count(1)
        try:
            return self._app(environ, start_response)
        finally:
            self._count(-1)

    def _count(self, step: int) -> None:
        with self._lock:
            self._waiting += step
            self._answered_s = time.monotonic()

    @property
    def is_quiet(self) -> bool:
        """Tell whether nobody waits, nor has a moment ago."""
        with self._lock:
            return not self._waiting and time.monotonic() - self._answered_s >= _QUIET_S

    def wait(self, ended: threading.Event, *, most_s: float = _LONGEST_S) -> None:
        """Return once it is quiet, the server ends or so many seconds have passed."""
        until_s = time.monotonic() + most_s
        while not self.is_quiet and time.monotonic() < until_s:
            if ended.wait(_LOOK_S):
                return


class Rehearsal:
    """The questions that are asked aside, from when it is begun to when the server ends."""

    def __init__(self, app: Dash) -> None:
        """Take the place of the server's application, to see who is waiting."""
        self._app = app
        self._quiet = Quiet(app.server.wsgi_app)
        app.server.wsgi_app = self._quiet  # type: ignore[method-assign]
        self._ended = threading.Event()
        self._aside = threading.Thread(target=self._ask_aside, name="rehearsal", daemon=True)

    def begin(self) -> None:
        """Ask for the map's page, which reads the city; then for the rest aside."""
        self._ask("")
        self._aside.start()

    def end(self) -> None:
        """Ask no more; a server that ends waits a moment for what was asked, not for long."""
        self._ended.set()
        self._aside.join(_PATIENCE_S)

    def _ask_aside(self) -> None:
        """Ask for the ground at once, for what shows later only while nobody waits."""
        sources = [one for layer in LAYERS for one in (layer.source, *layer.more_sources)]
        whole = {one.name: one.url("0") for one in sources if not one.tiled}
        for path in (*(whole.pop(name) for name in _GROUND), _BASE):
            if self._ended.is_set():
                return
            self._ask(path)
        for path in (*whole.values(), _BUILDINGS, *_LAST):
            self._quiet.wait(self._ended)
            if self._ended.is_set():
                return
            self._ask(path)
        gc.freeze()  # as in `serve`

    def _ask(self, path: str) -> None:
        """Ask for a page below the base path as a browser would: answers are kept by that."""
        self._app.server.test_client().get(
            f"{self._app.config.requests_pathname_prefix}{path}",
            headers={"Accept-Encoding": "gzip, br"},
            environ_overrides={REHEARSAL: True},
        )
