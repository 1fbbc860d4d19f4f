"""Watch a wall for hours: what it holds in memory, how stale it is, how soon an alarm is on it."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
STAGES = ("reported", "registered", "dispatched", "handled", "closed", "evaluated")
STEP_S = 20  # between two stages of one case
SAMPLE_S = 30
TICK_S = 0.5
WARM_S = 300  # of a run: caches fill and scenes are seen for the first time
ALARM_ON_S = 30  # then it is closed, so that the next one stands alone
SHOWN_S, STALE_S = 3.0, 5.0  # what the wall promises
WAIT_S = 120
SOURCE, DEVICES = "watch-cases", "watch-alarms"
TAIL = 0.1  # of a run: what its end is compared by
# What the page notes by itself, so that nobody asks it between two samples.
WITNESS = """() => {
  const now = () => performance.timeOrigin + performance.now();
  const by = (id) => document.getElementById(id);
  window.watched = { heads: [], lost: [], alarms: {} };
  const head = () => {
    const said = by("part-head").querySelector("[data-revision]");
    if (said) window.watched.heads.push([now(), Number(said.dataset.revision)]);
  };
  const rows = "#part-alarms [data-alarm], #wall-card[data-alarm]";
  const alarms = () => document.querySelectorAll(rows)
    .forEach((row) => { window.watched.alarms[row.dataset.alarm] ??= now(); });
  const lost = () => window.watched.lost.push([now(), !by("live-lost").hidden]);
  const watch = (id, note, what) => new MutationObserver(note).observe(by(id), what);
  const inside = { childList: true, subtree: true };
  watch("part-head", head, inside);
  watch("part-alarms", alarms, inside);
  watch("wall-card", alarms, { attributes: true });
  watch("live-lost", lost, { attributes: true, attributeFilter: ["hidden"] });
  head(); alarms(); lost();
}"""
DRAIN = """() => {
  const seen = window.watched;
  window.watched = { heads: [], lost: [], alarms: {} };
  return { ...seen, now: performance.timeOrigin + performance.now(),
           map: document.documentElement.dataset.map };
}"""


@dataclass(slots=True, kw_only=True)
class Feeder:
    """Posts cases that go through all six stages, once a second, and notes each commit."""

    address: str
    secret: str
    bounds: tuple[float, float, float, float]
    events_per_s: int
    commits: list[tuple[float, int]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    sent: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Post once a second until told to stop."""
        begin_s, name, second = time.time(), f"W{int(time.time())}", 0
        while not self.stop.wait(max(0.0, begin_s + second - time.time())):
            rows = list(self._draw(second, name))
            try:
                receipt = post(self.address, self.secret, rows)
            except OSError as error:
                self.faults.append(str(error))
            else:
                self.sent += len(rows)
                self.commits.append((time.time(), int(receipt["revision"])))
            second += 1

    def _draw(self, second: int, name: str) -> Iterator[dict[str, Any]]:
        at = int(time.time())
        for step, stage in enumerate(STAGES):
            born = second - step * STEP_S
            for case in range(self._begun(born), self._begun(born + 1)):
                dice = random.Random(f"{name}-{case}")
                lon, lat = pick_place(self.bounds, dice)
                yield {
                    "incident_id": f"{name}-{case}", "stage": stage, "at": at,
                    "kind": dice.choice(("2051", "5001")), "lon": lon, "lat": lat,
                }  # fmt: skip

    def _begun(self, second: int) -> int:
        """Return how many cases began before a second of the run."""
        return max(second, 0) * self.events_per_s // len(STAGES)


