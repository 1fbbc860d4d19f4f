"""Events as a source posts them: JSON read, checked field by field, and turned into rows."""

from __future__ import annotations

import math
import unicodedata
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pandas as pd

from geodata.city import City
from geodata.errors import BadFile, Fault
from geodata.events.alarms import FIELDS
from geodata.events.incidents import NO_SEQ, STAGE_CODE
from geodata.events.moments import end_day
from geodata.loading.alarm_fields import read_alarm
from geodata.loading.events import rows_from_columns
from geodata.loading.posted_places import PLACE_FIELDS, place_events
from geodata.loading.request import FUTURE_S
from geodata.reading.personal import find_personal
from geodata.store.event_rows import EventRows

LONGEST_ID, LONGEST_NAME, LONGEST_TEXT, MOST_FIELDS = 200, 60, 2_000, 60
LARGEST_WHOLE = 2**53 - 1  # every reader of JSON holds it exactly
_LONGEST_MOMENT = 40
_LAST_DEADLINE = 253_402_300_799  # the year 9999
_TEXTS = {"incident_id": LONGEST_ID, "kind": LONGEST_ID, "body": LONGEST_ID, "reason": LONGEST_TEXT}
_WHOLE = ("seq", "version")
# The token says the source and we say when it came in; a sender may name both all the same.
_OURS = ("source", "received_at")
KNOWN = frozenset({*_TEXTS, *_WHOLE, *PLACE_FIELDS, *_OURS, *FIELDS, "stage", "at", "due_at"})


def read_posted(
    body: bytes, *, lines: bool, city: City, source: str, now: int, most: int
) -> EventRows:
    """
    Return the events of one request as rows of their source, all or none.

    `body` is JSON (one event or a list), or with `lines` one event a line; `most` events at most.
    Raises BadFile with every fault of every event: row 1 is the first event. No fault repeats what
    a field holds.
    """
    # STEP 1: JSON
    events = _events_of(body, lines=lines)
    if len(events) > most:
        raise BadFile(Fault(key="post_many", values={"limit": most}))
    # STEP 2: each event's own fields
    faults: list[Fault] = []
    checked = [
        _check_event(event, row, faults, source=source, zone=city.settings.zone, now=now)
        for row, event in enumerate(events, start=1)
    ]
    # STEP 3: what is seen over all of them together
    extras = [item.pop("extras") for item in checked]
    reasons = [item.get("reason", "") for item in checked]
    faults += _personal_faults(pd.DataFrame(extras).fillna("").assign(reason=reasons))
    x_mm, y_mm = place_events(events, city, faults)
    if faults:
        raise BadFile(sorted(faults, key=lambda fault: (fault.row or 0, fault.field or "")))
    # Without a table of them: most posts are of one event, and a table costs ten times as much.
    columns: dict[str, list[Any]] = {
        name: [item.get(name) for item in checked] for name in (*_COLUMNS, *_TEXTS)
    }
    columns["seq"] = [NO_SEQ if cell is None else int(cell) for cell in columns["seq"]]
    columns["version"] = [int(cell or 0) for cell in columns["version"]]
    for name, places in (("x", x_mm), ("y", y_mm)):
        columns[name] = [None if math.isnan(cell) else int(cell) for cell in places.tolist()]
    columns["attributes"] = [_canonical(texts) for texts in extras]
    return rows_from_columns(columns, source=source)


_COLUMNS = ("stage", "at", "due_at", *_WHOLE)


def _canonical(texts: dict[str, str]) -> str | None:
    """Return texts as canonical JSON without its empty cells, None for none."""
    filled = {name: text.strip() for name, text in texts.items() if text.strip()}
    return orjson.dumps(filled, option=orjson.OPT_SORT_KEYS).decode() if filled else None


def _events_of(body: bytes, *, lines: bool) -> list[Any]:
    if not lines:
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadFile(Fault(key="post_json")) from error
        return found if isinstance(found, list) else [found]
    events, faults = [], []
    for row, line in enumerate((line for line in body.splitlines() if line.strip()), start=1):
        try:
            events.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            faults.append(Fault(key="post_json", row=row))
    if faults:
        raise BadFile(faults)
    return events


