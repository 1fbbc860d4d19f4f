"""Take pictures of a demo city's pages in a real browser: the README's, or all of every page."""

from __future__ import annotations

import argparse
import io
import itertools
import json
import re
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
WAIT_S = 240
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SETTLE_S = 1.5  # what a script fills in after the map is painted
SIZES = {"1366": (1366, 768), "1080": (1920, 1080), "4k": (3840, 2160), "3to1": (5760, 1920)}
PHONE = {"phone": (390, 844)}
LOOKS = tuple("-".join(look) for look in itertools.product(("zh", "en"), ("dark", "light")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page to take: its address below the server's, who may see it, on a phone too or not."""

    name: str
    path: str
    role: str = "local"
    query: str = ""
    phone: bool = False


# Beside those of the menu: other states of them, and what one only comes to by a link.
MORE = (
    Page(name="wall-heat", path="wall/", query="scene=3&dim=on"),
    Page(name="wall-hexes", path="wall/", query="scene=4&dim=off"),
    Page(name="wall-change", path="wall/", query="scene=5&dim=off"),
    Page(name="wall-film", path="wall/", query="scene=6&dim=off"),
    Page(name="wall-large", path="wall/", query="scene=1&letters=large&dim=off"),
    Page(name="duty-log", path="duty/log", role="duty"),
    Page(name="sign-in", path="sign-in", phone=True),
    Page(name="street-nowhere", path="street/404", phone=True),
)
QUERIES = {"map": "days=90", "wall": "scene=1&dim=off"}
ON_PHONES = {"street"}


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
    parser.add_argument("--sizes", default=",".join((*SIZES, *PHONE)), help="with commas")
    parser.add_argument("--looks", default=",".join(LOOKS), help="with commas")
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
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=arguments.browser, args=FLAGS)
        for page in [*_list_menu(), *MORE, *_list_linked(address)]:
            if not wanted or page.name in wanted:
                _take_page(chromium, address, page, arguments)
        chromium.close()


def _list_menu() -> list[Page]:
    """Return the pages of the menu, each as a role that may open it."""
    sys.path.insert(0, str(ROOT))
    from dashboard.parts.pages import PAGES
    from geodata.access.accounts import ROLES

    found = []
    for page in PAGES:
        able = (role for role, permissions in ROLES.items() if permissions & set(page.needs))
        role = "local" if "read" in page.needs else next(able)
        query, phone = QUERIES.get(page.name, ""), page.name in ON_PHONES
        found.append(Page(name=page.name, path=page.path, role=role, query=query, phone=phone))
    return found


def _list_linked(address: str) -> list[Page]:
    """Return pages that the street leads to: an area, a grid, its cases, and the oldest of them."""
    with urllib.request.urlopen(f"{address}area/panel.json?lang=zh&days=0") as answer:
        html = json.load(answer)["html"]
    code = re.findall(r'href="[^"]*/street/(\d[^"?]*)', html)[0]
    with urllib.request.urlopen(f"{address}area/panel.json?lang=zh&days=0&code={code}") as answer:
        case = re.findall(r'href="[^"]*/(case/[^"?]*)', json.load(answer)["html"])[0]
    return [
        Page(name="street-area", path=f"street/{code}", phone=True),
        Page(name="street-rows", path="area/rows", query=f"code={code}&figure=overdue"),
        Page(name="case", path=case, phone=True),
    ]


def _take_page(chromium: Any, address: str, page: Page, arguments: argparse.Namespace) -> None:
    sizes = SIZES | (PHONE if page.phone else {})
    chosen = [name for name in arguments.sizes.split(",") if name in sizes]
    for look, size in itertools.product(arguments.looks.split(","), chosen):
        lang, theme = look.split("-")
        width, height = sizes[size]
        context = chromium.new_context(viewport={"width": width, "height": height})
        if page.role != "local":
            headers = {"Origin": address.rstrip("/")}
            form = {"role": page.role}
            context.request.post(f"{address}demo-role", form=form, headers=headers)
        tab = context.new_page()
        answer = tab.goto(f"{address}{page.path}?lang={lang}&theme={theme}&{page.query}")
        name = f"{page.name}-{look}-{size}.png"
        if answer is None or not answer.ok:
            sys.stderr.write(f"{name}: {answer and answer.status}\n")
        else:
            _wait_for_map(tab)
            time.sleep(SETTLE_S)
            _wait_for_map(tab)
            tab.screenshot(path=str(arguments.all / name))
        context.close()


if __name__ == "__main__":
    main()
