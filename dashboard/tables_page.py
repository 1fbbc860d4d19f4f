"""The reference tables: listed, searched, changed a row at a time from a day on, exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as WsgiResponse

from dashboard.guard import current_scope, guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.table_sheets import send_sheet
from dashboard.trail import show
from geodata.errors import BadSetting, Fault, GetuError, NotAllowed, NotFound
from geodata.intake.jobs import IntakeJobs
from geodata.loading.code_checks import CODED
from geodata.loading.fixtures import DERIVED_FROM
from geodata.reference.edits import REFERS, RowChange, plan_end, plan_row
from geodata.reference.sheets import list_lines
from geodata.reference.tables import (
    PLACE,
    TableRow,
    describe_rows,
    find_contract,
    is_placed,
    list_columns,
    list_extra_columns,
    list_tables,
    print_day,
    read_day,
)
from geodata.store.records import count_records, read_records
from geodata.store.reference_rows import find_row, list_rows, list_versions
from geodata.store.unmatched import list_unmatched
from geodata.words import Lang, has_words, say

LOAD = "load"  # the permission
ROWS_A_PAGE = 100
EXTRA_SHOWN = 4
_MOST_EXPORTED = 1_000_000
_BUSY_REFRESH_S = 1
_LONGEST_SEARCH = 60
_LONGEST_CELL = 200
_FURTHEST_PAGE = 100_000
_FORM_BYTES = 64_000
_ALIASES = {"kind": "kind_aliases", "body": "body_aliases"}


def add_tables_page(server: Flask, services: Services, jobs: IntakeJobs) -> None:
    """Add `/tables`, each table's list, its rows' forms and its sheets; `jobs` write changes."""
    _add_overview(server, services, jobs)
    _add_lists(server, services, jobs)
    _add_rows(server, services, jobs)


def _add_overview(server: Flask, services: Services, jobs: IntakeJobs) -> None:
    city, base = services.city, services.base_path

    @guarded(LOAD, logs="view.tables")
    def show_tables() -> Response:
        now, scope, lang = services.now(), current_scope(), find_page_lang()
        with city.database.read() as connection:
            counted = count_records(connection)
            unmatched = {
                of: list_unmatched(connection, scope, of, at=now) for of in ("kind", "body")
            }
            known = {of: _list_codes(connection, of, now=now) for of in ("kind", "body")}
        return draw_plain(
            "tables.html",
            tables=[(name, name_table(name, lang), counted.get(name, 0)) for name in list_tables()],
            titles={of: name_table(table, lang) for of, table in REFERS.items()},
            unmatched=unmatched,
            known=known,
            whole=scope.everything,
            **_tell_change(jobs, lang),
        )

    @guarded(LOAD, writes="table.set")
    def save_alias() -> WsgiResponse:
        request.max_content_length = _FORM_BYTES
        of = request.form.get("of", "")
        if of not in _ALIASES:
            raise NotFound(Fault(key="table_unknown"))
        alias, means = request.form.get("alias", ""), request.form.get("means", "").strip()
        with city.database.read() as connection:
            versions = list_versions(connection, _ALIASES[of], alias)
            codes = _list_codes(connection, of, now=services.now())
        # Whoever types the name instead of the code means the one row that has it.
        named = [code for code, name in codes if means in (name, code)]
        change = plan_row(
            city,
            _ALIASES[of],
            alias if versions else None,
            {"alias": alias, of: named[0] if len(named) == 1 else means},
            valid_from=read_day("", city.settings.zone),
            seen=max((row.batch for row in versions), default=0),
            scope=current_scope(),
            now=services.now(),
        )
        return redirect(f"{base}/tables?{_shown()}&{_make(jobs, change)}#unmatched", 303)

    server.add_url_rule(f"{base}/tables", "getu_tables", show_tables)
    server.add_url_rule(f"{base}/tables/alias", "getu_tables_alias", save_alias, methods=["POST"])


def _add_lists(server: Flask, services: Services, jobs: IntakeJobs) -> None:
    city, base = services.city, services.base_path

    @guarded(LOAD, logs="view.table")
    def show_table(table: str) -> Response:
        check_table(table)
        now, lang = services.now(), find_page_lang()
        text = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
        page = min(max(request.args.get("page", 1, type=int), 1), _FURTHEST_PAGE)
        skip = (page - 1) * ROWS_A_PAGE
        with city.database.read() as connection:
            found, total = list_rows(
                connection, table, at=now, text=text, skip=skip, most=ROWS_A_PAGE
            )
        rows = describe_rows(city, table, found)
        extra = list_extra_columns(table, rows)[:EXTRA_SHOWN]
        columns = [(name, name_column(name, lang)) for name in (*list_columns(table), *extra)]
        show(target=table, n=max(len(rows), 1))
        return draw_plain(
            "table.html",
            table=table,
            title=name_table(table, lang),
            columns=columns,
            rows=[(row, print_day(row.valid_from, city.settings.zone)) for row in rows],
            q=text,
            numbers=find_contract(table).numbers,
            spoken=lambda name, text: speak_cell(table, name, text, lang),
            coded=table in CODED,
            gap=_find_calendar_gap(services, now) if table == "calendar" else 0,
            **_tell_change(jobs, lang),
            page_query=_page_query,
            page=page,
            pages=max(-(-total // ROWS_A_PAGE), 1),
            first=skip + 1 if rows else 0,
            last=skip + len(rows),
            total=total,
        )

    @guarded(LOAD, writes="export.table")
    def sheet(table: str, form: str) -> Response:
        check_table(table)

        def read() -> tuple[Iterable[Sequence[str]], int]:
            with city.database.read() as connection:
                found, total = list_rows(
                    connection, table, at=services.now(), text="", skip=0, most=_MOST_EXPORTED
                )
            rows = describe_rows(city, table, found)
            return list_lines(table, rows, city.settings.zone), total

        return send_sheet(services, table, form, read, act="export.table")

    server.add_url_rule(f"{base}/tables/<table>", "getu_table", show_table)
    server.add_url_rule(f"{base}/tables/<table>.<form>", "getu_table_sheet", sheet)


def _add_rows(server: Flask, services: Services, jobs: IntakeJobs) -> None:
    city, base = services.city, services.base_path

    @guarded(LOAD, logs="view.table_row")
    def show_row(table: str) -> Response:
        check_table(table)
        id = request.args.get("id")
        show(target=f"{table}/{id or ''}")
        given = {
            name: request.args[f"set.{name}"][:_LONGEST_CELL]
            for name in list_columns(table)
            if id is None and f"set.{name}" in request.args
        }
        return _draw_row(services, table, id, given, [])

    @guarded(LOAD, writes="table.set")
    def save(table: str) -> WsgiResponse:
        check_table(table)
        request.max_content_length = _FORM_BYTES
        id = request.form.get("id") or None
        values = {
            name.removeprefix("cell."): text
            for name, text in request.form.items()
            if name.startswith("cell.")
        }
        try:
            since = read_day(request.form.get("since", ""), city.settings.zone)
            change = plan_row(
                city,
                table,
                id,
                values,
                valid_from=since,
                seen=_read_number("seen"),
                scope=current_scope(),
                now=services.now(),
            )
            made = _make(jobs, change)
        except BadSetting as error:
            return _draw_row(services, table, id, values, [error])
        found = urlencode({"q": change.id})
        return redirect(f"{base}/tables/{table}?{_shown()}&{made}&{found}", 303)

    @guarded(LOAD, writes="table.end")
    def end(table: str) -> WsgiResponse:
        check_table(table)
        request.max_content_length = _FORM_BYTES
        change = plan_end(
            city,
            table,
            request.form.get("id", ""),
            valid_from=read_day(request.form.get("since", ""), city.settings.zone),
            seen=_read_number("seen"),
            scope=current_scope(),
            now=services.now(),
        )
        return redirect(f"{base}/tables/{table}?{_shown()}&{_make(jobs, change)}", 303)

    place = f"{base}/tables/<table>/row"
    server.add_url_rule(place, "getu_table_row", show_row)
    server.add_url_rule(place, "getu_table_save", save, methods=["POST"])
    server.add_url_rule(f"{base}/tables/<table>/end", "getu_table_end", end, methods=["POST"])


def _make(jobs: IntakeJobs, change: RowChange) -> str:
    """Have a change written; return what the next address says of it: done, or where to look."""
    job = jobs.change(change)
    return urlencode({"change": job.name} if job.busy else {"done": "1"})


def _tell_change(jobs: IntakeJobs, lang: Lang) -> dict[str, Any]:
    """Return how far the change is that an address names."""
    name = request.args.get("change", "")
    job = jobs.find(name) if "/" in name else None  # an upload's is its owner's alone
    if job is None:
        return {"job": None, "done": request.args.get("done") == "1"}
    return {
        "job": job,
        "done": job.state == "done",
        "step": say(job.step, lang),
        "wrong": [fault.sentence(lang) for fault in job.faults],
        "refresh": _BUSY_REFRESH_S if job.busy else 0,
    }


def check_table(table: str) -> None:
    """Raise NotFound for no table, NotAllowed for one whose rows lie outside an account's areas."""
    find_contract(table)
    if is_placed(table) and not current_scope().everything:
        raise NotAllowed(Fault(key="table_whole"))


