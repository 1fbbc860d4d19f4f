"""The planner looks back: which drawing on which day, who answered, figures by each, other nets."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import Any

import shapely
from flask import Response, request

from dashboard.guard import EXPORT, current_scope
from dashboard.planner.answering import (
    APPROVE,
    Handler,
    as_csv,
    as_json,
    read_body,
    read_lang,
    read_text,
)
from dashboard.planner.bench import Bench
from dashboard.trail import show
from geodata.coverage.edges import to_mm
from geodata.errors import BadSetting, Fault, NotFound
from geodata.plans.crosswalk import Crosswalk, cross_drawings, cross_systems, list_nets
from geodata.plans.history import (
    count_cases_by,
    lineage_csv,
    list_drawings,
    list_holders,
    list_lineage,
    list_transfers,
    transfers_csv,
)
from geodata.plans.plan import need, need_all, parse_effective
from geodata.plans.publish import roll_back
from geodata.plans.workshop import read_drawn

_BEFORE = timedelta(days=365)  # how far the slider reaches back before the first dated drawing
_MOST_WAYS = 4
_TABLES = ("lineage", "transfers")


def make_past_readings(bench: Bench) -> dict[str, tuple[str, Handler]]:
    """Return the readings of the past by name: (rule, handler)."""
    city = bench.city

    def past() -> Response:
        force = bench.services.grids()
        rows = [row for row in list_drawings(city) if force and row.system == force.system]
        now, zone = bench.services.now(), city.settings.zone
        dated = [row.valid_from for row in rows if row.valid_from is not None]
        begin = datetime.fromtimestamp(min([now, *dated]), zone) - _BEFORE
        end = datetime.fromtimestamp(max([now, *dated]), zone)
        show(n=0)
        return as_json(
            {
                "drawings": [
                    {**row.as_json(), "first_day": _first_day(row.valid_from, zone)} for row in rows
                ],
                "nets": list_nets(city, now=now),
                "first": begin.date().isoformat(),
                "last": end.date().isoformat(),
                "today": datetime.fromtimestamp(now, zone).date().isoformat(),
            }
        )

    def grids(drawing: int) -> Response:
        with city.database.read() as connection:
            system = read_drawn(connection, city, drawing).system
        finest = system.finest()
        show(n=0)
        return as_json({"grids": _tell_grids(bench, finest)})

    def holders() -> Response:
        lon, lat = (_number(name) for name in ("lon", "lat"))
        show(n=0)
        return as_json({"holders": [one.as_json() for one in list_holders(city, lon, lat)]})

    def figures() -> Response:
        ways = request.args.getlist("by")
        if not 1 <= len(ways) <= _MOST_WAYS:
            raise BadSetting(Fault(key="plan_by", field="by"))
        since, until = (_moment(bench, name) for name in ("since", "until"))
        found = [count_cases_by(city, current_scope(), by, since=since, until=until) for by in ways]
        show(target="figures", n=max(len(found[0].rows), 1))
        return as_json({"ways": [one.as_json() for one in found]})

    def lineage(drawing: int) -> Response:
        rows = list_lineage(city, drawing)
        show(target=str(drawing), n=max(len(rows), 1))
        return as_json(
            {"lineage": [row.as_json() for row in rows if row.reason not in ("", "redigitised")]}
        )

    def crosswalk() -> Response:
        other = request.args.get("with", "")
        found = _cross(bench, other)
        show(target=f"crosswalk/{other}", n=max(len(found.rows), 1))
        return as_json({**found.as_json(), "outlines": _tell_net(bench, other)})

    def table(drawing: int, name: str) -> Response:
        scope, lang = current_scope(), read_lang()
        if name not in _TABLES:
            raise NotFound(Fault(key="plan_no_table", values={"known": _TABLES}))
        need(scope, EXPORT)
        need_all(scope)
        if name == "transfers":
            moved = list_transfers(city, scope, drawing)
            show(target=f"{drawing}/{name}", n=max(len(moved), 1), act="export.plan")
            return as_csv(transfers_csv(moved, city, lang), f"drawing-{drawing}-{name}")
        kin = list_lineage(city, drawing)
        show(target=f"{drawing}/{name}", n=max(len(kin), 1), act="export.plan")
        return as_csv(lineage_csv(kin, lang), f"drawing-{drawing}-lineage")

    def crosswalk_table() -> Response:
        need(current_scope(), EXPORT)
        found = _cross(bench, request.args.get("with", ""))
        show(target="crosswalk", n=max(len(found.rows), 1), act="export.plan")
        return as_csv(found.as_csv(read_lang()), "crosswalk")

    return {
        "past": ("/past", past),
        "past_grids": ("/past/<int:drawing>/grids", grids),
        "past_holders": ("/past/holders", holders),
        "past_figures": ("/past/figures", figures),
        "past_lineage": ("/past/<int:drawing>/lineage", lineage),
        "past_table": ("/past/<int:drawing>/<name>.csv", table),
        "crosswalk": ("/past/crosswalk", crosswalk),
        "crosswalk_table": ("/past/crosswalk.csv", crosswalk_table),
    }


def make_roll_back(bench: Bench) -> Handler:
    """Return what brings an old drawing back, for a second post's account."""

    def bring_back() -> Response:
        body, now = read_body(), bench.services.now()
        drawing = body.get("drawing")
        if not isinstance(drawing, int) or isinstance(drawing, bool):
            raise BadSetting(Fault(key="plan_line"))
        need(current_scope(), APPROVE)
        made = roll_back(
            bench.city,
            current_scope(),
            drawing,
            effective=parse_effective(read_text(body, "effective"), bench.city, now=now),
            reason=read_text(body, "reason"),
            now=now,
        )
        return as_json(made.as_json())

    return bring_back


