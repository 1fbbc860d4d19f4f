"""Checked rows on their way into the store: appended some at a time, folded, owned, shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyproj

from geodata.city import City
from geodata.events.derive import derive_incidents
from geodata.loading.events import events_from_incidents, rows_from_events
from geodata.loading.report import COPIES, LoadReport
from geodata.loading.request import Progress, hash_file
from geodata.ownership import RULES
from geodata.store.event_log import append_events, filling
from geodata.store.event_rows import EventRows
from geodata.store.metric_system import fix_crs
from geodata.store.outcome import note_copies, read_outcome
from geodata.words import Word

EVENTS_AT_ONCE = 200_000  # made into rows; some 300 bytes each
INCIDENTS_AT_ONCE = 40_000  # each a report and often five steps


def cut_events(events: pd.DataFrame, *, source: str) -> Iterator[EventRows]:
    """Yield a checked table of events as rows of one source, some at a time; `source` for none."""
    return _cut(events, EVENTS_AT_ONCE, lambda part: part, source=source)


def cut_incidents(incidents: pd.DataFrame, *, source: str) -> Iterator[EventRows]:
    """Yield a checked table of incidents likewise, each as its report and its steps."""
    return _cut(incidents, INCIDENTS_AT_ONCE, events_from_incidents, source=source)


def _cut(
    table: pd.DataFrame,
    at_once: int,
    make: Callable[[pd.DataFrame], pd.DataFrame],
    *,
    source: str,
) -> Iterator[EventRows]:
    groups = [(source, table)] if "source" not in table else table.groupby("source", sort=True)
    for name, part in groups:
        # By incident: they get the same numbers as if all came at once.
        order = part["incident_id"].argsort(kind="stable").to_numpy()
        for start in range(0, len(order), at_once):
            yield rows_from_events(make(part.iloc[order[start : start + at_once]]), source=name)


def append_and_derive(
    city: City,
    parts: Iterator[EventRows],
    *,
    total: int,
    report: LoadReport,
    file: Path,
    metric: pyproj.CRS | None,
    now: int,
    progress: Progress,
) -> int:
    """
    Append checked events of one or more sources as one batch, fold, own and show them.

    `total` is how many events all parts hold. `metric` is the system of their places: it becomes
    the city's where it has none. Returns the batch. What `progress` raises stops the load, and
    nothing of it stays.
    """
    chosen = metric.to_string() if metric is not None and not city.crs_text else ""
    if chosen:
        report.note("report.crs_chosen", crs=chosen)
    digest, done = hash_file(file), 0
    with filling(city.database, "incidents", file=report.file, at=now, file_hash=digest) as batch:
        for rows in parts:
            steps = append_events(city.database, rows, batch=batch, received=now)
            with closing(steps):
                for written in steps:
                    progress("progress.append", (done + written) / total)
            done += len(rows)
        progress("progress.derive", 0.0)
        report.revision = derive_incidents(
            city,
            now=now,
            batch=batch,
            rows=total,
            report=report.as_facts(),
            also=lambda connection: fix_crs(connection, chosen) if chosen else None,
            progress=lambda share: progress("progress.derive", share),
        )
    progress("progress.derive", 1.0)
    return batch


def note_outcome(city: City, batch: int, report: LoadReport, *, new: str) -> None:
    """Say of a batch just shown who owns its incidents, what was there already, what conflicts."""
    with city.database.read() as connection:
        outcome = read_outcome(connection, batch)
    known = report.accepted - outcome[new]
    if known > 0:
        report.note(COPIES, n=f"{known:,}")
        with city.database.transaction() as connection:
            note_copies(connection, batch, known)
    if outcome["moved"]:
        report.note("columns.moved", n=f"{outcome['moved']:,}")
    if outcome["conflicts"]:
        report.note("report.conflicts", n=f"{outcome['conflicts']:,}")
    counts = tuple(
        Word("report.rule", {"rule": Word(f"rule.{RULES[rule]}"), "n": f"{n:,}"})
        for rule, n in outcome["rules"].items()
    )
    if counts:
        report.note("report.placed_by", counts=counts, near=f"{outcome['near_line']:,}")
