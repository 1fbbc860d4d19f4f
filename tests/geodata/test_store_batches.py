"""Promise: a batch is there as a whole or not at all, once, and leaves nothing when it goes."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from geodata.city import City, open_city, writing
from geodata.events.derive import derive_incidents
from geodata.events.withdrawal import withdraw_batch
from geodata.loading.events import rows_from_events
from geodata.store.database import raise_revision
from geodata.store.dump import canonical_dump, canonical_rows
from geodata.store.event_log import (
    LIVE_BATCH,
    append_events,
    clear_broken_batches,
    drop_batch,
    mark_withdrawn,
    open_batch,
)
from geodata.store.records import Seen, read_records, read_seen, save_records
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    event_rows,
    incident_rows,
    load_one,
    make_gridded_city,
    make_tiny_city,
    middle,
    write_table,
)

EVENT_COLUMNS = ("incident_id", "stage", "at", "lon", "lat", "kind")
TABLES = ("event", "event_copy", "payload", "incident_key", "record", "batch", "incident")


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


def counts(city: City) -> dict[str, int]:
    with city.database.read() as connection:
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in TABLES
        }


def dump(city: City) -> str:
    with city.database.read() as connection:
        return canonical_dump(connection)


def batches(city: City) -> list[int]:
    with city.database.read() as connection:
        rows = connection.execute("SELECT batch FROM batch WHERE what <> 'grids' ORDER BY batch")
        return [row[0] for row in rows]


def load_rows(city: City, folder: Path, rows: list, *, name: str = "cases", **options) -> object:
    return load_one(
        city, "incidents", write_table(folder / f"{name}.csv", INCIDENT_COLUMNS, rows), **options
    )


def events_table(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["incident_id", "stage", "at"]).assign(
        x_mm=500_100_000, y_mm=3_600_100_000, kind="积水"
    )


def append(city: City, batch: int, table: pd.DataFrame) -> None:
    rows = rows_from_events(table, source="s")
    for _ in append_events(city.database, rows, batch=batch, received=NOW):
        pass


# --- once ----------------------------------------------------------------------------------------


def test_the_same_file_twice_adds_nothing(city, tmp_path):
    first = load_rows(city, tmp_path, incident_rows())
    before, once = dump(city), counts(city)
    second = load_rows(city, tmp_path, incident_rows())
    assert dump(city) == before
    assert {name: counts(city)[name] for name in ("event", "payload", "incident_key")} == {
        name: once[name] for name in ("event", "payload", "incident_key")
    }
    assert first.accepted == second.accepted == 36
    assert not [note for note in first.notes if note.key == "report.copies"]
    (said,) = [note for note in second.notes if note.key == "report.copies"]
    assert said.values == {"n": "36"}
    assert "36 行此前已入库" in second.lines("zh")[0]
    assert "36 in the store already" in second.lines("en")[0]
    assert not [line for line in second.lines("zh")[1:] if "此前已入库" in line]


def test_two_equal_rows_without_an_id_are_two_incidents_and_stay_two(city, tmp_path):
    row = incident_rows(1)[0]
    rows = [["", *row[1:]], ["", *row[1:]]]
    load_rows(city, tmp_path, rows)
    assert counts(city)["incident"] == 2
    load_rows(city, tmp_path, rows)
    assert counts(city)["incident"] == 2


def test_a_file_that_repeats_an_id_with_other_content_is_flagged_and_counts_once(city, tmp_path):
    row = incident_rows(1)[0]
    other = [*row[:2], "积水", *row[3:]]
    report = load_rows(city, tmp_path, [row, other])
    assert counts(city)["incident"] == 1
    assert counts(city)["event"] == 2  # both contents are kept
    assert [note.values for note in report.notes if note.key == "report.conflicts"] == [{"n": "1"}]


# --- whole ---------------------------------------------------------------------------------------


def test_a_reader_sees_nothing_of_a_batch_until_it_is_finished(city, tmp_path):
    load_rows(city, tmp_path, incident_rows(9))
    before, revision = dump(city), city.database.revision()
    with writing(city):
        batch = open_batch(city.database, "incidents", file="x", at=NOW)
        append(city, batch, events_table(("new", "reported", NOW - 60)))
        assert dump(city) == before
        assert city.database.revision() == revision
        derive_incidents(city, now=NOW)  # a derivation in between does not show it either
        assert dump(city) == before
        derive_incidents(city, now=NOW, batch=batch)
        assert dump(city) != before
        assert counts(city)["incident"] == 10


def save_camera(city: City, name: str) -> int:
    batch = open_batch(city.database, "cameras", file="x", at=NOW)
    frame = pd.DataFrame({"camera_id": ["C1"], "name": [name], "x_mm": [1.0], "y_mm": [2.0]})
    save_records(city.database, "cameras", frame, key="camera_id", batch=batch)
    return batch


def camera_names(city: City, **seen: Seen) -> list[str]:
    with city.database.read() as connection:
        return read_records(connection, "cameras", at=NOW, **seen)["name"].tolist()


def test_a_record_of_an_unfinished_batch_does_not_displace_the_one_in_force(city):
    derive_incidents(city, now=NOW, batch=save_camera(city, "old"))
    half = save_camera(city, "half")
    assert camera_names(city) == ["old"]
    drop_batch(city.database, half)
    assert camera_names(city) == ["old"]
    new = save_camera(city, "new")
    derive_incidents(city, now=NOW, batch=new)
    assert camera_names(city) == ["new"]
    withdraw_batch(city, new, now=NOW)
    assert camera_names(city) == ["old"]


def test_records_are_read_as_they_stood_whatever_was_loaded_since(city):
    derive_incidents(city, now=NOW, batch=save_camera(city, "old"))
    half = save_camera(city, "half")  # hidden when it is looked, visible when it is read
    with city.database.read() as connection:
        seen = read_seen(connection)
    derive_incidents(city, now=NOW, batch=half)
    assert camera_names(city) == ["half"]
    assert camera_names(city, seen=seen) == ["old"]
    derive_incidents(city, now=NOW, batch=save_camera(city, "new"))
    assert camera_names(city, seen=seen) == ["old"]


# --- gone ----------------------------------------------------------------------------------------


def test_a_dropped_batch_leaves_nothing(city, tmp_path):
    load_rows(city, tmp_path, incident_rows(9))
    before, once = dump(city), counts(city)
    batch = open_batch(city.database, "incidents", file="x", at=NOW)
    append(city, batch, events_table(("new", "reported", NOW - 60), ("new", "closed", NOW - 30)))
    assert counts(city) != once
    drop_batch(city.database, batch)
    assert counts(city) == once
    assert dump(city) == before


def test_a_withdrawn_batch_leaves_nothing(city, tmp_path):
    load_rows(city, tmp_path, incident_rows(9))
    before, once, revision = dump(city), counts(city), city.database.revision()
    load_rows(city, tmp_path, incident_rows(18, seed=2), name="more")
    withdraw_batch(city, batches(city)[-1], now=NOW)
    assert counts(city) == once
    assert dump(city) == before
    assert city.database.revision() > revision  # screens must notice


def test_an_event_of_two_batches_survives_the_end_of_the_first(city, tmp_path):
    rows = incident_rows(9)
    load_rows(city, tmp_path, rows, source="s")
    before = dump(city)
    load_rows(city, tmp_path, rows[:5], name="part", source="s")
    load_rows(city, tmp_path, rows, name="again", source="s")
    first, part, again = batches(city)
    withdraw_batch(city, first, now=NOW)
    assert dump(city) == before
    withdraw_batch(city, again, now=NOW)
    assert counts(city)["incident"] == 5
    assert counts(city)["event_copy"] == 0
    withdraw_batch(city, part, now=NOW)
    left = counts(city)
    assert not any(left[name] for name in ("event", "payload", "incident_key", "incident"))


def test_an_event_that_a_feed_brought_too_is_seen_while_the_file_is_still_loading(city):
    table = events_table(("new", "reported", NOW - 60))
    batch = open_batch(city.database, "incidents", file="x", at=NOW)
    append(city, batch, table)
    append(city, LIVE_BATCH, table)
    derive_incidents(city, now=NOW)
    assert counts(city)["incident"] == 1
    seen = dump(city)
    drop_batch(city.database, batch)
    assert counts(city)["event"] == 1
    assert dump(city) == seen


def test_a_withdrawal_killed_half_way_is_finished_by_the_next_load(city, tmp_path):
    load_rows(city, tmp_path, incident_rows(9))
    once, before = counts(city), dump(city)
    load_rows(city, tmp_path, incident_rows(9, seed=2), name="more")
    with city.database.transaction() as connection:  # all that came before the kill
        mark_withdrawn(connection, batches(city)[-1])
        raise_revision(connection)
    with writing(open_city(city.folder)):
        derive_incidents(city, now=NOW)
    assert counts(city) == once
    assert dump(city) == before
    assert clear_broken_batches(city.database) == 0


# --- the same whatever the way -------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_events_in_any_order_and_any_parts_give_the_same_dump(tmp_path, seed):
    rows = event_rows()
    plain = make_gridded_city(tmp_path / "plain")
    file = write_table(tmp_path / "events.csv", EVENT_COLUMNS, rows)
    load_one(plain, "events", file, source="s")

    chance = random.Random(seed)
    mixed = rows * 2
    chance.shuffle(mixed)
    other = make_gridded_city(tmp_path / "other")
    cut = sorted(chance.sample(range(1, len(mixed)), 3))
    for number, (start, end) in enumerate(zip([0, *cut], [*cut, len(mixed)], strict=True)):
        part = write_table(tmp_path / f"part{number}.csv", EVENT_COLUMNS, mixed[start:end])
        load_one(other, "events", part, source="s", now=NOW + number)
    assert dump(other) == dump(plain)


def test_the_dump_notices_any_other_fact(city, tmp_path):
    rows = incident_rows(5)
    load_rows(city, tmp_path, rows, source="s")
    before = dump(city)
    load_rows(city, tmp_path, [["A9999", *rows[0][1:]]], name="one", source="s")
    assert dump(city) != before


def test_the_dump_names_texts_and_no_numbers_of_this_store(tmp_path):
    city = make_tiny_city(tmp_path / "city")
    with city.database.read() as connection:
        rows = list(canonical_rows(connection))
    events = [row for row in rows if row[0] == "event"]
    assert {row[1] for row in events} == {"incidents", "events"}
    assert {"占道经营", "积水"} <= {row[13] for row in events}
    assert all(isinstance(row[6], str) for row in events)  # the stage


def test_a_rebuild_gives_the_same_dump(tmp_path):
    city = make_tiny_city(tmp_path / "city")
    before, revision = dump(city), city.database.revision()
    with writing(city):
        derive_incidents(city, now=NOW)
    assert dump(city) == before
    assert city.database.revision() == revision + 1


def test_a_later_step_that_names_no_place_or_kind_leaves_both_as_they_are(city, tmp_path):
    lon, lat = middle(0, 0)
    columns = ("incident_id", "stage", "at", "lon", "lat", "kind", "note")
    rows = [
        ["E1", "reported", "2026-05-01 08:00:00", lon, lat, "积水", ""],
        ["E1", "dispatched", "2026-05-01 09:00:00", "", "", "", "送达"],
        ["E1", "closed", "2026-05-01 10:00:00", "", "", "路面破损", ""],
    ]
    report = load_one(city, "events", write_table(tmp_path / "e.csv", columns, rows))
    assert report.accepted == 3
    assert not report.faults
    with city.database.read() as connection:
        placed, kind = connection.execute(
            "SELECT i.x IS NOT NULL, t.text FROM incident i JOIN term t ON t.term = i.kind"
        ).fetchone()
    assert placed
    assert kind == "路面破损"  # the last one that was named
