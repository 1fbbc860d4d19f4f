"""The forms of edits: what each says, as plain data that one line of JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from geodata.errors import BadGrid, Fault
from geodata.redraw.changes import Edit

MAX_POINTS = 10_000
MAX_NUMBERS = 100_000
MAX_TEXT = 200
_FARTHEST_M = 1e8
_LARGEST_UID = 2**53

# Form of each edit: its fields, "?" behind those that may be left out. Points are x, y in metres of
# the city's CRS. `rest`: "follow" lets cut-off parts of the giving grid go along, else refuse.
# `across`: land may change its community; else a stroke ends at the community's line. `tidy`: what
# changes loses corners that it does not need, where a grid has many.
FORMS: dict[str, dict[str, str]] = {
    "draw": {
        "grid": "uid", "area": "line", "rest?": "rest", "across?": "flag", "tidy?": "flag",
    },
    "brush": {
        "grid": "uid", "blocks": "numbers", "rest?": "rest", "across?": "flag", "tidy?": "flag",
    },
    "special": {
        "area?": "line", "blocks?": "numbers", "name?": "text", "code?": "text", "rest?": "rest",
        "tidy?": "flag",
    },
    "split": {
        "grid": "uid", "line": "line", "snap_m?": "metres", "code?": "text", "name?": "text",
        "tidy?": "flag",
    },
    "merge": {"grids": "numbers", "keep?": "uid"},
    "drag": {"grids": "numbers", "line": "line", "across?": "flag", "tidy?": "flag"},
    "move": {"at": "point", "to": "point", "within_m?": "metres", "across?": "flag"},
    "assign": {"blocks": "sheets", "across?": "flag", "tidy?": "flag"},
    "adopt": {"shapes": "shapes", "gone?": "numbers", "across?": "flag"},
    "reparent": {"grid": "uid", "parent": "uid"},
    "describe": {"grid": "uid", "name?": "text", "code?": "text", "kind?": "text", "body?": "text"},
    "lock": {"grid?": "uid", "all?": "flag"},
    "unlock": {"grid?": "uid", "all?": "flag"},
}  # fmt: skip
TIDIED = tuple(op for op, form in FORMS.items() if "tidy?" in form)


def parse_edit(plain: Any) -> Edit:
    """
    Return an edit in its normal form: known fields only, points rounded to the millimetre.

    Takes anything a line of JSON can say. Raises BadGrid with a fault for each field that is
    missing, unknown or of the wrong form.
    """
    if not isinstance(plain, dict):
        raise BadGrid(Fault(key="redraw_no_object"))
    op = plain.get("op")
    form = FORMS.get(op) if isinstance(op, str) else None
    if form is None:
        raise BadGrid(Fault(key="redraw_op_unknown", field="op", values={"known": tuple(FORMS)}))
    faults: list[Fault] = []
    edit: Edit = {"op": op}
    for field, kind in form.items():
        name = field.removesuffix("?")
        value = plain.get(name)
        if value is None:
            if name == field:
                faults.append(Fault(key="redraw_field_missing", field=name, values={"op": op}))
            continue
        read = _READERS[kind](value)
        if read is None:
            faults.append(Fault(key=f"redraw_wrong_{kind}", field=name))
        else:
            edit[name] = read
    known = {"op", *(field.removesuffix("?") for field in form)}
    strange = [name for name in plain if name not in known]
    if strange:
        values = {"op": op, "known": tuple(sorted(known))}
        faults.append(Fault(key="redraw_field_unknown", values=values))
    if faults:
        raise BadGrid(faults)
    return edit


def _read_uid(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < _LARGEST_UID else None


def _read_numbers(value: Any) -> list[int] | None:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_NUMBERS:
        return None
    numbers = [number for item in value if (number := _read_uid(item)) is not None]
    return sorted(set(numbers)) if len(numbers) == len(value) else None


def _read_sheets(value: Any) -> dict[str, list[int]] | None:
    """Return blocks by grid: {"1102": [5, 6]}; JSON has no numbers for names."""
    return _read_by_uid(value, _read_numbers)


def _read_shapes(value: Any) -> dict[str, Any] | None:
    """Return polygons by grid: {"1102": [[[[x, y], ...], hole, ...], part, ...]}."""
    return _read_by_uid(value, _read_parts)


def _read_by_uid(value: Any, read: Callable[[Any], Any]) -> dict[str, Any] | None:
    if not isinstance(value, dict) or not value:
        return None
    found: dict[str, Any] = {}
    for name, item in value.items():
        one = read(item)
        if one is None or not (isinstance(name, str) and name.isascii() and name.isdigit()):
            return None
        if len(name) > len(str(_LARGEST_UID)):
            return None
        found[str(int(name))] = one
    return found if len(found) == len(value) else None


def _read_parts(value: Any) -> list[list[list[list[float]]]] | None:
    """Return the parts of a polygon, each a ring and its holes."""
    if not isinstance(value, list) or not value:
        return None
    parts = []
    for part in value:
        if not isinstance(part, list) or not part:
            return None
        rings = [ring for item in part if (ring := _read_line(item)) is not None]
        if len(rings) < len(part):
            return None
        parts.append(rings)
    return parts


def _read_point(value: Any) -> list[float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    plain = all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    if not plain or not all(math.isfinite(item) and abs(item) < _FARTHEST_M for item in value):
        return None
    return [round(float(item), 3) for item in value]


def _read_line(value: Any) -> list[list[float]] | None:
    if not isinstance(value, list | tuple) or not 2 <= len(value) <= MAX_POINTS:
        return None
    points = [point for item in value if (point := _read_point(item)) is not None]
    return points if len(points) == len(value) else None


def _read_metres(value: Any) -> float | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) and 0 <= value <= 1000 else None


def _read_text(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        return None
    return value.strip()


def _read_flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _read_rest(value: Any) -> str | None:
    return value if value in ("refuse", "follow") else None


_READERS: dict[str, Callable[[Any], Any]] = {
    "uid": _read_uid,
    "numbers": _read_numbers,
    "sheets": _read_sheets,
    "shapes": _read_shapes,
    "point": _read_point,
    "line": _read_line,
    "metres": _read_metres,
    "text": _read_text,
    "flag": _read_flag,
    "rest": _read_rest,
}