def name_table(table: str, lang: Lang) -> str:
    """Return what a table is called."""
    return say(f"table.{table}", lang)


def name_column(name: str, lang: Lang) -> str:
    """Return a column in words; one that a department sent along keeps its own name."""
    return say(f"intake_field.{name}", lang) if has_words(f"intake_field.{name}") else name


def _draw_row(
    services: Services,
    table: str,
    id: str | None,
    values: Mapping[str, str],
    errors: list[GetuError],
) -> Response:
    city, lang, now = services.city, find_page_lang(), services.now()
    contract, zone = find_contract(table), services.city.settings.zone
    with city.database.read() as connection:
        versions = list_versions(connection, table, id) if id is not None else []
        if id is not None and not versions:
            raise NotFound(Fault(key="row_gone"))
        current = find_row(connection, table, id, at=now) if id is not None else None
        current = current or next((one for one in versions if one.data is not None), None)
        known = {
            name: _list_codes(connection, name, now=now)
            for name in REFERS
            if name in contract.names and table != f"{'kinds' if name == 'kind' else 'bodies'}"
        }
    told = describe_rows(city, table, versions)
    row = describe_rows(city, table, [current])[0] if current else None
    cells = {**(row.cells if row else {}), **values}
    columns = list_columns(table)
    extra = list_extra_columns(table, [row]) if row else ()
    fixed = contract.needed if contract.key_of is not None else (contract.key,)
    return draw_plain(
        "table_row.html",
        status=422 if errors else 200,
        table=table,
        title=name_table(table, lang),
        id=id,
        fields=[
            {
                "name": name,
                "title": name_column(name, lang),
                "value": cells.get(name, ""),
                "fixed": id is not None and name in fixed,
                "needed": name in contract.needed or name == contract.key,
                "choices": _list_choices(contract.choices.get(name, ()), table, name, lang),
                "number": name in contract.numbers or name in PLACE,
                "known": known.get(name, ()),
            }
            for name in columns
        ],
        further=[(name, cells[name]) for name in extra],
        faults=[fault.sentence(lang) for error in errors for fault in error.faults],
        seen=max((one.batch for one in versions), default=0),
        since=request.form.get("since", ""),
        versions=[
            (_sum_up(one, lang, contract.key) if raw.data is not None else None,
             print_day(one.valid_from, zone), raw)
            for one, raw in zip(told, versions, strict=True)
        ],
        derives=table in DERIVED_FROM,
    )  # fmt: skip


