"""Promise: scripts can rely on exit codes and on one JSON object with the promised keys."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from geodata.city import City, create_city, open_city, serving, writing
from geodata.store.dump import canonical_dump
from tests.city import (
    INCIDENT_COLUMNS,
    community_features,
    grid_features,
    incident_rows,
    make_tiny_city,
    middle,
    square,
    write_grids,
    write_shapes,
    write_table,
)
from tests.cli.processes import ROOT, run_plainly

LOAD_KEYS = {
    "file", "rows", "accepted", "repaired", "refused", "faults", "crs", "encoding",
    "dropped_columns",
}  # fmt: skip
FAULT_KEYS = {"row", "field", "value_kind", "cause", "remedy"}
CHECK_KEYS = {
    "grids", "levels", "gaps", "overlaps", "slivers", "nesting", "codes", "repaired_area_m2",
}  # fmt: skip
OWN_KEYS = {"points", "by_rule", "near_line", "codes_only_in_grids", "codes_only_in_points"}
INFO_KEYS = {
    "grids", "incidents", "cameras", "places", "components", "unowned", "revision", "drawing",
    "sources",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Files to hand to the program, and a city to load them into."""
    made = tmp_path_factory.mktemp("contract")
    make_tiny_city(made / "city")
    write_grids(made / "grids.geojson")
    rows = incident_rows()
    write_table(made / "good.csv", INCIDENT_COLUMNS, rows)
    write_table(made / "half.csv", INCIDENT_COLUMNS, [*rows[:3], ["X", "2099-01-01", *rows[3][2:]]])
    write_table(made / "none.csv", INCIDENT_COLUMNS, [["X", "2099-01-01", *rows[3][2:]]])
    return made


def city_of(folder: Path) -> City:
    return open_city(folder / "city")


