"""Tables of incidents and events turned into the rows that the event log appends."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from geodata.events.incidents import NO_SEQ, SIX_STEPS, STAGE_CODE
from geodata.store.event_rows import NO_PLACE, EventRows, code_texts

# Columns of an incidents table that are the time of a step, by contracts.md 3.
STEP_COLUMNS = {f"{name}_at": name for name in (*SIX_STEPS, "checked", "returned", "reopened")}
_ROWS_AT_ONCE = 50_000
_HASHED = ("stage", "at", "seq", "version", "due_at", "body", "reason", "x", "y", "kind")


def payload_hash(payload: dict[str, Any]) -> int:
    """
    Return BLAKE2b-64 over the canonical JSON of an event, as a signed integer.

    Canonical: sorted names, NFC text, whole numbers, UTC seconds, nothing empty (contracts.md 4).
    `received_at` must not be among the names: when we heard of it is not what happened.
    """
    plain = {
        name: unicodedata.normalize("NFC", value) if isinstance(value, str) else value
        for name, value in payload.items()
        if value is not None and value != ""
    }
    text = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


def rows_from_events(events: pd.DataFrame, *, source: str) -> EventRows:
    """
    Turn a checked table of events into rows of one source.

    Columns: incident_id, stage (a name of STAGES), at (UTC s); optional seq, version, due_at,
    body, reason, kind, x_mm, y_mm (NaN for none), attributes (canonical JSON or None).
    """
    columns: dict[str, list[Any]] = {
        "seq": _whole(events, "seq", NO_SEQ),
        "version": _whole(events, "version", 0),
        "due_at": _whole(events, "due_at", None),
        "x": _whole(events, "x_mm", None),
        "y": _whole(events, "y_mm", None),
        "at": [int(value) for value in events["at"]],
        "stage": events["stage"].tolist(),
        **{name: _texts(events, name) for name in ("body", "reason", "kind")},
    }
    columns["attributes"] = [text or None for text in _texts(events, "attributes")]
    columns["incident_id"] = events["incident_id"].astype(str).tolist()
    return rows_from_columns(columns, source=source)


def rows_from_columns(columns: dict[str, list[Any]], *, source: str) -> EventRows:
    """
    Turn checked columns into rows of one source.

    Lists of one length: incident_id, stage (a name of STAGES), at, seq (NO_SEQ for none), version
    (0), due_at, x, y (mm; None for none), body, reason, kind ("" for none), attributes (canonical
    JSON or None).
    """
    names = (*_HASHED, "attributes")
    hashes = [
        payload_hash(dict(zip(names, cells, strict=True)))
        for cells in zip(*(columns[name] for name in names), strict=True)
    ]
    whole = {name: np.array(columns[name], np.int64) for name in ("seq", "at", "version")}
    return EventRows(
        source=source,
        ids=code_texts(columns["incident_id"], ordered=True),
        seq=whole["seq"],
        at=whole["at"],
        hash=np.array(hashes, np.int64),
        stage=np.array([STAGE_CODE[name] for name in columns["stage"]], np.int64),
        version=whole["version"],
        due=_filled(columns["due_at"], 0),
        body=code_texts(columns["body"]),
        reason=code_texts(columns["reason"]),
        x=_filled(columns["x"], NO_PLACE),
        y=_filled(columns["y"], NO_PLACE),
        kind=code_texts(columns["kind"]),
        attributes=code_texts(columns["attributes"]),
    )


def events_from_incidents(incidents: pd.DataFrame) -> pd.DataFrame:
    """
    Turn one row an incident into its events: the report with place and kind, then each step.

    `incidents` holds incident_id, reported_at (UTC s), x_mm, y_mm, kind, due_at, body, attributes
    and the further step columns (0 for never); `source` where a file holds several.
    """
    carried = ["source", "kind", "x_mm", "y_mm", "due_at", "body", "attributes"]
    known = ["incident_id", *(name for name in carried if name in incidents)]
    first = incidents[known].copy()
    first["stage"], first["at"] = "reported", incidents["reported_at"]
    parts = [first]
    for column, stage in STEP_COLUMNS.items():
        if column == "reported_at" or column not in incidents:
            continue
        later = incidents[incidents[column] > 0]
        part = later[[name for name in ("incident_id", "source") if name in later]]
        parts.append(part.assign(stage=stage, at=later[column]))
    return pd.concat(parts, ignore_index=True)


def count_events(incidents: pd.DataFrame) -> int:
    """Return how many events `events_from_incidents` makes of a table."""
    later = [name for name in STEP_COLUMNS if name != "reported_at" and name in incidents]
    return len(incidents) + int((incidents[later] > 0).to_numpy().sum())


def _whole(frame: pd.DataFrame, name: str, empty: int | None) -> list[Any]:
    if name not in frame:
        return [empty] * len(frame)
    values = pd.to_numeric(frame[name]).to_numpy(float)
    return [empty if np.isnan(value) else int(value) for value in values]


def _filled(values: list[int | None], empty: int) -> NDArray[np.int64]:
    return np.array([empty if value is None else value for value in values], np.int64)


def _texts(frame: pd.DataFrame, name: str) -> list[str]:
    return frame[name].fillna("").astype(str).tolist() if name in frame else [""] * len(frame)


def attributes_of(frame: pd.DataFrame) -> pd.Series[str]:
    """Return each row of texts as canonical JSON without its empty cells, "" for none."""
    # Some at a time: as Python's texts the cells of a million rows would take a gigabyte.
    parts = [
        pd.Series(_as_json(part), index=part.index, dtype="str")
        for start in range(0, max(len(frame), 1), _ROWS_AT_ONCE)
        for part in (frame.iloc[start : start + _ROWS_AT_ONCE],)
    ]
    return pd.concat(parts)


def _as_json(frame: pd.DataFrame) -> list[str]:
    names = [str(name) for name in frame.columns]
    columns = [frame[name].fillna("").astype(str).str.strip().tolist() for name in frame.columns]
    rows = []
    for cells in zip(*columns, strict=True):
        data = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
        rows.append(orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode() if data else "")
    return rows or [""] * len(frame)
