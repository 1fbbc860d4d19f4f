"""Promise: a sheet is a whole map, legible and true, and says where its numbers come from."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyproj
import pytest
from PIL import Image

from geodata.access.scope import ROWS, Scope
from geodata.access.sight import Sight
from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.errors import BadSetting, GetuError, NotAllowed, NotFound
from geodata.snapshots.snapshot import Filter
from geodata.words import say
from layers.layer import Picture
from layers.palette import RISK, ZERO
from layers.print.frame import Frame, fit_frame
from layers.print.lettering import NO_GLYPH, break_lines, measure_text, print_text
from layers.print.margin import Imprint
from layers.print.names import Writer
from layers.print.page import PAGES, find_page
from layers.print.point_marks import draw_symbol
from layers.print.scene import Scene
from layers.print.view import PrintView, Subject
from layers.registry import LAYERS
from tests.city import NOW
from tests.dashboard.conftest import DEMO_NOW
from tests.dashboard.printed import draw, make_printed_attacks, read_pdf_text, see, texts_on
from tests.hostile_city import TYPST

ALL_LAYERS = (
    "base-map", "grid-risk", "grid-edges", "incident-heat", "overdue-halos", "incident-dots",
    "places", "cameras", "grid-names",
)  # fmt: skip
DIFFERENT = 5.0  # L* steps that a grey printer keeps apart


@pytest.fixture(scope="module")
def village(gaoshan: City) -> Sight:
    """Return all of the smallest demo city."""
    return see(gaoshan, DEMO_NOW)


@pytest.mark.parametrize(
    ("page", "lang"), [("A4", "zh"), ("A4-portrait", "en"), ("A3", "en"), ("16:9", "zh")]
)
def test_every_page_holds_all_its_words(village, page, lang):
    sheet = draw(village, DEMO_NOW, page=page, lang=lang, shown=ALL_LAYERS)
    paper = PAGES[page]
    written = texts_on(sheet)
    assert len(written) > 30
    for one in written:
        if one.turned:
            continue
        wide = measure_text(one.text, one.size)
        left = one.x - {"start": 0, "middle": wide / 2, "end": wide}[one.anchor]
        assert left >= 1, one
        assert left + wide <= paper.width_mm - 1, one
        assert one.size * 0.8 <= one.y <= paper.height_mm - 1, one
        assert one.size >= 1.3, one


def test_a_sheet_says_what_a_map_has_to_say(village):
    imprint = Imprint(head="7:0123456789abcdef", approval="GS(2026)1234")
    sheet = draw(village, DEMO_NOW, imprint=imprint, shown=ALL_LAYERS)
    told = "\n".join(one.text for one in texts_on(sheet))
    settings = village.city.settings
    for part in (
        settings.name_zh, "内部资料", "北", "比例尺约 1:", "数据截至", "版本号", "来源：", "EPSG:",
        "GS(2026)1234", "7:0123456789abcdef", "网格体系第", "低于", "网格风险", "°", "米",
    ):  # fmt: skip
        assert part in told, part
    assert "位置" not in told
    area = int(village.grids.finest()["uid"].iloc[0])
    told = [one.text for one in texts_on(draw(village, DEMO_NOW, area=area, empty=True))]
    assert "位置" in told
    part = draw(village, DEMO_NOW, bounds=village.bounds)
    told = "".join(one.text for one in texts_on(part))
    assert "不限于图幅" in told
    assert "位置" in told
    assert part.figures.total == sheet.figures.total
    public = draw(village, DEMO_NOW, imprint=Imprint(internal=False))
    assert "内部资料" not in {one.text for one in texts_on(public)}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.id)
def test_every_layer_prints_itself_and_its_legend(village, layer):
    bare = draw(village, DEMO_NOW, shown=("no-layer",))
    sheet = draw(village, DEMO_NOW, shown=(layer.id,))
    entries = layer.describe_legend(picture_of(village))["entries"]
    titles = [key.title for key in sheet.keys]
    assert titles == ([say(layer.title, "zh")] if any(one["n"] != 0 for one in entries) else [])
    if titles or layer.kind in ("base", "labels"):
        assert sheet.scene.svg(with_font=False) != bare.scene.svg(with_font=False)


def picture_of(sight: Sight) -> Picture:
    return Picture(facts=sight, scope=sight.scope, now=DEMO_NOW, filter=Filter())


def test_dots_that_lie_on_one_another_are_no_holes():
    scene = Scene(20, 20)
    draw_symbol(scene, "circle", 10, 10, radius=4, color="#000000")
    assert 'fill-rule="nonzero"' in scene.svg(with_font=False)


def test_two_runs_on_one_revision_are_the_same_bytes(gaoshan):
    first, second = (draw(see(gaoshan, DEMO_NOW), DEMO_NOW, shown=ALL_LAYERS) for _ in range(2))
    assert first.pdf() == second.pdf()
    assert first.svg() == second.svg()
    assert first.png(150) == second.png(150)


def test_chinese_in_a_pdf_can_be_selected_and_its_font_is_inside(village):
    body = draw(village, DEMO_NOW).pdf()
    text = read_pdf_text(body)
    for part in (village.city.settings.name_zh, "结案率", "网格风险", "内部资料"):
        assert part in text.replace(" ", ""), part
    assert b"/FontFile3" in body
    assert b"NotoSansSC" in body
    assert len(body) < 2_000_000
    svg = draw(village, DEMO_NOW).svg()
    assert b"@font-face" in svg
    assert b"data:font/woff2;base64," in svg


@pytest.mark.parametrize("dpi", [150, 300])
def test_a_picture_has_the_pixels_that_were_asked_for(village, dpi):
    sheet = draw(village, DEMO_NOW, page="16:9", shown=("grid-edges",))
    picture = Image.open(io.BytesIO(sheet.png(dpi)))
    page = PAGES["16:9"]
    assert picture.size == pytest.approx(
        (page.width_mm / 25.4 * dpi, page.height_mm / 25.4 * dpi), abs=1.5
    )
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20


def test_the_scale_bar_is_as_long_as_it_says(village):
    frame = frame_of(village)
    length_m, length_mm = frame.bar_length()
    west, south, east, north = frame.ground
    middle_y = (south + north) / 2
    begin_x = (west + east) / 2 - length_mm / frame.mm_per_m / 2
    xs = np.array([begin_x, begin_x + length_mm / frame.mm_per_m])
    lon, lat = to_lonlat(xs, np.array([middle_y, middle_y]), frame.crs)
    true_m = pyproj.Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])[2]
    assert true_m == pytest.approx(length_m, rel=2e-4)


def test_the_arrow_points_to_true_north(village):
    frame = frame_of(village)
    west, south, east, north = frame.ground
    lon, lat = to_lonlat([(west + east) / 2], [(south + north) / 2], frame.crs)
    to_city = pyproj.Transformer.from_crs(4326, frame.crs, always_xy=True)
    x, y = to_city.transform([lon[0], lon[0]], [lat[0], lat[0] + 0.001])
    right = np.degrees(np.arctan2(x[1] - x[0], y[1] - y[0]))
    assert frame.north_angle == pytest.approx(right, abs=1e-3)


def frame_of(sight: Sight) -> Frame:
    bounds = tuple(float(edge) for edge in sight.grids.grids.total_bounds)
    return fit_frame((10.0, 10.0, 200.0, 150.0), bounds, sight.grids.crs)


def test_names_never_lie_on_one_another():
    ground = (500_000.0, 3_600_000.0, 502_000.0, 3_601_500.0)
    frame = fit_frame((0.0, 0.0, 200.0, 150.0), ground, pyproj.CRS.from_epsg(4549))
    writer = Writer(scene=Scene(200, 150), frame=frame)
    rng = np.random.default_rng(4)
    for n, (x, y) in enumerate(rng.uniform((0, 0), (200, 150), (900, 2))):
        writer.write(f"第{n:03d}网格", [(x, y), (x, y + 3)], 2.4)
    boxes = np.array(writer._boxes)
    assert 300 < writer.written < writer.asked == 900
    assert writer.written == len(boxes)
    for at, (left, top, right, bottom) in enumerate(boxes):
        others = np.delete(boxes, at, axis=0)
        apart = (others[:, 2] <= left) | (others[:, 0] >= right)
        apart |= (others[:, 3] <= top) | (others[:, 1] >= bottom)
        assert apart.all()
        assert left >= 0 <= top
        assert right <= 200
        assert bottom <= 150


def test_a_grey_printer_keeps_the_classes_apart():
    tones = [lightness("#ffffff"), *(lightness(color) for color in RISK["light"])]
    assert all(before - after >= DIFFERENT for before, after in pairwise(tones))
    assert lightness(ZERO["light"]) < lightness("#ffffff") - DIFFERENT


def lightness(color: str) -> float:
    """Return L* of a colour (CIELAB, D65)."""
    part = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    y = float(linear @ (0.2126, 0.7152, 0.0722))
    return 116 * (y ** (1 / 3) if y > 0.008856 else 7.787 * y + 16 / 116) - 16


def test_lines_break_as_chinese_does():
    width = measure_text("网格化治理十分", 10)
    lines = break_lines("网格化治理，十分重要：1,204 件（二〇二六年）。Completion", 10, width)
    assert (
        "".join(lines).replace(" ", "") == "网格化治理，十分重要：1,204件（二〇二六年）。Completion"
    )
    assert not any(line[:1] in "，。：）" for line in lines)
    assert any("1,204" in line for line in lines)


def test_a_word_stays_whole_though_a_closing_sign_finds_no_room():
    text = "Overdue incidents (more, wider)"
    lines = break_lines(text, 10, measure_text(text.removesuffix(")"), 10))
    assert lines == ["Overdue incidents (more,", "wider)"]


def test_what_the_font_lacks_is_a_mark_and_never_a_hole():
    assert print_text("甲\u0b95乙") == f"甲{NO_GLYPH}乙"
    assert print_text("甲\n\t 乙") == "甲 乙"


def test_attacks_in_names_stay_text(tmp_path: Path):
    sight = see(make_printed_attacks(tmp_path / "hostile"), NOW)
    sheet = draw(sight, NOW, shown=(*ALL_LAYERS[:3], "incident-dots", "cameras", "grid-names"))
    svg = sheet.scene.svg(with_font=False, title=sheet.title, about=sheet.about)
    assert "<script" not in svg
    assert "<img" not in svg
    written = {one.text for one in texts_on(sheet)}
    assert any("<script>alert(2)" in text for text in written)
    text = read_pdf_text(sheet.pdf())
    assert '#panic("read")' in text
    assert TYPST.split()[0] in text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"filter": Filter(since=DEMO_NOW + 5)}, NotFound),
        ({"area": 987_654}, NotFound),
    ],
)
def test_what_cannot_be_drawn_is_told(village, change, error):
    with pytest.raises(error) as told:
        draw(village, DEMO_NOW, **change)
    assert told.value.sentence("zh")


def test_pages_and_resolutions_that_do_not_exist_are_told(village):
    with pytest.raises(BadSetting, match="A4"):
        find_page("B5")
    sheet = draw(village, DEMO_NOW, shown=("grid-edges",))
    for dpi in (149, 601, 0, -1):
        with pytest.raises(BadSetting):
            sheet.png(dpi)
    assert find_page("16x9") is PAGES["16:9"]
    assert find_page("a3-Portrait").upright


def test_a_scope_that_hides_all_is_told(gaoshan, village):
    reader = Scope.whole_city("reader", ("read", ROWS))
    with pytest.raises(NotAllowed):
        draw(see(gaoshan, DEMO_NOW, reader), DEMO_NOW)
    analyst = Scope.whole_city("analyst", ("read", "export"))
    hidden = see(gaoshan, DEMO_NOW, analyst)
    sheet = draw(hidden, DEMO_NOW, lang="en")
    assert not sheet.figures.complete
    assert all("incident-dots" not in key.title for key in sheet.keys)
    with pytest.raises(GetuError):  # of a period that no scope but the whole is told of
        draw(hidden, DEMO_NOW, filter=Filter(since=DEMO_NOW - 12_345, until=DEMO_NOW))


def test_a_sheet_of_an_area_counts_that_area(village):
    subject = Subject(sight=village, view=PrintView(filter=Filter()), now=DEMO_NOW, lang="zh")
    total = draw(village, DEMO_NOW).figures.own.total
    parts = [
        draw(village, DEMO_NOW, area=int(uid), empty=True, shown=("incident-dots",)).figures
        for uid in village.grids.finest()["uid"]
    ]
    unowned = int((village.snapshot.owner < 0).sum())
    assert sum(part.own.total for part in parts) + unowned == total == subject.selected.sum()
    changed = replace(subject.view, area=int(village.grids.finest()["uid"].iloc[1]))
    assert Subject(sight=village, view=changed, now=DEMO_NOW, lang="zh").leaves.sum() == 1