# --- load ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["incidents", "good.csv"], 0),
        (["incidents", "half.csv"], 0),  # something was committed
        (["incidents", "none.csv"], 1),
        (["incidents", "none.csv", "good.csv"], 0),
        (["incidents", "missing.csv"], 1),
        (["incidents", "half.csv", "--strict"], 1),
        (["grids", "good.csv"], 1),
        (["grids", "grids.geojson"], 0),
        (["kittens", "good.csv"], 2),
        (["incidents", "good.csv", "--map", "nonsense"], 2),
        (["incidents", "good.csv", "--crs", "EPSG:nonsense"], 2),
        (["grids", "grids.geojson", "--level", "planet"], 2),
        (["incidents"], 2),
        (["incidents", "good.csv", "--kittens"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_load_ends_with_0_if_anything_was_committed_1_if_not_2_for_wrong_usage(
    nursery, folder, argv, code
):
    run = nursery.run("load", *argv, "--city", "city", cwd=folder)
    assert run.code == code, run.said
    assert "Traceback" not in run.said


@pytest.mark.parametrize("file", ["good.csv", "half.csv", "none.csv", "missing.csv"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_load_prints_one_object_with_the_promised_keys_for_any_file(nursery, folder, file, lang):
    run = nursery.run(
        "load", "incidents", file, "--city", "city", "--json", "--lang", lang, cwd=folder
    )
    assert run.err == ""
    assert run.plain.keys() >= LOAD_KEYS
    assert run.plain["file"] == file
    assert run.plain["rows"] == run.plain["accepted"] + run.plain["refused"] or run.code
    for fault in run.plain["faults"]:
        assert fault.keys() >= FAULT_KEYS
        assert fault["cause"]
        assert fault["remedy"]


def test_load_of_several_files_prints_one_object_with_each_files_own(nursery, folder):
    run = nursery.run(
        "load", "incidents", "good.csv", "none.csv", "half.csv", "--city", "city", "--json",
        cwd=folder,
    )  # fmt: skip
    plain = run.plain
    assert plain.keys() >= LOAD_KEYS
    assert plain["accepted"] == 39
    assert [one["file"] for one in plain["files"]] == ["good.csv", "half.csv", "none.csv"]
    assert {fault["file"] for fault in plain["faults"]} == {"half.csv", "none.csv"}


def test_wrong_usage_prints_one_object_too(nursery, folder):
    run = nursery.run("load", "kittens", "x.csv", "--city", "city", "--json", cwd=folder)
    assert run.plain["faults"][0].keys() >= FAULT_KEYS


# --- check and own -------------------------------------------------------------------------------


def test_check_ends_with_0_when_clean_or_repairable_and_1_with_faults(nursery, folder):
    hairline = grid_features()
    hairline[0] = (square(0, 0, wide=0.9999), hairline[0][1])  # 2 cm short of its neighbour
    gap = [feature for feature in grid_features() if not feature[1]["code"].endswith("1002002")]
    for name, features, code in (
        ("clean", [*community_features(), *grid_features()], 0),
        ("hairline", hairline, 0),
        ("gap", gap, 1),
        ("twice", [*grid_features(), grid_features()[0]], 1),
    ):
        file = write_shapes(folder / f"{name}.geojson", features)
        run = nursery.run("check", file, "--json")
        assert run.code == code, (name, run.said)
        assert run.err == ""
        assert run.plain.keys() >= CHECK_KEYS
        assert bool(run.plain["faults"]) == bool(code)
    assert nursery.run("check", "--city", folder / "city").code == 0
    assert nursery.run("check", folder / "good.csv").code == 1


def test_own_ends_with_0_when_written_and_1_when_not(nursery, folder):
    argv = ["own", "--grids", "grids.geojson", "--points", "good.csv", "--json"]
    run = nursery.run(*argv, "--out", "owned.csv", cwd=folder)
    assert run.code == 0
    assert run.err == ""
    assert run.plain.keys() >= OWN_KEYS
    assert run.plain["points"] == 36 == sum(run.plain["by_rule"].values())
    assert (folder / "owned.csv").exists()
    for bad in (["--out", "owned.doc"], ["--out", "no/owned.csv"], ["--out", "o.csv", "--crs", "x"],
                ["--out", "o.csv", "--recorded", "nope"], ["--out", "o.csv", "--near", "-1"],
                ["--out", "good.csv"]):  # fmt: skip
        run = nursery.run(*argv, *bad, cwd=folder)
        assert run.code == 1, run.said
        assert run.plain["faults"]
        assert not (folder / bad[1]).exists() or bad[1] == "good.csv"


# --- the other commands --------------------------------------------------------------------------


def test_info_prints_the_promised_keys(nursery, folder):
    run = nursery.run("info", "--city", folder / "city", "--json")
    assert (run.code, run.err) == (0, "")
    assert run.plain.keys() >= INFO_KEYS
    assert run.plain["grids"] == 12
    assert run.plain["cameras"] == 5
    for source in run.plain["sources"]:
        assert source.keys() >= {"source", "age_s", "state"}
        assert source["age_s"] >= 0


def test_info_counts_what_is_there(nursery, tmp_path):
    make_tiny_city(tmp_path / "city")
    plain = nursery.run("info", "--city", tmp_path / "city", "--json").plain
    assert (plain["incidents"], plain["places"], plain["unowned"]) == (40, 3, 4)
    assert sum(plain["by_rule"].values()) == plain["incidents"]
    assert plain["drawing"]["drawing"] == 1


def test_init_makes_an_empty_city_and_says_what_comes_next(nursery, tmp_path):
    run = nursery.run("init", tmp_path / "leeds", "--lang", "en", "--name", '利兹 "L"', "--json")
    assert (run.code, run.err) == (0, "")
    assert run.plain == {"city": str(tmp_path / "leeds")}
    assert open_city(tmp_path / "leeds").settings.name_zh == '利兹 "L"'
    said = nursery.run("init", tmp_path / "york", "--lang", "en")
    assert "load grids" in said.out
    assert nursery.run("init", tmp_path / "york").code == 2


def test_demo_makes_a_city_and_prints_one_object(nursery, tmp_path):
    run = nursery.run("demo", "gaoshan", "--city", tmp_path / "demo", "--json")
    assert (run.code, run.err) == (0, "")
    assert run.plain["city"] == str(tmp_path / "demo")
    info = nursery.run("info", "--city", tmp_path / "demo", "--json").plain
    assert info["grids"] == 6
    assert info["incidents"] > 100
    assert nursery.run("demo", "gaoshan", "--city", tmp_path / "demo").code == 2
    assert nursery.run("demo", "atlantis", "--city", tmp_path / "else").code == 2


def test_rebuild_gives_the_same_city(nursery, tmp_path):
    city = make_tiny_city(tmp_path / "city")

    def dump() -> str:
        with city.database.read() as connection:
            return canonical_dump(connection)

    before = dump()
    run = nursery.run("rebuild", "--city", city.folder, "--json")
    assert run.code == 0
    found = run.plain
    assert found["equal"]
    assert found["before"] == found["after"]
    assert (found["revision"], found["changed"]) == (city.database.revision(), 0)
    assert dump() == before
    with city.database.transaction() as connection:
        connection.execute("UPDATE incident SET stage = 0, due_at = 5 WHERE inc = 3")
    run = nursery.run("rebuild", "--city", city.folder, "--json")
    assert run.code == 1  # what it held did not follow from its events: now it does
    assert run.plain["changed"] == 1
    assert run.plain["before"] != run.plain["after"] == found["after"]
    assert dump() == before


def test_a_served_city_takes_loads_but_no_second_server(nursery, folder):
    city = city_of(folder)
    with serving(city):
        assert nursery.run("load", "incidents", "good.csv", "--city", "city", cwd=folder).code == 0
        run = nursery.run("serve", "--city", "city", "--port", 0, "--lang", "en", cwd=folder)
        assert run.code == 1
        assert "Another server" in run.err
    with writing(city):
        run = nursery.run("load", "incidents", "good.csv", "--city", "city", cwd=folder)
        assert run.code == 1
        assert str(os.getpid()) in run.err  # who has it


# --- what people see -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "lang"),
    [
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_TW"}, "zh"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "fr_FR.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_the_locales_unless_named(nursery, tmp_path, env, lang):
    said = nursery.run("info", "--city", tmp_path / "none", env={"LANG": "", **env}).err
    assert ("没有城市" in said) == (lang == "zh")
    other = "en" if lang == "zh" else "zh"
    said = nursery.run("info", "--city", tmp_path / "none", "--lang", other, env=env).err
    assert ("没有城市" in said) == (other == "zh")


def test_progress_goes_to_the_error_stream_and_the_report_to_the_output(nursery, folder):
    run = nursery.run("load", "incidents", "good.csv", "--city", "city", "--lang", "en", cwd=folder)
    assert "good.csv: rows 36" in run.out
    assert "writing events" in run.err
    assert "writing events" not in run.out


def test_a_console_without_chinese_gets_marks_and_no_traceback(folder):
    done = run_plainly(
        ["info", "--city", folder / "city", "--lang", "zh"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "EPSG:4549" in done.stdout


def test_an_output_that_nobody_reads_any_more_is_no_traceback(folder):
    argv = [sys.executable, str(ROOT / "app.py"), "info", "--city", str(folder / "city")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
        process.wait(60)
    assert process.returncode == 1
    assert said == b""


def test_help_names_every_command(nursery):
    run = nursery.run("--help")
    assert run.code == 0
    for name in ("demo", "init", "serve", "load", "check", "own", "info", "rebuild", "bench"):
        assert f"\n    {name} " in run.out


def test_the_program_started_by_a_shell_says_the_same(nursery, folder):
    argv = ["info", "--city", folder / "city", "--json"]
    done, run = run_plainly(argv), nursery.run(*argv)
    assert done.returncode == run.code == 0
    plain, other = json.loads(done.stdout), run.plain
    for source in (*plain["sources"], *other["sources"]):
        source["age_s"] = 0
    assert plain == other


def test_a_city_of_another_zone_reads_naive_times_as_its_own(nursery, tmp_path):
    city = create_city(tmp_path / "city", {"name_zh": "利兹", "timezone": "Europe/London"})
    file = write_table(
        tmp_path / "i.csv",
        ("incident_id", "reported_at", "lon", "lat"),
        [["1", "2026-05-01 08:00", *middle(0, 0)]],
    )
    assert nursery.run("load", "incidents", file, "--city", city.folder).code == 0
    with city.database.read() as connection:
        assert connection.execute("SELECT reported_at FROM incident").fetchone() == (1777618800,)
