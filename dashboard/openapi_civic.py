"""The description of what civic clients, walls and watchdogs ask, as OpenAPI 3.1 paths."""

from __future__ import annotations

from typing import Any

from geodata.events.alarms import NOTES, VERDICTS
from geodata.events.civic_requests import MOST_REQUESTS
from geodata.events.sources import KINDS, STATES

ERRORS = "#/components/schemas/CivicErrors"
_TOKEN = [{"token": []}, {"api_key": []}]
_SESSION = [{"session": []}]
_LIMITED = "Too many requests; come again after Retry-After seconds."
_PRINTED = r"^[^\u0000-\u0020\u007f-\u00a0/.\\][^\u0000-\u001f\u007f-\u009f\u2028\u2029/\\]*$"
_WHOLE = {"type": "integer", "minimum": 0}
_TEXT, _TEXT_OR_NONE = {"type": "string"}, {"type": ["string", "null"]}
_MOMENT = {"type": ["integer", "null"], "description": "UTC seconds."}


def civic_paths() -> dict[str, Any]:
    """Return the paths of Open311 GeoReport v2."""
    base = "/api/open311/v2"
    code, number = _in_path("code", "The service_code."), _in_path("id", "The service_request_id.")
    request = {"type": "array", "items": {"$ref": "#/components/schemas/CivicRequest"}}
    return {
        "/api/open311/discovery.{form}": {
            "get": _get("getDiscovery", "Where GeoReport v2 is spoken", {"type": "object"}, {})
        },
        f"{base}/services.{{form}}": {
            "get": _get(
                "getServices",
                "The kinds that can be reported",
                {"type": "array", "items": {"type": "object", "required": ["service_code"]}},
                {"404": "The jurisdiction_id is another city's."},
                arguments=[_argument("jurisdiction_id")],
            )
        },
        f"{base}/services/{{code}}.{{form}}": {
            "get": _get(
                "getService",
                "What one kind asks for beyond the common fields",
                {"type": "object", "required": ["service_code", "attributes"]},
                {"404": "There is no such service."},
                arguments=[code],
            )
        },
        f"{base}/requests.{{form}}": {"post": _post_request(), "get": _get_requests(request)},
        f"{base}/requests/{{id}}.{{form}}": {
            "get": _own("getRequest", "One request of the source itself", request, number)
        },
        f"{base}/tokens/{{id}}.{{form}}": {
            "get": _own(
                "getToken",
                "The id that a token stands for: the same",
                {"type": "array", "items": {"type": "object", "required": ["service_request_id"]}},
                number,
            )
        },
    }


def live_paths() -> dict[str, Any]:
    """Return the paths that walls, duty desks and watchdogs follow."""
    refused = {"401": "Nobody is signed in.", "403": "The account may not."}
    alarm = {"$ref": "#/components/schemas/Alarm"}
    alarms = {
        "type": "object",
        "required": ["revision", "now", "changes", "more", "live", "alarms"],
        "properties": {
            "revision": {**_WHOLE, "description": "What to ask `since` next."},
            "changes": {"type": "boolean", "description": "These changed; not all that are on."},
            "more": {"type": "boolean"},
            "live": {"type": "object", "required": ["real", "drill"]},
            "alarms": {"type": "array", "items": alarm},
        },
    }
    since = {"name": "since", "in": "query", "schema": _WHOLE}
    number = {"name": "alarm", "in": "path", "required": True, "schema": _WHOLE}
    source = {
        "type": "object",
        "required": ["source", "state", "age_s"],
        "properties": {
            "source": _TEXT,
            "state": {"enum": list(STATES)},
            "kind": {"enum": [*KINDS, None]},
            "age_s": _WHOLE,
        },
    }
    sources = {
        "type": "object",
        "required": ["now", "worst", "sources"],
        "properties": {
            "worst": {"enum": list(STATES)},
            "sources": {"type": "array", "items": source},
        },
    }
    health = {
        "type": "object",
        "required": ["state"],
        "properties": {"state": {"enum": ["ok", "stale"]}},
        "additionalProperties": False,
    }
    return {
        "/live/alarms": {
            "get": {
                "operationId": "getAlarms",
                "summary": "Alarms that are on, or what changed since a revision",
                "security": _SESSION,
                "parameters": [since],
                "responses": {
                    "200": _answer("Alarms of the account's own grids.", alarms),
                    "204": {"description": "Nothing changed."},
                    **_plain(refused),
                },
            }
        },
        "/live/alarms/{alarm}/notes": {
            "post": {
                "operationId": "noteAlarm",
                "summary": "Acknowledge, note, hand over or judge an alarm",
                "security": _SESSION,
                "parameters": [number],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _NOTE}},
                },
                "responses": {
                    "200": _answer("The alarm as it stands now.", alarm),
                    **_plain({**refused, "404": "No such alarm, or not the account's.",
                              "413": "The body is too large.", "422": "The wish is none."}),
                },
            }
        },
        "/live/sources": {
            "get": {
                "operationId": "getSources",
                "summary": "How each source does",
                "security": _SESSION,
                "parameters": [],
                "responses": {"200": _answer("Every source.", sources), **_plain(refused)},
            }
        },
        "/api/health": {
            "get": {
                "operationId": "getHealth",
                "summary": "Whether data still come in; for watchdogs, without a word on which",
                "security": [],
                "parameters": [],
                "responses": {"200": _answer("Well, or stale.", health)},
            }
        },
    }  # fmt: skip


