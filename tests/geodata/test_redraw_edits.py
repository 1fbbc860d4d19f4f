from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import BadGrid
from geodata.redraw import apply_edit, prove_draft, replay_edits
from geodata.redraw.forms import FORMS
from geodata.redraw.unions import lead_cut
from geodata.words import LANGS
from tests.geodata.redraw_land import (
    SIDE_M,
    at,
    block,
    read_all,
    square_draft,
    uid,
)

WHOLE = SIDE_M**2


def refuse(draft, edit):
    """Apply an edit that must be refused and change nothing; return the fault's key."""
    before = read_all(draft)
    with pytest.raises(BadGrid) as refused:
        apply_edit(draft, edit)
    assert read_all(draft) == before
    for fault in refused.value.faults:
        assert all(fault.cause(lang) and fault.remedy(lang) for lang in LANGS)
    return refused.value.faults[0].key


def areas(change):
    return {side.uid: (side.before_m2, side.after_m2) for side in change.sides}


def test_a_split_keeps_the_uid_on_the_larger_part_and_makes_one_grid():
    draft = square_draft()
    change = apply_edit(
        draft, {"op": "split", "grid": uid(0, 0), "line": [at(0.25, -0.1), at(0.25, 1.1)]}
    )
    (new,) = change.made
    assert new == 23
    assert areas(change)[uid(0, 0)] == (WHOLE, WHOLE * 0.75)
    assert areas(change)[new] == (None, WHOLE * 0.25)
    assert draft.grids[new].parent == 1
    # the neighbour to the north has the new node too, and as much land as before
    assert areas(change)[uid(0, 1)] == (WHOLE, WHOLE)
    assert prove_draft(draft).ok


def test_a_line_that_also_touches_a_corner_of_the_grid_cuts_where_it_crosses():
    draft = square_draft()
    touching = [at(0.25, -0.1), at(0.25, 1.1), at(0.9, 1.1), at(1.1, 0.9)]  # (1, 1) is the corner
    split = {"op": "split", "grid": uid(0, 0), "line": touching}
    assert lead_cut(draft, split).geom_type == "LineString"
    (new,) = apply_edit(draft, split).made
    assert shapely.area(draft.grids[new].shape) == WHOLE * 0.25 * 1e6
    assert prove_draft(draft).ok


def test_a_split_goes_by_load_where_blocks_say_how_much():
    draft = square_draft(blocks=True)
    draft.blocks.loads[block(0, 0)] = draft.blocks.loads[block(0, 0.5)] = 5
    line = [at(0.5, -0.1), at(0.5, 1.1)]
    apply_edit(draft, {"op": "split", "grid": uid(0, 0), "line": line})
    apply_edit(draft, {"op": "merge", "grids": [uid(0, 0), uid(0, 1)]})
    west = shapely.bounds(draft.grids[uid(0, 0)].shape)[0]
    assert west == at(0, 0)[0] * 1000


def test_a_split_follows_a_road_that_lies_near():
    road = shapely.LineString([at(0.55, -0.2), at(0.6, 0.5), at(0.55, 1.2)])
    drawn = {"op": "split", "grid": uid(0, 0), "line": [at(0.57, -0.1), at(0.57, 1.1)]}
    plain, snapped = square_draft(roads=[road]), square_draft(roads=[road])
    apply_edit(plain, drawn)
    change = apply_edit(snapped, {**drawn, "snap_m": 15})
    corner = [number * 1000 for number in at(0.6, 0.5)]
    assert corner in shapely.get_coordinates(snapped.grids[change.made[0]].shape).tolist()
    assert len(shapely.get_coordinates(plain.grids[23].shape)) == 5
    assert prove_draft(snapped).ok


def test_an_end_that_stops_just_short_is_led_to_the_rim():
    draft = square_draft()
    change = apply_edit(
        draft, {"op": "split", "grid": uid(1, 1), "line": [at(1.5, 1.005), at(1.5, 1.995)]}
    )
    assert areas(change)[change.made[0]][1] == pytest.approx(WHOLE / 2)