@dataclass(slots=True, kw_only=True)
class Ledger:
    """What was seen of the wall so far; times are Unix seconds."""

    begin_s: float
    heads: list[tuple[float, int]] = field(default_factory=list)
    lost: list[tuple[float, bool]] = field(default_factory=list)
    planted: list[tuple[float, float]] = field(default_factory=list)  # sent, answered
    shown_s: dict[int, float] = field(default_factory=dict)  # by place among the planted
    known: set[str] = field(default_factory=set)
    heap_mb: list[tuple[float, float]] = field(default_factory=list)
    stale_s: list[float] = field(default_factory=list)  # the worst of each sample
    unsaid_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)

    def take(self, seen: dict[str, Any], commits: list[tuple[float, int]]) -> None:
        """Take over what the page noted since the last sample."""
        self.stale_s.append(0.0)
        self.unsaid_s.append(0.0)
        self.lost += [(at / 1000, bool(said)) for at, said in seen["lost"]]
        heads = [(at / 1000, int(revision)) for at, revision in seen["heads"]]
        moments = [*heads, (seen["now"] / 1000, -1)]
        for at, revision in moments:
            if self.heads:
                self._judge(self.heads[-1][1], at, commits)
            if revision >= 0:
                self.heads.append((at, revision))
        for number, at in sorted(seen["alarms"].items(), key=lambda pair: pair[1]):
            if number not in self.known:
                self.known.add(number)
                self._note_alarm(at / 1000)

    def _judge(self, shown: int, at: float, commits: list[tuple[float, int]]) -> None:
        """Note how old the picture was just before a moment, and how long it kept silent on it."""
        missed = next((when for when, revision in commits if revision > shown), at)
        self.stale_s[-1] = max(self.stale_s[-1], at - missed)
        silent = [(max(low, missed + STALE_S), min(high, at)) for low, high in self._silences(at)]
        self.unsaid_s[-1] = max([self.unsaid_s[-1], *(high - low for low, high in silent)])

    def _silences(self, until: float) -> list[tuple[float, float]]:
        edges = [*self.lost, (until, True)]
        return [(low, high) for (low, said), (high, _) in itertools.pairwise(edges)
                if not said]  # fmt: skip

    def _note_alarm(self, at: float) -> None:
        waiting = [k for k, (sent, _) in enumerate(self.planted)
                   if k not in self.shown_s and sent <= at]  # fmt: skip
        if waiting:
            self.shown_s[waiting[-1]] = at - self.planted[waiting[-1]][0]

    def sum_up(self, *, sent: int, faults: list[str]) -> dict[str, Any]:
        """Return the result of the run so far."""
        shown = sorted(self.shown_s.values())
        begin = [mb for at, mb in self.heap_mb if WARM_S <= at - self.begin_s < 2 * WARM_S]
        begin = begin or [mb for _, mb in self.heap_mb[:3]]
        end = [mb for _, mb in self.heap_mb[-max(3, round(TAIL * len(self.heap_mb))) :]]
        low, high = statistics.median(begin or [0.0]), statistics.median(end or [0.0])
        return {
            "seconds": round(time.time() - self.begin_s),
            "events": sent,
            "heap_mb": [round(low, 2), round(high, 2)],
            "heap_growth_percent": round(100 * (high - low) / low, 2) if low else None,
            "alarms": len(self.planted),
            "alarms_shown": len(shown),
            "alarms_within_3_s": sum(one <= SHOWN_S for one in shown),
            "alarm_s": [round(one, 2) for one in (
                shown[len(shown) // 2], shown[int(len(shown) * 0.95)], shown[-1])] if shown else [],
            "stalest_s": round(max(self.stale_s, default=0.0), 2),
            "stale_unsaid_beyond_5_s": round(max(self.unsaid_s, default=0.0), 2),
            "errors": len(self.errors),
            "post_faults": len(faults),
            "load_mean": round(statistics.mean(self.loads), 1) if self.loads else None,
            "load_max": round(max(self.loads), 1) if self.loads else None,
        }  # fmt: skip


def main() -> None:
    """Serve a city, feed it, plant alarms, and write a line every half minute and a result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, required=True, help="a demo city, to be written into")
    parser.add_argument("--out", type=Path, required=True, help="the lines, as JSON")
    parser.add_argument("--seconds", type=int, default=7200)
    parser.add_argument("--events", type=int, default=50, help="a second")
    parser.add_argument("--alarms", type=int, default=100)
    parser.add_argument("--port", type=int, default=8058)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    secrets = [add_token(arguments.city, name) for name in (SOURCE, DEVICES)]
    address = f"http://127.0.0.1:{arguments.port}"
    with serve(arguments.city, arguments.port, address) as server, sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=arguments.browser, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1920, "height": 1080})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{address}/wall/?lang=zh")
        page.wait_for_selector("html[data-map=idle]", timeout=WAIT_S * 1000)
        page.wait_for_selector("#part-head [data-revision]", timeout=WAIT_S * 1000)
        page.evaluate(WITNESS)
        bounds = tuple(ask(f"{address}/wall/news?lang=zh")["map"]["props"]["bounds"])
        feeder = Feeder(
            address=address, secret=secrets[0], bounds=bounds, events_per_s=arguments.events
        )
        ledger = Ledger(begin_s=time.time(), errors=errors)
        thread = threading.Thread(target=feeder.run, daemon=True)
        thread.start()
        try:
            with arguments.out.open("a", encoding="utf-8") as out:
                watch(page, ledger, feeder, out, arguments, secret=secrets[1], server=server)
        finally:
            feeder.stop.set()
            result = {"result": ledger.sum_up(sent=feeder.sent, faults=feeder.faults)}
            with arguments.out.open("a", encoding="utf-8") as out:
                out.write(json.dumps(result) + "\n")
            sys.stdout.write(json.dumps(result, indent=1) + "\n")
            chromium.close()


def watch(
    page: Any, ledger: Ledger, feeder: Feeder, out: Any, arguments: Any, *, secret: str,
    server: subprocess.Popen[bytes],
) -> None:  # fmt: skip
    """Plant the alarms in time and take the samples, until the time is over."""
    dice = random.Random(3)
    apart_s = arguments.seconds / max(arguments.alarms, 1)
    slack_s = max(apart_s - ALARM_ON_S - 2 * SHOWN_S, 0.0)
    due = [k * apart_s + dice.uniform(0, slack_s) for k in range(arguments.alarms)]
    closing: list[tuple[float, dict[str, Any]]] = []
    next_sample_s = float(SAMPLE_S)
    tools = page.context.new_cdp_session(page)
    while (elapsed_s := time.time() - ledger.begin_s) < arguments.seconds:
        if due and elapsed_s >= due[0]:
            due.pop(0)
            alarm = plant(ledger, feeder, secret, dice)
            closing.append((elapsed_s + ALARM_ON_S, alarm))
        if closing and elapsed_s >= closing[0][0]:
            alarm = closing.pop(0)[1] | {"stage": "closed", "at": int(time.time())}
            try:
                post(feeder.address, secret, [alarm])
            except OSError as error:
                feeder.faults.append(str(error))
        if elapsed_s >= next_sample_s:
            next_sample_s += SAMPLE_S
            out.write(json.dumps(sample(page, tools, ledger, feeder, server)) + "\n")
            out.flush()
        page.wait_for_timeout(TICK_S * 1000)
    out.write(json.dumps(sample(page, tools, ledger, feeder, server)) + "\n")


def plant(ledger: Ledger, feeder: Feeder, secret: str, dice: random.Random) -> dict[str, Any]:
    """Post an alarm somewhere in the city and note when."""
    lon, lat = pick_place(feeder.bounds, dice)
    alarm = {
        "incident_id": f"A{int(time.time() * 1000)}", "stage": "reported", "at": int(time.time()),
        "kind": "2051", "alarm_level": dice.randint(1, 4), "lon": lon, "lat": lat,
    }  # fmt: skip
    begin_s = time.time()
    try:
        post(feeder.address, secret, [alarm])
    except OSError as error:
        feeder.faults.append(str(error))
    ledger.planted.append((begin_s, time.time()))
    return alarm


def sample(
    page: Any, tools: Any, ledger: Ledger, feeder: Feeder, server: subprocess.Popen[bytes]
) -> dict[str, Any]:
    """Return one line: the page's memory after a collection, and what it noted since the last."""
    known = set(ledger.shown_s)
    ledger.take(page.evaluate(DRAIN), feeder.commits)
    fresh = [round(one, 2) for k, one in ledger.shown_s.items() if k not in known]
    shown = ledger.heads[-1][1] if ledger.heads else 0
    keep = next((k for k, (_, revision) in enumerate(feeder.commits) if revision > shown), None)
    del feeder.commits[: len(feeder.commits) - 1 if keep is None else keep]
    tools.send("HeapProfiler.collectGarbage")
    used_mb = tools.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    counters = tools.send("Memory.getDOMCounters")
    ledger.heap_mb.append((time.time(), used_mb))
    ledger.loads.append(os.getloadavg()[0])
    status = Path(f"/proc/{server.pid}/status").read_text("utf-8")
    held = re.search(r"VmRSS:\s+(\d+)", status)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "s": round(time.time() - ledger.begin_s),
        "heap_mb": round(used_mb, 2),
        "nodes": counters["nodes"],
        "listeners": counters["jsEventListeners"],
        "server_mb": round(int(held[1]) / 1e3, 1) if held else None,
        "revision": shown,
        "stalest_s": round(ledger.stale_s[-1], 2),
        "unsaid_s": round(ledger.unsaid_s[-1], 2),
        "planted": len(ledger.planted),
        "shown": len(ledger.shown_s),
        "alarm_s": fresh,
        "events": feeder.sent,
        "post_faults": len(feeder.faults),
        "errors": ledger.errors[-3:],
        "load": [round(one, 1) for one in os.getloadavg()],
    }


@contextmanager
def serve(city: Path, port: int, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server until the block ends."""
    command = [sys.executable, str(ROOT / "app.py"), "serve", "--city", str(city)]
    with subprocess.Popen([*command, "--port", str(port)], cwd=ROOT) as server:
        try:
            end = time.monotonic() + WAIT_S
            while time.monotonic() < end:
                try:
                    ask(f"{address}/healthz")
                    break
                except OSError:
                    time.sleep(0.2)
            yield server
        finally:
            server.terminate()


def add_token(city: Path, source: str) -> str:
    """Return a new token of a source."""
    command = [sys.executable, str(ROOT / "app.py"), "token", "add", source, "--city", str(city)]
    answer = subprocess.run([*command, "--json"], check=True, capture_output=True, cwd=ROOT)
    return str(json.loads(answer.stdout)["token"])


def post(address: str, secret: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Post events and return the receipt; raises OSError where they were not taken."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    body = json.dumps(events).encode()
    return ask(urllib.request.Request(f"{address}/api/events", data=body, headers=headers))


def ask(wish: Any) -> Any:
    """Return what an address answers, as plain data; raises OSError where it does not."""
    with urllib.request.urlopen(wish, timeout=30) as answer:
        return json.load(answer)


def pick_place(
    bounds: tuple[float, float, float, float], dice: random.Random
) -> tuple[float, float]:
    """Return (lon, lat) somewhere in the middle of the city."""
    west, south, east, north = bounds
    across, up = dice.uniform(0.3, 0.7), dice.uniform(0.3, 0.7)
    return round(west + across * (east - west), 6), round(south + up * (north - south), 6)


if __name__ == "__main__":
    main()
