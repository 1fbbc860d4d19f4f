"""Calls of callbacks: what arrives must be what the page declares, before Dash looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, request

from dashboard.guard import UPDATE, find_screen
from geodata.errors import BadSetting, Fault

_PATTERN = "{"  # the id of an input that stands for many components


def check_calls(server: Flask) -> None:
    """
    Refuse calls that name no callback, or not exactly its inputs, states and outputs.

    Dash trusts their form and fails on any other; their values are for each callback to parse.
    """

    @server.before_request
    def _check() -> None:
        screen, name = find_screen(server, request.endpoint)
        if screen is not None and name == UPDATE and request.method == "POST":
            check_call(_read_body(), screen.callback_map)


def check_call(body: Any, callbacks: Mapping[str, Any]) -> None:
    """Raise BadSetting where a body does not have the form of a declared call."""
    if not (isinstance(body, dict) and isinstance(body.get("output"), str)):
        raise _refusal()
    entry = callbacks.get(body["output"])
    if entry is None or "callback" not in entry:  # what the browser does alone is never called
        raise _refusal()
    changed = body.get("changedPropIds", [])
    if not (
        _fit(body.get("inputs", []), entry["inputs"])
        and _fit(body.get("state", []), entry["state"])
        and body.get("outputs") == _outputs(entry["output"])
        and isinstance(changed, list)
        and all(isinstance(item, str) for item in changed)
    ):
        raise _refusal()


def _read_body() -> Any:
    try:
        return request.get_json()
    except RecursionError as error:  # brackets without end
        raise _refusal() from error


def _fit(given: Any, declared: list[dict[str, Any]]) -> bool:
    if not (isinstance(given, list) and len(given) == len(declared)):
        return False
    return all(_fits(one, want) for one, want in zip(given, declared, strict=True))


def _fits(given: Any, want: Mapping[str, Any]) -> bool:
    if str(want["id"]).startswith(_PATTERN):
        return isinstance(given, list) and all(
            isinstance(one, dict)
            and isinstance(one.get("id"), dict)
            and one.get("property") == want["property"]
            for one in given
        )
    return (
        isinstance(given, dict)
        and given.get("id") == want["id"]
        and given.get("property") == want["property"]
    )


def _outputs(declared: Any) -> Any:
    if isinstance(declared, (list, tuple)):
        return [_outputs(one) for one in declared]
    return {"id": declared.component_id, "property": declared.component_property}


def _refusal() -> BadSetting:
    return BadSetting(Fault(key="call_unknown"))