def test_a_merge_keeps_the_larger_and_the_land():
    draft = square_draft()
    change = apply_edit(draft, {"op": "merge", "grids": [uid(0, 0), uid(1, 0), uid(1, 1)]})
    assert change.gone == (uid(1, 0), uid(1, 1))
    assert areas(change)[uid(0, 0)] == (WHOLE, 3 * WHOLE)
    kept = apply_edit(draft, {"op": "merge", "grids": [uid(2, 0), uid(3, 0)], "keep": uid(3, 0)})
    assert kept.gone == (uid(2, 0),)
    assert prove_draft(draft).ok


def test_a_stroke_gives_what_lies_inside_it():
    draft = square_draft()
    ring = [at(0.75, 0.25), at(1.25, 0.25), at(1.25, 0.75), at(0.75, 0.75)]
    change = apply_edit(draft, {"op": "draw", "grid": uid(0, 0), "area": ring})
    gain = WHOLE * 0.125
    assert areas(change) == {
        uid(0, 0): (WHOLE, WHOLE + gain),
        uid(1, 0): (WHOLE, WHOLE - gain),
    }
    assert change.notes == ()


def test_a_stroke_ends_at_the_line_of_its_community_and_says_so():
    draft = square_draft()
    ring = [at(0.75, 1.25), at(1.25, 1.25), at(1.25, 2.5), at(0.75, 2.5)]
    stroke = {"op": "draw", "grid": uid(0, 1), "area": ring}
    change = apply_edit(draft, stroke)
    assert change.notes == ("redraw.note_stopped",)
    assert draft.grids[uid(0, 2)].area_m2 == draft.grids[uid(1, 2)].area_m2 == WHOLE
    draft.undo()
    across = apply_edit(draft, {**stroke, "across": True})
    assert areas(across)[uid(1, 2)] == (WHOLE, WHOLE * 0.875)
    assert prove_draft(draft).ok


def test_parts_that_are_cut_off_follow_when_asked():
    draft = square_draft()
    band = [at(0.9, 0.4), at(2.1, 0.4), at(2.1, 0.6), at(0.9, 0.6)]
    stroke = {"op": "draw", "grid": uid(0, 0), "area": band}
    assert refuse(draft, stroke) == "redraw_falls_apart"
    change = apply_edit(draft, {**stroke, "rest": "follow"})
    assert change.notes == ("redraw.note_followed",)
    assert draft.grids[uid(1, 0)].area_m2 == pytest.approx(WHOLE * 0.4)
    assert prove_draft(draft).ok


def test_a_brush_gives_blocks():
    draft = square_draft(blocks=True)
    edit = {"op": "brush", "grid": uid(0, 0), "blocks": [block(1, 0), block(1, 0.5)]}
    change = apply_edit(draft, edit)
    assert areas(change)[uid(0, 0)] == (WHOLE, WHOLE * 1.5)
    assert prove_draft(draft).drift == 0


def test_a_special_grid_may_lie_inside_another():
    draft = square_draft()
    ring = [at(0.3, 0.3), at(0.7, 0.3), at(0.7, 0.7), at(0.3, 0.7)]
    change = apply_edit(draft, {"op": "special", "area": ring, "name": "东湖公园", "code": "P1"})
    (new,) = change.made
    park = draft.grids[new]
    assert (park.kind, park.name, park.code, park.parent) == ("special", "东湖公园", "P1", 1)
    assert draft.grids[uid(0, 0)].area_m2 == pytest.approx(WHOLE * 0.84)
    assert prove_draft(draft).ok
    inside = [at(0.45, 0.45), at(0.55, 0.45), at(0.5, 0.55)]
    assert refuse(draft, {"op": "draw", "grid": uid(1, 0), "area": inside}) == "redraw_falls_apart"


def test_a_merge_around_another_grid_is_refused():
    draft = square_draft()
    ring = [at(0.9, 0.9), at(1.1, 0.9), at(1.1, 1.1), at(0.9, 1.1)]
    apply_edit(draft, {"op": "special", "area": ring})
    around = {"op": "merge", "grids": [uid(0, 0), uid(1, 0), uid(0, 1), uid(1, 1)]}
    assert refuse(draft, around) == "redraw_encloses"


