"""What leaves a street page: the table by child as CSV, and the cases behind a number."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Flask, Response, redirect, request

from dashboard import trail
from dashboard.guard import current_scope, guarded
from dashboard.parts import numbers
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.street.lists import describe_cases, rows_of_figure
from dashboard.street.panel import RATES, describe_head, find_rows, name_ageing
from dashboard.street.routes import Asked, Asking
from dashboard.street.view import read_text
from geodata.csv_sheet import write_csv
from geodata.desk.trays import open_lying
from geodata.figures.area import AreaFigures
from geodata.figures.definitions import DEFINITIONS, describe_figure
from geodata.figures.tally import Tally
from geodata.words import say

MOST_ROWS = 200
_LARGEST = 2**53


def add_routes(server: Flask, services: Services) -> None:
    """Add `/area/table.csv` and `/area/rows` below the base path."""
    asking = Asking(services)

    @guarded("export", logs="export.table")
    def table() -> Response:
        asked = asking.read()
        area = asked.count()
        head = describe_head(asked.sight, area, asked.lang)
        trail.show(target=head["code"] or "city", grid=asked.uid, n=len(area.children))
        response = Response(write_csv(make_sheet(asked, area)), mimetype="text/csv")
        name = f"area-{head['code'] or 'city'}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    @guarded("read.rows", logs="view.rows")
    def rows() -> Response:
        asked = asking.read()
        sight, lang = asked.sight, asked.lang
        figure = read_text(request.args.get("figure"))
        figure = figure if figure in DEFINITIONS else "total"
        area = asked.count()
        found = rows_of_figure(sight, find_rows(sight, area), figure, now=asked.now)
        with services.city.database.read() as connection:
            cases = describe_cases(
                sight, connection, found[:MOST_ROWS].tolist(), lang=lang, now=asked.now
            )
        head = describe_head(sight, area, lang)
        trail.show(target=head["code"] or "city", grid=asked.uid, n=len(cases))
        return draw_plain(
            "street_rows.html",
            name=head["name"],
            head=head,
            entry=describe_figure(figure, lang),
            cases=cases,
            count=len(found),
            link=asked.street.link(),
            back=f"{services.base_path}/street/{head['code']}",
            allowed=current_scope().has("read.rows"),
        )

    @guarded("read.rows", logs="view.case")
    def case(inc: int) -> Any:
        """Lead from a dot on the map, which knows its number in the store, to the case's page."""
        with services.city.database.read() as connection:
            head = open_lying(connection, current_scope(), min(inc, _LARGEST)).head
        trail.show(target=f"{head.source}/{head.incident_id}", grid=max(head.owner, 0) or None)
        parts = (quote(part, safe="") for part in (head.source, head.incident_id))
        lang = find_page_lang()
        return redirect(f"{services.base_path}/case/{'/'.join(parts)}?lang={lang}")

    server.add_url_rule(f"{services.base_path}/area/case/<int:inc>", "getu_area_case", case)
    for name, view in (("table.csv", table), ("rows", rows)):
        endpoint = f"getu_area_{name.partition('.')[0]}"
        server.add_url_rule(f"{services.base_path}/area/{name}", endpoint, view)


def make_sheet(asked: Asked, area: AreaFigures) -> list[list[Any]]:
    """Return the table by child with what the map shows of it: rates as parts, of and percent."""
    lang = asked.lang
    columns = [say("street.column_code", lang), say("street.column_name", lang)]
    columns += [say(f"figure.{name}", lang) for name in ("total", "open", "overdue")]
    columns += [say(f"figure.{name}", lang) for name in ("due_soon", "suspended")]
    columns += name_ageing(lang)
    for name in RATES:
        title = say(f"figure.{name}", lang)
        columns += [f"{title} ({say(f'street.{part}', lang)})" for part in ("part", "of")]
        columns.append(f"{title} (%)")
    columns += [say(f"figure.{name}", lang) for name in ("before", "last_year")]
    head = describe_head(asked.sight, area, lang)
    sheet: list[list[Any]] = [[head["name"], head["code"], head["as_of"]], columns]
    for child in area.children:
        sheet.append(
            [
                child.code,
                child.name or say("figure.unowned", lang),
                *(numbers.plain(value) for value in (child.total, child.open, child.overdue)),
                *_own_cells(child.own, hidden=child.hidden),
            ]
        )
    total = [numbers.plain(value) for value in (area.total, area.open, area.overdue)]
    own = _own_cells(area.own, hidden=not area.complete)
    sheet.append([head["code"], say("street.column_sum", lang), *total, *own])
    return sheet


def _own_cells(own: Tally, *, hidden: bool) -> list[Any]:
    """Return the further cells of a row, empty where the scope hides a part of it."""
    rates = [getattr(own, name) for name in RATES]
    cells: list[Any] = [own.due_soon, own.suspended, *own.ageing]
    for rate in rates:
        percent = rate.percent()
        cells += [rate.part, rate.of, "" if percent is None else float(percent)]
    cells += ["" if n is None else n for n in (own.before, own.last_year)]
    return [""] * len(cells) if hidden else cells
