"""Benchmark: a large city's store, from appending its events to starting from its snapshot."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from bench.beside import feed_beside
from bench.histories import EVENTS_AN_INCIDENT, SOUTH_MM, WEST_MM, WIDE_MM, Histories
from geodata.backup import back_up, restore
from geodata.city import City, create_city, open_city
from geodata.events import history
from geodata.events.derive import derive_incidents
from geodata.events.history import fold_columns
from geodata.events.rebuild import rebuild
from geodata.snapshots.facts import FactsKeeper, load_facts
from geodata.store.database import read_derived_revision, read_revision
from geodata.store.drawings import IN_FORCE, save_drawing
from geodata.store.event_columns import read_event_columns, read_payloads
from geodata.store.event_log import append_events, open_batch
from geodata.store.event_rows import NO_PLACE, NO_TEXT, EventRows
from geodata.store.incident_rows import changed_since

NOW = 1_770_000_000
_MB = 1e6


@dataclass(kw_only=True)
class Measures:
    """The rows of the table: what was done, how much of it, how long, what it must reach."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    cpu_s: float = field(default_factory=time.process_time)

    def note(self, case: str, *, n: int, seconds: float, note: str, equal: bool = True) -> None:
        """Add a row, with the machine's load and our share of it since the last: it is shared."""
        load = os.getloadavg()[0]
        cpu_s, self.cpu_s = time.process_time() - self.cpu_s, time.process_time()
        self.rows.append(
            {
                "work": "store",
                "case": case,
                "n": n,
                "ours_s": round(seconds, 3),
                "equal": equal,
                "note": f"{note}; processor {cpu_s:.1f} s, load {load:.1f}",
            }
        )


def run_store(*, events: int, folder: Path | None = None) -> list[dict[str, Any]]:
    """
    Measure every work of the store on a made-up city of so many events; return the table's rows.

    `equal` tells whether what came out is what went in. Times are single runs, beside the load of
    the machine. The city has four grids: what ownership costs is measured elsewhere.
    """
    with tempfile.TemporaryDirectory(dir=folder) as home:
        measures = Measures()
        city = create_city(Path(home) / "city", {"crs": "EPSG:4549"})
        save_drawing(
            city.database,
            _make_grids(),
            system="grid",
            state=IN_FORCE,
            valid_from=None,
            note={},
        )
        histories = Histories(incidents=max(round(events / EVENTS_AN_INCIDENT), 1))
        _append(measures, city, histories)
        _fold(measures, city)
        _derive(measures, city, histories)
        _restart(measures, city)
        _follow(measures, city)
        _rebuild(measures, city)
        _back_up(measures, city)
        return measures.rows


def _make_grids() -> geopandas.GeoDataFrame:
    """Return four squares that the made-up incidents lie in, as a drawing's table."""
    side = WIDE_MM / 2000
    squares = [
        shapely.box(west, south, west + side, south + side)
        for west in (WEST_MM / 1000, WEST_MM / 1000 + side)
        for south in (SOUTH_MM / 1000, SOUTH_MM / 1000 + side)
    ]
    columns: dict[str, Any] = {
        "uid": [1, 2, 3, 4],
        "code": ["001", "002", "003", "004"],
        "name": ["一", "二", "三", "四"],
        "level": "grid",
        "parent": -1,
        "kind": "general",
        "body": "",
        "households": 100.0,
        "population": 300.0,
    }
    return geopandas.GeoDataFrame(columns, geometry=squares, crs="EPSG:4549")


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def _append_all(city: City, parts: Iterator[EventRows], batch: int) -> tuple[float, int]:
    took, rows = 0.0, 0
    for part in parts:
        begin = time.perf_counter()
        for _ in append_events(city.database, part, batch=batch, received=NOW):
            pass
        took += time.perf_counter() - begin
        rows += len(part)
    return took, rows


def _append(measures: Measures, city: City, histories: Histories) -> None:
    """Append the events twice: alone and bare to another store, then whole and beside a feed."""
    other = create_city(city.folder.parent / "bare", {})
    bare = open_batch(other.database, "incidents", file="bare", at=NOW)
    took, rows = _append_all(other, (_strip(part) for part in histories.parts()), bare)
    measures.note("append", n=rows, seconds=took, note=f"{rows / took:,.0f} a second")
    shutil.rmtree(other.folder)
    batch = open_batch(city.database, "incidents", file="whole", at=NOW)
    with feed_beside(city.folder) as feed:
        took, rows = _append_all(city, histories.parts(), batch)
    measures.note(
        "append with place, kind and attributes, beside a feed",
        n=rows,
        seconds=took,
        note=f"{rows / took:,.0f} a second; {_said(feed)}",
    )


def _strip(part: EventRows) -> EventRows:
    """Return the events without what they carry: their keys, times and stages alone."""
    n = len(part)
    none = replace(part.kind, code=np.full(n, NO_TEXT))
    nowhere = np.full(n, NO_PLACE)
    return replace(part, x=nowhere, y=nowhere, kind=none, attributes=none)