def test_a_dragged_border_is_the_line_that_was_drawn():
    draft = square_draft()
    line = [at(1, 0.2), at(1.3, 0.5), at(1, 0.8)]
    change = apply_edit(draft, {"op": "drag", "grids": [uid(0, 0), uid(1, 0)], "line": line})
    gain = WHOLE * 0.3 * 0.6 / 2
    assert areas(change)[uid(0, 0)] == pytest.approx((WHOLE, WHOLE + gain))
    whole = apply_edit(
        draft,
        {"op": "drag", "grids": [uid(0, 0), uid(1, 0)], "line": [at(0.5, -0.01), at(0.5, 1.01)]},
    )
    assert areas(whole)[uid(0, 0)][1] == pytest.approx(WHOLE * 0.5)
    assert prove_draft(draft).ok


def test_a_vertex_moves_in_every_grid_that_has_it():
    draft = square_draft()
    change = apply_edit(draft, {"op": "move", "at": at(1, 1), "to": at(1.1, 1.2)})
    assert change.uids == (uid(0, 0), uid(1, 0), uid(0, 1), uid(1, 1))
    assert prove_draft(draft).ok
    bent = apply_edit(
        draft, {"op": "move", "at": at(2.001, 0.5), "to": at(2.2, 0.5), "within_m": 1}
    )
    assert areas(bent)[uid(1, 0)][1] > areas(bent)[uid(1, 0)][0]
    assert len(bent.uids) == 2
    assert prove_draft(draft).ok


def test_a_plan_of_blocks_enters_as_one_edit():
    draft = square_draft(blocks=True)
    edit = {
        "op": "assign",
        "blocks": {
            str(uid(0, 0)): [block(1, 0), block(1, 0.5), block(1.5, 0)],
            "23": [block(2, 0), block(2.5, 0), block(2.5, 0.5)],
            str(uid(2, 0)): [block(1.5, 0.5)],
        },
    }
    change = apply_edit(draft, edit)
    assert change.gone == (uid(1, 0),)
    assert change.made == (23,)
    assert draft.grids[23].area_m2 == WHOLE * 0.75
    assert prove_draft(draft).ok


def test_a_lock_holds_land_but_lets_a_node_be_set():
    draft = square_draft()
    apply_edit(draft, {"op": "lock", "grid": uid(1, 0)})
    ring = [at(0.75, 0.25), at(1.25, 0.25), at(1.25, 0.75), at(0.75, 0.75)]
    assert refuse(draft, {"op": "draw", "grid": uid(0, 0), "area": ring}) == "redraw_locked"
    assert refuse(draft, {"op": "draw", "grid": uid(1, 0), "area": ring}) == "redraw_locked"
    assert refuse(draft, {"op": "move", "at": at(1, 1), "to": at(1.1, 1)}) == "redraw_locked"
    assert refuse(draft, {"op": "merge", "grids": [uid(0, 0), uid(1, 0)]}) == "redraw_locked"
    beside = {"op": "split", "grid": uid(0, 0), "line": [at(-0.1, 0.37), at(1.1, 0.41)]}
    assert uid(1, 0) in apply_edit(draft, beside).uids
    apply_edit(draft, {"op": "unlock", "grid": uid(1, 0)})
    assert apply_edit(draft, {"op": "draw", "grid": uid(0, 0), "area": ring}).uids


def test_locks_of_a_community_and_of_everything_hold_too():
    draft = square_draft()
    apply_edit(draft, {"op": "lock", "grid": 1})
    assert refuse(draft, {"op": "merge", "grids": [uid(0, 0), uid(1, 0)]}) == "redraw_locked"
    assert apply_edit(draft, {"op": "merge", "grids": [uid(0, 2), uid(1, 2)]}).gone
    apply_edit(draft, {"op": "lock", "all": True})
    assert refuse(draft, {"op": "merge", "grids": [uid(2, 2), uid(3, 2)]}) == "redraw_locked"
    apply_edit(draft, {"op": "unlock", "all": True})
    assert draft.locks.as_json() == {"grids": [], "outer": [], "all": False}


