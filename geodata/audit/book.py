"""The book of views: what screens show is in the log before it leaves the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from geodata.access.scope import Scope
from geodata.audit.log import make_entry, write_entries
from geodata.errors import Busy, Fault, GetuError
from geodata.store.audit import Entry
from geodata.store.database import Connection, Database, read_revision

MINUTE_S = 60.0  # what one account sees again of one thing within this is counted, not told again
MOST_OPEN = 20_000  # things seen within the minute that are remembered, of all accounts together
AGAIN_S = 1.0  # between two attempts to write what a full disk refused


class _Thing(NamedTuple):
    """What may be seen again: by whom, how, what."""

    scope: Scope
    act: str
    target: str
    grid: int | None


@dataclass(slots=True, kw_only=True)
class _View:
    """One thing seen: its own row is written at once, what follows within the minute is counted."""

    thing: _Thing
    n: int
    at: int
    until_s: float
    written: Future[None] = field(default_factory=Future)
    again: int = 0  # how often it was seen since
    again_n: int = 0  # and how many rows that were
    again_at: int = 0


class AuditBook:
    """
    The one writer of views into the log of a city.

    `note` returns when the view is on the disk: nothing is shown first and logged later. Views of
    several threads share a commit. What the same account sees again of the same thing within a
    minute waits for nobody: it is counted and written as one row when the minute ends, so a kill
    loses at most such a count, never that something was seen.
    """

    def __init__(
        self, database: Database, *, now: Callable[[], int], minute_s: float = MINUTE_S
    ) -> None:
        # Its own connection's terms: another writer's rollback must not empty them.
        self._database = Database(database.path)
        self._now = now
        self._minute_s = minute_s
        self._wake = threading.Condition()
        self._open: dict[_Thing, _View] = {}  # oldest first
        self._new: list[_View] = []
        self._owed: list[_View] = []  # counts whose minute is over
        self._writer: threading.Thread | None = None
        self._closed = False
        self._refused: GetuError | None = None  # why the last commit wrote nothing

    def note(
        self, scope: Scope, act: str, *, target: str = "", grid: int | None = None, n: int = 1
    ) -> None:
        """
        Note that an account saw something, and return once the log says so for good.

        Arguments as `audit.write_entry` takes them. Raises StoreFull or Busy when the log cannot be
        written: then nothing may be shown.
        """
        thing = _Thing(scope, act, target, grid)
        with self._wake:
            if self._closed:
                raise Busy(Fault(key="audit_closed"))
            view = self._open.get(thing)
            if view is None or view.until_s <= time.monotonic() or self._refused is not None:
                view = self._begin(thing, n)
            else:
                view.again += 1
                view.again_n += n
                view.again_at = self._now()
        view.written.result()

    def close(self) -> None:
        """Write every count that is still open, and take no more."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._writer is not None:
            self._writer.join()

    def _begin(self, thing: _Thing, n: int) -> _View:
        """Put a view before the writer, which starts with the first one."""
        self._end(self._open.pop(thing, None))
        while len(self._open) >= MOST_OPEN:
            self._end(self._open.pop(next(iter(self._open))))
        view = _View(thing=thing, n=n, at=self._now(), until_s=time.monotonic() + self._minute_s)
        self._open[thing] = view
        self._new.append(view)
        if self._writer is None:
            self._writer = threading.Thread(target=self._work, name="audit", daemon=True)
            self._writer.start()
        self._wake.notify()
        return view

    def _end(self, view: _View | None) -> None:
        if view is not None and view.again:
            self._owed.append(view)

    def _work(self) -> None:
        """Commit what is new and what is over, until the book is closed and all is written."""
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._new or self._closed, timeout=self._pause_s())
                self._end_minutes()
                new, self._new = self._new, []
                owed, self._owed = self._owed, []
                last = self._closed and not new
            if new or owed:
                self._commit(new, owed)
            if last:
                return

    def _pause_s(self) -> float | None:
        if self._owed:
            return AGAIN_S
        first = next(iter(self._open.values()), None)
        return None if first is None else max(first.until_s - time.monotonic(), 0.0)

    def _end_minutes(self) -> None:
        now_s = time.monotonic()
        for thing, view in list(self._open.items()):
            if view.until_s > now_s and not self._closed:
                break  # the others began later
            self._end(self._open.pop(thing))

    def _commit(self, new: list[_View], owed: list[_View]) -> None:
        with ExitStack() as told:
            told.push(partial(self._tell, new, owed))
            with self._database.transaction() as connection:
                write_entries(connection, _list_entries(connection, new, owed))

    def _tell(
        self,
        new: list[_View],
        owed: list[_View],
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: object,
    ) -> bool:
        """
        Tell everyone who waits what became of a commit, however it ended.

        What the store refused ends here. Anything else goes on and ends the thread: the next view
        starts another, so that nobody waits for a dead one.
        """
        refused = error if isinstance(error, GetuError) else None
        if error is None:
            self._refused = None
            for view in new:
                view.written.set_result(None)
        else:
            self._refuse(error, new, owed)
            self._refused = refused or self._refused
            self._writer = self._writer if refused else None
        return refused is not None

    def _refuse(self, error: BaseException, new: list[_View], owed: list[_View]) -> None:
        """Hand everyone who waits the reason, and keep the counts for the next attempt."""
        with self._wake:
            self._owed = owed + self._owed
            for view in new:
                if self._open.get(view.thing) is view:
                    del self._open[view.thing]
        for view in new:
            view.written.set_exception(error)


def _list_entries(connection: Connection, new: list[_View], owed: list[_View]) -> list[Entry]:
    revision = read_revision(connection)
    again = [
        make_entry(
            account=view.thing.scope,
            act=view.thing.act,
            target=view.thing.target,
            grid=view.thing.grid,
            n=view.again_n,
            at=view.again_at,
            detail={"again": view.again, "since": view.at},
            revision=revision,
        )
        for view in owed
    ]
    first = [
        make_entry(
            account=view.thing.scope,
            act=view.thing.act,
            target=view.thing.target,
            grid=view.thing.grid,
            n=view.n,
            at=view.at,
            revision=revision,
        )
        for view in new
    ]
    return [*again, *first]
