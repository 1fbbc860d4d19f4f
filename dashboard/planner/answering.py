"""How the planner's routes answer: plain data as JSON, refusals as sentences that a page shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, request

from geodata.errors import BadSetting, Fault, GetuError, http_status
from geodata.loading.report import group_faults
from geodata.words import Lang, parse_lang

PLAN, APPROVE = "plan", "approve"
JSON = "application/json"
_LARGEST_BODY = 200_000

Handler = Callable[..., Response]


def answering(handler: Handler) -> Handler:
    """Return a handler whose refusals are sentences that the page shows."""

    def answer(**named: Any) -> Response:
        try:
            return handler(**named)
        except GetuError as error:
            lang = read_lang()
            keys = list(dict.fromkeys(fault.key for fault in error.faults))
            body = {"faults": group_faults(error.faults, lang), "keys": keys}
            return as_json(body, status=http_status(error))

    answer.__getu_permission__ = handler.__getu_permission__  # type: ignore[attr-defined]
    answer.__getu_log__ = handler.__getu_log__  # type: ignore[attr-defined]
    return answer


def as_json(body: Any, *, status: int = 200) -> Response:
    """Return plain data as JSON."""
    packed = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(packed, status=status, mimetype=JSON)


def read_lang() -> Lang:
    """Return the language that the page speaks."""
    return parse_lang(request.args.get("lang"))


def read_body() -> dict[str, Any]:
    """Return the JSON object that a page posts. Raises BadSetting."""
    request.max_content_length = _LARGEST_BODY
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        raise BadSetting(Fault(key="plan_line")) from None
    if not isinstance(body, dict):
        raise BadSetting(Fault(key="plan_line"))
    return body


def as_csv(sheet: bytes, name: str) -> Response:
    """Return a table as a file to keep."""
    return as_file(sheet, f"{name}.csv", "text/csv")


def as_file(body: bytes, name: str, mimetype: str) -> Response:
    """Return a file to keep."""
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def read_text(body: dict[str, Any], name: str) -> str:
    """Return a field of a body as text, empty where there is none."""
    text = body.get(name, "")
    return text if isinstance(text, str) else ""