def civic_schemas() -> dict[str, Any]:
    """Return the schemas that these paths refer to."""
    error = {
        "type": "object",
        "required": ["code", "description"],
        "properties": {"code": {"type": "integer"}, "description": _TEXT},
    }
    request = {
        "service_request_id": _TEXT,
        "status": {"enum": ["open", "closed"]},
        "service_code": _TEXT,
        "requested_datetime": _TEXT_OR_NONE,
        "updated_datetime": _TEXT_OR_NONE,
        "lat": {"type": ["number", "null"]},
        "long": {"type": ["number", "null"]},
        "media_url": {"type": "null"},
    }
    alarm = {
        "alarm": _WHOLE,
        "level": {"type": "integer", "minimum": 1, "maximum": 4},
        "state": {"enum": ["new", "escalated", "acknowledged", "cleared", "judged"]},
        "drill": {"type": "boolean", "description": "Never counted as real."},
        "count": {"type": "integer", "minimum": 1},
        "device_id": _TEXT_OR_NONE,
        "placed": {"enum": ["event", "device", None], "description": "Where the place is from."},
        "lon": {"type": ["number", "null"]},
        "lat": {"type": ["number", "null"]},
        "first_at": _MOMENT,
        "last_at": _MOMENT,
        "cleared_at": _MOMENT,
        "escalates_at": _MOMENT,
        "acknowledged_at": _MOMENT,
        "handed_to": {**_TEXT_OR_NONE, "description": "Who has to take it now, since a hand-over."},
    }
    return {
        "CivicErrors": {"type": "array", "minItems": 1, "items": error},
        "CivicRequest": {"type": "object", "required": list(request), "properties": request},
        "Alarm": {"type": "object", "required": list(alarm), "properties": alarm},
    }


_NOTE: dict[str, Any] = {
    "type": "object",
    "required": ["what"],
    "properties": {
        "what": {"enum": list(NOTES)},
        "text": {**_TEXT_OR_NONE, "maxLength": 500},
        "to": {**_TEXT_OR_NONE, "maxLength": 60, "description": "The post of a hand-over."},
        "verdict": {"enum": [*VERDICTS, None]},
    },
}
_FORM = {
    "name": "form",
    "in": "path",
    "required": True,
    "schema": {"enum": ["json", "xml"]},
}
_LANG = {"name": "lang", "in": "query", "schema": {"enum": ["zh", "en"]}}


def _post_request() -> dict[str, Any]:
    fields = {
        "api_key": {"description": "A source's token; else in the header Authorization."},
        "jurisdiction_id": {},
        "service_code": {"minLength": 1},
        "lat": {"description": "Degrees, WGS 84."},
        "long": {},
        "address_string": {},
        "address_id": {},
        "description": {"maxLength": 4000, "description": "Dropped where it names persons."},
    }
    made = {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["service_request_id", "service_notice", "account_id"],
            "properties": {"service_notice": _TEXT, "account_id": {"type": "null"}},
        },
    }
    form = {
        "type": "object",
        "required": ["service_code"],
        "properties": {name: {"type": "string", **more} for name, more in fields.items()},
    }
    return {
        "operationId": "postRequest",
        "summary": "Report a matter at a place; fields about persons are dropped, and said so",
        "security": _TOKEN,
        "parameters": [_FORM, _LANG],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": form}},
        },
        "responses": {
            "201": _both("The report is on the disk and on the map.", made),
            **_refusals(
                {
                    "400": "Something required is missing or cannot be read.",
                    "403": "Missing or invalid api_key.",
                    "404": "No such service, or another city's jurisdiction_id.",
                    "503": "The store is busy; send the same again.",
                    "507": "The disk is full.",
                }
            ),
        },
    }


def _get_requests(request: dict[str, Any]) -> dict[str, Any]:
    names = ("service_request_id", "service_code", "start_date", "end_date", "status", "page",
             "page_size", "jurisdiction_id")  # fmt: skip
    header = {"schema": _TEXT}
    described = _get(
        "getRequests",
        f"The source's own requests of 90 days, {MOST_REQUESTS} at most",
        request,
        {
            "400": "An argument cannot be read.",
            "403": "Missing or invalid api_key.",
            "404": "The jurisdiction_id is another city's.",
        },
        arguments=[_argument(name) for name in names],
        security=_TOKEN,
    )
    limits = ("X-Result-Limit", "X-Result-Count", "X-Result-More")
    described["responses"]["200"]["headers"] = dict.fromkeys(limits, header)
    return described


def _own(operation: str, summary: str, schema: Any, number: dict[str, Any]) -> dict[str, Any]:
    answers = {"403": "Missing or invalid api_key.", "404": "Not found, or another source's."}
    return _get(operation, summary, schema, answers, arguments=[number], security=_TOKEN)


def _get(
    operation: str,
    summary: str,
    schema: Any,
    answers: dict[str, str],
    *,
    arguments: list[dict[str, Any]] | None = None,
    security: Any = (),
) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "security": list(security),
        "parameters": [*(arguments or []), _FORM, _LANG],
        "responses": {"200": _both(summary, schema), **_refusals(answers)},
    }


def _both(text: str, schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}, "text/xml": {}}
    return {"description": text, "content": content}


def _refusals(answers: dict[str, str]) -> dict[str, Any]:
    both = _both("", {"$ref": ERRORS})
    return {
        code: {**both, "description": text} for code, text in {**answers, "429": _LIMITED}.items()
    }


def _answer(text: str, schema: Any) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _plain(answers: dict[str, str]) -> dict[str, Any]:
    return {
        code: {"description": text, "content": {"text/plain": {"schema": _TEXT}}}
        for code, text in {**answers, "429": _LIMITED}.items()
    }


def _in_path(name: str, text: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "pattern": _PRINTED}
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def _argument(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": _TEXT}
