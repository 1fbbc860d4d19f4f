"""Promise: boundary files become one complete, exact, dated drawing, or nothing changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from geodata.city import City, create_city
from geodata.errors import BadFile, BadSetting, GetuError
from geodata.loading.report import LoadReport
from geodata.snapshots.facts import load_facts
from geodata.store.drawings import load_drawings
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    SIDE_M,
    SOUTH_M,
    WEST_M,
    community_code,
    community_features,
    grid_code,
    grid_features,
    incident_rows,
    load,
    load_one,
    make_empty_city,
    make_gridded_city,
    middle,
    square,
    write_grids,
    write_shapes,
    write_table,
)

DAY = 86_400


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_empty_city(tmp_path / "city")


def drawings(city: City) -> list[dict]:
    with city.database.read() as connection:
        return load_drawings(connection)


def owners(city: City) -> dict[str, str | None]:
    """Code of the owner of each incident, by the incident's own id."""
    system = city.grids_in_force(NOW)
    codes = dict(zip(system.grids["uid"], system.grids["code"], strict=True)) if system else {}
    with city.database.read() as connection:
        rows = connection.execute(
            "SELECT k.ext_id, i.owner FROM incident i JOIN incident_key k ON k.inc = i.inc"
        ).fetchall()
    return {name: codes.get(owner) for name, owner in rows}


def notes(report: LoadReport) -> dict[str, dict]:
    return {note.key.removeprefix("report."): note.values for note in report.notes}


def in_both(error: GetuError) -> str:
    return error.sentence("zh") + error.sentence("en")


# --- codes, levels, parents ----------------------------------------------------------------------


def test_one_file_with_levels_and_parents_becomes_one_tree(city, tmp_path):
    report = load_one(city, "grids", write_grids(tmp_path / "grids.geojson"))
    assert (report.rows, report.accepted, report.refused) == (12, 12, 0)
    system = city.grids_in_force(NOW)
    assert system.levels == ("community", "grid")
    assert len(system.finest()) == 9
    for row in range(3):
        parent = system.find_uid(community_code(row))
        children = {system.find_uid(grid_code(column, row)) for column in range(3)}
        assert set(system.children(parent).tolist()) == children
    assert system.grids["households"].sum() == sum(p["households"] for _, p in grid_features())
    assert "drawing_first" in notes(report)


def test_uids_follow_the_order_of_codes(city, tmp_path):
    features = grid_features()
    load_one(city, "grids", write_shapes(tmp_path / "g.geojson", features[::-1]))
    finest = city.grids_in_force(NOW).finest()
    assert finest["code"].tolist() == sorted(finest["code"])
    assert (np.diff(finest["uid"]) > 0).all()


def test_every_corner_is_a_whole_millimetre_and_shared(city, tmp_path):
    load_one(city, "grids", write_grids(tmp_path / "grids.geojson"))
    grids = city.grids_in_force(NOW).finest().geometry.to_numpy()
    millimetres = shapely.get_coordinates(grids) * 1000
    assert np.array_equal(millimetres, np.rint(millimetres))
    assert shapely.area(shapely.union_all(grids)) == pytest.approx(9 * SIDE_M**2, abs=0.02)
    assert shapely.coverage_is_valid(grids)


def test_one_file_a_level_finds_its_parents_by_code(city, tmp_path):
    outer = write_shapes(tmp_path / "communities.geojson", community_features())
    inner = [(shape, {"code": plain["code"]}) for shape, plain in grid_features()]
    load_one(city, "grids", outer, level="community")
    report = load_one(city, "grids", write_shapes(tmp_path / "g.geojson", inner), level="grid")
    assert notes(report)["parent_by_prefix"] == {"n": 9}
    system = city.grids_in_force(NOW)
    assert system.parent(system.find_uid(grid_code(2, 1))) == system.find_uid(community_code(1))


def test_parents_are_found_by_overlap_where_codes_say_nothing(city, tmp_path):
    inner = [(shape, {"code": f"G{n}"}) for n, (shape, _) in enumerate(grid_features())]
    outer = write_shapes(tmp_path / "communities.geojson", community_features())
    load_one(city, "grids", outer, level="community")
    report = load_one(city, "grids", write_shapes(tmp_path / "g.geojson", inner), level="grid")
    assert notes(report)["parent_by_overlap"] == {"n": 9}


