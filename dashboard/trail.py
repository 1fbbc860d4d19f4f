"""The trail of a request: what its handler shows is noted in the log before it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, g, request

from geodata.access.scope import Scope
from geodata.audit.book import AuditBook

BOOK = "getu_audit"  # where a server keeps its book
REFUSED = "refused"  # the act of who asks for what is not theirs
# What these permissions open is logged, whether a handler says how or not.
LOGGED = frozenset(
    {"read.rows", "export", "act", "decide", "plan", "approve", "audit", "admin", "load"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One thing that the answer to a request shows."""

    act: str | None = None
    target: str = ""
    grid: int | None = None
    n: int = 1


def show(*, target: str = "", grid: int | None = None, n: int = 1, act: str | None = None) -> None:
    """
    Say what the answer to this request shows, for the log; from a handler that is logged.

    `target` is "source/incident id", a grid's code, a layer, a file's hash; `grid` the uid of the
    grid it lies in; `n` how many rows. With `n=0` it shows nothing and no row is written. A handler
    that says nothing is logged with its address. `act` where it is not the one declared.
    """
    g.setdefault("trail", []).append(Seen(act=act, target=target, grid=grid, n=n))


def begin_trail() -> None:
    """Forget what was said before: the handler of this request begins."""
    g.trail = []


def end_trail(scope: Scope, act: str) -> None:
    """
    Note what the handler said, and return when the log says so for good.

    Raises StoreFull or Busy when the log cannot be written: then the answer must not leave.
    """
    for seen in g.trail or [Seen(target=request.path)]:
        if seen.n:
            find_book().note(scope, seen.act or act, target=seen.target, grid=seen.grid, n=seen.n)


def note_refusal(scope: Scope) -> None:
    """Note that a known account asked for what is not its own; strangers are not worth a row."""
    if scope.account and BOOK in current_app.extensions:
        find_book().note(scope, REFUSED, target=request.path)


def install_book(server: Flask, book: AuditBook) -> None:
    """Give the server the book that its handlers' views are noted in."""
    server.extensions[BOOK] = book


def find_book() -> AuditBook:
    """Return the book of the server that answers this request."""
    book: AuditBook = current_app.extensions[BOOK]
    return book
