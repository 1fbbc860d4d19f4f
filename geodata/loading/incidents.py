"""Loading incidents and events: rows checked, placed, appended and folded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.city import City
from geodata.coordinates import choose_metric_crs, to_metric
from geodata.derive import derive_incidents, own_places
from geodata.errors import BadFile, Fault
from geodata.incidents import STAGE_CODE
from geodata.loading.events import STEP_COLUMNS, events_from_incidents, rows_from_events
from geodata.loading.fixtures import report_of
from geodata.loading.report import LoadReport
from geodata.loading.request import (
    LoadRequest,
    Progress,
    check_mapping,
    find_column,
    refuse_if_strict,
)
from geodata.moments import parse_moments
from geodata.reading import Reading, read_table
from geodata.recorded import Recorded, compare_recorded
from geodata.store.event_log import append_events, drop_batch, open_batch

FUTURE_S = 86_400  # a clock a day off is no fault, a year 2099 is
KINDS_NAMED = 10

# Headers by which a column is known, the surest first.
COLUMNS: dict[str, tuple[str, ...]] = {
    "incident_id": (
        *("incident_id", "案件编号", "事件编号", "工单号", "受理编号", "任务号"),
        "case_enquiry_id",
    ),
    "reported_at": (
        *("reported_at", "上报时间", "发生时间", "受理时间", "时间"),
        *("open_dt", "month", "date"),
    ),
    "kind": (
        *("kind", "事件类型", "事件类别", "案件类型", "小类", "类型"),
        *("crime_type", "case_title", "type"),
    ),
    "due_at": ("due_at", "截止时间", "办结时限", "target_dt"),
    "body": ("body", "责任单位", "处置单位", "承办单位", "department"),
    "address": ("address", "地址", "事发地点", "地点", "位置"),
    "registered_at": ("registered_at", "立案时间"),
    "dispatched_at": ("dispatched_at", "派遣时间"),
    "handled_at": ("handled_at", "处置时间", "办结时间"),
    "closed_at": ("closed_at", "结案时间", "closed_dt"),
    "evaluated_at": ("evaluated_at", "评价时间"),
    "checked_at": ("checked_at", "核查时间"),
}
# Faults of a place that an address can stand in for.
_STANDS_IN = frozenset({"place_missing", "place_not_number", "place_impossible"})
EVENT_COLUMNS = ("incident_id", "stage", "at")


def load_incidents(city: City, path: Path, request: LoadRequest, progress: Progress) -> LoadReport:
    """
    Load one file of incidents, a row each, and find the owner of every one.

    The batch becomes visible as a whole or not at all. Raises BadFile when nothing can be taken.
    """
    reading = read_table(path, crs=request.crs, encoding=request.encoding, mapping=request.mapping)
    report = report_of(reading, path)
    check_mapping(reading.frame, request, file=report.file)
    table = _incident_table(city, reading, path, request, report)
    refuse_if_strict(report, request)
    if not len(table):
        raise BadFile([Fault(key="nothing_loaded"), *report.faults], file=report.file)
    report.accepted = len(table)
    if request.dry_run:
        report.note("report.dry_run")
        return report
    extra = [name for name in table.columns if name.startswith("attr:")]
    table = table.rename(columns={name: name.removeprefix("attr:") for name in extra})
    events = events_from_incidents(table, extra=[name.removeprefix("attr:") for name in extra])
    source = request.source or path.name.split(".")[0]
    append_and_derive(
        city,
        events,
        source=source,
        extra=[name.removeprefix("attr:") for name in extra],
        report=report,
        file=path,
        now=request.now,
        progress=progress,
    )
    if request.recorded:
        report.recorded = _compare(city, table, reading, request)
    return report


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
    return compare_recorded(
        table["recorded_grid"].to_numpy(str),
        column=str(request.recorded),
        codes=finest["code"].to_numpy(str),
        polygons=finest.geometry.to_numpy(),
        owner=owned.owner,
        raw=(reading.x[rows], reading.y[rows]),
        source=reading.crs,
        metric=city.crs,
    )


def append_and_derive(
    city: City,
    events: pd.DataFrame,
    *,
    source: str,
    extra: list[str],
    report: LoadReport,
    file: Path | None,
    now: int,
    progress: Progress,
) -> None:
    """Append checked events of one or more sources as one batch, fold, own and show them."""
    digest = hashlib.blake2b(file.read_bytes(), digest_size=16).digest() if file else None
    batch = open_batch(city.database, "incidents", file=report.file, at=now, file_hash=digest)
    groups = (
        [(source, events)] if "source" not in events else list(events.groupby("source", sort=True))
    )
    done = 0
    try:
        for name, part in groups:
            rows = rows_from_events(part, source=str(name), extra=extra)
            for written in append_events(city.database, rows, batch=batch, received=now):
                progress("progress.append", (done + written) / len(events))
            done += len(part)
        progress("progress.derive", 0.0)
        report.revision = derive_incidents(
            city, now=now, batch=batch, rows=len(events), report={"file": report.file}
        )
        progress("progress.derive", 1.0)
    except BaseException:
        drop_batch(city.database, batch)
        raise


def _incident_table(
    city: City, reading: Reading, path: Path, request: LoadRequest, report: LoadReport
) -> pd.DataFrame:
    """Return the accepted rows with checked columns; what is refused goes into the report."""
    frame = reading.frame
    # STEP 1: which column is what
    found = {
        name: find_column(frame, names, request.mapping.get(name))
        for name, names in COLUMNS.items()
    }
    if found["reported_at"] is None:
        have = ", ".join(map(str, frame.columns))
        raise BadFile(
            Fault(key="missing_column", values={"need": "reported_at", "have": have}),
            file=report.file,
        )
    rows = frame.index.to_numpy(np.int64)
    # STEP 2: times
    table = pd.DataFrame({"row": rows}, index=frame.index)
    refused = np.zeros(len(frame), np.bool_)
    zone = city.settings.zone
    coarsest = "second"
    for name in ("reported_at", "due_at", *STEP_COLUMNS):
        column = found.get(name)
        if column is None:
            continue
        moments = parse_moments(frame[column], zone)
        if name == "reported_at":
            coarsest = moments.precision
        refused |= _refuse_moments(
            moments.seconds, moments.bad, name, column, rows, report, request
        )
        table[name] = np.where(moments.bad, 0, moments.seconds)
    if coarsest != "second":
        report.note("report.by_day", precision=coarsest)
        table["attr:at_precision"] = coarsest
    if "due_at" in table:
        table["due_at"] = table["due_at"].where(table["due_at"] > 0)
    # STEP 3: place, identity and the rest
    table["x_mm"], table["y_mm"] = _place(city, reading)
    for name in ("kind", "body", "address"):
        if found[name] is not None:
            table[name] = frame[found[name]].fillna("").astype(str).str.strip()
    table["incident_id"] = _identity(frame, found["incident_id"], path, rows)
    if request.recorded:
        column = find_column(frame, (), request.recorded)
        if column is None:
            have = ", ".join(map(str, frame.columns))
            raise BadFile(
                Fault(key="map_column", values={"column": request.recorded, "have": have}),
                file=report.file,
            )
        table["attr:recorded_grid"] = frame[column].fillna("").astype(str).str.strip()
    table = table.rename(columns={"address": "attr:address"})
    return table[~(refused | _without_place(table, reading, report))]


def _without_place(table: pd.DataFrame, reading: Reading, report: LoadReport) -> NDArray[np.bool_]:
    """
    Return the rows that the reader refused; a row without a place stays if it has an address.

    It is then an incident nobody can own yet, counted as such.
    """
    refused: NDArray[np.bool_] = table.index.isin(reading.refused)
    if reading.x is None or "attr:address" not in table:
        return refused
    by_row: dict[int, set[str]] = {}
    for fault in reading.faults:
        if fault.row is not None:
            by_row.setdefault(fault.row, set()).add(fault.key)
    addressed = table["attr:address"].astype(str).str.strip() != ""
    kept = np.array(
        [
            bool(has) and by_row.get(row, {""}) <= _STANDS_IN
            for row, has in zip(table.index.tolist(), addressed, strict=True)
        ],
        np.bool_,
    )
    saved = set(table.index[kept & refused].tolist())
    if saved:
        report.faults = [fault for fault in report.faults if fault.row not in saved]
        report.note("report.address_only", n=len(saved))
    left: NDArray[np.bool_] = refused & ~kept
    return left


def _refuse_moments(
    seconds: NDArray[np.int64],
    bad: NDArray[np.bool_],
    name: str,
    column: str,
    rows: NDArray[np.int64],
    report: LoadReport,
    request: LoadRequest,
) -> NDArray[np.bool_]:
    """Report unreadable, missing and future times; return which rows they refuse."""
    missing = (seconds == 0) & (name == "reported_at")
    future = ~bad & (seconds > request.now + FUTURE_S) & (name != "due_at")
    for mask, key, kind in (
        (bad, "moment_unreadable", "text"),
        (missing, "moment_missing", "empty"),
        (future, "moment_future", "date"),
    ):
        report.faults += [
            Fault(key=key, row=int(row), field=column, value_kind=kind) for row in rows[mask]
        ]
    refused: NDArray[np.bool_] = bad | missing | future
    return refused


def _place(city: City, reading: Reading) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each row's place in whole millimetres of the city's CRS, NaN for none."""
    x, y = reading.x, reading.y
    if x is None or y is None or reading.crs is None:
        nowhere = np.full(len(reading.frame), np.nan)
        return nowhere, nowhere
    if not city.crs_text:
        city.fix_crs(choose_metric_crs(x, y).to_string())
    x_m, y_m = to_metric(x, y, reading.crs, city.crs)
    return np.rint(x_m * 1000), np.rint(y_m * 1000)


