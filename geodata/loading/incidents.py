"""Loading incidents: rows checked, placed, appended and folded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
from numpy.typing import NDArray

from geodata.city import City
from geodata.errors import BadFile, Fault
from geodata.events.derive import own_places
from geodata.loading.addressed import fill_places
from geodata.loading.appending import append_and_derive, cut_incidents, note_outcome
from geodata.loading.case_columns import find_case_columns, find_numbering, note_gaps
from geodata.loading.events import STEP_COLUMNS, attributes_of, count_events
from geodata.loading.fixtures import report_of
from geodata.loading.outside import tell_far, tell_outside
from geodata.loading.placing import metric_for, place_rows, rounded_ids, unused_columns
from geodata.loading.readers import read_file
from geodata.loading.report import LoadReport
from geodata.loading.request import (
    LoadRequest,
    Progress,
    check_mapping,
    find_column,
    hash_file,
    lacking,
    refuse_if_strict,
    source_of,
)
from geodata.loading.times import keep_times, read_times
from geodata.ownership.recorded import Recorded, compare_recorded
from geodata.reading import Reading
from geodata.store.records import read_records
from geodata.words import Word

KINDS_NAMED = 10

_Ids = tuple["pd.Series[str]", list[Fault]]
# Faults of a place that an address can stand in for.
STANDS_IN = frozenset(
    {"place_missing", "place_not_number", "place_impossible", "shape_missing", "shape_empty"}
)


def load_incidents(city: City, path: Path, request: LoadRequest, progress: Progress) -> LoadReport:
    """
    Load one file of incidents, a row each, and find the owner of every one.

    The batch becomes visible as a whole or not at all. Raises BadFile when nothing can be taken.
    """
    progress("progress.read", 0.0)
    reading = read_file("incidents", path, request, progress=progress)
    report = report_of(reading, path, request)
    check_mapping(reading.frame, request, file=report.file)
    metric = None if reading.x is None else metric_for(city, reading)
    table = _incident_table(city, reading, metric, path, request, report)
    progress("progress.read", 1.0)
    report.settle_faults()
    refuse_if_strict(report, request)
    if not len(table):
        raise BadFile([Fault(key="nothing_loaded"), *report.faults], file=report.file)
    report.accepted = len(table)
    note_gaps(table, report)
    report.notes += tell_far(city, table, now=request.now)
    if request.dry_run:
        report.note("report.dry_run")
        return report
    _note_kinds(city, table, report, request)
    if request.recorded:
        report.recorded = _compare(city, table, reading, request)
    parts = cut_incidents(table, source=source_of(path, request))
    total = count_events(table)
    del reading, table  # of a million rows each is some hundred megabytes
    pa.default_memory_pool().release_unused()
    batch = append_and_derive(
        city,
        parts,
        total=total,
        report=report,
        file=path,
        metric=metric,
        now=request.now,
        progress=progress,
    )
    note_outcome(city, batch, report, new="reports")
    return report


def _note_kinds(city: City, table: pd.DataFrame, report: LoadReport, request: LoadRequest) -> None:
    """Name the kinds that the city's table, if it has one, does not know."""
    if "kind" not in table:
        return
    with city.database.read() as connection:
        kinds = read_records(connection, "kinds", at=request.now)
        known = {*kinds["id"], *read_records(connection, "kind_aliases", at=request.now)["id"]}
    if "name_zh" in kinds:
        known |= set(kinds["name_zh"])
    unknown = sorted(set(table["kind"]) - known - {""})
    if len(kinds) and unknown:
        more = ("…",) if len(unknown) > KINDS_NAMED else ()
        names = (*unknown[:KINDS_NAMED], *more)
        report.note("report.unmatched_kinds", n=f"{len(unknown):,}", names=names)


def _compare(
    city: City, table: pd.DataFrame, reading: Reading, request: LoadRequest
) -> Recorded | None:
    """Hold the owners found against the recorded ones; None without grids or places."""
    system = city.grids_in_force(request.now)
    if system is None or reading.x is None or reading.y is None or reading.crs is None:
        return None
    finest = system.finest()
    owned = own_places(city, system, table["x_mm"].to_numpy(), table["y_mm"].to_numpy())
    rows = table.index.to_numpy() - 1
    recorded = reading.frame.loc[table.index, str(request.recorded)]
    return compare_recorded(
        recorded.fillna("").astype(str).str.strip().to_numpy(str),
        column=str(request.recorded),
        codes=finest["code"].to_numpy(str),
        polygons=finest.geometry.to_numpy(),
        owner=owned.owner,
        raw=(reading.x[rows], reading.y[rows]),
        source=reading.crs,
        metric=city.crs,
    )


