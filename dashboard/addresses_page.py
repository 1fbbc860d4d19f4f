"""The review of addresses: places that were found by an address and are not sure."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as WsgiResponse

from dashboard.guard import current_scope, guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.addresses.writing import normalise
from geodata.desk.doubtful import confirm_place, find_doubtful
from geodata.store.addressed_rows import AddressedRow
from geodata.words import Lang, has_words, say

ACT = "act"  # the permission
ROWS_SHOWN = 100
_FORM_BYTES = 16_000
_DIGITS = 17


def add_addresses_page(server: Flask, services: Services) -> None:
    """Add `/addresses` and its acts."""
    city, base = services.city, services.base_path

    @guarded(ACT, logs="view.addresses")
    def show_addresses() -> Response:
        lang, scope = find_page_lang(), current_scope()
        with city.database.read() as connection:
            found = find_doubtful(connection, scope, sure=city.settings.address_sure_score)
        system = services.grids()
        names = {}
        if system is not None:
            names = dict(zip(system.grids["uid"], system.grids["name"], strict=True))
        shown = found.rows[:ROWS_SHOWN]
        show(n=len(shown))
        return draw_plain(
            "addresses.html",
            rows=[_describe(row, names, lang) for row in shown],
            total=len(found.rows),
            asked=found.asked,
            seen=city.database.revision(),
            done=request.args.get("done", "")[:100],
        )

    @guarded(ACT, writes="decision")
    def confirm() -> WsgiResponse:
        request.max_content_length = _FORM_BYTES
        lang, form = find_page_lang(), request.form
        guess = _read_number(form.get("guess"))
        incident_id = form.get("incident_id", "")
        confirm_place(
            city,
            current_scope(),
            form.get("source", ""),
            incident_id,
            guess=guess,
            reason=say("address_review.reason_here" if guess is None
                       else "address_review.reason_guess", lang),
            seen=_read_number(form.get("seen")) or 0,
            now=services.now(),
        )  # fmt: skip
        theme = "light" if request.args.get("theme") == "light" else "dark"
        query = urlencode({"lang": lang, "theme": theme, "done": incident_id})
        return redirect(f"{base}/addresses?{query}", 303)

    server.add_url_rule(f"{base}/addresses", "getu_addresses", show_addresses)
    server.add_url_rule(
        f"{base}/addresses/confirm", "getu_addresses_confirm", confirm, methods=["POST"]
    )


def _describe(row: AddressedRow, names: dict[int, str], lang: Lang) -> dict[str, Any]:
    level = f"place_level.{row.level}"
    return {
        "row": row,
        "level": say(level, lang) if has_words(level) else row.level,
        "score": f"{row.score:.2f}",
        "grid": names.get(row.owner, ""),
        "placed": row.x is not None,
        "middle": row.level == "road" and not any(map(str.isdigit, normalise(row.address))),
    }


def _read_number(text: str | None) -> int | None:
    known = text is not None and text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if known and text is not None else None