def _identity(
    frame: pd.DataFrame, column: str | None, path: Path, rows: NDArray[np.int64]
) -> pd.Series[str]:
    """
    Return each row's own id; where the source gives none, the file's content and the row's number.

    So the same file loaded again adds nothing, while two equal rows in it stay two incidents.
    """
    digest = hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()
    made = pd.Series([f"{digest}-{row}" for row in rows], index=frame.index)
    if column is None:
        return made
    own = frame[column].fillna("").astype(str).str.strip()
    return own.where(own != "", made)


def load_events(city: City, path: Path, request: LoadRequest, progress: Progress) -> LoadReport:
    """Load one file of events, a row each: incident_id, stage, at, and what goes with them."""
    reading = read_table(path, crs=request.crs, encoding=request.encoding, mapping=request.mapping)
    report = report_of(reading, path)
    check_mapping(reading.frame, request, file=report.file)
    frame = reading.frame
    missing = [
        name
        for name in EVENT_COLUMNS
        if find_column(frame, (name,), request.mapping.get(name)) is None
    ]
    if missing:
        have = ", ".join(map(str, frame.columns))
        raise BadFile(
            [Fault(key="missing_column", values={"need": name, "have": have}) for name in missing],
            file=report.file,
        )
    events = _event_table(city, reading, request, report)
    refuse_if_strict(report, request)
    if not len(events):
        raise BadFile([Fault(key="nothing_loaded"), *report.faults], file=report.file)
    report.accepted = len(events)
    if request.dry_run:
        report.note("report.dry_run")
        return report
    append_and_derive(
        city,
        events,
        source=request.source or path.name.split(".")[0],
        extra=[],
        report=report,
        file=path,
        now=request.now,
        progress=progress,
    )
    return report


