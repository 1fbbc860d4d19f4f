"""The auditor's page: whether the log is whole, what gives cause to ask, and the log itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, current_app, redirect, request
from werkzeug.wrappers import Response as WsgiResponse

from dashboard.audit_tables import (
    Made,
    Period,
    describe_cards,
    describe_rows,
    describe_state,
    finding_sheet,
    finding_table,
    name_rule,
    read_period,
)
from dashboard.findings_shelf import FindingsShelf
from dashboard.guard import current_scope, guarded
from dashboard.limits import LIMITS, Limits
from dashboard.plain import PRIVATE, draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.access.scope import Scope
from geodata.audit.irregularities import Finding
from geodata.audit.log import print_head, seal_log, write_entry
from geodata.audit.report import wish_rows
from geodata.audit.watch import A_LOOK, LogWatch
from geodata.csv_sheet import write_csv
from geodata.errors import Fault, NotAllowed, NotFound
from geodata.store.audit_rows import (
    count_log,
    find_grids,
    list_accounts,
    read_codes,
    read_log,
)

ROWS_A_PAGE = 100
_LONGEST_QUERY = 200
_FURTHEST_PAGE = 1_000_000


def add_audit_page(server: Flask, services: Services) -> None:
    """Add `/audit`, its findings and their sheets, and the buttons that check and seal the log."""
    watch, shelf = LogWatch(services.city), FindingsShelf(services.city)
    _add_log(server, services, watch, shelf)
    _add_buttons(server, services, watch)
    _add_findings(server, services, shelf)


def _add_log(server: Flask, services: Services, watch: LogWatch, shelf: FindingsShelf) -> None:
    city, zone = services.city, services.city.settings.zone

    @guarded("audit", logs="view.log")
    def show_log() -> Response:
        now, scope, lang = services.now(), current_scope(), find_page_lang()
        asked, page = _read_wish(), _read_page()
        period = read_period(request.args, zone, now=now)
        skip = (page - 1) * ROWS_A_PAGE
        with city.database.read() as connection:
            wanted = wish_rows(
                account=asked["account"],
                act=asked["act"],
                target=asked["target"],
                grids=find_grids(connection, asked["grid"]) if asked["grid"] else None,
                from_day=asked["log_from"],
                to_day=asked["log_to"],
                zone=zone,
            )
            total = count_log(connection, scope, wanted)
            rows = read_log(connection, scope, wanted, skip=skip, most=ROWS_A_PAGE)
            codes, accounts = read_codes(connection), list_accounts(connection)
        show(target=_name_wish(asked), n=max(len(rows), 1))
        findings = shelf.find(scope, period.from_at, period.to_at, now=now)
        return draw_plain(
            "audit.html",
            state=describe_state(watch.look(now=now), zone, lang),
            cards=describe_cards(findings, lang),
            period=period,
            asked=asked,
            filtered=any(asked.values()),
            accounts=accounts if scope.everything else [],
            rows=describe_rows(rows, codes, zone, lang),
            case=_find_case(asked["target"]),
            **_page_values(page, len(rows), total, total),
        )

    server.add_url_rule(f"{services.base_path}/audit", "getu_audit", show_log)


def _add_buttons(server: Flask, services: Services, watch: LogWatch) -> None:
    city, base = services.city, services.base_path

    @guarded("audit", writes="audit.seal")
    def seal() -> WsgiResponse:
        with city.database.transaction() as connection:
            seal_log(connection, account=current_scope(), at=services.now())
        return _go_back(base)

    @guarded("audit", logs="audit.check")
    def check() -> WsgiResponse:
        anew = request.form.get("anew") == "1"
        state = watch.look(now=services.now(), most=A_LOOK, anew=anew)
        show(n=max(state.checked.head.entry, 1))
        return _go_back(base)

    server.add_url_rule(f"{base}/audit/seal", "getu_audit_seal", seal, methods=["POST"])
    server.add_url_rule(f"{base}/audit/check", "getu_audit_check", check, methods=["POST"])


def _add_findings(server: Flask, services: Services, shelf: FindingsShelf) -> None:
    city, base = services.city, services.base_path

    def find(rule: str) -> tuple[Period, Finding]:
        scope, now = current_scope(), services.now()
        _check_rows_allowed(scope)
        period = read_period(request.args, city.settings.zone, now=now)
        for finding in shelf.find(scope, period.from_at, period.to_at, now=now):
            if finding.rule == rule:
                return period, finding
        raise NotFound(Fault(key="audit_rule"))

    @guarded("audit", logs="view.finding")
    def show_finding(rule: str) -> Response:
        lang, page = find_page_lang(), _read_page()
        period, finding = find(rule)
        table = finding_table(finding, city, lang, skip=(page - 1) * ROWS_A_PAGE, most=ROWS_A_PAGE)
        show(target=rule, n=max(len(table.rows), 1))
        return draw_plain(
            "audit_finding.html",
            finding=finding,
            words=name_rule(finding, lang),
            table=table,
            period=period,
            **_page_values(page, len(table.rows), finding.total, table.listed),
        )

    @guarded("audit", writes="export.finding")
    def sheet(rule: str) -> Response:
        limits: Limits = current_app.extensions[LIMITS]
        with limits.exporting():
            lang, now, scope = find_page_lang(), services.now(), current_scope()
            period, finding = find(rule)
            with city.database.transaction() as connection:
                head = write_entry(
                    connection,
                    account=scope,
                    act="export.finding",
                    target=rule,
                    n=finding.total,
                    at=now,
                    detail={"from": period.from_at, "to": period.to_at},
                )
            made = Made(head=print_head(head), by=scope.account, at=now)
            body = write_csv(finding_sheet(finding, city, lang, period=period, made=made))
        name = f"audit-{rule}-{period.from_day}-{period.to_day}.csv"
        response = Response(body, mimetype="text/csv")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Cache-Control"] = PRIVATE
        return response

    server.add_url_rule(f"{base}/audit/<rule>", "getu_audit_finding", show_finding)
    server.add_url_rule(f"{base}/audit/<rule>.csv", "getu_audit_sheet", sheet)


def _go_back(base: str) -> WsgiResponse:
    """Return to the page that a button stands on, in its language and theme."""
    return redirect(f"{base}/audit?{request.query_string.decode()}", code=303)


def _page_values(page: int, shown: int, total: int, listed: int) -> dict[str, Any]:
    """Return what the line below a table says: which rows these are, of how many."""
    skip = (page - 1) * ROWS_A_PAGE
    return {
        "first": skip + 1 if shown else 0,
        "last": skip + shown if shown else 0,
        "total": total,
        "page": page,
        "pages": max(-(-listed // ROWS_A_PAGE), 1),
        "page_query": _page_query,
    }


def _read_wish() -> dict[str, str]:
    """Return what the address asks of the log, as text."""
    names = ("account", "act", "target", "grid", "log_from", "log_to")
    return {name: request.args.get(name, "").strip()[:_LONGEST_QUERY] for name in names}


def _name_wish(asked: dict[str, str]) -> str:
    """Return what was asked, for the log of who read the log."""
    return " ".join(f"{name}={value}" for name, value in asked.items() if value)


def _check_rows_allowed(scope: Scope) -> None:
    """Raise NotAllowed for an account that sees the log, and no single incidents."""
    if not scope.has("read.rows"):
        raise NotAllowed(Fault(key="not_allowed", values={"need": "read.rows"}))


def _page_query(**other: str | int) -> str:
    """Return the address's query with another page, or another target from its first page on."""
    return urlencode({**request.args, **({} if "page" in other else {"page": 1}), **other})


def _find_case(target: str) -> tuple[str, str] | None:
    """Return source and id of the case that a target names, None where it names something else."""
    source, parted, incident_id = target.partition("/")
    return (source, incident_id) if source and parted and incident_id else None


def _read_page() -> int:
    page = request.args.get("page", default=1, type=int)
    return min(max(page, 1), _FURTHEST_PAGE)
