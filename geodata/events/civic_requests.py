"""Requests of civic clients (Open311 GeoReport v2): what is taken of them, what is answered."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pandas as pd

from geodata.access.scope import Scope
from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.errors import BadSetting, Fault, NotFound
from geodata.events.incidents import STAGES
from geodata.loading.posted_events import KNOWN, LONGEST_TEXT
from geodata.reading.personal import find_personal
from geodata.store.civic_requests import (
    RequestRow,
    read_requests_between,
    read_requests_by_id,
)
from geodata.store.records import read_records
from geodata.words import Lang, say

MOST_REQUESTS = 1_000
LONGEST_SPAN_S = 90 * 86_400
# GeoReport names them, and Getu keeps places, never persons: dropped unread, and said so.
PERSONAL = ("first_name", "last_name", "phone", "email", "device_id", "account_id", "media_url")
_TEXTS = ("description", "address_string", "address_id")
_KEPT_AS = {"address_string": "address"}
_OURS = frozenset({"api_key", "jurisdiction_id", "service_code", "lat", "long", "lang"})
_ID, _ID_WIDTH = "o311-{at:010d}", 10
_LAST_MOMENT = 10**_ID_WIDTH - 1
_OPEN, _CLOSED = "open", "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CivicRequest:
    """A request as an event, and the names of the fields that were not taken, or not whole."""

    request_id: str
    event: dict[str, Any]
    dropped: tuple[str, ...]
    cut: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which of its own requests a client asks for; moments are UTC seconds, `end` included."""

    ids: tuple[str, ...] = ()
    codes: tuple[str, ...] | None = None
    open: bool | None = None
    start: int
    end: int
    page: int = 1
    size: int = MOST_REQUESTS


def list_services(city: City, *, now: int, lang: Lang) -> list[dict[str, Any]]:
    """Return the kinds that can be reported, as GeoReport's services."""
    with city.database.read() as connection:
        kinds = read_records(connection, "kinds", at=now)
    names = ("name_en", "name_zh") if lang == "en" else ("name_zh", "name_en")
    return [
        {
            "service_code": str(kind["id"]),
            "service_name": next((str(kind[n]) for n in names if _filled(kind, n)), kind["id"]),
            "description": "",
            "metadata": False,
            "type": "realtime",
            "keywords": "",
            "group": str(kind["category"]) if _filled(kind, "category") else "",
        }
        for kind in kinds.to_dict("records")
    ]


def find_service(city: City, code: str, *, now: int) -> str:
    """
    Return a service's code as the city's table of kinds writes it.

    A city without that table takes whatever comes. Raises NotFound for an unknown one.
    """
    known = {one["service_code"] for one in list_services(city, now=now, lang="zh")}
    if known and code not in known:
        raise NotFound(Fault(key="civic_service", field="service_code"))
    return code


