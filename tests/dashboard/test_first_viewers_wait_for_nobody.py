"""Promise: what is drawn aside after a start waits while somebody is waiting for an answer."""

from __future__ import annotations

import threading
import time

from dashboard.rehearsal import Quiet
from dashboard.server import make_app, rehearse
from dashboard.sessions import REHEARSAL
from geodata.access.scope import ROWS, Scope
from geodata.access.sight import narrow_facts
from geodata.events.feed import Feed
from geodata.search.city import index_names
from geodata.snapshots.byte_cache import ByteCache
from geodata.snapshots.facts import FactsKeeper
from geodata.snapshots.later import make_once
from tests.city import NOW, load_one, make_tiny_city, middle, write_table
from tests.geodata.test_feed_folds_alike import rows_of, story


def test_what_is_drawn_aside_waits_for_who_asks():
    begun, go = threading.Event(), threading.Event()

    def answer(environ, start_response):
        begun.set()
        go.wait(30)
        return [b"here"]

    quiet = Quiet(answer)
    assert quiet.is_quiet
    viewer = threading.Thread(target=quiet, args=({}, None))
    viewer.start()
    begun.wait(30)
    assert not quiet.is_quiet
    quiet.wait(threading.Event(), most_s=0.1)  # a busy server does not put it off for good
    ended = threading.Event()
    ended.set()
    quiet.wait(ended)  # nor does one that ends
    assert not quiet.is_quiet
    go.set()
    viewer.join()
    quiet.wait(threading.Event())
    assert quiet.is_quiet
    assert list(quiet({REHEARSAL: True}, None)) == [b"here"]
    assert quiet.is_quiet  # its own questions are nobody's


def test_the_rehearsal_ends_with_the_server_whoever_is_waiting(tmp_path):
    app = make_app(make_tiny_city(tmp_path / "city"), now=lambda: NOW)
    rehearse(app)
    rehearsal = next(one for one in app.server.extensions.values() if hasattr(one, "begin"))
    rehearsal._quiet._count(1)  # somebody waits for good: each step would wait half a minute
    rehearsal.end()
    rehearsal._aside.join(60)  # one question may still be asked, no further one is
    assert not rehearsal._aside.is_alive()


def test_what_many_ask_at_once_is_made_once():
    made, cache = [], ByteCache(limit_bytes=1_000_000, measure=len)

    def make():
        made.append(threading.get_ident())
        time.sleep(0.05)
        return b"answer"

    kept, found = {}, []
    asks = (lambda: make_once(kept, "a", make), lambda: cache.get("a", make))
    for ask in asks:
        threads = [threading.Thread(target=lambda ask=ask: found.append(ask())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [b"answer"] * 16
    assert len(made) == 2


def test_names_are_spelt_once_however_many_events_come(tmp_path):
    city = make_tiny_city(tmp_path / "city")
    keeper = FactsKeeper(city)

    def index():
        scope = Scope(account="a", grids=None, permissions=frozenset({"read", ROWS}))
        return index_names(narrow_facts(keeper.current(NOW), scope, cells=None))

    names, before = index(), keeper.revision(NOW)
    feed = Feed(city, now=lambda: NOW)
    feed.post(rows_of(city, [story(1)]), token=0)
    feed.close()
    assert keeper.revision(NOW) > before
    assert index() is names
    columns = ("id", "kind", "name", "lon", "lat")
    shop = write_table(
        tmp_path / "shop.csv", columns, [["p9", "商店", "新开的小店", *middle(0, 0)]]
    )
    load_one(city, "places", shop)
    assert [one.name for one in index().find("xkdxd", most=3)] == ["新开的小店"]
    assert not names.find("xkdxd", most=3)
