"""Take the picture of the README: the demo city's map, served and seen in a real browser."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "map.webp"
WIDTH, HEIGHT = 1600, 900
SHARPNESS = 2  # drawn larger and made smaller: a map drawn without a GPU is soft at its own size
QUALITY = 90  # a palette would be as small and lose the rare colours, those of the worst grids
WAIT_S = 60
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def main() -> None:
    """Serve a city, wait until its map is painted, and write `docs/map.webp`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, default=ROOT / "city")
    parser.add_argument("--port", type=int, default=8059)
    parser.add_argument("--view", default="?days=90")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    address = f"http://127.0.0.1:{arguments.port}/"
    command = [sys.executable, str(ROOT / "app.py"), "serve", "--city", str(arguments.city)]
    with subprocess.Popen([*command, "--port", str(arguments.port)]) as server:
        try:
            _wait_for_server(address)
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
        end = time.monotonic() + WAIT_S
        # Asked from outside the page: its policy forbids what would wait inside it.
        while page.evaluate("document.documentElement.dataset.map") != "idle":
            if time.monotonic() > end:
                raise TimeoutError("the map was not painted")
            time.sleep(0.1)
        shot = page.screenshot()
        chromium.close()
    small = (
        Image.open(io.BytesIO(shot))
        .convert("RGB")
        .resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    )
    small.save(out, quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
