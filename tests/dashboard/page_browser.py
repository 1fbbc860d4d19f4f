"""The whole page in a browser: what a test does on it, and every byte its server sends."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.conftest import start_server

TILE_PX = 512
POLL_S = 0.03
QUIET_S = 0.25  # no call under way for so long: the page has nothing more to ask
HOPELESS_S = 3.0
SIZE = {"width": 1366, "height": 768}


@dataclass(frozen=True, slots=True)
class Sent:
    """One answer as it left the server: `size` counts its body, compressed as sent."""

    path: str
    query: str
    status: int
    size: int
    coding: str
    kind: str
    told: str  # for a callback: the outputs it wrote

    @property
    def is_geometry(self) -> bool:
        return self.path.endswith((".geojson", ".mvt"))


class PageServer:
    """A page's server on a port of its own that can be stopped and started again."""

    def __init__(self, app: Any) -> None:
        self.wsgi = getattr(app, "server", app)
        self.sent: list[Sent] = []
        self.port = 0
        self.start()

    def start(self) -> None:
        self.address, self.stop = start_server(self._record, port=self.port)
        self.port = int(self.address.rpartition(":")[2])

    def _record(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[Any]:
        started: dict[str, Any] = {}
        told = _read_call(environ)

        def note_start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            started.update(status=int(status[:3]), headers=dict(headers))
            return start_response(status, headers, error)

        answer = self.wsgi(environ, note_start)
        try:
            body = b"".join(answer)
        finally:
            getattr(answer, "close", lambda: None)()
        headers = started["headers"]
        self.sent.append(
            Sent(
                path=environ["PATH_INFO"],
                query=environ.get("QUERY_STRING", ""),
                status=started["status"],
                size=len(body),
                coding=headers.get("Content-Encoding", ""),
                kind=headers.get("Content-Type", "").partition(";")[0],
                told=told,
            )
        )
        return [body]

    def since(self, mark: int) -> list[Sent]:
        """Return what was sent after `len(sent)` was `mark`."""
        return self.sent[mark:]


def _read_call(environ: dict[str, Any]) -> str:
    """Return the outputs that a callback's body asks for, without using the body up."""
    if not environ["PATH_INFO"].endswith("_dash-update-component"):
        return ""
    body = environ["wsgi.input"].read()
    environ["wsgi.input"].seek(0)
    return body.partition(b'"output":"')[2].partition(b'"')[0].decode()


def _to_world(lon: float, lat: float, zoom: float) -> tuple[float, float]:
    side = TILE_PX * 2**zoom
    north = math.asinh(math.tan(math.radians(lat)))
    return (lon / 360 + 0.5) * side, (0.5 - north / (2 * math.pi)) * side


class CityPage:
    """The map page of a city in one browser tab."""

    def __init__(self, page: Any, address: str, *, wait: bool = True) -> None:
        self.page = page
        self.address = address
        self.problems: list[str] = []
        self.calls = 0
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._note)
        page.on("request", lambda _: self._count(1))
        page.on("requestfinished", lambda _: self._count(-1))
        page.on("requestfailed", lambda _: self._count(-1))
        page.set_viewport_size(SIZE)
        page.goto(address)
        if wait:
            self.settle()

    def _note(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def _count(self, step: int) -> None:
        self.calls += step
        self.last_call = time.monotonic()

    @property
    def state(self) -> str:
        return self.page.evaluate("document.documentElement.dataset.map")

    def until(self, condition: Callable[[], Any], *, what: str, timeout_s: float = 30) -> Any:
        """Poll until a condition holds: the page's policy allows no waiting inside it."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            self.page.wait_for_timeout(POLL_S * 1000)
        raise AssertionError(
            f"waited {timeout_s} s for {what}; map {self.state}, problems {self.problems}"
        )

    def settle(self, state: str = "idle", *, timeout_s: float = 60) -> None:
        """Wait until the map is in a state and no call is under way any more."""

        def settled() -> bool:
            quiet_s = time.monotonic() - self.last_call if self.calls <= 0 else 0.0
            if quiet_s > HOPELESS_S and self.state == "failed" != state:
                raise AssertionError(f"the map failed: {self.problems}")
            return quiet_s > QUIET_S and self.state == state

        self.until(settled, what=f"map {state}", timeout_s=timeout_s)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def spot(self, lon: float, lat: float) -> tuple[float, float]:
        """Return where a place is on the screen, by the view that stands in the address."""
        zoom, mid_lat, mid_lon = (float(part) for part in self.query()["place"][1:].split("/"))
        box = self.page.locator(".maplibregl-canvas").bounding_box()
        at, middle = _to_world(lon, lat, zoom), _to_world(mid_lon, mid_lat, zoom)
        x = box["x"] + box["width"] / 2 + at[0] - middle[0]
        return x, box["y"] + box["height"] / 2 + at[1] - middle[1]

    def click_map(self, lon: float, lat: float) -> None:
        """Click a place on the map and wait for what follows."""
        self.page.mouse.click(*self.spot(lon, lat))
        self.stir()
        self.settle()

    def wait_for(self, selector: str, *, gone: bool = False) -> None:
        """Wait until something is on the screen, or is not any more."""
        self.page.wait_for_selector(selector, state="hidden" if gone else "visible")

    def click(self, selector: str) -> None:
        """Click and wait until everything that follows is on the screen."""
        self.page.locator(selector).first.click()
        self.stir()
        self.settle()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.stir()

    def stir(self) -> None:
        """Note that something was just done: what it asks for takes a moment to be asked."""
        self.last_call = time.monotonic()

    def query(self) -> dict[str, str]:
        """Return the view that stands in the address."""
        found = self.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
        return {**found, "place": self.page.evaluate("location.hash")}
