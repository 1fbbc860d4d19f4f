"""Parents are found by column, prefix or overlap; uids follow the codes and are never reused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest

from geodata.codes import UNIT_GRID_15
from geodata.coverage.edges import edges_match
from geodata.coverage.repair import repair_coverage
from geodata.errors import BadGrid, NotFound
from geodata.grids import GRID_COLUMNS, GridSystem, add_levels, build_tree
from tests.city import uids_above
from tests.geodata.tilings import CRS, frame, square

STREETS = {"S1": (0, 0, 100, 100), "S2": (100, 0, 200, 100)}
GRIDS = {
    "G1": (0, 0, 50, 100),
    "G2": (50, 0, 100, 100),
    "G3": (100, 0, 200, 50),
    "G4": (100, 50, 200, 100),
}


def layer(places: dict[str, tuple[int, ...]], **columns: object) -> gpd.GeoDataFrame:
    return frame([square(*box) for box in places.values()], code=list(places), **columns)


def parents(grids: gpd.GeoDataFrame) -> dict[str, str]:
    code = dict(zip(grids["uid"], grids["code"], strict=True))
    return {
        own: code.get(above, "") for own, above in zip(grids["code"], grids["parent"], strict=True)
    }


NESTED = {"S1": "", "S2": "", "G1": "S1", "G2": "S1", "G3": "S2", "G4": "S2"}


def test_parents_are_found_by_the_largest_overlap() -> None:
    tree = build_tree({"street": layer(STREETS), "grid": layer(GRIDS)})
    assert parents(tree.grids) == NESTED
    assert tree.report.found_by == {"overlap": 4}
    assert tree.report.orphans == ()


def test_parents_are_found_by_their_column_in_one_file() -> None:
    both = {**STREETS, **GRIDS}
    levels = ["street"] * 2 + ["grid"] * 4
    wrong_on_purpose = ["", "", "S2", "S1", "S2", "S2"]  # the column rules, not the map
    tree = build_tree(layer(both, level=levels, parent=wrong_on_purpose))
    assert parents(tree.grids)["G1"] == "S2"
    assert tree.report.found_by == {"column": 4}


def test_parents_are_found_by_prefix_unless_the_map_denies_it() -> None:
    streets = {"321012101": STREETS["S1"], "321012102": STREETS["S2"]}
    grids = {"321012101001001": GRIDS["G1"], "321012101001002": GRIDS["G3"]}
    tree = build_tree({"street": layer(streets), "grid": layer(grids)})
    assert parents(tree.grids)["321012101001001"] == "321012101"
    assert parents(tree.grids)["321012101001002"] == "321012102"
    assert tree.report.found_by == {"prefix": 1, "overlap": 1}
    assert tree.report.contradicted == ("321012101001002",)


def test_the_columns_are_the_contract_in_uid_order() -> None:
    tree = build_tree({"street": layer(STREETS), "grid": layer(GRIDS, colour=list("abcd"))})
    assert tuple(tree.grids.columns[: len(GRID_COLUMNS)]) == GRID_COLUMNS
    assert tree.grids["uid"].tolist() == [1, 2, 3, 4, 5, 6]
    assert tree.grids["code"].tolist() == sorted([*STREETS, *GRIDS])
    assert tree.grids["name"].tolist() == tree.grids["code"].tolist()
    assert tree.grids["colour"].tolist()[:4] == list("abcd")
    assert tree.grids["uid"].dtype == tree.grids["parent"].dtype == np.int64
    assert tree.grids["households"].isna().all()
    assert tree.grids.crs == CRS


def test_uids_run_in_code_order_whatever_the_level() -> None:
    codes = {"10": (0, 0, 9, 9), "2": (9, 0, 18, 9), "9": (18, 0, 27, 9)}
    tree = build_tree({"community": layer({"1": (0, 0, 9, 9), "3": (9, 0, 27, 9)}),
                       "grid": layer(codes)})  # fmt: skip
    assert tree.grids["code"].tolist() == ["1", "10", "2", "3", "9"]  # as text


def test_a_grid_without_a_parent_is_refused_with_its_shares() -> None:
    grids = layer({**GRIDS, "G5": (80, 100, 120, 110), "G6": (80, 90, 120, 100)})
    with pytest.raises(BadGrid) as caught:
        build_tree({"street": layer(STREETS), "grid": grids})
    faults = {fault.values["code"]: fault for fault in caught.value.faults}
    assert faults["G5"].key == "grid_orphan_alone"
    assert faults["G6"].values["share"] == "50.0%"
    tree = build_tree({"street": layer(STREETS), "grid": grids}, orphans="keep")
    assert {orphan.code: orphan.share for orphan in tree.report.orphans} == {"G5": 0, "G6": 0.5}
    assert parents(tree.grids)["G6"] == ""


def test_a_special_grid_over_two_parents_belongs_to_the_larger_share() -> None:
    park = {"G9": (80, 40, 110, 60)}
    tree = build_tree(
        {"street": layer(STREETS), "grid": layer({**GRIDS, **park}, kind=[""] * 4 + ["专属网格"])}
    )
    assert parents(tree.grids)["G9"] == "S1"
    (straddling,) = tree.report.straddling
    assert straddling.share == pytest.approx(2 / 3)
    repaired, report = repair_coverage(tree.grids)
    assert report.proof.ok
    streets = repaired[repaired["level"] == "street"]
    assert edges_match(streets).ok
    assert streets.area.tolist() == pytest.approx([10_200, 9_800])


def test_parents_that_no_file_has_are_made_from_their_children() -> None:
    codes = ["321012101001001", "321012101001002", "321012102001001", "321012102001002"]
    grids = frame(
        [square(*box) for box in GRIDS.values()], code=codes, 上级编码=[code[:6] for code in codes]
    )
    for options in ({"code_rule": UNIT_GRID_15}, {"parent_level": "district"}):
        tree = build_tree(grids, **options)
        assert tree.report.made == ("321012",)
        assert tree.grids["level"].tolist()[0] == "district"
    assert build_tree(grids).grids["level"].tolist()[0] == "community"
    repaired, report = repair_coverage(tree.grids)
    assert report.proof.ok
    assert repaired.geometry[0].equals(square(0, 0, 200, 100))


def test_made_parents_find_their_own_parents() -> None:
    grids = layer(GRIDS, parent=["C1", "C1", "C2", "C2"])
    tree = build_tree([layer(STREETS, level=["street"] * 2), grids.assign(level="grid")])
    assert parents(tree.grids) == {
        "S1": "", "S2": "", "C1": "S1", "C2": "S2", "G1": "C1", "G2": "C1", "G3": "C2", "G4": "C2",
    }  # fmt: skip


def test_a_parent_that_its_level_does_not_have_is_refused() -> None:
    grids = layer(GRIDS, parent=["S1", "S1", "S2", "S9"]).assign(level="grid")
    streets = layer(STREETS, level=["street"] * 2)
    with pytest.raises(BadGrid) as caught:
        build_tree([streets, grids], parent_level="street")
    assert [fault.key for fault in caught.value.faults] == ["grid_parent_unknown"]
    tree = build_tree([streets, grids], parent_level="street", orphans="keep")
    assert parents(tree.grids)["G4"] == "S2"  # by overlap


def test_a_grid_may_hang_under_a_street_where_no_community_holds_it() -> None:
    community = layer({"C1": STREETS["S1"]})
    tree = build_tree({"street": layer(STREETS), "community": community, "grid": layer(GRIDS)})
    assert parents(tree.grids)["G1"] == "C1"
    assert parents(tree.grids)["G4"] == "S2"


def test_duplicate_codes_are_refused_within_a_level_only() -> None:
    tree = build_tree({"street": layer({"1": (0, 0, 9, 9)}), "grid": layer({"1": (0, 0, 9, 9)})})
    assert tree.grids["level"].tolist() == ["street", "grid"]
    assert tree.grids["parent"].tolist() == [-1, 1]
    double = frame([square(0, 0, 1, 1), square(1, 0, 2, 1)], code=["a", "a"])
    with pytest.raises(BadGrid, match="several grids of one level"):
        build_tree(double)


def test_degrees_are_brought_to_the_citys_system() -> None:
    degrees = layer(GRIDS).to_crs("EPSG:4490")
    tree = build_tree(degrees, crs=CRS)
    assert tree.grids.crs == CRS
    assert tree.grids.area.sum() == pytest.approx(20_000, abs=1e-3)
    with pytest.raises(BadGrid) as caught:
        build_tree(degrees)
    assert [fault.key for fault in caught.value.faults] == ["grid_crs_not_metric"]


def test_uids_are_kept_by_code_and_never_given_twice() -> None:
    first = build_tree({"street": layer(STREETS), "grid": layer(GRIDS)}).grids
    changed = {name: box for name, box in GRIDS.items() if name != "G1"}
    changed["G0"] = GRIDS["G1"]
    second = build_tree({"street": layer(STREETS), "grid": layer(changed)}, previous=first)
    uid = dict(zip(second.grids["code"], second.grids["uid"], strict=True))
    before = dict(zip(first["code"], first["uid"], strict=True))
    assert {code: uid[code] for code in uid if code != "G0"} == {
        code: before[code] for code in before if code != "G1"
    }
    assert uid["G0"] == 7
    assert (second.report.kept, second.report.new) == (5, 1)
    later = build_tree(layer(GRIDS), previous=second.grids, next_uid=40)
    assert later.grids["uid"].max() == 40  # G1 was retired; its old number stays its own
    assert later.grids["uid"].is_monotonic_increasing


def test_a_level_can_be_added_to_a_drawing() -> None:
    streets = build_tree(layer(STREETS, level=["street"] * 2)).grids
    tree = add_levels(streets, {"grid": layer(GRIDS)})
    assert parents(tree.grids) == NESTED
    assert tree.grids["uid"].tolist()[:2] == streets["uid"].tolist()
    outer = add_levels(tree.grids, {"district": layer({"D": (0, 0, 200, 100)})})
    assert parents(outer.grids)["S1"] == "D"
    assert parents(outer.grids)["G1"] == "S1"
    assert outer.report.new == 1


def test_the_system_answers_who_is_above_and_below() -> None:
    grids = build_tree(
        {"street": layer({**STREETS, "S3": (200, 0, 300, 100)}), "grid": layer(GRIDS)}
    ).grids
    system = GridSystem(system="grid", drawing=1, valid_from=None, valid_to=None, grids=grids)
    uid = {code: system.find_uid(code) for code in grids["code"]}
    assert system.levels == ("street", "grid")
    assert system.finest()["code"].tolist() == ["G1", "G2", "G3", "G4", "S3"]  # S3 has no grids
    assert system.level("street")["code"].tolist() == ["S1", "S2", "S3"]
    assert len(system.level("city")) == 0
    assert system.children(uid["S1"]).tolist() == [uid["G1"], uid["G2"]]
    assert system.children(uid["G1"]).tolist() == []
    assert system.ancestors(uid["G3"]) == (uid["S2"],)
    assert system.path(uid["G3"]) == (uid["S2"], uid["G3"])
    assert system.path_names(uid["G3"]) == ("S2", "G3")
    assert system.subtree_uids(uid["S2"]).tolist() == sorted([uid["S2"], uid["G3"], uid["G4"]])
    assert system.leaf_ranks(uid["S2"]).tolist() == [2, 3]
    assert system.leaf_ranks(uid["S3"]).tolist() == [4]
    assert uids_above(system, "street").tolist() == [
        uid[code] for code in ("S1", "S1", "S2", "S2", "S3")
    ]
    assert uids_above(system, "grid").tolist()[-1] == -1
    with pytest.raises(NotFound, match="no grid"):
        system.children(99)


def test_the_same_code_on_two_levels_is_found_by_level() -> None:
    tree = build_tree({"street": layer({"1": (0, 0, 9, 9)}), "grid": layer({"1": (0, 0, 9, 9)})})
    system = GridSystem(system="grid", drawing=1, valid_from=None, valid_to=None, grids=tree.grids)
    assert system.find_uid("1") == 2
    assert system.find_uid("1", level="street") == 1


@pytest.mark.parametrize(
    ("begin", "end", "at", "expected"),
    [
        (None, None, 0, True),
        (100, 200, 99, False),
        (100, 200, 100, True),
        (100, 200, 199, True),
        (100, 200, 200, False),
        (None, 200, -5, True),
        (100, None, 10**10, True),
    ],
)
def test_a_drawing_is_in_force_from_its_first_moment_to_before_its_last(
    begin: int | None, end: int | None, at: int, expected: bool
) -> None:
    system = GridSystem(
        system="grid",
        drawing=1,
        valid_from=begin,
        valid_to=end,
        grids=build_tree(layer(GRIDS)).grids,
    )
    assert system.in_force(at) is expected
