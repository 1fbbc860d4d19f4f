"""Promise: grids are redrawn by hand on the map, exactly, and two posts bring them into force."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from dashboard.server import make_app
from geodata.city import open_city
from geodata.events.rebuild import rebuild
from geodata.plans.plan import make_plan
from geodata.plans.workshop import Workshop
from tests.city import NOW
from tests.dashboard.planner_desk import Planner
from tests.planned_city import (
    MERGE,
    PLANNER,
    SECOND,
    SPLIT,
    copy_city,
    publish_edits,
)

BIGGEST_GESTURE, BIGGEST_ANSWER = 1_000, 30_000
LONGEST_REPAINT_MS = 150


@pytest.fixture
def city(desk_made, tmp_path):
    return copy_city(desk_made, tmp_path)


LATER = NOW + 86_400


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
    assert city.grids_in_force(NOW).drawing == 3
    assert rebuild(city, now=NOW).equal


def test_blocks_special_grids_locks_parents_and_a_finger(open_page, city):
    desk = Planner(open_page(make_app(city, now=lambda: NOW), "/healthz", wait=False), city)
    page = desk.page
    plan = make_plan(city, PLANNER, name="夏季", now=NOW)
    shop = Workshop(city)
    shop.edit(plan.plan, [SPLIT], scope=PLANNER, now=NOW)
    desk.take_role("planner")
    desk.enter("lang=en&theme=light&plan=1")
    desk.wait(1)
    page.wait_for_selector("html[data-map=idle]")
    # The block this side of the road goes to its neighbour.
    desk.pick((1.5, 1.5))
    desk.use("brush")
    page.wait_for_function(
        "at => { const box = planner.sketch.map.getCanvas().getBoundingClientRect();"
        " return planner.sketch.blockAt({x: at[0] - box.left, y: at[1] - box.top}) !== null; }",
        arg=list(desk.at(2.25, 1.5)),
    )
    desk.drag((2.2, 1.4), (2.3, 1.6))
    desk.wait(2)
    assert Workshop(city).open(1, now=NOW).draft.grids[7].area_m2 == pytest.approx(60_000, rel=0.01)
    # A special grid is drawn by one finger, though the map moves with two.
    desk.use("special")
    desk.stroke_by_finger((1.3, 2.3), (1.7, 2.3), (1.7, 2.7), (1.3, 2.7), (1.3, 2.35))
    desk.wait(3)
    kinds = [grid.kind for grid in Workshop(city).open(1, now=NOW).draft.grids.values()]
    assert kinds.count("special") == 1
    # What is locked stays: a grid, then its community, then everything.
    desk.pick((2.5, 0.5))
    desk.use("lock")
    desk.wait(4)
    assert page.evaluate("planner.sketch.locked.size") == 1
    desk.pick((1.5, 0.5), (2.5, 0.5))
    desk.use("merge")
    page.wait_for_selector("#planner-says.bad:not([hidden])")
    desk.wait(4)
    page.click("#lock-area")
    desk.wait(5)
    assert page.evaluate("planner.sketch.locked.size") == 4
    page.click("#lock-all")
    desk.wait(6)
    page.click("#lock-all")
    desk.wait(7)
    assert page.evaluate("planner.sketch.locked.size") == 0
    # A grid beside another community goes under it.
    desk.pick((0.5, 1.5))
    desk.use("parent")
    page.click("#planner-sheet button[type=submit]")
    desk.wait(8)
    assert shop.open(1, now=NOW).draft.grids[6].parent != 5
    page.keyboard.press("Control+z")
    desk.wait(9)
    # Another planner draws meanwhile: it comes in by itself.
    shop.edit(1, [{"op": "merge", "grids": [7, 8]}], scope=SECOND, now=NOW)
    desk.wait(10)


def test_a_proposal_by_other_weights_another_plan_and_new_codes(open_page, city):
    plan, other = (
        make_plan(city, who, name=who.account, now=NOW).plan for who in (PLANNER, SECOND)
    )
    shop = Workshop(city)
    shop.edit(other, [SPLIT, {"op": "merge", "grids": [7, 8]}], scope=SECOND, now=NOW)
    desk = Planner(open_page(make_app(city, now=lambda: NOW), "/healthz", wait=False), city)
    page = desk.page
    desk.take_role("planner")
    desk.enter(f"lang=zh&theme=light&plan={plan}")
    desk.wait(0)
    page.wait_for_selector("html[data-map=idle]")
    # What a picked grid answers for, by kind.
    desk.pick((1.5, 1.5))
    page.click("#do-kinds")
    page.wait_for_selector("#kinds tbody tr")
    told = [int(cell) for cell in page.locator("#kinds td:nth-child(2)").all_inner_texts()]
    uid = page.evaluate("planner.sketch.picked[0]")
    piece = shop.open(plan, now=NOW)
    assert sum(told) == piece.holdings.load(piece.draft, uid).cases > 0
    # The sliders say what a proposal weighs: land alone, cases not at all.
    for name, weight in (("cases", "0"), ("households", "0"), ("area_ha", "1")):
        page.fill(f'[data-weight="{name}"]', weight)
        page.dispatch_event(f'[data-weight="{name}"]', "change")
    page.click("#do-propose")
    page.wait_for_selector("#proposed-by")
    assert "面积" in page.inner_text("#proposed-by")
    assert "案件" not in page.inner_text("#proposed-by")
    # Another plan is drawn on this one.
    page.click(f'[data-merge="{other}"]')
    page.wait_for_selector("#joined")
    desk.wait(2)
    assert len(shop.open(plan, now=NOW).draft.grids) == len(piece.base)
    page.keyboard.press("Escape")
    # Codes by place, as a plan of their own.
    page.click("#do-new")
    page.fill("#new-name", "重新编码")
    page.click("#new-codes")
    page.wait_for_selector(f'#plan-pick option[value="{other + 1}"]:checked', state="attached")
    ops = {change.edit["op"] for change in shop.open(other + 1, now=NOW).draft.done}
    assert ops == {"describe"}


def test_a_draft_goes_to_qgis_and_comes_back_on_the_screen(open_page, city, tmp_path):
    desk = Planner(open_page(make_app(city, now=lambda: NOW), "/healthz", wait=False), city)
    page = desk.page
    plan = make_plan(city, PLANNER, name="外出", now=NOW)
    Workshop(city).edit(plan.plan, [SPLIT], scope=PLANNER, now=NOW)
    desk.take_role("planner")
    desk.enter("lang=zh&theme=light&plan=1")
    desk.wait(1)
    with page.expect_download() as download:
        page.click("#get-draft")
    download.value.save_as(tmp_path / "draft.gpkg")
    drawn = gpd.read_file(tmp_path / "draft.gpkg")
    middle, east = (drawn.index[drawn["code"] == f"32101200100100{n}"][0] for n in (2, 3))
    x0, y0, _, y1 = drawn.geometry[east].bounds
    strip = shapely.box(x0, y0, x0 + 30, y1)
    changed = drawn.copy()
    changed.loc[middle, "geometry"] = drawn.geometry[middle].union(strip)
    changed.loc[east, "geometry"] = drawn.geometry[east].difference(strip)
    # What cannot be is a sentence in the page's language, and changes nothing.
    for lang, bad, told in (
        ("zh", drawn.drop(index=east), "少了 1 个网格的地"),
        ("en", drawn.assign(geometry=drawn.geometry.buffer(60)), "overlaps"),
        ("en", drawn.set_crs("EPSG:4326", allow_override=True), "EPSG:4326"),
    ):
        bad.to_file(tmp_path / "bad.gpkg", layer="grids", driver="GPKG")
        desk.enter(f"lang={lang}&theme=dark&plan=1")
        desk.wait(1)
        page.set_input_files("#bring-file", tmp_path / "bad.gpkg")
        page.wait_for_selector("#planner-says.bad:not([hidden])")
        assert told in page.inner_text("#planner-says")
        desk.wait(1)
        (tmp_path / "bad.gpkg").unlink()
    changed.to_file(tmp_path / "changed.gpkg", layer="grids", driver="GPKG")
    page.set_input_files("#bring-file", tmp_path / "changed.gpkg")
    page.wait_for_selector("#brought")
    desk.wait(2)
    grids = Workshop(city).open(1, now=NOW).draft.grids
    assert grids[4].area_m2 == pytest.approx(40_000 - strip.area, abs=1)
    page.keyboard.press("Escape")
    page.click("#do-undo")
    desk.wait(3)
    assert Workshop(city).open(1, now=NOW).draft.grids[4].area_m2 == pytest.approx(40_000, abs=1)


def test_the_past_is_looked_at_counted_and_brought_back(open_page, city):
    publish_edits(city, [SPLIT, MERGE])
    desk = Planner(open_page(make_app(city, now=lambda: LATER), "/healthz", wait=False), city)
    page = desk.page
    desk.take_role("approver")
    desk.enter("lang=zh&theme=dark")
    page.click("#do-past")
    page.wait_for_selector('#page[data-drawing="3"]')
    page.wait_for_selector("html[data-map=idle]")
    page.mouse.click(*desk.at(1.5, 0.5))
    page.wait_for_selector("#holders tr:nth-child(2)")
    assert "321012001001003" in page.inner_text("#holders tr:nth-child(1)")
    assert "321012001001002" in page.inner_text("#holders tr:nth-child(2)")
    # The figures in three ways, side by side; the map says which of them it shows.
    page.click("#do-figures")
    page.wait_for_selector("#ways tbody tr")
    totals = page.locator("#ways tr.total td").all_inner_texts()
    assert len(totals) == 3
    assert len(set(totals)) == 1
    assert "按当日归属" in page.inner_text("#band-legend")
    # The beats over it: a grid in the middle column lies in both.
    page.click("#do-cross")
    page.wait_for_selector("#crosswalk tbody tr")
    assert page.evaluate("Boolean(planner.sketch.map.getLayer('planner-net'))")
    straddling = page.locator("#crosswalk tr.first th").all_inner_texts()
    assert "321012001002002" in straddling
    # A day before: the first drawing, which is brought back, and every owner with it.
    page.fill("#past-date", "2026-05-20")
    page.wait_for_selector('#page[data-drawing="1"]')
    page.click("#do-back")
    page.fill("#back-reason", "试行无效")
    page.click("#back-now")
    page.wait_for_selector('#page[data-drawing="4"]')
    assert city.grids_in_force(LATER).drawing == 4
    assert rebuild(city, now=LATER).equal


def test_nobody_but_planners_and_approvers_learns_of_a_plan(tiny_app):
    client = tiny_app.server.test_client()
    for path in ("plans", "plans/1/draft", "review/1/impact", "plans/1/impact.csv"):
        assert client.get(f"/planner/{path}").status_code in (401, 403)
    assert client.post("/planner/plans/1/edit", json={}).status_code in (401, 403)


def test_a_street_that_is_open_follows_a_new_drawing(open_page, city):
    opened = open_page(make_app(city, now=lambda: NOW), "/street/?lang=zh")
    street = "window.dash_clientside.street.frame.tree.code"
    opened.until(lambda: opened.page.evaluate(f"{street}.length") == 12, what="the first tree")
    asked: list[str] = []
    opened.page.on("request", lambda request: asked.append(request.url))
    made = publish_edits(open_city(city.folder), [SPLIT, MERGE]).drawing
    codes = opened.until(
        lambda: "321012001001004" in (found := opened.page.evaluate(street)) and found,
        what="the tree of the new drawing",
    )
    assert "321012001001002" not in codes or "321012001001003" not in codes
    opened.until(lambda: any(f"grids.geojson?v={made}-" in one for one in asked), what="its lines")
    opened.until(lambda: opened.state == "idle", what="them painted")