def _first_day(valid_from: int | None, zone: tzinfo) -> str | None:
    """Return the first local day that begins under a drawing, None without beginning."""
    if valid_from is None:
        return None
    begun = datetime.fromtimestamp(valid_from, zone)
    late = begun.time() != time()
    return (begun.date() + timedelta(days=int(late))).isoformat()


def _cross(bench: Bench, other: str) -> Crosswalk:
    """Return the crosswalk of the grids in force with a net by its name or a drawing's number."""
    now, scope = bench.services.now(), current_scope()
    drawing = _drawing(other)
    if drawing is None:
        return cross_systems(bench.city, scope, other, now=now)
    force = bench.services.grids()
    return cross_drawings(bench.city, scope, force.drawing if force else 0, drawing, now=now)


def _tell_net(bench: Bench, other: str) -> list[dict[str, Any]]:
    """Return the lines of the areas that the grids are compared with, as GeoJSON geometries."""
    drawing = _drawing(other)
    if drawing is None:
        system = bench.city.grids_in_force(bench.services.now(), system=other)
        assert system is not None  # the crosswalk has found it
    else:
        with bench.city.database.read() as connection:
            system = read_drawn(connection, bench.city, drawing).system
    lines = shapely.boundary(to_mm(system.finest().geometry.to_numpy()))
    return [shapely.geometry.mapping(one) for one in bench.to_degrees(list(lines))]


def _drawing(text: str) -> int | None:
    plain = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if plain else None


def _tell_grids(bench: Bench, finest: Any) -> list[dict[str, Any]]:
    """Return a drawing's finest grids as features in degrees, without loads."""
    shapes = bench.to_degrees(list(to_mm(finest.geometry.to_numpy())))
    names = ("uid", "code", "name", "kind", "parent")
    cells = [finest[name].tolist() for name in names]
    return [
        {
            "type": "Feature",
            "id": row[0],
            "properties": {**dict(zip(names, row, strict=True)), "new": 0, "loads": None},
            "geometry": shapely.geometry.mapping(shape),
        }
        for shape, *row in zip(shapes, *cells, strict=True)
    ]


def _number(name: str) -> float:
    try:
        return float(request.args.get(name, ""))
    except ValueError:
        raise BadSetting(Fault(key="plan_place", field=name)) from None


def _moment(bench: Bench, name: str) -> int:
    """Return the first second of a day that is asked for (UTC s)."""
    day = parse_effective(request.args.get(name), bench.city, now=bench.services.now())
    local = datetime(day.year, day.month, day.day, tzinfo=bench.city.settings.zone)
    return int(local.timestamp())