def read_civic_request(
    form: Mapping[str, str], *, city: City, source: str, now: int
) -> CivicRequest:
    """
    Return what a posted form asks for, as an event of its source.

    Fields about persons are dropped, and so is any text that holds a mobile or identity number; no
    free text refuses a report. Raises BadSetting for a form without a service or a place, NotFound
    for a service that the city does not have.
    """
    code = form.get("service_code", "").strip()
    if not code:
        raise BadSetting(Fault(key="civic_missing", field="service_code"))
    find_service(city, code, now=now)
    event: dict[str, Any] = {"stage": "reported", "at": now, "kind": code, **_place(form)}
    dropped, cut = [name for name in PERSONAL if form.get(name)], []
    for name, text in form.items():
        if name in _OURS or name in PERSONAL or not text.strip():
            continue
        kept = _KEPT_AS.get(name, name) if name in _TEXTS else _attribute(name)
        # What an event says by itself is not for a form to say.
        if not kept or kept in KNOWN or is_personal(kept, text):
            dropped.append(name)
            continue
        event[kept] = text.strip()[:LONGEST_TEXT]
        if len(text.strip()) > LONGEST_TEXT:
            cut.append(name)
    plain = orjson.dumps({**event, "source": source}, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.blake2b(plain, digest_size=5).hexdigest()
    request_id = f"{_ID.format(at=now)}-{digest}"
    return CivicRequest(
        request_id=request_id,
        event={**event, "incident_id": request_id},
        dropped=tuple(dict.fromkeys(dropped)),
        cut=tuple(cut),
    )


def is_personal(name: str, text: str) -> bool:
    """Tell whether a field is about a person, by its name or by what it holds."""
    return bool(find_personal(pd.DataFrame({name: [text]}))[0])


def list_requests(
    city: City, scope: Scope, query: Query, *, now: int, lang: Lang
) -> tuple[list[dict[str, Any]], bool]:
    """
    Return the requests of the source behind a scope, the newest first, and whether there are more.

    A source sees its own and nobody else's. By id it may ask for any of its incidents; by time for
    those it reported as a civic client.
    """
    source = scope.account
    with city.database.read() as connection:
        if query.ids:
            rows = read_requests_by_id(connection, source, query.ids[: MOST_REQUESTS + 1])
        else:
            rows = read_requests_between(
                connection,
                source,
                first_id=_ID.format(at=max(query.start, 0)),
                last_id=_ID.format(at=min(query.end, _LAST_MOMENT - 1) + 1),
                kinds=query.codes,
                open=query.open,
                most=query.size + 1,
                skip=(query.page - 1) * query.size,
            )
    size = MOST_REQUESTS if query.ids else query.size
    services = {one["service_code"]: one for one in list_services(city, now=now, lang=lang)}
    return _plain_requests(city, rows[:size], services, lang), len(rows) > size


def parse_query(values: Mapping[str, str], *, now: int) -> Query:
    """Return what a client asks for; raises BadSetting naming every argument that is wrong."""
    faults: list[Fault] = []

    def moment(name: str) -> int | None:
        text = values.get(name, "").strip()
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
            return math.floor((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            faults.append(Fault(key="civic_moment", field=name))
            return None

    def whole(name: str, most: int, default: int) -> int:
        text = values.get(name, "").strip()
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
            faults.append(Fault(key="civic_whole", field=name))
            return default
        return min(int(text), most)

    start, end = moment("start_date"), moment("end_date")
    if start is None:
        start = (now if end is None else end) - LONGEST_SPAN_S
    if end is None:
        end = start + LONGEST_SPAN_S
    end = min(end, start + LONGEST_SPAN_S)  # "may not span more than 90 days"
    states = _listed(values, "status")
    if not set(states) <= {_OPEN, _CLOSED}:
        faults.append(Fault(key="civic_status", field="status"))
    page, size = whole("page", 10**6, 1), whole("page_size", MOST_REQUESTS, MOST_REQUESTS)
    if faults:
        raise BadSetting(faults)
    codes = _listed(values, "service_code")
    return Query(
        ids=tuple(_listed(values, "service_request_id")),
        codes=tuple(codes) if codes else None,
        open=None if len(set(states)) != 1 else states[0] == _OPEN,
        start=max(start, 0),
        end=max(end, 0),
        page=page,
        size=size,
    )


def _plain_requests(
    city: City, rows: list[RequestRow], services: Mapping[str, Any], lang: Lang
) -> list[dict[str, Any]]:
    placed = [row for row in rows if row.x is not None and row.y is not None]
    degrees: dict[str, tuple[float, float]] = {}
    if placed:
        xy_m = np.array([(row.x, row.y) for row in placed], float) / 1000
        lon, lat = to_lonlat(xy_m[:, 0], xy_m[:, 1], city.crs)
        degrees = {
            row.incident_id: (round(float(a), 7), round(float(b), 7))
            for row, a, b in zip(placed, lon, lat, strict=True)
        }

    def w3c(at: int) -> str | None:
        return datetime.fromtimestamp(at, city.settings.zone).isoformat() if at else None

    return [
        {
            "service_request_id": row.incident_id,
            "status": _OPEN if row.open else _CLOSED,
            "status_notes": say(f"stage.{STAGES[row.stage]}", lang),
            "service_name": services[row.kind]["service_name"]
            if row.kind in services
            else row.kind,
            "service_code": row.kind,
            "description": row.said.get("description"),
            "agency_responsible": row.body or None,
            "service_notice": None,
            "requested_datetime": w3c(row.reported_at),
            "updated_datetime": w3c(row.updated_at),
            "expected_datetime": w3c(row.due_at),
            "address": row.said.get("address"),
            "address_id": row.said.get("address_id"),
            "zipcode": None,
            "lat": degrees.get(row.incident_id, (None, None))[1],
            "long": degrees.get(row.incident_id, (None, None))[0],
            "media_url": None,
        }
        for row in rows
    ]


def _place(form: Mapping[str, str]) -> dict[str, Any]:
    """Return lon and lat of a form; raises BadSetting where there is no place of any sort."""
    given = {name: form.get(name, "").strip() for name in ("lat", "long")}
    if not any(given.values()):
        if not any(form.get(name, "").strip() for name in ("address_string", "address_id")):
            raise BadSetting(Fault(key="civic_place", field="lat"))
        return {}
    try:
        lat, lon = float(given["lat"]), float(given["long"])
    except ValueError as error:
        raise BadSetting(Fault(key="place_not_number", field="lat")) from error
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise BadSetting(Fault(key="place_not_number", field="lat"))
    return {"lon": lon, "lat": lat}


def _attribute(name: str) -> str:
    """Return the name in attribute[NAME] or attribute[NAME][], "" for any other field."""
    if not name.startswith("attribute["):
        return ""
    return name.removeprefix("attribute[").removesuffix("[]").removesuffix("]").strip()


def _listed(values: Mapping[str, str], name: str) -> list[str]:
    return [part for text in values.get(name, "").split(",") if (part := text.strip())]


def _filled(kind: Mapping[str, Any], name: str) -> bool:
    value = kind.get(name)
    return (
        value is not None and not (isinstance(value, float) and math.isnan(value)) and value != ""
    )
