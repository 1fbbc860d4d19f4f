"""Promise: keys or one finger do at the planner what the mouse does, and lines show beforehand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dashboard.server import make_app
from geodata.events.rebuild import rebuild
from geodata.plans.plan import make_plan
from geodata.plans.workshop import Workshop
from tests.city import NOW, lonlat
from tests.dashboard.planner_desk import Planner
from tests.planned_city import PLANNER, SECOND, SPLIT, copy_city

CANVAS = ".maplibregl-canvas"


@pytest.fixture
def city(desk_made, tmp_path):
    return copy_city(desk_made, tmp_path)


@pytest.fixture
def desk(open_page, city):
    return Planner(open_page(make_app(city, now=lambda: NOW), "/healthz", wait=False), city)


def open_draft(desk, lang="zh", theme="dark"):
    """Open a plan of nothing yet, and wait for its map."""
    make_plan(desk.city, PLANNER, name="手绘", now=NOW)
    desk.take_role("planner")
    desk.enter(f"lang={lang}&theme={theme}&plan=1")
    desk.wait(0)
    desk.page.wait_for_selector("html[data-map=idle]")


def test_keys_alone_draw_submit_approve_and_publish(desk, city):
    page = desk.page
    desk.take_role("planner")
    desk.enter("lang=en&theme=light")
    desk.key("#do-new")
    desk.tab_to("#new-name")
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    desk.wait(0)
    page.wait_for_selector("html[data-map=idle]")
    # Enter picks at the middle of the map, the arrows move it, Shift and Enter pick one more.
    desk.key(CANVAS)
    page.wait_for_function("() => planner.sketch.picked.length === 1")
    first = page.evaluate("planner.sketch.picked[0]")
    middle = (
        "() => { const canvas = planner.sketch.map.getCanvas(); return planner.sketch.gridAt("
        "{x: canvas.clientWidth / 2, y: canvas.clientHeight / 2}); }"
    )
    for _ in range(8):
        if page.evaluate(middle) != first:
            break
        desk.step("ArrowRight")
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("() => planner.sketch.picked.length === 2")
    page.keyboard.press("j")
    desk.wait(1)
    page.keyboard.press("Control+z")
    desk.wait(2)
    page.keyboard.press("Control+y")
    desk.wait(3)
    assert len(Workshop(city).open(1, now=NOW).draft.grids) == 8
    # A sheet holds the focus, and gives it back to what opened it.
    desk.key("#do-impact")
    page.wait_for_selector("#flows tbody tr")
    assert page.evaluate("document.getElementById('bench').inert")
    page.keyboard.press("Escape")
    expect(page.locator("#do-impact")).to_be_focused()
    desk.key("#do-submit")
    page.wait_for_selector("#plan-state.review")
    desk.take_role("approver")
    desk.enter("lang=zh&theme=dark&plan=1")
    page.wait_for_selector("#do-approve")
    desk.key("#do-approve")
    expect(page.locator("#effective")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector("#do-publish")
    desk.key("#do-publish")
    page.wait_for_selector("#plan-state.in_force")
    assert len(city.grids_in_force(NOW).finest()) == 8
    assert rebuild(city, now=NOW).equal


def test_one_finger_drags_a_border_and_a_corner_and_picks_several(desk, city):
    open_draft(desk)
    page = desk.page
    grids = Workshop(city).open(1, now=NOW).draft.grids
    areas = {uid: grid.area_m2 for uid, grid in grids.items()}
    page.click("#tool-border")
    desk.stroke_by_finger((1.02, 1.5), (1.2, 1.5))  # a finger is not as exact as a mouse
    desk.wait(1)
    grids = Workshop(city).open(1, now=NOW).draft.grids
    assert grids[6].area_m2 > areas[6] + 1_000
    assert grids[7].area_m2 < areas[7] - 1_000
    # This corner lies on a line of communities, so the planner has to say that it may move.
    page.click("#tool-corner")
    page.click("#across")
    desk.stroke_by_finger((2.02, 1.03), (2.15, 1.2))
    desk.wait(2)
    grids = Workshop(city).open(1, now=NOW).draft.grids
    assert grids[3].area_m2 > areas[3] + 1_000
    page.click("#tool-pick")
    page.click("#several")
    for n, spot in enumerate(((0.5, 0.5), (1.5, 0.5)), start=1):
        desk.tap(*spot)
        page.wait_for_function("n => planner.sketch.picked.length === n", arg=n)
    page.click("#tool-merge")
    desk.wait(3)
    # A line is tapped point by point and ended by its own button: no double tap is needed.
    page.click("#several")
    desk.tap(0.5, 2.5)
    page.wait_for_function("() => planner.sketch.picked.length === 1")
    page.click("#tool-line")
    for n, spot in enumerate(((-0.1, 2.5), (1.1, 2.5)), start=1):
        desk.tap(*spot)
        page.wait_for_function("n => planner.sketch.gestures.points.length === n", arg=n)
    page.click("#line-finish")
    desk.wait(4)


def test_a_line_shows_where_it_will_lie_and_follows_the_road(desk, city):
    open_draft(desk, lang="en", theme="light")
    page = desk.page
    desk.pick((2.5, 1.5))
    desk.use("line")
    # Three metres beside the street, all along it.
    page.mouse.click(*desk.at(2.515, 0.9))
    page.mouse.move(*desk.at(2.515, 2.1), steps=4)
    page.wait_for_selector('#page[data-cut="road"]')
    expect(page.locator("#cut-told")).to_contain_text("2 + 2 ha")
    road = lonlat(2.5 * 200, 300)[0]
    shown = page.evaluate("planner.sketch.map.getSource('sketch-guide').serialize().data.features")
    roles = {one["properties"]["role"]: one["geometry"]["coordinates"] for one in shown}
    assert all(abs(lon - road) < 2e-6 for lon, _ in roles["cut"])
    assert roles["road"]
    # N, or Shift for as long as it is held, lets the line lie as it is drawn.
    page.keyboard.press("n")
    page.wait_for_selector('#page[data-cut="free"]')
    expect(page.locator("#cut-told")).to_contain_text("2.06 + 1.94 ha")
    page.keyboard.press("n")
    page.wait_for_selector('#page[data-cut="road"]')
    desk.wait(0)
    page.mouse.dblclick(*desk.at(2.515, 2.1))
    desk.wait(1)
    grids = Workshop(city).open(1, now=NOW).draft.grids
    made = [grid for uid, grid in grids.items() if uid == 8 or grid.code.startswith("+")]
    assert [grid.area_m2 for grid in made] == pytest.approx([20_000, 20_000], abs=1)
    # Another planner draws on another plan: her grids show here by themselves.
    assert page.get_attribute("#page", "data-others") == "0"
    other = make_plan(city, SECOND, name="另一个", now=NOW)
    Workshop(city).edit(other.plan, [SPLIT], scope=SECOND, now=NOW)
    page.wait_for_selector('#page:not([data-others="0"])')
    expect(page.locator("#others")).to_contain_text(SECOND.account)
    assert page.evaluate("planner.sketch.others.get(2)") == 1
