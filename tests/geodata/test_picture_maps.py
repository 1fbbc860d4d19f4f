"""Promise: pictures come only from where the settings say, are pictures, and tell no key."""

from __future__ import annotations

import contextlib
import gzip
import io
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

from geodata.city import City
from geodata.errors import BadFile, BadSetting, Busy, GetuError, NotAllowed, NotFound
from geodata.picture_maps.fetching import LONGEST_BYTES, PictureFailed
from geodata.picture_maps.pictures import PictureMap
from geodata.picture_maps.pmtiles import tile_id
from geodata.picture_maps.source import KEY_VARIABLE, parse_source
from tests.city import make_empty_city

SECRET = "s3cr3t-key"


def png(color: str, *, side: int = 256, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (side, side), color).save(out, "PNG")
    return out.getvalue()


class Upstream(BaseHTTPRequestHandler):
    """A server of pictures with bad manners."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        place = self.path.split("?")[0]
        if place.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "/good/1/1/1.png")
            self.end_headers()
            return
        bodies = {
            "/good": png("red"), "/text": b"<html>no</html>", "/huge": b"\x89PNG" * LONGEST_BYTES,
            "/wide": png("red", side=1025), "/half": png("#00f8", mode="RGBA"),
        }  # fmt: skip
        body = bodies.get(f"/{place.split('/')[1]}")
        self.send_response(404 if body is None else 200)
        self.end_headers()
        if body is not None:
            self.wfile.write(body)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # who asked may go before all is told
            super().handle()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def city(tmp_path: Path) -> City:
    city = make_empty_city(tmp_path / "city")
    (city.folder / "base").mkdir()
    return city


def pictures(city: City, **settings: object) -> PictureMap:
    city.settings = replace(city.settings, picture_map_private=True, **settings)
    return PictureMap(city)


@pytest.mark.parametrize(
    "text",
    ["ftp://a.b/{z}/{x}/{y}", "https://a.b/{z}/{x}", "https://u:p@a.b/{z}/{x}/{y}",
     "https://{x}.b/{z}/{x}/{y}", "https://a.b/{z}/{x}/{y}/{host}", "file:///etc/{z}{x}{y}",
     "../x.mbtiles", "/etc/x.pmtiles", "a/b.mbtiles", "tianditu:secret", "nothing",
     "http://a.b:99999/{z}/{x}/{y}", "https://a.b/{z}/{x}/{y} HTTP/1.1\r\nX: y"],
)  # fmt: skip
def test_what_is_no_source_is_refused(city, text):
    with pytest.raises(BadSetting):
        parse_source(text, city.folder)


def test_addresses_are_filled_in_and_only_the_host_is_told(city):
    source = parse_source(
        "https://a.b/w?z={TileMatrix}&r={TileRow}&c={TileCol}&tk={key}", city.folder
    )
    assert source.address(3, 5, 2, key="a b&c") == "https://a.b/w?z=3&r=2&c=5&tk=a%20b%26c"
    assert (
        parse_source("http://a/{z}/{x}/{-y}", city.folder).address(3, 5, 2, key="")
        == "http://a/3/5/5"
    )
    assert parse_source("tianditu:vec", city.folder).host == "t0.tianditu.gov.cn"
    assert source.host == "a.b"


def test_a_picture_comes_through_and_a_missing_one_is_empty(city, upstream):
    drawn = pictures(city, picture_map=f"{upstream}/good/{{z}}/{{x}}/{{y}}.png").draw(5, 3, 4)
    assert drawn.mimetype == "image/png"
    assert drawn.body == png("red")
    assert "/good/5/3/4.png" in Upstream.asked
    gone = pictures(city, picture_map=f"{upstream}/none/{{z}}/{{x}}/{{y}}")
    assert gone.draw(5, 3, 4) is None


def test_labels_are_laid_over_the_ground(city, upstream):
    drawn = pictures(
        city,
        picture_map=f"{upstream}/good/{{z}}/{{x}}/{{y}}",
        picture_map_labels=f"{upstream}/half/{{z}}/{{x}}/{{y}}",
    ).draw(5, 3, 4)
    red, green, blue = Image.open(io.BytesIO(drawn.body)).getpixel((9, 9))
    assert red < 200
    assert green == 0
    assert blue > 100


@pytest.mark.parametrize("place", ["text", "huge", "wide", "away"])
def test_what_is_no_picture_or_leads_elsewhere_is_refused(city, upstream, place):
    before = len(Upstream.asked)
    drawing = pictures(city, picture_map=f"{upstream}/{place}/{{z}}/{{x}}/{{y}}")
    with pytest.raises(PictureFailed):
        drawing.draw(5, 3, 4)
    assert len(Upstream.asked) == before + 1  # nothing was followed


def test_a_private_address_is_refused_unless_the_settings_allow_it(city, upstream):
    city.settings = replace(city.settings, picture_map=f"{upstream}/good/{{z}}/{{x}}/{{y}}")
    before = len(Upstream.asked)
    with pytest.raises(NotAllowed):
        PictureMap(city).draw(5, 3, 4)
    assert len(Upstream.asked) == before


def test_a_key_is_sent_and_never_told(city, upstream, monkeypatch):
    drawing = pictures(city, picture_map=f"{upstream}/text/{{z}}/{{x}}/{{y}}?tk={{key}}")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(BadSetting) as lacking:
        drawing.draw(5, 3, 4)
    assert KEY_VARIABLE in lacking.value.sentence("en")
    monkeypatch.setenv(KEY_VARIABLE, SECRET)
    with pytest.raises(PictureFailed) as failed:
        drawing.draw(5, 3, 4, patient=False)
    assert any(SECRET in path for path in Upstream.asked)
    assert SECRET not in failed.value.sentence("zh") + failed.value.sentence("en")


def test_a_server_that_fails_is_left_alone_and_nobody_copies_the_map(city, upstream):
    dead = pictures(city, picture_map="http://127.0.0.1:9/{z}/{x}/{y}")
    with pytest.raises(PictureFailed):
        dead.draw(5, 3, 4)
    with pytest.raises(Busy):
        dead.draw(5, 3, 4)
    greedy = pictures(city, picture_map=f"{upstream}/good/{{z}}/{{x}}/{{y}}", picture_map_per_s=1)
    assert greedy.draw(5, 0, 4)
    with pytest.raises(Busy):
        greedy.draw(5, 1, 4)


@pytest.mark.parametrize(("z", "x", "y"), [(2, 0, 0), (19, 0, 0), (5, 32, 0), (5, 0, -1)])
def test_a_tile_that_cannot_be_is_not_asked_for(city, upstream, z, x, y):
    before = len(Upstream.asked)
    with pytest.raises(NotFound):
        pictures(city, picture_map=f"{upstream}/good/{{z}}/{{x}}/{{y}}").draw(z, x, y)
    assert len(Upstream.asked) == before


def test_an_mbtiles_gives_its_tiles_from_the_north(city):
    path = city.folder / "base" / "a.mbtiles"
    with contextlib.closing(sqlite3.connect(path)) as line, line:
        line.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        line.execute("INSERT INTO tiles VALUES (5, 3, 27, ?)", (png("blue"),))
    drawing = pictures(city, picture_map="a.mbtiles")
    assert drawing.draw(5, 3, 4).body == png("blue")
    assert drawing.draw(5, 3, 27) is None


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def directory(*entries: tuple[int, int, int, int]) -> bytes:
    """Return entries of (id, run, length, offset) as a PMTiles directory, packed."""
    ids = [one[0] for one in entries]
    parts = [len(entries), *(b - a for a, b in zip([0, *ids], ids, strict=False))]
    parts += [one[1] for one in entries] + [one[2] for one in entries]
    parts += [one[3] + 1 for one in entries]
    return gzip.compress(b"".join(map(varint, parts)))


def write_pmtiles(path: Path, tiles: dict[tuple[int, int, int], bytes]) -> None:
    data, entries = b"", []
    for place, body in sorted(tiles.items(), key=lambda one: tile_id(*one[0])):
        entries.append((tile_id(*place), 1, len(body), len(data)))
        data += body
    leaf = directory(*entries)
    root = directory((entries[0][0], 0, len(leaf), 0))
    numbers = [
        127,
        len(root),
        0,
        0,
        127 + len(root),
        len(leaf),
        127 + len(root) + len(leaf),
        len(data),
    ]
    head = b"PMTiles\x03" + b"".join(n.to_bytes(8, "little") for n in numbers)
    head = head.ljust(97, b"\0") + bytes([2, 1, 2])
    path.write_bytes(head.ljust(127, b"\0") + root + leaf + data)


def test_a_pmtiles_gives_its_tiles_through_its_leaves(city):
    assert [tile_id(1, *place) for place in ((0, 0), (0, 1), (1, 1), (1, 0))] == [1, 2, 3, 4]
    assert tile_id(12, 3423, 1763) == 19078479  # of the spec's own tests
    tiles = {(5, 3, 4): png("green"), (5, 4, 4): png("blue"), (6, 7, 9): png("red")}
    write_pmtiles(city.folder / "base" / "a.pmtiles", tiles)
    drawing = pictures(city, picture_map="a.pmtiles")
    assert {place: drawing.draw(*place).body for place in tiles} == tiles
    assert drawing.draw(6, 7, 8) is None


@pytest.mark.parametrize("name", ["a.mbtiles", "a.pmtiles"])
@pytest.mark.parametrize("body", [b"", b"nothing", b"PMTiles\x03" + b"\xff" * 300])
def test_a_file_that_lies_is_refused(city, name, body):
    (city.folder / "base" / name).write_bytes(body)
    with pytest.raises(BadFile):
        pictures(city, picture_map=name).draw(5, 3, 4)


def test_a_file_that_is_not_there_is_said(city):
    with pytest.raises(GetuError) as refused:
        pictures(city, picture_map="gone.mbtiles").draw(5, 3, 4)
    assert "gone.mbtiles" in refused.value.sentence("en")
