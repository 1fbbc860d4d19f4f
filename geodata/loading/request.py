"""What a load was asked to do, and the rules every kind of load shares."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from geodata.errors import BadFile, BadSetting, Fault
from geodata.loading.headers import find_header
from geodata.loading.report import LoadReport
from geodata.reading import Limits
from geodata.words import Word

Progress = Callable[[str, float], None]
FUTURE_S = 86_400  # a clock a day off is no fault, a year 2099 is


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """The arguments of `app.py load`; `now` is UTC seconds."""

    now: int
    crs: str | None = None
    swapped: bool = False  # the first number of a place is its latitude or northing
    encoding: str | None = None
    layer: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    source: str | None = None
    level: str | None = None
    parent: str | None = None
    parent_level: str | None = None
    system: str = "grid"
    valid_from: int | None = None
    recorded: str | None = None
    overlaps: str = "refuse"
    dry_run: bool = False
    account: str = ""  # who loads by the page; nobody at the command line
    strict: bool = False
    isolated: bool = False  # GDAL in a child process, as for whatever comes from elsewhere
    limits: Limits | None = None  # of the readers; None: the owner's, or those of uploads


def parse_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Return field -> column of `--map FIELD=COLUMN` options; raises BadSetting for any other."""
    mapping = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not (name and sign and column):
            raise BadSetting(Fault(key="map_syntax", values={"text": pair}))
        mapping[name.strip()] = column.strip()
    return mapping


def parse_day(text: str | None, zone: ZoneInfo) -> int | None:
    """Return the first second (UTC) of an ISO date in a zone; raises BadSetting for any other."""
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())
    except ValueError as error:
        raise BadSetting(Fault(key="valid_from")) from error


def source_of(file: Path | str, request: LoadRequest) -> str:
    """Return the source of rows that name none: as asked for, else the file's name."""
    return request.source or Path(file).name.split(".")[0] or Path(file).name


def hash_file(file: Path, *, size: int = 16) -> bytes:
    """Return the BLAKE2b of a file's or a folder's content, in `size` bytes: its identity."""
    digest = hashlib.blake2b(digest_size=size)
    for part in sorted(file.iterdir()) if file.is_dir() else [file]:
        if part.is_file():
            with part.open("rb") as content:
                hashlib.file_digest(content, lambda: digest)
    return digest.digest()


def find_column(frame: pd.DataFrame, names: tuple[str, ...], mapped: str | None) -> str | None:
    """Return the column that `--map` names, else the first whose header is one of `names`."""
    if mapped is not None:
        return mapped if mapped in frame.columns else None
    return find_header(frame.columns, names)


def check_mapping(frame: pd.DataFrame, request: LoadRequest, *, file: str) -> None:
    """Raise BadFile for every `--map` that names a column the file does not have."""
    have = ", ".join(map(str, frame.columns))
    faults = [
        Fault(key="map_column", field=name, values={"column": column, "have": have})
        for name, column in request.mapping.items()
        if column not in frame.columns and column not in ("lon", "lat")
    ]
    if faults:
        raise BadFile(faults, file=file)


def lacking(columns: Sequence[str], have: Iterable[object], *, file: str) -> BadFile:
    """Return the error for needed columns that a file does not have, `have` being all it has."""
    listed = ", ".join(str(name) for name in have if name != "geometry")
    return BadFile(
        [
            Fault(
                key="missing_column",
                values={"name": Word(f"intake_field.{need}"), "need": need, "have": listed},
            )
            for need in columns
        ],
        file=file,
    )


def refuse_if_strict(report: LoadReport, request: LoadRequest) -> None:
    """With `--strict`, turn every row fault and every dropped column into a file fault."""
    n = len(report.faults) + len(report.dropped_columns)
    if request.strict and n:
        dropped = [Fault(key="personal_column", field=name) for name in report.dropped_columns]
        faults = [Fault(key="strict", values={"n": n}), *report.faults, *dropped]
        raise BadFile(faults, file=report.file)
