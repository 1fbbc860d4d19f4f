"""Promise: a draft changed in QGIS comes back into its plan as edits, or as a sentence alone."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from geodata.errors import BadFile, BadGrid, GetuError, NotAllowed, Overtaken
from geodata.loading.report import group_notes
from geodata.loading.request import LoadRequest
from geodata.plans.exchange import read_draft, read_into, write_draft
from geodata.plans.plan import make_plan, submit_plan
from geodata.plans.workshop import Workshop
from geodata.redraw import prove_draft
from geodata.store.drawings import load_drawings
from geodata.words import LANGS
from tests.city import NOW, say_nothing
from tests.planned_city import APPROVER, MERGE, PLANNER, SECOND, SPLIT, copy_city

WEST, MIDDLE, EAST = (f"32101200100100{n}" for n in (1, 2, 3))
NORTH = "321012001002003"  # of another community, above EAST


@pytest.fixture
def city(planned_folder, tmp_path):
    return copy_city(planned_folder, tmp_path)


class Desk:
    """A plan that has left as a GeoPackage, and what becomes of it in QGIS."""

    def __init__(self, city, folder):
        self.city, self.folder, self.shop = city, folder, Workshop(city)
        self.plan = make_plan(city, PLANNER, name="外出", now=NOW).plan
        piece, _ = self.shop.edit(self.plan, [SPLIT], scope=PLANNER, now=NOW)
        write_draft(city, piece, folder / "draft.gpkg")
        self.frame = gpd.read_file(folder / "draft.gpkg")

    def row(self, code):
        return self.frame.index[self.frame["code"] == code][0]

    def hand_over(self, land, *, giver, taker):
        """Give land of one grid to another, as a pair of tools in QGIS does."""
        shapes = self.frame.geometry
        self.frame.loc[self.row(taker), "geometry"] = shapes[self.row(taker)].union(land)
        self.frame.loc[self.row(giver), "geometry"] = shapes[self.row(giver)].difference(land)

    def strip(self, code):
        """Return a strip of a grid's land: the west of EAST, the south of any other."""
        x0, y0, x1, y1 = self.frame.geometry[self.row(code)].bounds
        return shapely.box(x0, y0, *((x0 + 30, y1) if code == EAST else (x1, y0 + 30)))

    def bring(self, *, who=PLANNER, **options):
        path = self.folder / "changed.gpkg"
        path.unlink(missing_ok=True)
        self.frame.to_file(path, layer="grids", driver="GPKG")
        return read_into(
            self.shop, who, self.plan, [path], LoadRequest(now=NOW), progress=say_nothing,
            **options,
        )  # fmt: skip

    def refuse(self, kind=BadFile, **options):
        """Bring what must be refused; return the first fault's key. Nothing has changed."""
        before = self.state()
        with pytest.raises(kind) as refused:
            self.bring(**options)
        assert self.state() == before
        for fault in refused.value.faults:
            assert all(fault.cause(lang) and fault.remedy(lang) for lang in LANGS)
        return refused.value.faults[0].key

    def state(self):
        piece = self.shop.open(self.plan, now=NOW)
        with self.city.database.read() as connection:
            drawings = [dict(row) for row in load_drawings(connection)]
        return piece.seq, piece.draft.to_frame().to_wkb().to_dict("list"), drawings


@pytest.fixture
def desk(city, tmp_path):
    return Desk(city, tmp_path)


def test_what_was_changed_in_qgis_becomes_edits_that_undo_takes_back(desk):
    before = desk.shop.open(desk.plan, now=NOW).draft.to_frame().to_wkb()
    strip = desk.strip(EAST)
    desk.hand_over(strip, giver=EAST, taker=MIDDLE)
    desk.frame.loc[desk.row(MIDDLE), "name"] = "东门网格"
    taken = desk.bring()
    assert [change.edit["op"] for change in taken.changes] == ["adopt", "describe"]
    draft = taken.piece.draft
    areas = {grid.code: (grid.area_m2, grid.name) for grid in draft.grids.values()}
    assert areas[MIDDLE] == (pytest.approx(40_000 + strip.area, abs=1), "东门网格")
    assert areas[EAST][0] == pytest.approx(40_000 - strip.area, abs=1)
    assert prove_draft(draft).ok
    # The log alone makes it again; a second time there is nothing to take.
    again = Workshop(desk.city).open(desk.plan, now=NOW).draft
    assert again.to_frame().to_wkb().equals(draft.to_frame().to_wkb())
    write_draft(desk.city, taken.piece, desk.folder / "draft.gpkg")
    desk.frame = gpd.read_file(desk.folder / "draft.gpkg")
    assert desk.refuse(BadGrid) == "redraw_nothing_changes"
    piece, _ = desk.shop.edit(desk.plan, [{"op": "undo"}] * 2, scope=PLANNER, now=NOW)
    assert piece.draft.to_frame().to_wkb().equals(before)