def _event_table(
    city: City, reading: Reading, request: LoadRequest, report: LoadReport
) -> pd.DataFrame:
    frame = reading.frame
    rows = frame.index.to_numpy(np.int64)
    names = (*EVENT_COLUMNS, "source", "seq", "version", "due_at", "body", "reason", "kind")
    found = {name: find_column(frame, (name,), request.mapping.get(name)) for name in names}
    table = pd.DataFrame({"row": rows}, index=frame.index)
    refused = np.zeros(len(frame), np.bool_)
    for name in ("at", "due_at"):
        column = found[name]
        if column is None:
            continue
        moments = parse_moments(frame[column], city.settings.zone)
        label = "reported_at" if name == "at" else "due_at"
        refused |= _refuse_moments(
            moments.seconds, moments.bad, label, column, rows, report, request
        )
        table[name] = np.where(moments.bad, 0, moments.seconds)
    stage = frame[found["stage"]].str.strip()
    unknown = ~stage.isin(list(STAGE_CODE)).to_numpy(bool)
    known = ", ".join(STAGE_CODE)
    report.faults += [
        Fault(key="stage_unknown", row=int(row), field=found["stage"], values={"known": known})
        for row in rows[unknown]
    ]
    table["stage"] = stage
    for name in ("incident_id", "source", "body", "reason", "kind"):
        if found[name] is not None:
            table[name] = frame[found[name]].fillna("").astype(str).str.strip()
    for name in ("seq", "version"):
        if found[name] is not None:
            table[name] = pd.to_numeric(frame[found[name]], errors="coerce")
    if "due_at" in table:
        table["due_at"] = table["due_at"].where(table["due_at"] > 0)
    table["x_mm"], table["y_mm"] = _place(city, reading)
    with_place = reading.refused if reading.x is not None else set()
    named = stage.eq("reported").to_numpy(bool) & table.index.isin(with_place)
    report.faults = [
        fault
        for fault in report.faults
        if fault.row not in with_place
        or fault.row in set(rows[named].tolist())
        or fault.key not in _STANDS_IN
    ]
    return table[~(refused | unknown | named)]