def _said(feed: dict[str, float]) -> str:
    return (
        f"feed p50 {feed['p50_ms']}, p95 {feed['p95_ms']}, max {feed['max_ms']} ms"
        f" of {feed['posts']}, log {feed['wal_mb']} MB"
    )


def _fold(measures: Measures, city: City) -> None:
    with city.database.read() as connection:
        (batch,) = connection.execute("SELECT max(batch) FROM batch").fetchone()
        took, events = _timed(lambda: read_event_columns(connection, with_batch=batch))
        measures.note("read the columns", n=len(events["inc"]), seconds=took, note="two threads")
        payloads = read_payloads(connection)
    history.warm()  # as the set-up does
    took, (folded, _) = _timed(lambda: fold_columns(events, payloads))
    equal = len(folded.incident) == len(np.unique(events["inc"]))
    measures.note(
        "fold from columns",
        n=len(events["inc"]),
        seconds=took,
        equal=equal,
        note=f"{len(folded.incident):,} incidents",
    )


def _derive(measures: Measures, city: City, histories: Histories) -> None:
    with city.database.read() as connection:
        (batch,) = connection.execute("SELECT max(batch) FROM batch").fetchone()
    with feed_beside(city.folder) as feed:
        took, _ = _timed(lambda: derive_incidents(city, now=NOW, batch=batch))
    size = city.database.path.stat().st_size / _MB
    measures.note(
        "derive, write aside and show",
        n=histories.incidents,
        seconds=took,
        note=f"{_said(feed)}; store {size:,.0f} MB; peak {_peak_gb():.1f} GB",
    )


def _restart(measures: Measures, city: City) -> None:
    for file in city.folder.glob("snapshot-*"):
        file.unlink()
    # Each in a process of its own, as a restart is: what this one has done weighs on its memory.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        without = pool.submit(_start, city.folder).result()
        again = pool.submit(_start, city.folder).result()
    for case, found in (
        ("start without the snapshot's file", without),
        ("start with it", again),
    ):
        measures.note(
            case,
            n=found.n,
            seconds=found.facts_s,
            equal=found == replace(without, facts_s=found.facts_s, figure_s=found.figure_s),
            note=f"to the facts; the first figure of any area {found.figure_s:.2f} s later",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Started:
    """A start: how many incidents, how many of them late, and how long either took."""

    n: int
    late: int
    facts_s: float
    figure_s: float


def _start(folder: Path) -> _Started:
    """Read a city's facts, then count by grid and standing."""
    begin = time.perf_counter()
    facts = load_facts(open_city(folder), now=NOW)
    assert facts is not None
    ready = time.perf_counter()
    by_standing = facts.counter.count(["grid", "standing"], now=NOW).sum(axis=0)
    return _Started(
        n=facts.snapshot.n,
        late=int(by_standing[-1]),
        facts_s=ready - begin,
        figure_s=time.perf_counter() - ready,
    )


def _follow(measures: Measures, city: City) -> None:
    keeper = FactsKeeper(city)
    before = keeper.current(NOW)
    assert before is not None
    with feed_beside(city.folder):
        time.sleep(1)
    keeper._rest_until_s = 0.0
    took, after = _timed(lambda: keeper.current(NOW))
    new = after.snapshot.n - before.snapshot.n
    measures.note("follow the feed", n=new, seconds=took, note="facts with what changed")
    with city.database.read() as connection:
        since = read_derived_revision(connection)
        took, rows = _timed(lambda: changed_since(connection, since))
        revisions = read_revision(connection) - since
    measures.note(
        "changes since", n=len(rows), seconds=took, note=f"{revisions} revisions, by the index"
    )


def _rebuild(measures: Measures, city: City) -> None:
    took, found = _timed(lambda: rebuild(city, now=NOW))
    measures.note(
        "rebuild and compare",
        n=found.incidents,
        seconds=took,
        equal=found.equal,
        note=f"{found.after[:12]}; peak {_peak_gb():.1f} GB",
    )


def _back_up(measures: Measures, city: City) -> None:
    copy, new = city.folder.parent / "copy", city.folder.parent / "new"

    def quiet(_key: str, _share: float) -> None:
        pass

    with feed_beside(city.folder) as feed:
        took, made = _timed(lambda: back_up(city, copy, progress=quiet))
    each = took / (made.size / 1e9)
    measures.note(
        "back up beside a feed",
        n=made.size,
        seconds=took,
        note=f"{each:.1f} s a GB; {_said(feed)}",
    )
    took, again = _timed(lambda: restore(copy, new, progress=quiet))
    measures.note(
        "restore", n=again.size, seconds=took, equal=again.files == made.files, note="every byte"
    )
    shutil.rmtree(copy)


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
