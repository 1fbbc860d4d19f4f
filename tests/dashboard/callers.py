"""Calls to routes and callbacks as a browser makes them, and as anyone else might."""

from __future__ import annotations

import re
from typing import Any

from dash import Dash

CALLBACKS = "/_dash-update-component"
OPEN_PATHS = ("/healthz", "/api/", "/assets/", "/_dash-component-suites/", "/_favicon.ico")
ARGUMENTS = {
    "name": "grids", "extension": "geojson", "z": "14", "x": "13648", "y": "6662",
    "path": "anything", "filename": "getu.css", "package_name": "dashboard.gridmap",
    "fingerprinted_path": "built/gridmap.js",
}  # fmt: skip
VALUES = {
    "address.search": "?lang=zh", "lang.data": "zh", "theme.data": "dark", "days.value": 90,
    "state.value": "all", "shown.value": ["grid-risk", "dots"], "pulse.n_intervals": 1,
}  # fmt: skip


def list_paths(app: Dash) -> list[tuple[str, str]]:
    """Return every rule of the app as (method, path), its arguments filled in."""
    app._setup_server()
    return [
        (method, re.sub(r"<(?:\w+:)?(\w+)>", lambda found: ARGUMENTS[found[1]], rule.rule))
        for rule in app.server.url_map.iter_rules()
        for method in sorted(rule.methods or ())
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