def test_several_files_are_one_level_and_go_in_together_or_not_at_all(city, tmp_path):
    features = grid_features()
    west = write_shapes(tmp_path / "west.geojson", features[:4])
    east = write_shapes(tmp_path / "east.geojson", features[4:])
    broken = tmp_path / "broken.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [', "utf-8")
    reports, errors = load(city, "grids", west, broken, level="grid")
    assert not reports
    assert errors[0].file == "broken.geojson"
    assert not drawings(city)
    reports, errors = load(city, "grids", west, east, level="grid")
    assert not errors
    assert reports[0].accepted == 9


# --- the drawing in force ------------------------------------------------------------------------


def test_a_second_drawing_is_a_draft_and_changes_nothing_in_force(tmp_path):
    city = make_gridded_city(tmp_path / "city")
    load_one(city, "incidents", write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, incident_rows()))
    before, owned = city.grids_in_force(NOW), owners(city)
    moved = [
        (square(0, 0, wide=1.5), {"code": grid_code(0, 0), "level": "grid"}),
        (square(1.5, 0, wide=1.5), {"code": grid_code(9, 0), "level": "grid"}),
    ]
    report = load_one(city, "grids", write_shapes(tmp_path / "new.geojson", moved))
    assert [row["state"] for row in drawings(city)] == ["in_force", "draft"]
    assert notes(report)["drawing_draft"] == {"drawing": 2, "kept": 1, "new": 1}
    after = city.grids_in_force(NOW)
    assert after.drawing == before.drawing
    assert after.grids.geometry.equals(before.grids.geometry)
    assert owners(city) == owned


def test_a_draft_of_one_level_keeps_the_other_levels_and_the_old_uids(tmp_path):
    city = make_gridded_city(tmp_path / "city")
    before = city.grids_in_force(NOW)
    features = [(shape, {**plain, "name": "改名"}) for shape, plain in grid_features()]
    load_one(city, "grids", write_shapes(tmp_path / "new.geojson", features), level="grid")
    with city.database.read() as connection:
        rows = connection.execute("SELECT uid, code, name FROM grid WHERE drawing = 2").fetchall()
    assert {(uid, code) for uid, code, _ in rows} == set(
        zip(before.grids["uid"], before.grids["code"], strict=True)
    )
    assert sum(name == "改名" for _, _, name in rows) == 9


def test_adding_a_finer_level_owns_every_incident_anew(tmp_path):
    city = make_empty_city(tmp_path / "city")
    outer = write_shapes(tmp_path / "communities.geojson", community_features())
    load_one(city, "grids", outer, level="community")
    rows = incident_rows()
    load_one(city, "incidents", write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, rows))
    assert set(owners(city).values()) == {*map(community_code, range(3)), None}
    inner = write_shapes(tmp_path / "grids.geojson", grid_features())
    report = load_one(city, "grids", inner, level="grid")
    assert "drawing_level_added" in notes(report)
    after = owners(city)
    assert {len(code) for code in after.values() if code} == {15}
    plain = make_gridded_city(tmp_path / "plain")
    load_one(plain, "incidents", tmp_path / "i.csv")
    assert after == owners(plain)
    facts = load_facts(city, now=NOW)
    assert (facts.snapshot.owner >= 0).sum() == sum(code is not None for code in after.values())


def test_incidents_loaded_before_the_grids_are_owned_when_these_come(tmp_path):
    city = make_empty_city(tmp_path / "city")
    load_one(city, "incidents", write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, incident_rows()))
    assert set(owners(city).values()) == {None}
    load_one(city, "grids", write_grids(tmp_path / "g.geojson"))
    assert sum(code is not None for code in owners(city).values()) == 32


def test_another_system_stands_beside_the_first_and_owns_nothing_in_its_place(tmp_path):
    city = make_gridded_city(tmp_path / "city")
    load_one(city, "incidents", write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, incident_rows()))
    owned = owners(city)
    beats = [(square(0, 0, wide=3, high=3), {"code": "B1"})]
    load_one(city, "grids", write_shapes(tmp_path / "beats.geojson", beats), system="beat")
    assert city.grids_in_force(NOW).system == "grid"
    assert city.grids_in_force(NOW, system="beat").finest()["code"].tolist() == ["B1"]
    assert owners(city) == owned
    load_one(city, "incidents", tmp_path / "i.csv")
    assert owners(city) == owned


def test_a_first_drawing_from_a_later_day_is_not_in_force_before_it(city, tmp_path):
    file = write_grids(tmp_path / "g.geojson")
    load_one(city, "grids", file, valid_from=NOW + DAY)
    assert city.grids_in_force(NOW) is None
    assert city.grids_in_force(NOW + DAY).valid_from == NOW + DAY


