"""Promise: grids are redrawn by hand on the map, exactly, and two posts bring them into force."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from dashboard.server import make_app
from geodata.city import open_city
from geodata.events.rebuild import rebuild
from geodata.plans.workshop import Workshop
from geodata.redraw import prove_draft
from geodata.settings import SETTINGS_FILE
from tests.city import NOW, lonlat
from tests.planned_city import make_planned_city

BIGGEST_GESTURE, BIGGEST_ANSWER = 1_000, 30_000
LONGEST_REPAINT_MS = 150


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planner") / "city"
    folder.mkdir()
    make_planned_city(folder)
    with (folder / SETTINGS_FILE).open("a") as file:
        file.write("\ndemo = true\n")
    return folder


@pytest.fixture
def city(made, tmp_path):
    shutil.copytree(made, tmp_path / "city")
    return open_city(tmp_path / "city")


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
        for number, place in enumerate(places):
            keys = ["Shift"] if number else []
            for key in keys:
                self.page.keyboard.down(key)
            self.page.mouse.click(*self.at(*place))
            for key in keys:
                self.page.keyboard.up(key)
            self.page.wait_for_function("n => planner.sketch.picked.length === n", arg=number + 1)

    def drag(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=5)
        self.page.mouse.up()


def test_a_plan_is_drawn_by_hand_approved_by_another_and_published(open_page, city):
    desk = Planner(open_page(make_app(city, now=lambda: NOW), "/healthz", wait=False), city)
    page = desk.page
    desk.take_role("planner")
    desk.enter("lang=zh&theme=dark")
    page.click("#do-new")
    page.fill("#new-name", "春季调整")
    page.click("#new-start")
    desk.wait(0)
    page.wait_for_selector("html[data-map=idle]")
    # A line across a grid, a stroke around land, a border and a corner that are dragged.
    desk.pick((0.5, 0.5))
    desk.use("line")
    page.mouse.click(*desk.at(-0.1, 0.5))
    page.mouse.dblclick(*desk.at(1.1, 0.5))
    desk.wait(1)
    assert "321012001001001" in page.inner_text("#last-edit")
    desk.pick((1.5, 2.5))
    desk.use("area")
    desk.drag((1.9, 2.3), (2.4, 2.3), (2.4, 2.7), (1.9, 2.7), (1.9, 2.35))
    desk.wait(2)
    desk.use("border")
    desk.drag((1.0, 1.5), (1.2, 1.5))
    if page.locator("#planner-says.bad").is_visible():
        pytest.fail(page.inner_text("#planner-says"))
    desk.wait(3)
    # Two picked grids become one; Ctrl+Z and Ctrl+Y go back and forth.
    desk.pick((1.5, 0.5), (2.5, 0.5))
    desk.use("merge")
    desk.wait(4)
    page.keyboard.press("Control+z")
    desk.wait(5)
    page.keyboard.press("Control+y")
    desk.wait(6)
    # What cannot be is a sentence, and changes nothing.
    desk.pick((0.5, 2.5))
    desk.use("line")
    page.mouse.click(*desk.at(2.2, 0.2))
    page.mouse.dblclick(*desk.at(2.6, 0.6))
    page.wait_for_selector("#planner-says.bad:not([hidden])")
    desk.wait(6)
    assert all(sent < BIGGEST_GESTURE for sent, _ in desk.edits)
    assert all(told < BIGGEST_ANSWER for _, told in desk.edits)
    assert sorted(page.evaluate("planner.timings"))[len(desk.edits) // 2] < LONGEST_REPAINT_MS
    # The impact, the hand-over to a second post, the day, the publishing.
    page.click("#do-impact")
    page.wait_for_selector("#flows tbody tr")
    assert page.locator("#planner-sheet .good").count() == 1
    page.keyboard.press("Escape")
    page.click("#do-submit")
    page.wait_for_selector("#plan-state.review")
    assert page.locator("#do-approve").count() == 0
    desk.take_role("approver")
    desk.enter("lang=en&theme=light&plan=1")
    page.wait_for_selector("#do-approve")
    assert page.locator("#tool-line").is_disabled()
    page.click("#do-approve")
    page.fill("#effective", "2026-06-01")
    page.click("#approve-now")
    page.wait_for_selector("#do-publish")
    page.click("#do-publish")
    page.wait_for_selector("#plan-state.in_force")
    assert city.grids_in_force(NOW).drawing == 2
    assert rebuild(city, now=NOW).equal


def test_nobody_but_planners_and_approvers_learns_of_a_plan(tiny_app):
    client = tiny_app.server.test_client()
    for path in ("plans", "plans/1/draft", "review/1/impact", "plans/1/impact.csv"):
        assert client.get(f"/planner/{path}").status_code in (401, 403)
    assert client.post("/planner/plans/1/edit", json={}).status_code in (401, 403)
