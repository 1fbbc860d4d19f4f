"""The live feed: posted events committed together, and only the incidents they tell of refolded."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from geodata.city import City
from geodata.errors import Busy, Fault
from geodata.events.derive import refold_incidents
from geodata.events.ground import Ground, read_ground
from geodata.events.sources import FRESH_S
from geodata.store.database import (
    Connection,
    Database,
    raise_revision,
    read_ground_revision,
    read_revision,
)
from geodata.store.event_columns import NOTHING_HIDDEN, hidden_batches
from geodata.store.event_log import append_live
from geodata.store.event_rows import EventRows
from geodata.store.sources import note_post
from geodata.store.tokens import note_use

# Each commit waits for the disk, so posts that arrive together share one; a lone post waits for
# nobody. On a disk that takes 30 ms to sync this still carries hundreds of posts a second.
GATHER_S = 0.05
ROWS_A_COMMIT = 10_000  # more would hold the lock too long for a load beside the feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one post: events `new` to the store, `copies` known before, its revision."""

    accepted: int
    new: int
    copies: int
    revision: int


@dataclass(slots=True, kw_only=True)
class _Group:
    """Posts that will share one commit."""

    posts: list[tuple[EventRows, int]] = field(default_factory=list)
    rows: int = 0
    done: Future[list[Receipt]] | None = None


class Feed:
    """
    The one writer of live events of a city.

    Any thread may `post`; it returns when its events are on the disk and their incidents derived.
    One thread commits. `close` ends it after what was posted is committed.
    """

    def __init__(self, city: City, *, now: Callable[[], int]) -> None:
        self._city = city
        self._now = now
        # Its own terms: another writer's rollback must not empty them halfway through a commit.
        self._database = Database(city.database.path)
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed")
        # Open and idle while the feed runs: closing the last connection of all empties SQLite's
        # log, and each commit would wait for the disk three times. A feed that is dropped lets go.
        self._let_go: Callable[[], object] | None = None
        self._lock = threading.Lock()
        self._open: _Group | None = None
        self._closed = False
        self._ground: Ground | None = None
        self._last_commit_s = -GATHER_S

    def post(self, rows: EventRows, *, token: int) -> Receipt:
        """
        Append checked events, all or none, and return once they are durable.

        Raises Busy when another process keeps the store or the feed is closed, StoreFull when the
        disk has no room: then nothing of them was written.
        """
        with self._lock:
            if self._closed:
                raise Busy(Fault(key="feed_closed"))
            group = self._open
            if group is None or group.rows + len(rows) > ROWS_A_COMMIT:
                group = self._open = _Group()
                group.done = self._writer.submit(self._commit, group)
            place = len(group.posts)
            group.posts.append((rows, token))
            group.rows += len(rows)
            done = group.done
        assert done is not None
        return done.result()[place]

    def close(self) -> None:
        """Commit what was posted and take no more."""
        with self._lock:
            self._closed = True
        self._writer.shutdown(wait=True)
        if self._let_go is not None:
            self._let_go()

    def _commit(self, group: _Group) -> list[Receipt]:
        wait_s = self._last_commit_s + GATHER_S - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        with self._lock:
            if self._open is group:
                self._open = None
        self._last_commit_s = time.monotonic()
        if self._let_go is None:
            self._let_go = weakref.finalize(self, self._database.hold().close)
        return self._write(group.posts)

    def _write(self, posts: list[tuple[EventRows, int]]) -> list[Receipt]:
        now = self._now()
        day = datetime.fromtimestamp(now, self._city.settings.zone).date().isoformat()
        while True:
            ground = self._fresh_ground(now)
            with self._database.transaction() as connection:
                if read_ground_revision(connection) != ground.ground_revision:
                    continue  # a load came between: what stands still is to be read anew
                # A copy of an event in a batch that is still loading becomes visible by this post.
                loading = hidden_batches(connection) != NOTHING_HIDDEN
                touched: set[int] = set()
                added = []
                for rows, _ in posts:
                    incidents, new = append_live(self._database, connection, rows, received=now)
                    touched |= incidents if new or loading else set()
                    added.append(new)
                    self._note_source(connection, rows, now=now, new=new)
                for token in {token for _, token in posts}:
                    note_use(connection, token, day=day)
                revision = read_revision(connection)
                if touched:
                    revision = raise_revision(connection, same_ground=True)
                    refold_incidents(
                        connection, self._city, ground, sorted(touched), revision=revision
                    )
            return [
                Receipt(accepted=len(rows), new=new, copies=len(rows) - new, revision=revision)
                for (rows, _), new in zip(posts, added, strict=True)
            ]

    def _note_source(self, connection: Connection, rows: EventRows, *, now: int, new: int) -> None:
        settings = self._city.settings
        (source,) = self._database.intern(connection, "source", [rows.source])
        note_post(
            connection,
            source,
            now=now,
            fresh=min(new, int((rows.at >= now - FRESH_S).sum())),
            burst=settings.source_burst,
            ahead=bool((rows.at > now + settings.source_ahead_s).any()),
        )

    def _fresh_ground(self, now: int) -> Ground:
        with self._database.read() as connection:
            standing = read_ground_revision(connection)
        ground = self._ground
        if (
            ground is None
            or not ground.now <= now < ground.good_until
            or ground.ground_revision != standing
        ):
            ground = self._ground = read_ground(self._city, now=now)
        return replace(ground, now=now)