def test_a_grid_drawn_anew_and_one_that_is_gone_come_along(desk):
    strip = desk.strip(EAST)
    desk.hand_over(strip, giver=EAST, taker=EAST)
    new = {**desk.frame.loc[desk.row(EAST)], "code": "321012001001009", "name": "新网格",
           "geometry": strip, "uid": None}  # fmt: skip
    desk.frame.loc[len(desk.frame)] = new
    desk.hand_over(desk.frame.geometry[desk.row(WEST)], giver=WEST, taker=MIDDLE)
    desk.frame = desk.frame.drop(index=desk.row(WEST))
    taken = desk.bring()
    piece = taken.piece
    assert taken.changes[0].gone == (2,)
    (made,) = taken.changes[0].made
    assert piece.plan.first_uid < made < piece.own_uid
    grid = piece.draft.grids[made]
    assert (grid.code, grid.name, grid.parent) == ("321012001001009", "新网格", 1)
    assert prove_draft(piece.draft).ok


def test_what_others_drew_meanwhile_stays_and_only_the_same_grid_is_a_conflict(desk):
    desk.hand_over(desk.strip(EAST), giver=EAST, taker=MIDDLE)
    elsewhere = {"op": "merge", "grids": [10, 11]}
    desk.shop.edit(desk.plan, [elsewhere], scope=SECOND, now=NOW)
    piece = desk.bring().piece
    assert 11 not in piece.draft.grids or 10 not in piece.draft.grids
    desk.shop.edit(desk.plan, [MERGE], scope=SECOND, now=NOW)
    assert desk.refuse(Overtaken) == "plan_grid_overtaken"


def test_a_file_that_is_no_such_drawing_is_a_sentence_and_no_change(desk):
    whole = desk.frame
    desk.frame = whole[whole["code"] != NORTH]
    assert desk.refuse() == "plan_land_lost"
    desk.frame = whole.set_crs("EPSG:4326", allow_override=True)
    assert desk.refuse() == "crs_misfit"
    desk.frame = whole.assign(geometry=whole.geometry.translate(3_000, 0))
    assert desk.refuse() == "plan_elsewhere"
    desk.frame = whole.assign(geometry=whole.geometry.buffer(60))
    assert desk.refuse() == "drawing_faults"
    desk.frame = whole.copy()
    desk.frame.loc[desk.row(EAST), "code"] = MIDDLE
    assert desk.refuse() == "grid_code_twice"
    desk.frame = whole.copy()
    desk.frame.loc[desk.row(EAST), "geometry"] = whole.geometry[desk.row(EAST)].difference(
        desk.strip(EAST)
    )
    assert desk.refuse(BadGrid) == "redraw_adopt_misfits"


def test_what_a_file_leaves_out_stays_as_it_is(desk):
    desk.hand_over(desk.strip(MIDDLE), giver=MIDDLE, taker=WEST)
    desk.frame = desk.frame[desk.frame["level"] == "grid"].drop(columns=["level", "parent"])
    desk.frame["name"] = ""
    (change,) = desk.bring().changes
    assert change.edit["op"] == "adopt"


@pytest.mark.parametrize("lang", LANGS)
def test_a_new_name_of_an_outer_area_is_said_to_be_left(desk, lang):
    outer = desk.frame["level"] == "community"
    desk.frame.loc[outer, "name"] = "新社区名"
    code = desk.frame["code"][outer].iloc[0]
    with pytest.raises(BadGrid) as refused:
        desk.bring()
    assert code in refused.value.sentence(lang)
    desk.hand_over(desk.strip(MIDDLE), giver=MIDDLE, taker=WEST)
    told = group_notes(desk.bring().report.notes, lang)
    assert any(code in line for line in told)


def test_the_rules_of_the_plan_hold_for_files_too(desk):
    desk.hand_over(desk.strip(NORTH), giver=NORTH, taker=EAST)
    assert desk.refuse(BadGrid) == "redraw_adopt_crosses"
    assert desk.refuse(NotAllowed, who=APPROVER) == "not_allowed"
    desk.shop.edit(desk.plan, [{"op": "lock", "grid": 4}], scope=PLANNER, now=NOW)
    assert desk.refuse(BadGrid, across=True) == "redraw_locked"
    desk.shop.edit(desk.plan, [{"op": "unlock", "grid": 4}], scope=PLANNER, now=NOW)
    assert prove_draft(desk.bring(across=True).piece.draft).ok
    submit_plan(desk.city, PLANNER, desk.plan, now=NOW)
    assert desk.refuse(GetuError, across=True) == "plan_closed"


def test_a_new_plan_from_a_bad_file_leaves_nothing_behind(desk):
    desk.frame[desk.frame["code"] != NORTH].to_file(
        desk.folder / "lacking.gpkg", layer="grids", driver="GPKG"
    )
    before = desk.state()
    with pytest.raises(BadFile) as refused:
        read_draft(
            desk.city, PLANNER, [desk.folder / "lacking.gpkg"], LoadRequest(now=NOW),
            name="缺一", progress=say_nothing,
        )  # fmt: skip
    assert refused.value.faults[0].key == "plan_land_lost"
    assert desk.state() == before
