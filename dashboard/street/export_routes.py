"""What leaves a street page: tables by child and by grid as CSV, the cases behind a number."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import numpy as np
from flask import Flask, Response, redirect, request

from dashboard import trail
from dashboard.guard import current_scope, guarded
from dashboard.parts import numbers
from dashboard.parts.overview import full_name
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.street.asked_routes import read_given, read_shape
from dashboard.street.choices import name_chosen
from dashboard.street.lists import describe_cases, rows_of_figure
from dashboard.street.panel import RATES, describe_head, find_rows, name_ageing
from dashboard.street.routes import Asked, Asking
from dashboard.street.view import read_text
from geodata.csv_sheet import write_csv
from geodata.desk.trays import open_lying
from geodata.figures.area import AreaFigures
from geodata.figures.asked_shape import ShapeFigures, count_shape
from geodata.figures.counts import Change
from geodata.figures.definitions import DEFINITIONS, describe_figure
from geodata.figures.tally import Tally
from geodata.words import say

MOST_ROWS = 200
_PAGES_BESIDE = 3
SHEET_FIGURES = ("open", "overdue", "due_soon", "suspended")
_LARGEST = 2**53


def add_routes(server: Flask, services: Services) -> None:
    """Add `/area/table.csv`, `/area/asked.csv` and `/area/rows` below the base path."""
    asking = Asking(services)
    _add_asked(server, services)

    @guarded("export", logs="export.table")
    def table() -> Response:
        asked = asking.read()
        area = asked.count()
        head = describe_head(asked.sight, area, asked.lang)
        trail.show(target=head["code"] or "city", grid=asked.uid, n=len(area.children))
        return _send_sheet(make_sheet(asked, area), name=f"area-{head['code'] or 'city'}.csv")

    @guarded("read.rows", logs="view.rows")
    def rows() -> Response:
        asked = asking.read()
        sight, lang = asked.sight, asked.lang
        figure = read_text(request.args.get("figure"))
        # What stands there is no case: only figures of cases have cases behind them.
        known = figure in DEFINITIONS and DEFINITIONS[figure].window != "standing"
        figure = figure if known else "total"
        area = asked.count()
        found = rows_of_figure(sight, find_rows(sight, area), figure, now=asked.now)
        first = read_first(len(found))
        listed = found[first : first + MOST_ROWS].tolist()
        with services.city.database.read() as connection:
            cases = describe_cases(sight, connection, listed, lang=lang, now=asked.now)
        head = describe_head(sight, area, lang)
        trail.show(target=head["code"] or "city", grid=asked.uid, n=len(cases))
        return draw_plain(
            "street_rows.html",
            name=head["name"],
            head=head,
            entry=describe_figure(figure, lang),
            cases=cases,
            count=len(found),
            first=first,
            period=asked.street.name_period(),
            pages=list_pages(len(found), first),
            most=MOST_ROWS,
            here=f"code={quote(head['code'])}&figure={figure}&{asked.street.link()}",
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


def list_pages(count: int, first: int) -> list[int]:
    """Return the first row of each page to offer: the first, the last, and those around this."""
    every = range(0, count, MOST_ROWS)
    here = first // MOST_ROWS
    near = every[max(here - _PAGES_BESIDE, 0) : here + _PAGES_BESIDE + 1]
    return sorted({every[0], *near, every[-1]}) if len(every) > 1 else []


def read_first(count: int) -> int:
    """Return the number of the first row of the page that a request asks for, 0 for nonsense."""
    given = read_text(request.args.get("from"), 9)
    first = int(given) if given.isascii() and given.isdigit() else 0
    return first if first < count else 0


def _add_asked(server: Flask, services: Services) -> None:
    asking = Asking(services)

    # A shape may be drawn round a single case.
    @guarded("export", also="read.rows", logs="export.asked")
    def asked_table() -> Response:
        asked = asking.read(own=False)
        filter = asked.street.filter(asked.sight, asked.now)
        found = count_shape(
            asked.sight, read_shape(asked, read_given()), filter=filter, now=asked.now
        )
        sheet = make_asked_sheet(asked, found)
        trail.show(target="asked", n=len(sheet))
        return _send_sheet(sheet, name="area-asked.csv")

    server.add_url_rule(f"{services.base_path}/area/asked.csv", "getu_area_asked", asked_table)


def _send_sheet(sheet: list[list[Any]], *, name: str) -> Response:
    response = Response(write_csv(sheet), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def make_asked_sheet(asked: Asked, found: ShapeFigures) -> list[list[Any]]:
    """
    Return what was counted in a shape by the grids it touches, of those that the scope shows.

    The rows sum to the last one; what lies in the shape and in no grid is a row of its own.
    """
    sight, lang = asked.sight, asked.lang
    figures = ("total", *SHEET_FIGURES)
    head = describe_head(sight, asked.count(), lang)
    touched = say("street.asked_grids", lang, n=found.grids)
    hidden = say("street.asked_hidden", lang, n=found.hidden_grids) if found.hidden_grids else ""
    titles = [say(f"street.column_{name}", lang) for name in ("code", "name")]
    finest, owner = sight.grids.finest(), sight.snapshot.owner
    counted = np.array(
        [  # the first place is of those in no grid
            np.bincount(
                owner[rows_of_figure(sight, found.rows, figure, now=asked.now)] + 1,
                minlength=len(finest) + 1,
            )
            for figure in figures
        ]
    )
    sheet: list[list[Any]] = [
        [touched, hidden, head["as_of"]],
        [*titles, *(say(f"figure.{figure}", lang) for figure in figures)],
    ]
    for leaf in np.unique(owner[found.rows]).tolist():
        own = leaf >= 0
        code = str(finest["code"].iat[leaf]) if own else ""
        name = full_name(sight, int(finest["uid"].iat[leaf])) if own else None
        counts = counted[:, leaf + 1].tolist()
        sheet.append([code, name or say("figure.unowned", lang), *counts])
    sheet.append(["", say("street.column_sum", lang), *counted.sum(axis=1).tolist()])
    return sheet


def make_sheet(asked: Asked, area: AreaFigures) -> list[list[Any]]:
    """Return the table by child with what the map shows of it: rates as parts, of and percent."""
    lang = asked.lang
    columns = [say("street.column_code", lang), say("street.column_name", lang)]
    columns += [say(f"figure.{name}", lang) for name in ("total", *SHEET_FIGURES)]
    overdue = say("figure.overdue", lang)
    columns += [f"{overdue} {band}" for band in name_ageing(lang)]
    for name in RATES:
        title = say(f"figure.{name}", lang)
        columns += [f"{title} ({say(f'street.{part}', lang)})" for part in ("part", "of")]
        columns.append(f"{title} (%)")
    for name in ("before", "last_year"):
        columns += [say(f"street.column_{name}", lang), f"{say(f'figure.{name}', lang)} (%)"]
    head = describe_head(asked.sight, area, lang)
    shown = [head["name"], head["code"], head["as_of"], asked.street.name_period()]
    sheet: list[list[Any]] = [[*shown, *name_chosen(asked.sight, asked.street)], columns]
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
    for before in (own.before, own.last_year):
        change = None if before is None else Change(now=own.total, before=before).percent()
        cells += ["" if before is None else before, "" if change is None else float(change)]
    return [""] * len(cells) if hidden else cells
