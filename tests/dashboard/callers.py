"""Calls to routes and callbacks as a browser makes them, and as anyone else might."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dash import Dash

from dashboard.guard import APPS

CALLBACKS = "/_dash-update-component"
OPEN_PATHS = (
    "/healthz", "/api/", "/assets/", "/_dash-component-suites/", "/_favicon.ico", "/sign-in",
    "/sign-out", "/password",
)  # fmt: skip
ARGUMENTS = {
    "name": "grids", "extension": "geojson", "z": "14", "x": "13648", "y": "6662",
    "path": "anything", "filename": "getu.css", "package_name": "dashboard.gridmap",
    "fingerprinted_path": "built/gridmap.js", "alarm": "1", "token": "0", "number": "1",
    "drawing": "1",
    "rule": "late_extension", "paper": "grids.xlsx", "batch": "2", "table": "kinds",
    "inc": "1", "form": "json", "code": "1", "id": "1", "source": "manual", "incident_id": "A0001",
}  # fmt: skip
_ARGUMENT = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
VALUES = {
    "address.search": "?lang=zh", "lang.data": "zh", "theme.data": "dark", "days.value": 90,
    "state.value": "all", "shown.value": ["grid-risk", "dots"], "pulse.n_intervals": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A callback of any screen: where it is called, and the body that its page would send."""

    path: str
    name: str
    body: dict[str, Any]


def list_screens(app: Dash) -> tuple[Dash, ...]:
    """Return the applications of every screen on the app's server, ready to be called."""
    screens: tuple[Dash, ...] = app.server.extensions[APPS]
    for screen in screens:
        screen._setup_server()
    return screens


def is_open(app: Dash, path: str) -> bool:
    """Tell whether a path answers strangers: files, the door, and what checks its own tokens."""
    prefixes = (screen.config.routes_pathname_prefix for screen in list_screens(app))
    return any(path.startswith(f"{prefix}{one[1:]}") for prefix in prefixes for one in OPEN_PATHS)


def list_paths(app: Dash) -> list[tuple[str, str]]:
    """Return every rule of the server as (method, path), its arguments filled in."""
    list_screens(app)
    return [
        (method, fill_rule(rule.rule))
        for rule in app.server.url_map.iter_rules()
        for method in sorted(rule.methods or ())
    ]


def fill_rule(rule: str, /, **values: str) -> str:
    """Return a rule's path; a rule with an argument that no value is known for fails by name."""
    known = {**ARGUMENTS, **values}
    unknown = set(_ARGUMENT.findall(rule)) - set(known)
    if unknown:
        raise AssertionError(
            f"tests/dashboard/callers.py: ARGUMENTS has no value for {sorted(unknown)} of {rule}; "
            "give it one, so that the new route is tested like all others"
        )
    return _ARGUMENT.sub(lambda found: known[found[1]], rule)


def list_every_call(app: Dash) -> list[Call]:
    """Return a call for each callback of each screen."""
    return [
        Call(f"{screen.config.routes_pathname_prefix}{CALLBACKS[1:]}", name, body)
        for screen in list_screens(app)
        for name, body in list_calls(screen).items()
    ]


def list_calls(app: Dash) -> dict[str, dict[str, Any]]:
    """Return for each callback the body that the page would send."""
    return {
        name: {
            "output": name,
            "outputs": _outputs(entry["output"]),
            "inputs": [_valued(one) for one in entry["inputs"]],
            "state": [_valued(one) for one in entry["state"]],
            "changedPropIds": [f"{one['id']}.{one['property']}" for one in entry["inputs"]],
        }
        for name, entry in app.callback_map.items()
        if "callback" in entry
    }


def find_call(app: Dash, output: str) -> dict[str, Any]:
    """Return the body of the callback that writes an output such as `card.children`."""
    (name,) = [name for name in list_calls(app) if output in re.split(r"\.{2,}", name.strip("."))]
    return list_calls(app)[name]


def with_values(call: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return a call with other values: `with_values(call, days=28)` sets `days.value`."""
    inputs = [
        {**one, "value": values[one["id"]]} if one["id"] in values else one
        for one in call["inputs"]
    ]
    return {**call, "inputs": inputs}


def _valued(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "value": VALUES.get(f"{one['id']}.{one['property']}")}


def _outputs(declared: Any) -> Any:
    if isinstance(declared, (list, tuple)):
        return [_outputs(one) for one in declared]
    return {"id": declared.component_id, "property": declared.component_property}
