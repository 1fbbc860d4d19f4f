"""Take pictures of a demo city's pages in a real browser: the README's, or all of every page."""

from __future__ import annotations

import argparse
import io
import itertools
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "map.webp"
WIDTH, HEIGHT = 1600, 900
SHARPNESS = 2  # drawn larger and made smaller: a map drawn without a GPU is soft at its own size
QUALITY = 90  # a palette would be as small and lose the rare colours, those of the worst grids
WAIT_S = 60
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SETTLE_S = 1.5  # what a script fills in after the map is painted
DESKS = {"1366": (1366, 768), "1080": (1920, 1080)}
WALLS = {"1080": (1920, 1080), "4k": (3840, 2160), "3to1": (5760, 1920)}
PHONES = {"phone": (390, 844)}
LOOKS = tuple(itertools.product(("zh", "en"), ("dark", "light")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page to take: its address below the server's, who may see it, and on which screens."""

    name: str
    path: str
    role: str = "local"
    query: str = ""
    sizes: tuple[dict[str, tuple[int, int]], ...] = (DESKS,)


PAGES = (
    Page(name="map", path="", query="days=90", sizes=(DESKS, WALLS)),
    Page(name="wall", path="wall/", query="scene=1", sizes=(WALLS, DESKS)),
    Page(name="wall-heat", path="wall/", query="scene=3&dim=on", sizes=(WALLS,)),
    Page(name="street", path="street/", sizes=(DESKS, PHONES)),
    Page(name="duty", path="duty/", role="duty"),
    Page(name="duty-log", path="duty/log", role="duty"),
    Page(name="desk", path="desk/", role="duty"),
    Page(name="scenes", path="scenes", role="administrator"),
    Page(name="briefing", path="briefing", role="duty"),
    Page(name="planner", path="planner/", role="planner"),
    Page(name="data", path="data", role="clerk"),
    Page(name="tables", path="tables", role="clerk"),
    Page(name="quality", path="quality", role="clerk"),
    Page(name="audit", path="audit", role="auditor"),
    Page(name="sign-in", path="sign-in", sizes=(DESKS, PHONES)),
)


def main() -> None:
    """Serve a city, wait until its map is painted, and write `docs/map.webp`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, default=ROOT / "city")
    parser.add_argument("--port", type=int, default=8059)
    parser.add_argument("--view", default="?days=90")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="take every page into FOLDER")
    parser.add_argument("--only", default="", help="of these pages, by name and with commas")
    parser.add_argument("--case", default="", metavar="SOURCE/ID", help="the case to take, too")
    arguments = parser.parse_args()
    address = f"http://127.0.0.1:{arguments.port}/"
    command = [sys.executable, str(ROOT / "app.py"), "serve", "--city", str(arguments.city)]
    with subprocess.Popen([*command, "--port", str(arguments.port)]) as server:
        try:
            _wait_for_server(address)
            if arguments.all:
                _take_all(address, arguments)
            else:
                _take(address + arguments.view, arguments.out, arguments.browser)
        finally:
            server.terminate()


def _wait_for_server(address: str) -> None:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address + "healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(address)


def _take(address: str, out: Path, browser: str) -> None:
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=FLAGS)
        page = chromium.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SHARPNESS
        )
        page.goto(address)
        _wait_for_map(page)
        shot = page.screenshot()
        chromium.close()
    small = (
        Image.open(io.BytesIO(shot))
        .convert("RGB")
        .resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    )
    small.save(out, quality=QUALITY, method=6)


def _wait_for_map(page: Any) -> None:
    end = time.monotonic() + WAIT_S
    # Asked from outside the page: its policy forbids what would wait inside it.
    while page.evaluate("document.documentElement.dataset.map") not in {"idle", "none", None}:
        if time.monotonic() > end:
            raise TimeoutError("the map was not painted")
        time.sleep(0.1)


def _take_all(address: str, arguments: argparse.Namespace) -> None:
    """Write `page-lang-theme-size.png` for every page, language, theme and size."""
    arguments.all.mkdir(parents=True, exist_ok=True)
    wanted = set(arguments.only.split(",")) - {""}
    pages = [*PAGES]
    if arguments.case:
        pages.append(Page(name="case", path=f"case/{arguments.case}", sizes=(DESKS, PHONES)))
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=arguments.browser, args=FLAGS)
        for page in pages:
            if not wanted or page.name in wanted:
                _take_page(chromium, address, page, arguments.all)
        chromium.close()


def _take_page(chromium: Any, address: str, page: Page, folder: Path) -> None:
    sizes = {name: size for group in page.sizes for name, size in group.items()}
    for (lang, theme), (size, (width, height)) in itertools.product(LOOKS, sizes.items()):
        context = chromium.new_context(viewport={"width": width, "height": height})
        if page.role != "local":
            headers = {"Origin": address.rstrip("/")}
            form = {"role": page.role}
            context.request.post(f"{address}demo-role", form=form, headers=headers)
        tab = context.new_page()
        answer = tab.goto(f"{address}{page.path}?lang={lang}&theme={theme}&{page.query}")
        name = f"{page.name}-{lang}-{theme}-{size}.png"
        if answer is None or not answer.ok:
            sys.stderr.write(f"{name}: {answer and answer.status}\n")
        else:
            _wait_for_map(tab)
            time.sleep(SETTLE_S)
            _wait_for_map(tab)
            tab.screenshot(path=str(folder / name))
        context.close()


if __name__ == "__main__":
    main()