def test_a_grid_goes_under_the_community_beside_it():
    draft = square_draft()
    apply_edit(draft, {"op": "reparent", "grid": uid(0, 1), "parent": 2})
    frame = draft.to_frame().set_index("uid")
    assert frame.geometry[2].area == 5 * WHOLE
    assert frame.geometry[1].area == 7 * WHOLE
    assert refuse(draft, {"op": "reparent", "grid": uid(3, 0), "parent": 2}) == "redraw_not_beside"
    assert refuse(draft, {"op": "reparent", "grid": uid(0, 1), "parent": 99}) == (
        "redraw_parent_level"
    )


def test_a_community_is_not_emptied_or_cut():
    draft = square_draft()
    for column in range(3):
        apply_edit(draft, {"op": "reparent", "grid": uid(column, 2), "parent": 1})
    last = {"op": "reparent", "grid": uid(3, 2), "parent": 1}
    assert refuse(draft, last) == "redraw_parent_empty"
    draft = square_draft()
    cut = {"op": "reparent", "grid": uid(1, 2), "parent": 1}
    assert refuse(draft, cut) == "redraw_falls_apart"


def test_what_is_said_of_a_grid_can_be_said_anew():
    draft = square_draft()
    edit = {"op": "describe", "grid": uid(0, 0), "name": "滨江网格", "kind": "special"}
    change = apply_edit(draft, edit)
    assert change.before[uid(0, 0)].shape is change.after[uid(0, 0)].shape
    assert draft.grids[uid(0, 0)].name == "滨江网格"
    apply_edit(draft, {"op": "describe", "grid": 1, "name": "滨江社区"})
    assert draft.outer[1].name == "滨江社区"
    taken = {"op": "describe", "grid": uid(1, 0), "code": f"G{uid(0, 0)}"}
    assert refuse(draft, taken) == "redraw_code_taken"


