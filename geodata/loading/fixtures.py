"""Loading what stands still: cameras, places, components, and the tables cases are judged by."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pandas as pd

from geodata.city import City
from geodata.coordinates import shapes_to_metric
from geodata.errors import BadFile, BadSetting, Fault
from geodata.events.derive import derive_incidents
from geodata.events.moments import parse_moments
from geodata.loading.aliases import number_aliases, settle_aliases
from geodata.loading.code_checks import build_codes, note_codes
from geodata.loading.contracts import RECORD_KINDS, Contract, check_cells, translate_cells
from geodata.loading.outside import tell_far, tell_outside
from geodata.loading.placing import (
    make_ids,
    place_rows,
    rounded_ids,
    shape_rows,
    tell_reduced,
    unused_columns,
)
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
)
from geodata.reading import TABLE_SUFFIXES, Reading
from geodata.store.database import raise_revision
from geodata.store.event_log import filling, mark_batch
from geodata.store.records import ALWAYS, save_records
from geodata.words import Word

BASE_LAYERS = ("roads", "water", "green", "buildings")
# Deadlines, kinds and bodies as they are meant, and the places of alarms.
DERIVED_FROM = ("kinds", "bodies", "calendar", "devices", "kind_aliases", "body_aliases")
_VALID_FROM = ("valid_from", "生效日期", "起始日期")


def load_fixtures(
    city: City, kind: str, path: Path, request: LoadRequest, progress: Progress
) -> LoadReport:
    """
    Load one file of records; a record whose id is there already is replaced.

    Things with a place but without an id column get ids by their rows' content. Raises BadFile when
    a required column is missing or no row can be taken.
    """
    contract = RECORD_KINDS[kind]
    progress("progress.read", 0.0)
    if contract.shaped and path.suffix.lower() in TABLE_SUFFIXES:
        raise BadFile(Fault(key="shape_needed"), file=path.name)
    reading = read_file(kind, path, request, progress=progress)
    report = report_of(reading, path, request)
    frame = reading.frame
    check_mapping(frame, request, file=report.file)
    progress("progress.read", 1.0)
    found = {
        name: find_column(frame, names, request.mapping.get(name))
        for name, names in contract.names.items()
    }
    keyless = contract.placed or contract.key_of is not None
    needed = contract.needed if keyless else (contract.key, *contract.needed)
    missing = [name for name in needed if found[name] is None]
    if missing:
        raise lacking(missing, frame.columns, file=report.file)
    columns = {name: column for name, column in found.items() if column is not None}
    _tell_reading(city, contract, columns, reading, report, request)
    table = pd.DataFrame(
        {name: frame[column].fillna("").str.strip() for name, column in columns.items()},
        index=frame.index,
    )
    translate_cells(table, contract)
    settle_aliases(city, kind, table, report, now=request.now)
    if contract.key_of is not None:
        table[contract.key] = contract.key_of(table)
    elif contract.key not in columns:
        table[contract.key] = _make_key(city, kind, frame, report)
    days = _find_days(city, frame, contract, report)
    used = {*columns.values(), *({days.name} if days is not None else ())}
    kept = unused_columns(reading, used)
    table = table.join(kept[[name for name in kept.columns if name not in table]])
    if contract.shaped:
        table["shape"] = shape_rows(reading, city.crs)
    if contract.placed:
        table["x_mm"], table["y_mm"] = place_rows(reading, city.crs)
    else:
        report.faults = [fault for fault in report.faults if not fault.key.startswith("place_")]
    _refuse_ids(table, contract.key, columns.get(contract.key, contract.key), report)
    report.faults += check_cells(table, contract, columns)
    refused = {fault.row for fault in report.faults}
    table = table[~table.index.isin(list(refused))]
    report.settle_faults()
    refuse_if_strict(report, request)
    if not len(table):
        raise BadFile([Fault(key="nothing_loaded"), *report.faults], file=report.file)
    report.accepted = len(table)
    _tell_taken(city, kind, table, report, request)
    if request.dry_run:
        report.note("report.dry_run")
        return report
    by_day, digest = _by_day(table, days, request), hash_file(path)
    _save(city, kind, by_day, contract.key, request, report, digest)
    progress("progress.records", 1.0)
    return report


def _tell_reading(
    city: City,
    contract: Contract,
    columns: dict[str, str],
    reading: Reading,
    report: LoadReport,
    request: LoadRequest,
) -> None:
    """Say which column is what, and how many places lie beside the city."""
    placed = reading.place_columns if contract.placed else None
    report.tell_columns(columns, placed, have=reading.frame.columns)
    if contract.placed:
        report.notes += [] if contract.shaped else tell_reduced(reading)
        report.notes += tell_outside(city, reading, now=request.now, dry_run=request.dry_run)


def _tell_taken(
    city: City, kind: str, table: pd.DataFrame, report: LoadReport, request: LoadRequest
) -> None:
    """Say what is odd about the rows that were taken: their ids, and places far from the city."""
    contract = RECORD_KINDS[kind]
    note_codes(city, kind, table, contract.key, report, now=request.now)
    if contract.placed:
        report.notes += tell_far(city, table, now=request.now)


def _make_key(city: City, kind: str, frame: pd.DataFrame, report: LoadReport) -> pd.Series[str]:
    """Return ids for rows that have none: built from their parts, else by their content."""
    built = build_codes(city, frame) if kind == "components" else None
    report.note("report.ids_made" if built is None else "report.codes_built")
    return make_ids(frame) if built is None else built


def _find_days(
    city: City, frame: pd.DataFrame, contract: Contract, report: LoadReport
) -> pd.Series[int] | None:
    """Return the moment (UTC s) from which each row holds, 0 for none; None without a column."""
    column = find_column(frame, _VALID_FROM, None) if contract.dated else None
    if column is None:
        return None
    moments = parse_moments(frame[column], city.settings.zone)
    report.faults += [
        Fault(key="moment_unreadable", row=int(row), field=column, value_kind="text")
        for row in frame.index[moments.bad]
    ]
    return pd.Series(np.where(moments.bad, 0, moments.seconds), index=frame.index, name=column)


def _by_day(
    table: pd.DataFrame, days: pd.Series[int] | None, request: LoadRequest
) -> dict[int, pd.DataFrame]:
    """Return the rows by the moment from which they hold."""
    otherwise = ALWAYS if request.valid_from is None else request.valid_from
    if days is None:
        return {otherwise: table}
    moments = days.loc[table.index].replace(0, otherwise)
    return {int(moment): part for moment, part in table.groupby(moments.to_numpy())}


def _refuse_ids(table: pd.DataFrame, key: str, column: str, report: LoadReport) -> None:
    """Report rows without an id, or with one that a spreadsheet has rounded; note doubled ones."""
    ids = table[key]
    report.faults += [
        Fault(key="id_missing", row=int(row), field=column, value_kind="empty")
        for row in table.index[(ids == "").to_numpy(bool)]
    ]
    report.faults += rounded_ids(ids, field=column)
    doubled = int(ids[ids != ""].duplicated().sum())
    if doubled:
        report.note("report.ids_twice", n=f"{doubled:,}")


def load_base_layer(city: City, path: Path, request: LoadRequest, progress: Progress) -> LoadReport:
    """
    Load one layer of the base map: roads, water, green or buildings, by `--level` or file name.

    It replaces that layer.
    """
    name = request.level or path.stem.lower()
    if name not in BASE_LAYERS:
        known = ", ".join(BASE_LAYERS)
        raise BadSetting(Fault(key="base_layer_unknown", values={"name": name, "known": known}))
    reading = read_file("basemap", path, request)
    report = report_of(reading, path, request)
    accepted = reading.accepted
    assert reading.crs is not None, "read_geometries always knows the coordinate system"
    shapes = shapes_to_metric(accepted.geometry.to_numpy(), reading.crs, city.crs)
    report.accepted = len(accepted)
    refuse_if_strict(report, request)
    if request.dry_run:
        report.note("report.dry_run")
    else:
        frame = accepted.set_geometry(shapes, crs=city.crs)
        save_base(city.base_folder, {name: frame})
        with city.database.transaction() as connection:
            report.revision = raise_revision(connection)
    progress("progress.records", 1.0)
    return report


def save_base(folder: Path, layers: dict[str, geopandas.GeoDataFrame]) -> None:
    """Write each base map layer as a GeoParquet file: new, then renamed."""
    folder.mkdir(exist_ok=True)
    for name, frame in layers.items():
        part = folder / f"{name}.part"
        try:
            frame.to_parquet(part, index=False)
            part.replace(folder / f"{name}.parquet")
        finally:
            part.unlink(missing_ok=True)


def report_of(reading: Reading, path: Path, request: LoadRequest) -> LoadReport:
    """Return the report that a reading begins."""
    return LoadReport(
        file=path.name,
        rows=reading.rows,
        repaired=reading.repaired,
        faults=list(reading.faults),
        crs=reading.crs.label if reading.crs else None,
        encoding=reading.encoding,
        dropped_columns=list(reading.dropped_columns),
        notes=list(reading.notes),
        account=request.account,
    )


def _save(
    city: City,
    kind: str,
    by_day: dict[int, pd.DataFrame],
    key: str,
    request: LoadRequest,
    report: LoadReport,
    digest: bytes,
) -> None:
    facts = report.as_facts()
    with filling(city.database, kind, file=report.file, at=request.now, file_hash=digest) as batch:
        rows = sum(
            save_records(city.database, kind, table, key=key, batch=batch, valid_from=moment)
            for moment, table in by_day.items()
        )
        for table in by_day.values():
            number_aliases(city, kind, table[key].tolist(), table.to_dict("list"))
        if kind in DERIVED_FROM:  # what hangs on them changes in the same moment
            report.revision = derive_incidents(
                city, now=request.now, batch=batch, rows=rows, report=facts
            )
        else:
            with city.database.transaction() as connection:
                mark_batch(connection, batch, rows=rows, report=facts)
                report.revision = raise_revision(connection)
    report.note("report.records", sort=Word(f"record.{kind}"), n=f"{rows:,}")