def _check_event(
    event: Any, row: int, faults: list[Fault], *, source: str, zone: ZoneInfo, now: int
) -> dict[str, Any]:
    """Return one event's columns and its `extras`; what is wrong with it goes into `faults`."""
    checked: dict[str, Any] = {"extras": {}}
    if not isinstance(event, dict):
        faults.append(Fault(key="post_not_event", row=row))
        return checked

    def fault(key: str, field: str, **values: Any) -> None:
        faults.append(Fault(key=key, row=row, field=field, values=values))

    if "source" in event and event["source"] != source:
        fault("post_source", "source")
    for name in ("incident_id", "stage", "at"):
        if event.get(name) in (None, ""):
            fault("post_missing", name)
    for name, limit in _TEXTS.items():
        text = _clean_text(event.get(name, ""), limit, lines=name == "reason")
        if text is None:
            fault("post_text", name, limit=limit)
        checked[name] = text or ""
    stage = event.get("stage")
    if stage not in (None, "") and not (isinstance(stage, str) and stage in STAGE_CODE):
        fault("stage_unknown", "stage", known=", ".join(STAGE_CODE))
    checked["stage"] = stage
    for name in ("at", "due_at"):
        _check_moment(event.get(name), name, checked, fault, zone=zone, now=now)
    _end_deadline(event.get("due_at"), checked, zone=zone)
    for name in _WHOLE:
        value = event.get(name)
        if value is not None and not _is_whole(value):
            fault("post_whole", name, limit=LARGEST_WHOLE)
        checked[name] = value
    _check_extras(event, checked["extras"], fault)
    _check_alarm(event, checked, fault, zone=zone)
    return checked


def _check_moment(
    value: Any, name: str, checked: dict[str, Any], fault: Any, *, zone: ZoneInfo, now: int
) -> None:
    if value is None or value == "":
        checked[name] = None
        return
    seconds = _seconds_of(value, zone)
    if seconds is None or not 0 < seconds <= _LAST_DEADLINE:
        fault("post_moment", name)
    elif name == "at" and seconds > now + FUTURE_S:
        fault("moment_future", name)
    checked[name] = seconds


def _check_alarm(
    event: dict[str, Any], checked: dict[str, Any], fault: Any, *, zone: ZoneInfo
) -> None:
    said, wrong = read_alarm(
        event, at=checked["at"], moment=lambda value: _known_seconds(value, zone)
    )
    checked["extras"] |= said
    for key, name in wrong:
        fault(key, name)


def _check_extras(event: dict[str, Any], extras: dict[str, str], fault: Any) -> None:
    """Keep what the contract does not name as attributes, as texts, the way files do."""
    names = [name for name in event if name not in KNOWN]
    if len(names) > MOST_FIELDS:
        fault("post_fields", "", limit=MOST_FIELDS)
        return
    for name in names:
        title = _clean_text(name, LONGEST_NAME)
        text = _scalar_text(event[name])
        if not title:
            fault("post_name", name[:LONGEST_NAME], limit=LONGEST_NAME)
        elif text is None:
            fault("post_attribute", title, limit=LONGEST_TEXT)
        elif text:
            extras[title] = text


def _personal_faults(frame: pd.DataFrame) -> list[Fault]:
    """Return a fault for each event that carries what is about a person, by name or by content."""
    certain, suspect = find_personal(frame)
    faults = []
    for item in certain:
        filled = np.flatnonzero(frame[item.column].to_numpy(str) != "")
        faults += [
            Fault(key="post_personal", row=int(row) + 1, field=item.column) for row in filled
        ]
    for item in suspect:  # too few to condemn a column of a file; an event has only one cell
        for row, cell in enumerate(frame[item.column], start=1):
            if cell and find_personal(pd.DataFrame({item.column: [cell]}))[0]:
                faults.append(Fault(key="post_personal", row=row, field=item.column))
    return faults


def _clean_text(value: Any, limit: int, *, lines: bool = False) -> str | None:
    """Return a text in its one writing (NFC, trimmed), "" for none, None for what is no text."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        return None
    text = unicodedata.normalize("NFC", value).strip()
    allowed = "\t\n\r" if lines else ""
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in allowed for sign in text):
        return None
    return text


def _scalar_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if _is_whole(value) else repr(value)
    return _clean_text(value, LONGEST_TEXT, lines=True)


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value == math.floor(value) and 0 <= value <= LARGEST_WHOLE


def _known_seconds(value: Any, zone: ZoneInfo) -> int | None:
    seconds = _seconds_of(value, zone)
    return seconds if seconds is not None and 0 < seconds <= _LAST_DEADLINE else None


def _end_deadline(value: Any, checked: dict[str, Any], *, zone: ZoneInfo) -> None:
    """Let what is due on a day be due at its end."""
    said = checked["due_at"]
    if said is not None and (day := _find_day(value)):
        checked["due_at"] = max(said, end_day(day, zone))


def _find_day(value: Any) -> str:
    """Return the day that a text is alone, without an hour; "" for what is more or less."""
    try:
        return date.fromisoformat(value.strip()).isoformat() if isinstance(value, str) else ""
    except ValueError:
        return ""


def _seconds_of(value: Any, zone: ZoneInfo) -> int | None:
    """Return UTC seconds of ISO 8601 (without an offset: the city's own time) or epoch seconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return math.floor(value) if math.isfinite(value) else None
    if not isinstance(value, str) or len(value) > _LONGEST_MOMENT:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())
    except (ValueError, OverflowError):
        return None