RING = [at(0.2, 0.2), at(0.4, 0.2), at(0.4, 0.4)]
BAD = {
    "a line that crosses nothing": (
        {"op": "split", "grid": 11, "line": [at(2, 0.2), at(2.5, 0.8)]},
        "redraw_line_misses",
    ),
    "a line that ends inside": (
        {"op": "split", "grid": 11, "line": [at(-0.5, 0.5), at(0.5, 0.5)]},
        "redraw_line_ends",
    ),
    "a line with a loop": (
        {"op": "split", "grid": 11, "line": [at(0, 0), at(0.9, 0.9), at(0.9, 0.1), at(0.1, 0.9)]},
        "redraw_line_crosses",
    ),
    "a point for a line": (
        {"op": "split", "grid": 11, "line": [at(0.5, 0.5), at(0.5, 0.5)]},
        "redraw_line_empty",
    ),
    "a sliver cut off": (
        {"op": "split", "grid": 11, "line": [at(0.001, -0.1), at(0.001, 1.1)]},
        "redraw_sliver",
    ),
    "a bow-tie": (
        {"op": "draw", "grid": 11, "area": [at(0.5, 0), at(1.5, 1), at(1.5, 0), at(0.5, 1)]},
        "redraw_area_crosses",
    ),
    "a stroke outside the city": (
        {"op": "draw", "grid": 11, "area": [at(-3, 0), at(-2, 0), at(-2, 1)]},
        "redraw_outside",
    ),
    "a stroke without land": (
        {"op": "draw", "grid": 11, "area": [at(0.5, 0), at(0.6, 0)]},
        "redraw_area_empty",
    ),
    "a stroke in its own grid": (
        {"op": "draw", "grid": 11, "area": RING},
        "redraw_nothing_changes",
    ),
    "a stroke elsewhere": ({"op": "draw", "grid": 13, "area": RING}, "redraw_falls_apart"),
    "a stroke over a whole grid": (
        {"op": "draw", "grid": 11, "area": [at(0.9, -1), at(2, -1), at(2, 1), at(0.9, 1)]},
        "redraw_swallowed",
    ),
    "a stroke all in another community": (
        {"op": "draw", "grid": 15, "area": [at(0.2, 2.2), at(0.4, 2.2), at(0.4, 2.4)]},
        "redraw_other_community",
    ),
    "a merge across communities": ({"op": "merge", "grids": [15, 19]}, "redraw_other_community"),
    "a merge of strangers": ({"op": "merge", "grids": [11, 13]}, "redraw_not_neighbours"),
    "a merge at a corner": ({"op": "merge", "grids": [11, 16]}, "redraw_not_neighbours"),
    "a merge of one": ({"op": "merge", "grids": [11]}, "redraw_merge_few"),
    "a merge of nobody": ({"op": "merge", "grids": [11, 99]}, "redraw_grid_unknown"),
    "a merge that keeps another": (
        {"op": "merge", "grids": [11, 12], "keep": 13},
        "redraw_keep_unknown",
    ),
    "an outer grid drawn": ({"op": "draw", "grid": 1, "area": RING}, "redraw_outer_grid"),
    "a border of three": (
        {"op": "drag", "grids": [11, 12, 13], "line": RING},
        "redraw_two_grids",
    ),
    "a border of strangers": (
        {"op": "drag", "grids": [11, 13], "line": RING},
        "redraw_not_neighbours",
    ),
    "a border drawn far away": (
        {"op": "drag", "grids": [11, 12], "line": [at(0.5, 0.5), at(0.5, 0.6)]},
        "redraw_end_loose",
    ),
    "a border that touches once": (
        {"op": "drag", "grids": [11, 12], "line": [at(1.05, 0.5), at(1, 0.5)]},
        "redraw_line_crosses",
    ),
    "no vertex there": ({"op": "move", "at": at(0.5, 0.5), "to": at(1, 1)}, "redraw_no_vertex"),
    "the city's outer line": (
        {"op": "move", "at": at(1, 0), "to": at(1, 0.1)},
        "redraw_outer_line",
    ),
    "a vertex drawn past another line": (
        {"op": "move", "at": at(1, 1), "to": at(1, -0.5)},
        "redraw_crosses_or_outer",
    ),
    "a vertex of the community's line": (
        {"op": "move", "at": at(1, 2), "to": at(1, 2.1)},
        "redraw_other_community",
    ),
    "a special grid of nothing": ({"op": "special"}, "redraw_area_or_blocks"),
    "blocks where there are none": (
        {"op": "brush", "grid": 11, "blocks": [1]},
        "redraw_no_blocks",
    ),
    "a lock of nothing": ({"op": "lock"}, "redraw_lock_what"),
    "a lock that is open": ({"op": "unlock", "grid": 11}, "redraw_nothing_changes"),
    "a description of nothing": ({"op": "describe", "grid": 11}, "redraw_nothing_changes"),
    "an empty name": ({"op": "describe", "grid": 11, "name": " "}, "redraw_text_empty"),
    "a grid under its own parent": (
        {"op": "reparent", "grid": 11, "parent": 1},
        "redraw_nothing_changes",
    ),
}


@pytest.mark.parametrize(("edit", "key"), BAD.values(), ids=BAD)
def test_what_is_refused_says_why_and_changes_nothing(edit, key):
    draft = square_draft()
    found = refuse(draft, edit)
    if "_or_" in key and key != "redraw_area_or_blocks":
        assert found in {"redraw_crosses", "redraw_outer_line"}
    else:
        assert found == key


def test_a_block_there_is_not_is_named():
    draft = square_draft(blocks=True)
    assert refuse(draft, {"op": "brush", "grid": 11, "blocks": [48]}) == "redraw_block_unknown"


