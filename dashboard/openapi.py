"""The description of the API as OpenAPI 3.1, for people and for the tools that read it."""

from __future__ import annotations

from typing import Any

from dashboard.openapi_civic import civic_paths, civic_schemas, live_paths
from geodata.desk.decision_list import COLUMNS
from geodata.events.incidents import STAGES
from geodata.loading.posted_events import (
    LARGEST_WHOLE,
    LONGEST_ID,
    LONGEST_TEXT,
    MOST_FIELDS,
)
from geodata.settings import Settings

VERSION = "1"
_EVENT, _FAULTS, _RECEIPT = (
    f"#/components/schemas/{name}" for name in ("Event", "Faults", "Receipt")
)


def describe_api(settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of a city's API."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Getu",
            "version": VERSION,
            "description": "The ways in for events, and what programs follow. See docs/api.md.",
        },
        "servers": [{"url": settings.base_path or "/"}],
        "paths": {
            "/api/events": {"post": _post(settings)},
            "/api/decisions": {"get": _get_decisions()},
            **civic_paths(),
            **live_paths(),
        },
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "api_key": {"type": "apiKey", "in": "query", "name": "api_key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "getu_session"},
            },
            "schemas": {
                "Event": _event(),
                "Receipt": _receipt(),
                "Faults": _faults(),
                **civic_schemas(),
            },
        },
    }


def _post(settings: Settings) -> dict[str, Any]:
    one = {"$ref": _EVENT}
    many = {"type": "array", "items": one, "maxItems": settings.api_events}
    answers = {
        "401": "No token, a wrong one or a revoked one.",
        "413": f"The body is larger than {settings.api_body_mb} MB.",
        "415": "Neither JSON nor NDJSON, or compressed.",
        "422": "At least one event is wrong; nothing was written. Every fault is named.",
        "429": "This source sends too fast; wait Retry-After seconds, then post the same again.",
        "503": "The store is busy; nothing was written. Post the same again.",
        "507": "The disk is full; nothing was written.",
    }
    refused = {"application/json": {"schema": {"$ref": _FAULTS}}}
    return {
        "operationId": "postEvents",
        "summary": "Post events of one source, all or none",
        "description": "Posting the same events again adds nothing.",
        "security": [{"token": []}],
        "parameters": [
            {
                "name": "lang",
                "in": "query",
                "description": "Language of faults; else Accept-Language, else Chinese.",
                "schema": {"enum": ["zh", "en"]},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"anyOf": [one, many]}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        "responses": {
            "200": {
                "description": "The events are on the disk and on the map.",
                "content": {"application/json": {"schema": {"$ref": _RECEIPT}}},
            },
            **{code: {"description": text, "content": refused} for code, text in answers.items()},
        },
    }


def _get_decisions() -> dict[str, Any]:
    refused = {"application/json": {"schema": {"$ref": _FAULTS}}}
    answers = {"401": "No token, a wrong one or a revoked one.", "422": "`since` is no revision."}
    since = {"type": "integer", "minimum": 0, "maximum": LARGEST_WHOLE}
    row = {"type": "object", "required": list(COLUMNS)}
    answer = {
        "type": "object",
        "required": ["decisions", "revision", "more"],
        "properties": {
            "decisions": {"type": "array", "items": row},
            "revision": {**since, "description": "What to ask `since` next."},
            "more": {"type": "boolean", "description": "Some of it is there already."},
        },
    }
    return {
        "operationId": "getDecisions",
        "summary": "What posts decided on the source's own incidents, in order",
        "security": [{"token": []}],
        "parameters": [{"name": "since", "in": "query", "schema": since}],
        "responses": {
            "200": {
                "description": "Each decision once to who asks on with `revision`.",
                "content": {"application/json": {"schema": answer}},
            },
            **{code: {"description": text, "content": refused} for code, text in answers.items()},
        },
    }


def _event() -> dict[str, Any]:
    text = {"type": ["string", "null"], "maxLength": LONGEST_ID}
    whole = {"type": ["integer", "null"], "minimum": 0, "maximum": LARGEST_WHOLE}
    number = {"type": ["number", "null"]}
    moment = {
        "type": ["string", "number"],
        "description": "ISO 8601 (without an offset: the city's own time) or epoch seconds.",
    }
    return {
        "type": "object",
        "required": ["incident_id", "stage", "at"],
        "maxProperties": MOST_FIELDS,
        "properties": {
            "incident_id": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
            "stage": {"enum": list(STAGES)},
            "at": moment,
            "seq": {**whole, "description": "The source's own number of the event."},
            "version": {
                **whole,
                "description": "Of several contents of one event the newest counts.",
            },
            "due_at": {**moment, "type": [*moment["type"], "null"]},
            "kind": text,
            "body": {**text, "description": "The responsible body."},
            "reason": {**text, "maxLength": LONGEST_TEXT},
            "lon": {**number, "minimum": -180, "maximum": 180},
            "lat": {**number, "minimum": -90, "maximum": 90},
            "x": {**number, "description": "Metres east, with a projected crs."},
            "y": {**number, "description": "Metres north, with a projected crs."},
            "crs": {
                "type": ["string", "null"],
                "description": "GCJ-02, BD-09, WGS84, CGCS2000 or EPSG:n; else WGS84.",
            },
            "alarm_level": {
                "description": "1 (gravest) to 4, or a word such as red, orange, yellow, blue.",
                "type": ["integer", "string", "null"],
            },
            "device_id": {**text, "description": "Of the table of devices: it gives the place."},
            "cleared_at": {**moment, "type": [*moment["type"], "null"]},
            "cleared": {"type": ["boolean", "null"], "description": "Cleared at this event."},
            "drill": {"type": ["boolean", "null"], "description": "Never counted as real."},
        },
        "additionalProperties": {
            "description": "Kept as an attribute. Fields about persons are refused.",
            "type": ["string", "number", "boolean", "null"],
        },
    }


def _receipt() -> dict[str, Any]:
    count = {"type": "integer", "minimum": 0}
    return {
        "type": "object",
        "required": ["accepted", "new", "copies", "revision"],
        "properties": {
            "accepted": {**count, "description": "Events of this request."},
            "new": {**count, "description": "Events the store did not have."},
            "copies": {**count, "description": "Events the store had; they count once."},
            "revision": {**count, "description": "What `changes` shows from now on."},
        },
    }


def _faults() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["faults"],
        "properties": {
            "faults": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["index", "field", "key", "cause", "remedy"],
                    "properties": {
                        "index": {
                            "type": ["integer", "null"],
                            "description": "Place of the event in the request, from 0.",
                        },
                        "field": {"type": ["string", "null"]},
                        "key": {"type": "string"},
                        "cause": {"type": "string"},
                        "remedy": {"type": "string"},
                    },
                },
            }
        },
    }
