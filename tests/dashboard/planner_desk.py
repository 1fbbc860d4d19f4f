"""A tiny city with a road and beats to plan in, and a hand at the planner of its page."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from geodata.city import open_city
from geodata.plans.workshop import Workshop
from geodata.redraw import prove_draft
from geodata.settings import SETTINGS_FILE
from tests.city import EPSG, NOW, load_one, lonlat, square, write_shapes
from tests.planned_city import make_planned_city, place

MOST_TABS = 80


def make_desk_city(folder: Path, files: Path) -> None:
    """Make the planned city with two beats and one street, whose roles anybody here may try."""
    folder.mkdir()
    make_planned_city(folder)
    beats = [
        (square(west, 0, wide=1.5, high=3), {"code": code, "name": code, "level": "grid"})
        for west, code in ((0, "B1"), (1.5, "B2"))
    ]
    load_one(open_city(folder), "grids", write_shapes(files / "b.geojson", beats), system="beat")
    road = shapely.LineString([place(2.5, -1), place(2.5, 4)])
    base = open_city(folder).base_folder
    base.mkdir(exist_ok=True)
    roads = gpd.GeoDataFrame(
        {"class": ["residential"], "name": ["新街"]}, geometry=[road], crs=EPSG
    )
    roads.to_parquet(base / "roads.parquet")
    with (folder / SETTINGS_FILE).open("a") as file:
        file.write("\ndemo = true\n")


class Planner:
    """A hand at the planner; after each gesture the draft must tile exactly."""

    def __init__(self, opened: Any, city: Any) -> None:
        self.opened, self.city, self.page = opened, city, opened.page
        self.edits: list[tuple[int, int]] = []
        self.page.on("response", self._note)

    def _note(self, response: Any) -> None:
        if response.url.partition("?")[0].endswith("/edit") and response.status == 200:
            self.edits.append((len(response.request.post_data or ""), len(response.body())))

    def take_role(self, role: str) -> None:
        origin = self.page.evaluate("location.origin")
        self.page.context.request.post(
            f"{origin}/demo-role", form={"role": role}, headers={"Origin": origin}, max_redirects=0
        )

    def enter(self, query: str) -> None:
        origin = self.page.evaluate("location.origin")
        self.page.goto(f"{origin}/planner/?{query}")
        self.page.wait_for_selector("#plan-pick")

    def wait(self, seq: int) -> None:
        self.page.wait_for_selector(f'#page[data-seq="{seq}"]:not([data-saving])')
        piece = Workshop(self.city).open(1, now=NOW)
        assert piece.seq == seq
        proof = prove_draft(piece.draft)
        assert proof.ok
        assert proof.drift < 1e-8
        shown = self.page.evaluate("Array.from(planner.sketch.features.keys()).sort()")
        assert sorted(shown) == sorted(piece.draft.grids)

    def at(self, column: float, row: float) -> tuple[float, float]:
        """Return the pixel of a place, counted in sides of a grid."""
        x, y = self.page.evaluate(
            "place => { const map = planner.sketch.map, at = map.project(place),"
            " box = map.getCanvas().getBoundingClientRect();"
            " return [at.x + box.left, at.y + box.top]; }",
            list(lonlat(column * 200, row * 200)),
        )
        return x, y

    def use(self, tool: str) -> None:
        self.page.click(f"#tool-{tool}")

    def pick(self, *places: tuple[float, float]) -> None:
        self.use("pick")
        for number, spot in enumerate(places):
            keys = ["Shift"] if number else []
            for key in keys:
                self.page.keyboard.down(key)
            self.page.mouse.click(*self.at(*spot))
            for key in keys:
                self.page.keyboard.up(key)
            self.page.wait_for_function("n => planner.sketch.picked.length === n", arg=number + 1)

    def tab_to(self, selector: str) -> None:
        """Go on with the Tab key until something has the focus."""
        has = "wanted => Boolean(document.activeElement && document.activeElement.matches(wanted))"
        for _ in range(MOST_TABS):
            if self.page.evaluate(has, selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    def key(self, selector: str, key: str = "Enter") -> None:
        """Go to something by Tab and press a key on it."""
        self.tab_to(selector)
        self.page.keyboard.press(key)

    def step(self, arrow: str) -> None:
        """Move the map by an arrow key, and wait until it has come to rest."""
        before = self.page.evaluate("planner.sketch.map.getCenter().toArray()")
        self.page.keyboard.press(arrow)
        self.page.wait_for_function(
            "was => !planner.sketch.map.isMoving()"
            " && planner.sketch.map.getCenter().toArray().join() !== was.join()",
            arg=before,
        )
        self.page.wait_for_selector("html[data-map=idle]")

    def tap(self, *spot: float) -> None:
        """Touch the map with one finger, and let go."""
        self.stroke_by_finger(spot)

    def stroke_by_finger(self, *places: tuple[float, float]) -> None:
        """Draw with one finger, as a tablet sends it; one place is a tap."""
        touch = self.page.context.new_cdp_session(self.page)

        def send(kind: str, points: list[tuple[float, float]]) -> None:
            told = [{"x": x, "y": y} for x, y in points]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

        pixels = [self.at(*spot) for spot in places]
        send("touchStart", pixels[:1])
        for (x0, y0), (x1, y1) in pairwise(pixels):
            for step in (0.25, 0.5, 0.75, 1):
                send("touchMove", [(x0 + (x1 - x0) * step, y0 + (y1 - y0) * step)])
        send("touchEnd", [])

    def drag(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for spot in places[1:]:
            self.page.mouse.move(*self.at(*spot), steps=5)
        self.page.mouse.up()
