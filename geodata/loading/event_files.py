"""Loading events: a row each, in any order, of incidents known or not."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geodata.city import City
from geodata.errors import BadFile, Fault
from geodata.events.incidents import STAGES
from geodata.events.moments import parse_moments
from geodata.loading.alarm_fields import ALARM_NAMES, read_alarm_columns
from geodata.loading.appending import append_and_derive, cut_events, note_outcome
from geodata.loading.case_columns import COLUMNS, find_case_number, find_moments
from geodata.loading.events import attributes_of
from geodata.loading.fixtures import report_of
from geodata.loading.incidents import STANDS_IN
from geodata.loading.outside import tell_outside
from geodata.loading.placing import metric_for, place_rows, rounded_ids, unused_columns
from geodata.loading.readers import read_file
from geodata.loading.report import LoadReport
from geodata.loading.request import (
    LoadRequest,
    Progress,
    check_mapping,
    find_column,
    lacking,
    refuse_if_strict,
    source_of,
)
from geodata.loading.times import keep_times, read_times
from geodata.reading import Reading
from geodata.words import LANGS, say

_NEEDED = ("incident_id", "stage", "at")
# When we heard of it is not what happened: it enters neither the fold nor the identity.
_HEARD = ("received_at", "接收时间")
NAMES: dict[str, tuple[str, ...]] = {
    "incident_id": COLUMNS["incident_id"],
    "stage": ("stage", "环节", "阶段", "环节名称", "办理环节", "处置环节", "流程环节", "步骤"),
    "at": ("at", "时间", "环节时间", "发生时间", "办理时间", "操作时间"),
    "source": COLUMNS["source"],
    "seq": ("seq", "序号"),
    "version": ("version", "版本"),
    "due_at": COLUMNS["due_at"],
    "body": COLUMNS["body"],
    "reason": ("reason", "原因", "理由"),
    "kind": COLUMNS["kind"],
}


def load_events(city: City, path: Path, request: LoadRequest, progress: Progress) -> LoadReport:
    """
    Load one file of events, a row each: incident_id, stage, at, and what goes with them.

    The batch becomes visible as a whole or not at all. Raises BadFile when nothing can be taken.
    """
    progress("progress.read", 0.0)
    reading = read_file("events", path, request, progress=progress)
    report = report_of(reading, path, request)
    check_mapping(reading.frame, request, file=report.file)
    metric = None if reading.x is None else metric_for(city, reading)
    events = _event_table(city, reading, metric, request, report)
    progress("progress.read", 1.0)
    report.settle_faults()
    refuse_if_strict(report, request)
    if not len(events):
        raise BadFile([Fault(key="nothing_loaded"), *report.faults], file=report.file)
    report.accepted = len(events)
    if request.dry_run:
        report.note("report.dry_run")
        return report
    batch = append_and_derive(
        city,
        cut_events(events, source=source_of(path, request)),
        total=len(events),
        report=report,
        file=path,
        metric=metric,
        now=request.now,
        progress=progress,
    )
    note_outcome(city, batch, report, new="events")
    return report


def parse_stages(texts: pd.Series[str]) -> pd.Series[str]:
    """Return the stage that each text names, in Chinese, English or code; "" for none."""
    known = {name: name for name in STAGES}
    for lang in LANGS:
        known |= {say(f"stage.{name}", lang).lower(): name for name in STAGES}
    plain = texts.fillna("").map(lambda text: unicodedata.normalize("NFKC", text).strip().lower())
    return plain.map(known).fillna("")


def find_event_columns(frame: pd.DataFrame, mapping: Mapping[str, str]) -> dict[str, str | None]:
    """Return the column that each field of an event is taken from, None for none."""
    found = {name: find_column(frame, names, mapping.get(name)) for name, names in NAMES.items()}
    return found | {
        "incident_id": find_case_number(frame, mapping.get("incident_id"), repeats=True),
        "due_at": find_moments(frame, "due_at", mapping.get("due_at")),
    }


def _event_table(
    city: City,
    reading: Reading,
    metric: pyproj.CRS | None,
    request: LoadRequest,
    report: LoadReport,
) -> pd.DataFrame:
    """Return the accepted rows with checked columns; what is refused goes into the report."""
    frame = reading.frame
    found = find_event_columns(frame, request.mapping)
    missing = [name for name in _NEEDED if found[name] is None]
    if missing:
        raise lacking(missing, frame.columns, file=report.file)
    columns = {name: column for name, column in found.items() if column is not None}
    table = pd.DataFrame({"row": frame.index.to_numpy(np.int64)}, index=frame.index)
    read = read_times(frame, city.settings.zone, report, now=request.now)
    refused = np.zeros(len(frame), np.bool_)
    for field in ("at", "due_at"):
        if field in columns:
            moments, wrong = read(field, columns[field])
            refused |= wrong
            keep_times(table, field, moments)
    table["stage"] = parse_stages(frame[columns["stage"]])
    for name in {"incident_id", "source", "body", "reason", "kind"} & set(columns):
        table[name] = frame[columns[name]].fillna("").astype(str).str.strip()
    for name in {"seq", "version"} & set(columns):
        table[name] = pd.to_numeric(frame[columns[name]], errors="coerce")
    if request.source is not None:
        table = table.drop(columns="source", errors="ignore")
    elif "source" in table:
        table["source"] = table["source"].where(
            table["source"] != "", source_of(reading.file, request)
        )
    if metric is not None:
        report.notes += tell_outside(city, reading, now=request.now, dry_run=request.dry_run)
        table["x_mm"], table["y_mm"] = place_rows(reading, metric)
    heard = {column for name in _HEARD if (column := find_column(frame, (name,), None))}
    extras = unused_columns(reading, {*columns.values(), *heard})
    alarms = _read_alarms(city, frame, table, request, report)
    extras = extras.drop(columns=[name for name in alarms.attrs["read"] if name in extras])
    table["attributes"] = attributes_of(extras.join(alarms))
    refused |= table.index.isin(alarms.attrs["refused"])
    refused |= _refuse_rows(table, columns, report)
    refused |= _refuse_places(table, reading, report)
    return table[~refused]


def _read_alarms(
    city: City, frame: pd.DataFrame, table: pd.DataFrame, request: LoadRequest, report: LoadReport
) -> pd.DataFrame:
    """Return what the rows say of alarms; `attrs`: columns `read` for it, rows `refused`."""
    found = {
        name: find_column(frame, names, request.mapping.get(name))
        for name, names in ALARM_NAMES.items()
    }
    columns = {name: column for name, column in found.items() if column is not None}
    cleared = columns.get("cleared_at")
    cells = frame[cleared] if cleared else pd.Series("", index=frame.index)
    alarms, faults = read_alarm_columns(
        frame,
        columns,
        at=table["at"].to_numpy(np.int64),
        moments=pd.Series(parse_moments(cells, city.settings.zone).seconds, index=frame.index),
    )
    report.faults += faults
    alarms.attrs = {"read": list(columns.values()), "refused": [fault.row for fault in faults]}
    return alarms


def _refuse_rows(
    table: pd.DataFrame, columns: dict[str, str], report: LoadReport
) -> NDArray[np.bool_]:
    """Report rows of unknown stage and without an id of their own; return which they are."""
    unknown = (table["stage"] == "").to_numpy(bool)
    nameless = (table["incident_id"] == "").to_numpy(bool)
    known = ", ".join(STAGES)
    faults = [
        Fault(key="stage_unknown", row=int(row), field=columns["stage"], values={"known": known})
        for row in table.index[unknown]
    ]
    faults += [
        Fault(key="id_missing", row=int(row), field=columns["incident_id"], value_kind="empty")
        for row in table.index[nameless]
    ]
    rounded = rounded_ids(table["incident_id"], field=columns["incident_id"])
    report.faults += [*faults, *rounded]
    refused: NDArray[np.bool_] = unknown | nameless
    refused |= table.index.isin([fault.row for fault in rounded])
    return refused


def _refuse_places(table: pd.DataFrame, reading: Reading, report: LoadReport) -> NDArray[np.bool_]:
    """
    Return the rows that the reader refused and that need what it missed.

    Only a report needs a place; a later step without one happened where the report was.
    """
    later = set(table.index[(table["stage"] != "reported").to_numpy(bool)].tolist())
    forgiven = STANDS_IN | {"place_zero"}
    report.faults = [
        fault for fault in report.faults if fault.row not in later or fault.key not in forgiven
    ]
    rows = {fault.row for fault in reading.faults} & {fault.row for fault in report.faults}
    refused: NDArray[np.bool_] = table.index.isin(list(rows))
    return refused
