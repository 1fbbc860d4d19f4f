"""Sessions: who is behind a request, by the id in its cookie, and how that begins and ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from flask import Request, Response, g, request

from dashboard.forwarding import FORWARDED
from dashboard.limits import Limits
from geodata.access.accounts import (
    DUTY,
    Account,
    Reach,
    find_reach,
    plain_address,
    plain_name,
    scope_of,
)
from geodata.access.passwords import check_password, find_weakness, hash_password
from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.errors import Busy, Fault, NotAllowed, NotSignedIn, StoreFull
from geodata.grids import GridSystem
from geodata.settings import Settings
from geodata.store.accounts import (
    Session,
    clear_sessions,
    end_session,
    find_account,
    find_session,
    has_accounts,
    open_session,
    set_password,
    touch_sessions,
)
from geodata.store.database import Connection

SESSIONS = "getu_sessions"  # where a server keeps them
COOKIE = "getu_session"
REHEARSAL = "getu.rehearsal"  # in the environment of what the server asks of itself
IDLE_HEADER = "X-Getu-Idle"  # seconds since the page last saw a hand: polls alone keep nobody in
WATCH = "/duty/news"  # whose polls keep a duty post's session open, hand or not
DAY_S, HOUR_S, MINUTE_S = 86_400, 3_600, 60
_CHECKS_AT_ONCE = 2  # each takes 64 MB and a core for a moment
_CHECK_WAIT_S = 3
_REACHES_KEPT = 500
_LATE_S = 600
_STRANGER = "?"  # in the log: the name typed may be a password

Kind = Literal["account", "machine", "demo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """
    Who is behind a request: an account, this machine's own browser, or a role of a demo city.

    `retired` are the account's areas that the drawing in force does not have.
    """

    scope: Scope
    kind: Kind
    account: Account | None = None
    digest: bytes | None = None
    retired: tuple[str, ...] = ()

    @property
    def password_due(self) -> bool:
        """Tell whether the account must choose its own password before anything else."""
        return self.account is not None and self.account.one_time


class Sessions:
    """
    The sessions of one server: one look-up by key a request, so that a revoked one ends at once.

    When a session was last used is gathered in memory and written once a minute for all of them.
    """

    def __init__(
        self,
        city: City,
        limits: Limits,
        *,
        grids: Callable[[], GridSystem | None],
        machine: Callable[[Request], Visit | None],
        now: Callable[[], int],
    ) -> None:
        self._city = city
        self._grids = grids
        self._limits = limits
        self._machine = machine
        self._now = now
        self._lock = threading.Lock()
        self._checking = threading.BoundedSemaphore(_CHECKS_AT_ONCE)
        self._seen: dict[bytes, int] = {}
        self._written_at = 0
        self._reaches: dict[tuple[str, ...], tuple[GridSystem | None, Reach]] = {}
        self._has_accounts = False

    @property
    def settings(self) -> Settings:
        """Return the city's settings, whose limits hold here."""
        return self._city.settings

    # --- who is it -----------------------------------------------------------------------------

    def has_accounts(self) -> bool:
        """Tell whether the city has accounts; once it has, it has for good."""
        if not self._has_accounts:
            with self._city.database.read() as connection:
                self._has_accounts = has_accounts(connection)
        return self._has_accounts

    def identify(self, request: Request) -> Visit | None:
        """Return who is behind a request, or None; nobody is let in by where they sit alone."""
        if REHEARSAL in request.environ:
            return Visit(scope=Scope.whole_city("rehearsal", ("read", "read.rows")), kind="machine")
        if not self.has_accounts():
            return None if FORWARDED in request.environ else self._machine(request)
        session = self._find(request)
        return None if session is None else self._visit(session)

    def scope_of(self, request: Request) -> Scope | None:
        """Return the scope of who is behind a request, who stays known to `current_visit`."""
        g.visit = self.identify(request)
        return None if g.visit is None else g.visit.scope

    def _find(self, request: Request) -> Session | None:
        secret = request.cookies.get(COOKIE)
        if not secret:
            return None
        with self._city.database.read() as connection:
            session = find_session(connection, secret)
        if session is None or not self._holds(session, address_of(request)):
            return None
        in_hand = _is_in_hand(request) or self._keeps_watch(session, request)
        if not session.account.device and in_hand:
            self._touch(session.digest)
        return session

    def _keeps_watch(self, session: Session, request: Request) -> bool:
        """Tell whether an alarm desk asks for a duty post: it stays open through a quiet night."""
        watched = f"{self._city.settings.base_path}{WATCH}"
        return session.account.role == DUTY and request.path == watched

    def _holds(self, session: Session, address: str) -> bool:
        settings, account, now = self._city.settings, session.account, self._now()
        age_s = now - session.made_at
        if account.disabled_at is not None:
            return False
        if account.device:
            here = address == session.address and account.address in ("", address)
            return here and age_s < settings.device_session_days * DAY_S
        idle_s = now - max(session.seen_at, self._seen.get(session.digest, 0))
        return age_s < settings.session_hours * HOUR_S and (
            idle_s < settings.session_idle_min * MINUTE_S
        )

    def _visit(self, session: Session) -> Visit:
        account = session.account
        if account.one_time:
            scope = Scope(
                account=account.name, role=account.role, grids=frozenset(), permissions=frozenset()
            )
            return Visit(scope=scope, kind="account", account=account, digest=session.digest)
        reach = self.reach_of(account.areas)
        return Visit(
            scope=scope_of(account, reach),
            kind="account",
            account=account,
            digest=session.digest,
            retired=reach.retired,
        )

    def reach_of(self, areas: tuple[str, ...]) -> Reach:
        """Return the grids of some areas in the drawing in force; kept while that one is."""
        if not areas:
            return Reach(grids=None)
        grids = self._grids()
        known = self._reaches.get(areas)
        if known is not None and known[0] is grids:
            return known[1]
        reach = find_reach(areas, grids)
        if len(self._reaches) >= _REACHES_KEPT:
            self._reaches.clear()
        self._reaches[areas] = (grids, reach)
        return reach

    # --- when was it used ----------------------------------------------------------------------

    def _touch(self, digest: bytes) -> None:
        now = self._now()
        with self._lock:
            self._seen[digest] = now
            due = now - self._written_at >= MINUTE_S
            if due:
                self._written_at = now
        if due:
            self.flush()

    def flush(self) -> None:
        """Write when each session was last used; what cannot be written now is kept for later."""
        with self._lock:
            seen = dict(self._seen)
        if not seen:
            return
        with contextlib.suppress(Busy, StoreFull):
            with self._city.database.transaction() as connection:
                touch_sessions(connection, seen)
            with self._lock:
                for digest, at in seen.items():
                    if self._seen.get(digest) == at:
                        del self._seen[digest]

    # --- in and out ----------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, *, request: Request) -> tuple[str, Account]:
        """
        Open a session; return its id and the account.

        Unknown, disabled, at a wrong address, a wrong password: one answer, after the same time.
        Raises NotSignedIn, TooMany after too many tries, Busy when too many sign in at once.
        """
        plain, address, now = plain_name(name), address_of(request), self._now()
        self._limits.begin_try(account=plain, address=address)
        with self._city.database.read() as connection:
            found = find_account(connection, plain)
        fits = self._check(password, found, account=plain, address=address)
        account = None if found is None else found[0]
        if found is None or account is None or not fits or not self._may_enter(account, address):
            self._note_refusal(account, address)
            raise NotSignedIn(Fault(key="sign_in_wrong"))
        self._limits.end_try(account=plain, address=address)
        day = datetime.fromtimestamp(now, UTC).astimezone(self._city.settings.zone).date()
        old = request.cookies.get(COOKIE)
        with self._city.database.transaction() as connection:
            again = find_account(connection, plain)
            if again is None or again[1] != found[1]:  # its password was changed meanwhile
                raise NotSignedIn(Fault(key="sign_in_wrong"))
            before = find_session(connection, old) if old else None
            if before is not None:
                end_session(connection, before.digest)
            self._clear(connection, now)
            secret = open_session(
                connection, account.account, address=address, day=day.isoformat(), now=now
            )
            self._log(connection, "session.open", account, address)
        return secret, account

    def sign_out(self, visit: Visit) -> None:
        """End the session behind a visit."""
        if visit.account is None or visit.digest is None:
            return
        with self._city.database.transaction() as connection:
            end_session(connection, visit.digest)
            self._log(connection, "session.close", visit.account, "")
        with self._lock:
            self._seen.pop(visit.digest, None)

    def change_password(self, visit: Visit, old: str, new: str, *, request: Request) -> str:
        """
        Change an account's own password; return the id of its new session, all others end.

        Raises NotAllowed for a wall or a wrong old password, TooMany after too many tries.
        """
        account, address = visit.account, address_of(request)
        if account is None or account.device:
            raise NotAllowed(Fault(key="password_not_here"))
        settings = self._city.settings
        plain = plain_name(account.name)
        self._limits.begin_try(account=plain, address=address)
        with self._city.database.read() as connection:
            found = find_account(connection, plain)
        fits = self._check(old, found, account=plain, address=address)
        if not fits:
            raise NotAllowed(Fault(key="password_old"))
        self._limits.end_try(account=plain, address=address)
        names = (account.name, settings.name_zh, settings.name_en)
        weak = find_weakness(new, names=names, least=settings.password_least)
        if weak is None and new == old:
            weak = Fault(key="password_same")
        if weak is not None:
            raise NotAllowed(weak)
        with self._check_slot():
            hashed = hash_password(new)
        now = self._now()
        day = datetime.fromtimestamp(now, UTC).astimezone(settings.zone).date().isoformat()
        with self._city.database.transaction() as connection:
            set_password(connection, account.account, hashed, one_time=False, now=now)
            self._log(connection, "account.password", account, address)
            return open_session(connection, account.account, address=address, day=day, now=now)

    def _may_enter(self, account: Account, address: str) -> bool:
        settings = self._city.settings
        if account.disabled_at is not None or account.address not in ("", address):
            return False
        return not account.one_time or (
            self._now() - account.password_at < settings.one_time_days * DAY_S
        )

    def _clear(self, connection: Connection, now: int) -> None:
        settings = self._city.settings
        clear_sessions(
            connection,
            made_before=now - settings.session_hours * HOUR_S,
            # What was seen is written once a minute, and later where the store is busy.
            seen_before=now - settings.session_idle_min * MINUTE_S - _LATE_S,
            walls_before=now - settings.device_session_days * DAY_S,
        )

    def _check(
        self, password: str, found: tuple[Account, str] | None, *, account: str, address: str
    ) -> bool:
        """Tell whether a password fits, in one of the few places for that. Raises Busy."""
        try:
            with self._check_slot():
                return check_password(password, None if found is None else found[1])
        except Busy:
            self._limits.undo_try(account=account, address=address)
            raise

    @contextmanager
    def _check_slot(self) -> Iterator[None]:
        if not self._checking.acquire(timeout=_CHECK_WAIT_S):
            raise Busy(Fault(key="sign_in_busy"))
        try:
            yield
        finally:
            self._checking.release()

    def _note_refusal(self, account: Account | None, address: str) -> None:
        # A log that cannot be written keeps no one from being told that the password is wrong.
        with (
            contextlib.suppress(Busy, StoreFull),
            self._city.database.transaction() as connection,
        ):
            self._log(connection, "session.refuse", account, address)

    def _log(self, connection: Connection, act: str, account: Account | None, address: str) -> None:
        name = _STRANGER if account is None else account.name
        detail = {"address": address} if address else None
        write_entry(connection, account=name, act=act, target=name, at=self._now(), detail=detail)


def current_visit() -> Visit | None:
    """Return who is behind this request, None for nobody."""
    visit: Visit | None = g.get("visit")
    return visit


def address_of(request: Request) -> str:
    """Return the address a request comes from, as the trusted proxies say it."""
    return plain_address(request.remote_addr or "")


def give_cookie(
    response: Response, name: str, secret: str, *, base: str, max_age_s: int | None
) -> None:
    """Give the browser a cookie that no script reads and no other site sends along."""
    response.set_cookie(
        name,
        secret,
        max_age=max_age_s,
        path=base or "/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def take_cookie(response: Response, name: str, *, base: str) -> None:
    """Make the browser forget a cookie."""
    response.delete_cookie(
        name, path=base or "/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def wants_page(request: Request) -> bool:
    """Tell whether a browser asks for a page, not a script for its data."""
    return "text/html" in request.headers.get("Accept", "")


def _is_in_hand(request: Request) -> bool:
    """Tell whether somebody is at the screen: a page opened, a form sent, a hand seen just now."""
    idle_s = request.headers.get(IDLE_HEADER, type=int)
    return wants_page(request) if idle_s is None else idle_s < MINUTE_S
