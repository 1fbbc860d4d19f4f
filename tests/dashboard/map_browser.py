"""A browser page with one map on it, and what a test asks of it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import orjson
from PIL import Image

from tests.dashboard.toy_city import EXTENT, to_tile

# Small enough that software graphics paint it quickly.
SIZE = {"width": 1120, "height": 760}


class MapPage:
    """A browser page with one map: set its props, read its promises, look at its pixels."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._note)
        page.set_viewport_size(SIZE)
        page.goto(address)

    def _note(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def wait(self, state: str = "idle", *, timeout_s: float = 40) -> None:
        self.page.wait_for_selector(f"html[data-map={state}]", timeout=timeout_s * 1000)

    def set(self, *, until: str = "idle", **props: Any) -> None:
        """Set props as the page's own callbacks do, and wait until they are on the screen."""
        self.page.evaluate("props => dash_clientside.set_props('map', props)", props)
        # React applies them in a later task; the state must not be read before.
        self.page.evaluate("() => new Promise(done => setTimeout(done, 60))")
        self.wait(until)

    def html(self, name: str) -> str | None:
        return self.page.evaluate("name => document.documentElement.getAttribute(name)", name)

    def told(self, name: str, *, where: str = "value => true", timeout_s: float = 10) -> Any:
        """Return what the map told the page last, once it fulfils a JavaScript condition."""
        script = f"""() => {{
            const text = document.getElementById("told").textContent;
            const value = text ? JSON.parse(text)[{name!r}] : undefined;
            return value !== undefined && ({where})(value) ? JSON.stringify(value) : false;
        }}"""
        handle = self.page.wait_for_function(script, timeout=timeout_s * 1000)
        return orjson.loads(handle.json_value())

    def spot(self, lon: float, lat: float) -> tuple[float, float]:
        """Return where a place is on the screen."""
        viewport = self.told("viewport", where="value => value")
        size = self.page.viewport_size
        scale = 512 * 2 ** viewport["zoom"] / EXTENT
        at, middle = to_tile(np.array([(lon, lat), viewport["center"]]), 0, 0, 0) * scale
        return size["width"] / 2 + at[0] - middle[0], size["height"] / 2 + at[1] - middle[1]

    def pixels(self) -> Any:
        """Return the screen as (height, width, 3) numbers."""
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def color(self, lon: float, lat: float) -> tuple[int, int, int]:
        """Return the commonest colour in a small square round a place."""
        x, y = (round(v) for v in self.spot(lon, lat))
        square = self.pixels()[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3)
        found, counts = np.unique(square, axis=0, return_counts=True)
        red, green, blue = (int(v) for v in found[counts.argmax()])
        return red, green, blue
