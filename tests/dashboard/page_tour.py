"""A tour of everything the page has; run as a module, in a network of its own, on a city folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import sys
from pathlib import Path

import orjson
from playwright.sync_api import sync_playwright

from dashboard.server import make_app
from geodata.city import open_city
from tests.conftest import BROWSER_FLAGS, BROWSERS
from tests.dashboard.page_browser import CityPage, PageServer

READ_FLAGS, WRITE_FLAGS, UP = 0x8913, 0x8914, 0x1  # of an interface, see netdevice(7)


def take_tour(city: CityPage) -> None:
    """Use every filter, layer, zoom, card, language and theme of an open page."""
    for box, count in (("days", 4), ("state", 4)):
        for place in (*range(1, count + 1), 1):
            city.click(f"#{box} label:nth-of-type({place})")
    city.page.locator("#category").click()
    city.page.locator(".dash-dropdown-content label").first.click()
    city.stir()
    city.settle()
    for place in range(city.page.locator("#shown label").count()):
        city.click(f"#shown label:nth-of-type({place + 1})")
    for place in range(city.page.locator("#shown label").count()):
        city.click(f"#shown label:nth-of-type({place + 1})")
    for button in (1, 1, 2, 2, 2, 3):
        city.click(f".gridmap-buttons button:nth-of-type({button})")
    city.click(".top-row")
    city.wait_for(".card")
    for switch in ("#lang-switch", "#theme-switch", "#lang-switch", "#theme-switch"):
        city.click(switch)
    city.click(".card .close")
    city.wait_for(".card", gone=True)


def bring_up_loopback() -> None:
    """Bring up the loopback of a new network: it starts down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        asked = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(wire, READ_FLAGS, asked))[1]
        fcntl.ioctl(wire, WRITE_FLAGS, struct.pack("16sh", b"lo", flags | UP))


def tour_alone(folder: Path) -> None:
    """Serve the city and take the tour in this process's own network; say how it went."""
    bring_up_loopback()
    path = os.environ.get("GETU_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    server = PageServer(make_app(open_city(folder)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_FLAGS)
        city = CityPage(browser.new_page(), server.address)
        take_tour(city)
        told = {
            "reached": city.state,
            "interfaces": [name for _, name in socket.if_nameindex()],
            "problems": city.problems,
        }
        browser.close()
    server.stop()
    sys.stdout.write(orjson.dumps(told).decode() + "\n")


if __name__ == "__main__":
    tour_alone(Path(sys.argv[1]))