def test_a_first_drawing_reaches_back_without_end(city, tmp_path):
    load_one(city, "grids", write_grids(tmp_path / "g.geojson"))
    assert city.grids_in_force(0).valid_from is None


# --- gaps and overlaps ---------------------------------------------------------------------------


def overlapping() -> list:
    return [
        (square(0, 0), {"code": "A1"}),
        (square(0.9, 0), {"code": "A2"}),  # 20 m x 200 m twice
        (square(0, 1, wide=2), {"code": "A3"}),
    ]


def test_overlaps_are_refused_with_codes_and_square_metres(city, tmp_path):
    file = write_shapes(tmp_path / "over.geojson", overlapping())
    with pytest.raises(BadFile) as refused:
        load_one(city, "grids", file)
    said = in_both(refused.value)
    assert "A1" in said
    assert "A2" in said
    assert "4,000" in said
    assert "--overlaps cut" in said
    assert refused.value.file == "over.geojson"
    assert not drawings(city)


def test_overlaps_are_cut_for_the_smaller_code_when_asked(city, tmp_path):
    file = write_shapes(tmp_path / "over.geojson", overlapping())
    report = load_one(city, "grids", file, overlaps="cut")
    assert notes(report)["cut"]["n"] == 1
    area = dict(
        zip(*(city.grids_in_force(NOW).finest()[c] for c in ("code", "geometry")), strict=True)
    )
    assert area["A1"].area == pytest.approx(40_000, abs=1)
    assert area["A2"].area == pytest.approx(36_000, abs=1)


def test_gaps_load_as_blind_zones_and_are_said(city, tmp_path):
    around = [feature for feature in grid_features() if feature[1]["code"] != grid_code(1, 1)]
    report = load_one(city, "grids", write_shapes(tmp_path / "gap.geojson", around))
    assert notes(report)["blind_zones"]["n"] == 1
    assert notes(report)["blind_zones"]["area"] in ("40,000", "39,999", "40,001")
    rows = [["A", "2026-05-01 08:00", "积水", *middle(1, 1), *[""] * 5]]
    load_one(city, "incidents", write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, rows))
    assert owners(city) == {"A": None}


def test_hairlines_are_repaired_and_reported(city, tmp_path):
    features = grid_features()
    x, y = WEST_M, SOUTH_M
    features[0] = (shapely.box(x, y, x + SIDE_M - 0.02, y + SIDE_M), features[0][1])
    report = load_one(city, "grids", write_shapes(tmp_path / "hair.geojson", features))
    assert notes(report)["closed"]["n"] == 1
    grids = city.grids_in_force(NOW).finest().geometry.to_numpy()
    assert shapely.coverage_is_valid(grids)
    assert shapely.area(grids).sum() == pytest.approx(9 * SIDE_M**2, abs=0.5)


# --- refusals leave nothing ----------------------------------------------------------------------


def collection(*features: tuple) -> dict:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": properties,
                "geometry": {"type": kind, "coordinates": coordinates},
            }
            for kind, coordinates, properties in features
        ],
    }


RING = [[120.0, 32.5], [120.01, 32.5], [120.01, 32.51], [120.0, 32.51], [120.0, 32.5]]
FLAT = [[120.0, 32.5], [120.01, 32.5], [120.02, 32.5], [120.0, 32.5]]


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ([("Polygon", [RING], {"code": "A"}), ("Polygon", [RING], {"code": "A"})], "A"),
        ([("Polygon", [FLAT], {"code": "A"}), ("Polygon", [FLAT], {"code": "B"})], "第 2 行"),
        ([("Point", [120.0, 32.5], {"code": "A"})], "面"),
        ([("Polygon", [RING], {"name": "x"})], "--map code="),
        ([("Polygon", [RING], {"code": ""})], "编码"),
        ([("Polygon", [RING], {"code": 3210120010010010011})], "15 位"),
    ],
)
def test_a_file_that_is_no_drawing_is_refused_and_leaves_nothing(city, tmp_path, features, said):
    file = tmp_path / "bad.geojson"
    file.write_text(json.dumps(collection(*features)), "utf-8")
    revision = city.database.revision()
    with pytest.raises(BadFile) as refused:
        load_one(city, "grids", file)
    assert said in refused.value.sentence("zh")
    assert refused.value.sentence("en")
    assert not drawings(city)
    assert city.database.revision() == revision


