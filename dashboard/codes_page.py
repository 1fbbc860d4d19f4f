"""The review of codes: components and cameras whose ids are malformed, doubled or misplaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from flask import Flask, Response, request

from dashboard.guard import guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.table_sheets import send_sheet
from dashboard.tables_page import LOAD, ROWS_A_PAGE, check_table, name_table
from dashboard.trail import show
from geodata.reference.code_findings import COLUMNS, CodeReviews, list_lines
from geodata.words import say

_FURTHEST_PAGE = 100_000


def add_codes_page(server: Flask, services: Services) -> None:
    """Add `/tables/<table>/codes` and its sheets."""
    base, reviews = services.base_path, CodeReviews(services.city)

    @guarded(LOAD, logs="view.codes")
    def show_codes(table: str) -> Response:
        check_table(table)
        lang, finding = find_page_lang(), request.args.get("finding", "")
        review = reviews.find(table, now=services.now())
        found = review.only(finding)
        page = min(max(request.args.get("page", 1, type=int), 1), _FURTHEST_PAGE)
        skip = (page - 1) * ROWS_A_PAGE
        rows = found[skip : skip + ROWS_A_PAGE]
        show(target=table, n=max(len(rows), 1))
        return draw_plain(
            "codes.html",
            table=table,
            title=name_table(table, lang),
            review=review,
            finding=finding if finding in review.counts else "",
            columns=[say(f"code_column.{name}", lang) for name in COLUMNS],
            rows=[one.cells(lang) for one in rows],
            page_query=lambda **other: urlencode({**request.args, **other}),
            page=page,
            pages=max(-(-len(found) // ROWS_A_PAGE), 1),
            first=skip + 1 if rows else 0,
            last=skip + len(rows),
            total=len(found),
        )

    @guarded(LOAD, writes="export.codes")
    def sheet(table: str, form: str) -> Response:
        check_table(table)

        def read() -> tuple[Iterable[Sequence[str]], int]:
            review = reviews.find(table, now=services.now())
            found = review.only(request.args.get("finding", ""))
            return list_lines(found, find_page_lang()), len(found)

        return send_sheet(services, f"{table}-codes", form, read, act="export.codes")

    place = f"{base}/tables/<table>/codes"
    server.add_url_rule(place, "getu_codes", show_codes)
    server.add_url_rule(f"{place}.<form>", "getu_codes_sheet", sheet)