def test_undo_and_redo_have_no_end_and_give_back_the_same_bytes():
    draft = square_draft(blocks=True)
    states = [read_all(draft)]
    edits = [
        {"op": "split", "grid": 11, "line": [at(0.31, -1), at(0.37, 2)]},
        {"op": "describe", "grid": 23, "name": "新网格"},
        {"op": "lock", "grid": 12},
        {"op": "merge", "grids": [23, 15]},
        {"op": "reparent", "grid": 19, "parent": 1},
        {"op": "brush", "grid": 13, "blocks": [block(3, 0)]},
        {"op": "move", "at": at(2, 1), "to": at(2.05, 1.03)},
    ]
    for edit in edits[:-1]:
        apply_edit(draft, edit)
        states.append(read_all(draft))
    assert refuse(draft, edits[-1]) == "redraw_locked"
    for state in reversed(states[:-1]):
        draft.undo()
        assert read_all(draft) == state
    with pytest.raises(BadGrid, match="nothing to undo"):
        draft.undo()
    for state in states[1:]:
        draft.redo()
        assert read_all(draft) == state
    with pytest.raises(BadGrid, match="nothing to do again"):
        draft.redo()
    draft.undo()
    apply_edit(draft, {"op": "lock", "grid": 14})
    with pytest.raises(BadGrid):
        draft.redo()


def test_the_log_replayed_on_the_base_gives_the_same_draft():
    first, second = square_draft(blocks=True), square_draft(blocks=True)
    apply_edit(first, {"op": "split", "grid": 11, "line": [at(0.31, -1), at(0.37, 2)]})
    apply_edit(first, {"op": "merge", "grids": [23, 15]})
    lines = [json.dumps(change.edit) for change in first.done]
    replay_edits(second, map(json.loads, lines))
    assert read_all(first) == read_all(second)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
POINT = st.tuples(st.floats(-1, 5), st.floats(-1, 4)).map(lambda xy: at(*xy))
NEAR = {
    "uid": st.integers(0, 24),
    "numbers": st.lists(st.integers(0, 50), max_size=4),
    "sheets": st.dictionaries(
        st.integers(9, 26).map(str), st.lists(st.integers(0, 47), min_size=1, max_size=6)
    ),
    "point": POINT,
    "line": st.lists(POINT, min_size=2, max_size=6),
    "metres": st.floats(0, 40),
    "text": st.text(max_size=5),
    "flag": st.booleans(),
    "rest": st.sampled_from(["refuse", "follow"]),
    "shapes": st.dictionaries(
        st.integers(9, 26).map(str),
        st.lists(POINT, min_size=3, max_size=5).map(lambda ring: [[ring]]),
        min_size=1, max_size=3,
    ),
}  # fmt: skip
FORMED = st.one_of(
    [
        st.fixed_dictionaries(
            {
                "op": st.just(op),
                **{name: NEAR[kind] for name, kind in form.items() if name[-1] != "?"},
            },
            optional={name[:-1]: NEAR[kind] for name, kind in form.items() if name[-1] == "?"},
        )
        for op, form in FORMS.items()
    ]
)
HALF = st.builds(
    lambda op, more: {**more, "op": op},
    st.sampled_from(list(FORMS)),
    st.dictionaries(
        st.sampled_from(["grid", "area", "line", "grids", "at", "to", "blocks", "parent"]), ANY
    ),
)


@settings(max_examples=60, deadline=None)
@given(edit=ANY | HALF)
def test_anything_at_all_is_answered_with_a_sentence(edit):
    draft = square_draft(blocks=True)
    before = read_all(draft)
    said = ""
    try:
        apply_edit(draft, edit)
    except BadGrid as refused:
        said = refused.sentence("zh")
    assert bool(said) != bool(draft.done)
    assert draft.done or read_all(draft) == before


@settings(max_examples=40, deadline=None)
@given(edits=st.lists(FORMED, min_size=1, max_size=8))
def test_whatever_is_accepted_keeps_the_tiling_and_can_be_undone(edits):
    draft = square_draft(blocks=True)
    start = read_all(draft)
    for edit in edits:
        before = read_all(draft)
        try:
            change = apply_edit(draft, edit)
        except BadGrid:
            assert read_all(draft) == before
        else:
            assert all(draft.grids[uid].shape.is_valid for uid in change.uids if uid in draft.grids)
    proof = prove_draft(draft)
    assert proof.ok, proof
    assert proof.drift < 1e-8
    assert all(grid.shape.geom_type == "Polygon" for grid in draft.grids.values())
    frame = draft.to_frame()
    assert np.isclose(frame[frame["level"] == "grid"].area.sum(), 12 * WHOLE)
    while draft.done:
        draft.undo()
    assert read_all(draft) == start