def _sum_up(row: TableRow, lang: Lang, key: str) -> str:
    return " · ".join(
        f"{name_column(name, lang)} {text}" for name, text in row.cells.items() if name != key
    )


def speak_cell(table: str, name: str, text: str | None, lang: Lang) -> str:
    """Return a cell as people say it, where it is a word of our own."""
    key = "limit_unit" if name == "limit_unit" else "tables" if name == "working" else ""
    known = key and has_words(f"{key}.{text}") and table in ("kinds", "calendar")
    return say(f"{key}.{text}", lang) if known else text or ""


def _list_choices(
    choices: tuple[str, ...], table: str, name: str, lang: Lang
) -> list[tuple[str, str]]:
    """Return the values a cell may have, each with what it is called; none where any will do."""
    if table == "calendar" and name == "working":
        return [(one, say(f"tables.{one}", lang)) for one in ("yes", "no")]
    if name == "limit_unit":
        return [(one, say(f"limit_unit.{one}", lang)) for one in choices]
    return [(one, one) for one in choices]


def _list_codes(connection: Any, of: str, *, now: int) -> list[tuple[str, str]]:
    """Return the codes of the kinds or bodies in force with their names."""
    rows = read_records(connection, REFERS[of], at=now)
    names = rows["name_zh"] if "name_zh" in rows else rows["id"]
    return [(str(code), str(name)) for code, name in zip(rows["id"], names.fillna(""), strict=True)]


def _find_calendar_gap(services: Services, now: int) -> int:
    """Return this year where it has no day of the calendar, else 0."""
    year = datetime.fromtimestamp(now, UTC).astimezone(services.city.settings.zone).year
    with services.city.database.read() as connection:
        days = read_records(connection, "calendar", at=now)["id"]
    return 0 if days.str.startswith(f"{year}-").any() else year


def _read_number(name: str) -> int:
    text = request.form.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _page_query(**other: str | int) -> str:
    return urlencode({**request.args, **other})


def _shown() -> str:
    theme = "light" if request.args.get("theme") == "light" else "dark"
    return urlencode({"lang": find_page_lang(), "theme": theme})
