"""What every test may ask for: real data, a browser, a served app; and no way off the machine."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import settings
from playwright.sync_api import sync_playwright
from waitress import wasyncore
from waitress.server import create_server

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("GETU_DATA") or ROOT.parent / "shared" / "data")
IN_CI = os.environ.get("CI") == "true"

# Software WebGL2 on a machine without a GPU. `--disable-gpu` is left out on purpose: it moves the
# wait for the software GPU onto the page's main thread and spoils every timing.
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SERVER_THREADS = 8
CLOSE_TIMEOUT_S = 10

LONG_ONES = pytest.StashKey[int]()
# The machine decides how long an example takes, and it is shared: a deadline would fail at random.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


# --- which tests run, and which skips are not forgiven -----------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests marked long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they ask for, and leave the long ones to `make test-long`."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if "chromium" in fixtures:
            item.add_marker("browser")
        if "shared_data" in fixtures:
            item.add_marker("data")
    if config.getoption("--long"):
        return
    long_ones = [item for item in items if item.get_closest_marker("long")]
    config.stash[LONG_ONES] = len(long_ones)
    if long_ones:
        config.hook.pytest_deselected(items=long_ones)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def unforgiven_skip(item: pytest.Item, reason: str) -> str | None:
    """Return why this skip counts as a failure in CI, or None where it is forgiven."""
    if not IN_CI:
        return None
    if item.get_closest_marker("browser"):
        return f"a browser test may not be skipped in CI: {reason}"
    if item.get_closest_marker("data") and DATA.exists():
        return f"a data test may not be skipped in CI while {DATA} exists: {reason}"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        refusal = unforgiven_skip(item, reason)
        if refusal:
            report.outcome = "failed"
            report.longrepr = refusal
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    """Refuse, in CI, a whole file that skips itself while it is collected."""
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"a whole file may not be skipped in CI: {report.longrepr}"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that reports how many long tests this one of several left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["long_ones"] = session.config.stash.get(LONG_ONES, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take it from one of them: each has collected all."""
    node.config.stash[LONG_ONES] = getattr(node, "workeroutput", {}).get("long_ones", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    skipped = len(terminalreporter.stats.get("skipped", ()))
    left_out = config.stash.get(LONG_ONES, 0)
    terminalreporter.write_line(f"skips: {skipped}, left to make test-long: {left_out}")


# --- nothing leaves the machine ----------------------------------------------------------------


class OutsideRequest(Exception):
    """A test tried to reach another machine."""


def is_local(host: object) -> bool:
    """Tell whether a host, as a socket takes it, is this machine's loopback."""
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if text in {"", "localhost"}:
        return True
    try:
        return ip_address(text.strip("[]").split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def no_way_out() -> Iterator[None]:
    """Let sockets of this process reach the loopback only, so that no test needs a network."""

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: socket.socket, *args: Any) -> Any:
            address = args[-1]
            if self.family in {socket.AF_INET, socket.AF_INET6} and not is_local(address[0]):
                raise OutsideRequest(f"a test tried to reach {address[0]}")
            return method(self, *args)

        return call

    look_up = socket.getaddrinfo

    def look_up_locally(host: Any, *args: Any, **named: Any) -> Any:
        if host is not None and not is_local(host):
            raise OutsideRequest(f"a test tried to look up {host}")
        return look_up(host, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", look_up_locally)
        yield


# --- the real data -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the real data sets; skip where it is not beside the repository."""
    if not DATA.is_dir():
        pytest.skip(f"no real data at {DATA} (set GETU_DATA)")
    return DATA


# --- a server and a browser --------------------------------------------------------------------


def start_server(app: Any, *, port: int = 0) -> tuple[str, Callable[[], None]]:
    """
    Serve a WSGI app (Flask, or Dash by its `.server`) in a thread; port 0 takes a free one.

    Answer the address, such as http://127.0.0.1:40123, and what stops it.
    """
    sockets: dict[int, Any] = {}
    server = create_server(
        getattr(app, "server", app),
        host="127.0.0.1",
        port=port,
        threads=SERVER_THREADS,
        map=sockets,
        clear_untrusted_proxy_headers=True,
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()

    def close() -> None:
        # In the loop's own thread: a socket closed under a running select() is an error there.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets, ignore_all=True))
        thread.join(CLOSE_TIMEOUT_S)
        server.task_dispatcher.shutdown()
        assert not thread.is_alive(), "the test server did not stop"

    return f"http://127.0.0.1:{server.effective_port}", close


@pytest.fixture
def served() -> Iterator[Callable[[Any], str]]:
    """Return a function that serves an app until the test ends and answers its address."""
    closers: list[Callable[[], None]] = []

    def serve(app: Any) -> str:
        address, close = start_server(app)
        closers.append(close)
        return address

    yield serve
    for close in reversed(closers):
        close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return a headless Chromium (Playwright's `Browser`); skip where none is installed."""
    path = os.environ.get("GETU_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        pytest.skip("no Chromium on this machine (set GETU_CHROMIUM)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """Return a fresh page at 1080p; the test fails when the page asks any other machine."""
    context = chromium.new_context(
        viewport={"width": 1920, "height": 1080}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    outside: list[str] = []
    context.on("request", lambda request: note_outside(request.url, outside))
    yield context.new_page()
    context.close()
    assert not outside, f"the page asked other machines: {sorted(set(outside))}"


def note_outside(url: str, outside: list[str]) -> None:
    """Keep an address that is neither inside the page (data:, blob:) nor on this machine."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https", "ws", "wss"} and not is_local(parts.hostname):
        outside.append(url)