def test_features_that_are_no_polygons_are_named_by_row(city, tmp_path):
    file = tmp_path / "mixed.geojson"
    parts = [("Polygon", [RING], {"code": "A"}), ("Point", [120.0, 32.5], {"code": "B"})]
    file.write_text(json.dumps(collection(*parts)), "utf-8")
    report = load_one(city, "grids", file)
    assert (report.rows, report.accepted, report.refused) == (2, 1, 1)
    assert [(fault.key, fault.row) for fault in report.faults] == [("shape_not_polygon", 2)]


def test_a_dry_run_writes_nothing(tmp_path):
    city = make_empty_city(tmp_path / "city")
    revision = city.database.revision()
    report = load_one(city, "grids", write_grids(tmp_path / "g.geojson"), dry_run=True)
    assert report.accepted == 12
    assert "dry_run" in notes(report)
    assert not drawings(city)
    assert city.database.revision() == revision


def test_an_unknown_level_is_refused_with_the_known_ones(city, tmp_path):
    with pytest.raises(BadSetting) as refused:
        load_one(city, "grids", write_grids(tmp_path / "g.geojson"), level="planet")
    assert "community" in in_both(refused.value)


def test_the_first_grids_choose_the_citys_coordinate_system_for_good(tmp_path):
    city = create_city(tmp_path / "city", {"name_zh": "小城"})
    report = load_one(city, "grids", write_grids(tmp_path / "g.geojson"))
    assert notes(report)["crs_chosen"] == {"crs": "EPSG:4549"}
    assert city.crs_text == "EPSG:4549"
    city.fix_crs("EPSG:4550")
    assert city.crs_text == "EPSG:4549"


def test_the_digits_of_codes_tell_levels_and_parents_where_the_city_says_so(city, tmp_path):
    bare = [
        (shape, {"code": given["code"], "name": given["name"]})
        for shape, given in (*community_features(), *grid_features())
    ]
    path = write_shapes(tmp_path / "bare.geojson", bare)
    with pytest.raises(GetuError):  # without it all are grids, and overlap
        load_one(city, "grids", path)
    object.__setattr__(city.settings, "grid_code_rule", "6+3+3+3")
    load_one(city, "grids", path)
    grids = city.grids_in_force(NOW).grids
    assert grids["level"].value_counts().to_dict() == {"grid": 9, "community": 3}
    codes = dict(zip(grids["uid"], grids["code"], strict=True))
    finest = grids[grids["level"] == "grid"]
    assert all(
        code.startswith(codes[parent])
        for code, parent in zip(finest["code"], finest["parent"], strict=True)
    )
    object.__setattr__(city.settings, "grid_code_rule", "six")
    with pytest.raises(BadSetting):
        load_one(city, "grids", path)


def name_areas(features, *, codes: bool):
    """Let every grid's columns name its street and its community, as civil affairs' files do."""
    named = []
    for shape, own in features:
        above = {"街道": "仙女镇", "社区": f"社区{own['parent'][-1]}"}
        if codes:
            above |= {"街道代码": own["code"][:9], "社区代码": own["parent"]}
        kept = {"网格编码": own["code"], "网格名称": own["name"]}
        named.append((shape, kept | above))
    return named


@pytest.mark.parametrize("codes", [True, False], ids=["with codes", "names alone"])
def test_streets_and_communities_that_columns_name_become_levels_with_their_names(
    city, tmp_path, codes
):
    file = write_shapes(tmp_path / "g.geojson", name_areas(grid_features(), codes=codes))
    report = load_one(city, "grids", file)
    assert "report.levels_named" in [note.key for note in report.notes]
    system = city.grids_in_force(NOW)
    assert system.levels == ("street", "community", "grid")
    names = {level: sorted(system.level(level)["name"]) for level in system.levels}
    assert names["street"] == ["仙女镇"]
    assert names["community"] == ["社区1", "社区2", "社区3"]
    first = system.level("grid")
    assert system.path_names(int(first["uid"].iat[0]))[:2] == ("仙女镇", "社区1")


def test_columns_that_contradict_themselves_make_no_levels(city, tmp_path):
    features = name_areas(grid_features(), codes=True)
    features[0][1]["社区"] = "另一个社区"  # one code, two names
    features[1][1]["街道代码"] = "321012002"  # one community in two streets
    load_one(city, "grids", write_shapes(tmp_path / "g.geojson", features))
    assert city.grids_in_force(NOW).levels == ("street", "grid")
