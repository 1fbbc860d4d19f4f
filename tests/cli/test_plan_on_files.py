"""Promise: a drawing in files can be checked, edited and rebalanced without a city, exactly."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest

from bench.made_up_land import make_land
from geodata.coverage.edges import to_m, to_mm
from geodata.redraw.files import read_draft, write_geojson

CHINA = ("--crs", "EPSG:4490")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("drawing")
    land = make_land(blocks=160, grids=40, communities=3)
    write_geojson(made / "grids.geojson", land.frame)
    numbers = np.arange(len(land.blocks))
    table = {
        "uid": numbers,
        "code": [f"B{n}" for n in numbers],
        "parent": -1,
        "load": land.loads.copy(),
    }
    table["load"][:3] = np.nan  # no history: counted with what blocks like them bring
    blocks = gpd.GeoDataFrame(table, geometry=to_m(land.blocks), crs=land.frame.crs)
    write_geojson(made / "blocks.geojson", blocks)
    return made


def test_a_drawing_comes_back_to_the_millimetre(folder):
    draft = read_draft([folder / "grids.geojson"], crs="EPSG:4490")
    again = folder / "again.geojson"
    write_geojson(again, draft.to_frame())
    twice = read_draft([again], crs="EPSG:4490")
    one, two = (to_mm(each.to_frame().geometry.to_numpy()) for each in (draft, twice))
    assert [shape.normalize().wkb for shape in one] == [shape.normalize().wkb for shape in two]


def test_check_says_that_it_tiles(nursery, folder):
    run = nursery.run("plan", "check", "--drawing", folder / "grids.geojson", *CHINA, "--json")
    assert run.code == 0
    assert run.plain["ok"]
    assert run.plain["edges"]["gaps"] == 0


def test_a_proposal_is_taken_and_the_result_still_tiles(nursery, folder):
    new = folder / "new.geojson"
    run = nursery.run(
        "plan", "propose", "--drawing", folder / "grids.geojson", "--blocks",
        folder / "blocks.geojson", "--load", "load", "--band", "0.3", "--take", "least_change",
        "--out", new, *CHINA, "--json",
    )  # fmt: skip
    assert run.code == 0, run.said
    least, _, _ = run.plain["plans"]
    assert least["kind"] == "least_change"
    assert least["outside"] < run.plain["today"]["outside"]
    assert run.plain["edits"]
    assert run.plain["expected"]["blocks"] == 3
    assert 0 < run.plain["expected"]["low"] <= run.plain["expected"]["high"]
    check = nursery.run("plan", "check", "--drawing", new, *CHINA, "--json")
    assert check.plain["ok"]


def test_edits_are_read_a_line_each_and_refused_with_a_sentence(nursery, folder):
    lines, out = folder / "edits.jsonl", folder / "edited.geojson"
    draft = read_draft([folder / "grids.geojson"], crs="EPSG:4490")
    uid = min(draft.grids)
    lines.write_text(json.dumps({"op": "describe", "grid": uid, "name": "滨江"}) + "\n\n", "utf-8")
    options = ("--drawing", folder / "grids.geojson", *CHINA, "--lines", lines, "--out", out)
    run = nursery.run("plan", "edit", *options, "--json")
    assert run.code == 0, run.said
    assert run.plain["changes"][0]["uids"] == [uid]
    assert "滨江" in out.read_text("utf-8")
    out.unlink()
    for text in (b'{"op": "split"', b"\xff\xfe", b'{"op": "merge", "grids": [1]}', b"[]"):
        lines.write_bytes(text)
        run = nursery.run("plan", "edit", *options, "--lang", "en")
        assert run.code in (1, 2)
        assert "Traceback" not in run.said
        assert run.said.strip().endswith(".")
        assert not out.exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("publish",), "can only be"),
        (("propose",), "no blocks"),
        (("propose", "--blocks", "blocks.geojson", "--load", "weight"), "no column"),
        (("propose", "--blocks", "blocks.geojson", "--band", "7"), "band"),
        (("propose", "--blocks", "blocks.geojson", "--grids", "4000"), "cannot make"),
        (("propose", "--blocks", "blocks.geojson", "--scope", "nowhere"), "nowhere"),
        (("edit", "--lines", "nothing.jsonl"), "nothing.jsonl"),
    ],
)
def test_what_cannot_be_done_with_files_is_said(nursery, folder, argv, said):
    run = nursery.run(
        "plan", *argv, "--drawing", "grids.geojson", *CHINA, "--lang", "en", cwd=folder
    )
    assert run.code in (1, 2)
    assert said in run.said
    assert "Traceback" not in run.said
