"""The roles of a demo city: its own machine's browser may try each, while no account exists."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from flask import Flask, Request, Response, redirect, request

from dashboard.guard import guarded
from dashboard.plain import draw_plain
from dashboard.services import Services
from dashboard.sessions import Visit, current_visit, give_cookie, take_cookie
from geodata.access.accounts import ROLES, find_reach
from geodata.access.keys import make_key, read_key
from geodata.access.scope import Scope
from geodata.city import City
from geodata.errors import Fault, NotFound
from geodata.grids import GridSystem

COOKIE = "getu_demo"
KEY_FILE = "demo.key"
LOCAL = "local"  # this machine's own browser, before it tries a role
_OF_AN_AREA = "staff"  # the one who sees a part of the city
_AREA_LEVELS = ("street", "community")
_PURPOSE = b"demo role "

LocalAccount = Callable[[Request], Scope | None]


def machine_of(
    city: City, local_account: LocalAccount, *, grids: Callable[[], GridSystem | None]
) -> Callable[[Request], Visit | None]:
    """Return who this machine's own browser is: its owner, or in a demo city the role it tries."""

    def visit(request: Request) -> Visit | None:
        scope = local_account(request)
        if scope is None:
            return None
        role = _read_role(city, request.cookies.get(COOKIE, "")) if city.settings.demo else None
        if role is None:
            return Visit(scope=scope, kind="demo" if city.settings.demo else "machine")
        return Visit(scope=_scope_of_role(role, grids()), kind="demo")

    return visit


def add_demo_roles(server: Flask, services: Services) -> None:
    """Add the page on which a demo city's role is chosen."""
    city, base = services.city, services.base_path

    @guarded("read")
    def choose_role() -> Response:
        visit = _demo_visit()
        grids = services.grids()
        return draw_plain(
            "demo_roles.html",
            roles=[LOCAL, *ROLES],
            chosen=visit.scope.role or LOCAL,
            area=_area_name(grids),
            about={role: f"demo_role.about.{role}" for role in (LOCAL, *ROLES)},
        )

    @guarded("read")
    def take_role() -> Response:
        _demo_visit()
        role = request.form.get("role", "")
        if role not in ROLES and role != LOCAL:
            raise NotFound(Fault(key="role_unknown", values={"role": "", "known": tuple(ROLES)}))
        response = redirect(f"{base}/", code=303)
        if role == LOCAL:
            take_cookie(response, COOKIE, base=base)
        else:
            give_cookie(response, COOKIE, _sign(city, role), base=base, max_age_s=None)
        return response  # type: ignore[return-value]

    address = f"{base}/demo-role"
    server.add_url_rule(address, "getu_demo_role", choose_role, methods=["GET"])
    server.add_url_rule(address, "getu_demo_role_taken", take_role, methods=["POST"])


def _demo_visit() -> Visit:
    """Return the visit, or raise NotFound where there is no demo: nobody learns of the page."""
    visit = current_visit()
    if visit is None or visit.kind != "demo":
        raise NotFound(Fault(key="no_demo"))
    return visit


def _scope_of_role(role: str, grids: GridSystem | None) -> Scope:
    area = _find_area(grids) if role == _OF_AN_AREA else None
    reach = find_reach(() if area is None else (area[0],), grids)
    return Scope(account=f"demo-{role}", role=role, grids=reach.grids, permissions=ROLES[role])


def _find_area(grids: GridSystem | None) -> tuple[str, str] | None:
    """Return "level:code" and the name of the first street, or of the first community."""
    for level in _AREA_LEVELS if grids is not None else ():
        frame = grids.level(level)  # type: ignore[union-attr]
        if len(frame):
            return f"{level}:{frame['code'].iat[0]}", str(frame["name"].iat[0])
    return None


def _area_name(grids: GridSystem | None) -> str:
    area = _find_area(grids)
    return "" if area is None else area[1]


def _sign(city: City, role: str) -> str:
    key = make_key(city.folder / KEY_FILE)
    return f"{role}.{hmac.new(key, _PURPOSE + role.encode(), hashlib.sha256).hexdigest()}"


def _read_role(city: City, signed: str) -> str | None:
    """Return the role that a cookie was signed for; None where we did not sign it."""
    role, _, mac = signed.partition(".")
    key = read_key(city.folder / KEY_FILE) if role in ROLES else None
    if key is None:
        return None
    known = hmac.new(key, _PURPOSE + role.encode(), hashlib.sha256).hexdigest()
    return role if hmac.compare_digest(known.encode(), mac.encode("utf-8", "replace")) else None