def _incident_table(
    city: City,
    reading: Reading,
    metric: pyproj.CRS | None,
    path: Path,
    request: LoadRequest,
    report: LoadReport,
) -> pd.DataFrame:
    """Return the accepted rows with checked columns; what is refused goes into the report."""
    frame = reading.frame
    # STEP 1: which column is what
    found = find_case_columns(frame, request.mapping)
    if found["reported_at"] is None:
        raise lacking(["reported_at"], frame.columns, file=report.file)
    if reading.x is None and found["address"] is None:
        raise BadFile(Fault(key="place_columns_missing"), file=report.file)
    report.tell_columns(found, reading.place_columns, have=frame.columns)
    if found["incident_id"] is None and (left := find_numbering(frame, found.values())):
        report.note("columns.numbering", column=left)
    report.notes += tell_outside(city, reading, now=request.now, dry_run=request.dry_run)
    _find_recorded(frame, found, request, report)
    # STEP 2: times
    table, refused, precision = _moments(city, reading, found, report, now=request.now)
    # STEP 3: place, identity and the rest
    if metric is not None:
        table["x_mm"], table["y_mm"] = place_rows(reading, metric)
    for name in ("kind", "body"):
        if found[name] is not None:
            table[name] = _text(frame, found[name])
    if found["source"] is not None and request.source is None:
        sources = _text(frame, found["source"])
        table["source"] = sources.where(sources != "", source_of(path, request))
    table["incident_id"], rounded = _identity(frame, found["incident_id"], path)
    report.faults += rounded
    refused |= frame.index.isin([fault.row for fault in rounded])
    kept = unused_columns(reading, {c for name, c in found.items() if c and name not in _KEPT})
    for name in ("address", "recorded_grid"):
        if found[name] is not None:
            kept = kept.drop(columns=str(found[name]), errors="ignore")
            kept[name] = _text(frame, found[name])
    if precision != "second":
        kept["at_precision"] = precision
    if found["address"] is not None:
        texts = _text(frame, found["address"])
        told = fill_places(city, table, texts, report, now=request.now)
        kept = kept if told is None else kept.join(told)
    _let_go(reading, {column for name, column in found.items() if column and name not in _ASKED})
    table["attributes"] = attributes_of(kept)
    refused |= _without_place(table, frame, found["address"], reading, report)
    # A column at a time: two whole tables of a million rows are most of a gigabyte.
    return pd.DataFrame({name: table.pop(name)[~refused] for name in list(table.columns)})


def _let_go(reading: Reading, columns: set[str]) -> None:
    """Drop columns that nobody asks for any more: of a million rows each is some 30 MB."""
    for column in (columns | set(reading.place_columns or ())) & set(reading.frame.columns):
        reading.frame.pop(column)
    pa.default_memory_pool().release_unused()


_ASKED = frozenset({"address", "recorded_grid"})  # asked for once more at the end
_KEPT = frozenset({"source"})  # also as it stood in the file: --source may overrule it


def _text(frame: pd.DataFrame, column: str | None) -> pd.Series[str]:
    return frame[column].fillna("").astype(str).str.strip()


def _find_recorded(
    frame: pd.DataFrame, found: dict[str, str | None], request: LoadRequest, report: LoadReport
) -> None:
    """Let `--recorded` name the column of recorded owners; raises BadFile where it is missing."""
    if request.recorded is None:
        return
    found["recorded_grid"] = find_column(frame, (), request.recorded)
    if found["recorded_grid"] is None:
        have = ", ".join(map(str, frame.columns))
        raise BadFile(
            Fault(key="recorded_column", values={"column": request.recorded, "have": have}),
            file=report.file,
        )


def _moments(
    city: City,
    reading: Reading,
    found: dict[str, str | None],
    report: LoadReport,
    *,
    now: int,
) -> tuple[pd.DataFrame, NDArray[np.bool_], str]:
    """Return a table of the rows' times, which rows they refuse, and the report's precision."""
    frame = reading.frame
    table = pd.DataFrame({"row": frame.index.to_numpy(np.int64)}, index=frame.index)
    refused = np.zeros(len(frame), np.bool_)
    read = read_times(frame, city.settings.zone, report, now=now)
    coarsest = "second"
    for name in ("reported_at", "due_at", *STEP_COLUMNS):
        column = found.get(name)
        if column is None or name in table:
            continue
        moments, wrong = read(name, column)
        if name == "reported_at":
            coarsest = moments.precision
        refused |= wrong
        keep_times(table, name, moments)
    if coarsest != "second":
        report.note("report.by_day", precision=Word(f"report.precision_{coarsest}"))
    return table, refused, coarsest


def _without_place(
    table: pd.DataFrame,
    frame: pd.DataFrame,
    address: str | None,
    reading: Reading,
    report: LoadReport,
) -> NDArray[np.bool_]:
    """
    Return the rows that the reader refused; a row without a place stays if it has an address.

    It is then an incident nobody can own yet, counted as such.
    """
    index = table.index
    placed = np.isfinite(table.get("x_mm", pd.Series(np.nan, index=index)).to_numpy(float))
    refused: NDArray[np.bool_] = index.isin(reading.refused)
    if address is None:
        return refused
    addressed = (_text(frame, address) != "").to_numpy(bool)
    if reading.x is None:  # addresses are all the places there are
        report.faults += [
            Fault(key="place_missing", row=int(row), field=address, value_kind="empty")
            for row in index[~addressed]
        ]
        _note_unplaced(report, addressed & ~placed)
        refused |= ~addressed
        return refused
    by_row: dict[int, set[str]] = {}
    for fault in reading.faults:
        if fault.row is not None:
            by_row.setdefault(fault.row, set()).add(fault.key)
    forgiven = [row for row, keys in by_row.items() if keys <= STANDS_IN]
    kept = addressed & index.isin(forgiven)
    saved = set(index[kept & refused].tolist())
    if saved:
        report.faults = [
            fault for fault in report.faults if fault.row not in saved or fault.key not in STANDS_IN
        ]
        _note_unplaced(report, kept & refused & ~placed)
    left: NDArray[np.bool_] = refused & ~kept
    return left


def _note_unplaced(report: LoadReport, rows: NDArray[np.bool_]) -> None:
    if rows.any():
        report.note("report.address_only", n=int(rows.sum()))


def _identity(frame: pd.DataFrame, column: str | None, path: Path) -> _Ids:
    """
    Return each row's own id; where the source gives none, the file's content and the row's number.

    So the same file loaded again adds nothing, while two equal rows in it stay two incidents.
    """
    digest = hash_file(path, size=6).hex()
    made = f"{digest}-" + pd.Series(frame.index, index=frame.index).astype("str")
    if column is None:
        return made, []
    own = _text(frame, column)
    return own.where(own != "", made), rounded_ids(own, field=column)
