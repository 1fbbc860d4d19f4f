"""Accounts and tokens on a page: made, changed, disabled; what is secret is shown once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from dashboard.guard import current_scope, guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.access.account_changes import (
    AccountReport,
    NewAccount,
    add_accounts,
    alter_account,
    renew_password,
    switch_account,
)
from geodata.access.accounts import ROLES, WALL, Account, plain_name
from geodata.access.source_tokens import TokenReport, act_on_tokens
from geodata.city import City
from geodata.errors import BadSetting, Fault, GetuError, NotAllowed, NotFound, http_status
from geodata.store.accounts import get_account, list_accounts
from geodata.words import Lang, say

ADMIN = "admin"  # the permission
_FORM_BYTES = 16_000
_ACTS = ("disable", "enable", "revoke", "password")
_OF_TOKENS = ("add", "revoke")


def add_accounts_page(server: Flask, services: Services) -> None:
    """Add `/accounts` and its acts; each is logged with the account that did it."""
    city, base = services.city, services.base_path

    @guarded(ADMIN, logs="view.accounts")
    def show_accounts() -> Response:
        check_whole()
        return _draw(services)

    @guarded(ADMIN, writes="account.add")
    def add() -> Response:
        form = _read_form()
        wanted = NewAccount(
            name=form("name"), role=form("role"), areas=_read_areas(form("areas")),
            address=form("address"),
        )  # fmt: skip
        return _answer(
            services,
            lambda: add_accounts(
                city, [wanted], password=None, now=services.now(), by=current_scope()
            ),
        )

    @guarded(ADMIN, writes="account.change")
    def change() -> Response:
        form = _read_form()
        name = _find_other(city, form("name"), strict=True)
        return _answer(
            services,
            lambda: alter_account(
                city,
                name,
                role=form("role"),
                areas=_read_areas(form("areas")),
                address=form("address") if form("role") == WALL else "",
                now=services.now(),
                by=current_scope(),
            ),
        )

    @guarded(ADMIN, writes="account.disable")
    def act() -> Response:
        form = _read_form()
        what = form("act")
        if what not in _ACTS:
            raise NotFound(Fault(key="accounts_act"))
        name = _find_other(city, form("name"), strict=what in ("disable", "password"))
        now, by = services.now(), current_scope()
        if what == "password":
            return _answer(
                services, lambda: renew_password(city, name, password=None, now=now, by=by)
            )
        return _answer(services, lambda: switch_account(city, name, what, now=now, by=by))

    @guarded(ADMIN, writes="token.add")
    def token() -> Response:
        form = _read_form()
        what = form("act")
        if what not in _OF_TOKENS:
            raise NotFound(Fault(key="accounts_act"))
        return _answer(
            services,
            lambda: act_on_tokens(
                city, what, form("source"), now=services.now(), by=current_scope()
            ),
        )

    server.add_url_rule(f"{base}/accounts", "getu_accounts", show_accounts)
    for name, view in (("add", add), ("change", change), ("act", act), ("token", token)):
        server.add_url_rule(
            f"{base}/accounts/{name}", f"getu_accounts_{name}", view, methods=["POST"]
        )


def check_whole() -> None:
    """Raise NotAllowed for an administrator of some areas: every account is the whole city's."""
    if not current_scope().everything:
        raise NotAllowed(Fault(key="accounts_whole"))


def _read_form() -> Callable[[str], str]:
    """Return what reads a field of the form; only who may do it comes this far."""
    request.max_content_length = _FORM_BYTES
    check_whole()
    fields = {name: text.strip() for name, text in request.form.items()}
    return lambda name: fields.get(name, "")


def _read_areas(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.replace("，", ",").replace(",", " ").split() if part)


def _find_other(city: City, name: str, *, strict: bool) -> str:
    """Return the account's name; raises BadSetting where `strict` and it is one's own."""
    if strict and plain_name(name) == plain_name(current_scope().account):
        raise BadSetting(Fault(key="account_self"))
    with city.database.read() as connection:
        return get_account(connection, name).name


def _answer(services: Services, act: Callable[[], AccountReport | TokenReport]) -> Response:
    """Do it and draw the page with what came of it, or with what was wrong."""
    city = services.city
    try:
        with city.database.read() as connection:
            if not list_accounts(connection):
                raise BadSetting(Fault(key="accounts_first"))
        report = act()
    except (BadSetting, NotFound) as error:
        return _draw(services, error=error)
    return _draw(services, report=report)


def _draw(
    services: Services,
    *,
    report: AccountReport | TokenReport | None = None,
    error: GetuError | None = None,
) -> Response:
    city, lang = services.city, find_page_lang()
    with city.database.read() as connection:
        rows = list_accounts(connection)
    tokens = act_on_tokens(city, "list", None, now=services.now()).tokens
    show(n=max(len(rows), 1))
    return draw_plain(
        "accounts.html",
        status=http_status(error) if error else 200,
        rows=[_describe(account, sessions, lang) for account, sessions in rows],
        tokens=tokens,
        roles=[(role, say(f"role.{role}", lang), say(f"demo_role.about.{role}", lang))
               for role in ROLES],
        faults=[fault.sentence(lang) for fault in error.faults] if error else [],
        typed=dict(request.form.items()) if error else {},
        told=_tell(report, lang),
        own=plain_name(current_scope().account),
        first=not rows,
    )  # fmt: skip


def _tell(report: AccountReport | TokenReport | None, lang: Lang) -> dict[str, Any]:
    """Return what came of an act, and the secrets that are shown this once."""
    if report is None:
        return {}
    if isinstance(report, TokenReport):
        if report.secret is not None:
            return {
                "line": say("token.added", lang, source=report.source),
                "secrets": [(report.source, report.secret)],
            }
        return {"line": say("token.revoked", lang, source=report.source, n=report.revoked)}
    line = say(f"account.done.{report.act}", lang, names=tuple(report.names), n=report.ended)
    return {"line": line, "secrets": list(report.passwords.items())}


def _describe(account: Account, sessions: int, lang: Lang) -> dict[str, Any]:
    state = "one_time" if account.one_time else "in_use"
    state = "disabled" if account.disabled_at is not None else state
    return {
        "account": account,
        "plain": plain_name(account.name),
        "role": say(f"role.{account.role}", lang),
        "areas": " ".join(account.areas),
        "state": state,
        "state_name": say(f"account.{state}", lang),
        "sessions": sessions,
    }
