"""Promise: slides, page and tables print the screen's figures, natively, inertly, twice alike."""

from __future__ import annotations

import errno
import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from typing import Any

import docx
import geopandas as gpd
import numpy as np
import pandas as pd
import pptx
import pylopdf_fonts_zh_cn
import pytest

from geodata.access.scope import ROWS, Scope
from geodata.briefing.cut_off import see_at
from geodata.briefing.rows import list_days
from geodata.briefing.wish import parse_wish
from geodata.city import City
from geodata.errors import BadFile, BadSetting, NotAllowed, NotFound
from geodata.figures.area import count_area
from geodata.figures.period import Period
from geodata.snapshots.facts import Facts, load_facts
from geodata.snapshots.snapshot import Filter
from layers.office import pack as pack_module
from layers.office.bureau import MADE, Bureau
from layers.office.pack import Style, make_docx, make_pdf, make_slides, name_stem, write_pack
from layers.office.page_docx import set_docx
from layers.office.paper import Paper, issue_paper, make_paper, tell_table
from layers.office.sealing import read_carried
from layers.office.slides import set_slides
from layers.office.table_files import read_file_figures, write_table
from layers.print.lettering import _advances
from layers.print.page import find_page
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    community_code,
    load_one,
    local_text,
    make_tiny_city,
    middle,
    say_nothing,
)
from tests.city import (
    write_table as write_rows,
)

SCOPE = Scope.whole_city("console", ("read", ROWS, "export"))
MARKUP = "<script>alert('格')</script>"
FORMULA = '=HYPERLINK("http://evil")'


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Return the tiny city with a kind that is markup and ids that are formulas."""
    folder = tmp_path_factory.mktemp("office")
    made = make_tiny_city(folder / "city")
    at = local_text(NOW - 86_400)
    columns = ("code", "name_zh", "category", "limit", "limit_unit")
    kinds = [["坏", MARKUP, FORMULA, 1, "days"]]
    load_one(made, "kinds", write_rows(folder / "more.csv", columns, kinds))
    rest = ["坏", *middle(1, 1), *[""] * 4, at]
    rows = [[FORMULA, at, *rest], ["+1+1", at, *rest]]
    load_one(made, "incidents", write_rows(folder / "bad.csv", INCIDENT_COLUMNS, rows))
    return made


@pytest.fixture(scope="module")
def facts(city: City) -> Facts:
    found = load_facts(city, now=NOW)
    assert found is not None
    return found


def paper_of(facts: Facts, **wish: Any) -> Paper:
    raw = {"period": "90d", **wish}
    return make_paper(facts, SCOPE, parse_wish(raw), now=NOW, what="page")


@dataclass(frozen=True, kw_only=True)
class Made:
    """One paper with its files."""

    paper: Paper
    slides: bytes
    page: bytes
    pdf: bytes


@pytest.fixture(scope="module")
def made(facts: Facts) -> Made:
    paper = paper_of(facts)
    return Made(
        paper=paper,
        slides=make_slides(paper, Style()),
        page=make_docx(paper, Style()),
        pdf=make_pdf(paper),
    )


def text_of_slides(body: bytes) -> str:
    deck = pptx.Presentation(io.BytesIO(body))
    found = []
    for slide in deck.slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                found.append(shape.text_frame.text)
            if shape.has_table:
                found += [cell.text for row in shape.table.rows for cell in row.cells]
    return "\n".join(found)


def text_of_docx(body: bytes) -> str:
    document = docx.Document(io.BytesIO(body))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


def views(n: int) -> list[dict[str, str]]:
    """Return random views: area, period, category and state."""
    rng = np.random.default_rng(7)
    areas = ["", community_code(0), community_code(1), community_code(2)]
    periods = ["90d", "28d", "365d", "all", "2026-05", "2026-Q2", "2026-04-01..2026-05-15"]
    categories = ["", "", "市容环境", "市政设施"]
    states = ["all", "all", "open", "closed"]
    return [
        {name: str(rng.choice(values)) for name, values in (
            ("area", areas), ("period", periods), ("category", categories), ("state", states))}
        for _ in range(n)
    ]  # fmt: skip


def check_views(facts: Facts, n: int) -> int:
    """Hold every paper of some views against what the screens count; return how many there were."""
    checked = 0
    for view in views(n):
        try:
            paper = paper_of(facts, **view)
        except NotFound:  # a view of nothing
            continue
        uid = None
        if view["area"]:
            grids = facts.grids.grids
            uid = int(grids.loc[grids["code"] == view["area"], "uid"].iloc[0])
        categories = None
        if view["category"]:
            categories = (facts.categories.index(view["category"]),)
        dates = paper.briefing.dates
        screen = count_area(
            paper.sight,
            grid=uid,
            period=Period(since=dates.since, until=dates.until),
            filter=Filter(categories=categories, state=view["state"]),
            now=dates.cut_off,
        )
        figures = paper.briefing.figures
        assert figures["total"].a == screen.total
        assert figures["open"].a == screen.open
        assert figures["overdue"].a == screen.overdue
        assert (figures["closing"].a, figures["closing"].b) == (
            screen.own.closing.part, screen.own.closing.of)  # fmt: skip
        slides = text_of_slides(set_slides(paper, picture=None))
        page = text_of_docx(set_docx(paper, picture=None))
        for key in ("total", "open", "overdue", "closing"):
            assert figures[key].text in page
            assert figures[key].text.partition(" (")[0] in slides
        checked += 1
    return checked


def test_papers_print_what_the_screen_counts(facts):
    assert check_views(facts, 5) > 2


@pytest.mark.long
def test_papers_print_what_the_screen_counts_in_fifty_views(facts):
    assert check_views(facts, 50) > 30


def test_the_table_of_grids_adds_up_to_the_paper(facts):
    told = tell_table(facts, SCOPE, "grids", parse_wish({"period": "90d"}), now=NOW, target="t")
    frame = told.table.frame
    leaves = frame[frame["level"].isin(["网格", ""])]
    assert leaves["total"].sum() == told.carried["figures"]["total"][1]
    assert leaves["overdue"].sum() == told.carried["figures"]["overdue"][1]


def test_days_that_are_many_are_told_by_month_and_parts_of_months_as_parts(facts):
    title, days = list_days(paper_of(facts, period="2026-05").briefing)
    assert (title, len(days), days[0][0]) == ("by_day", 31, "05-01")
    paper = paper_of(facts, period="2026-03-10..2026-05-31")
    title, months = list_days(paper.briefing)
    assert title == "by_month"
    assert [name for name, _ in months] == ["2026-03 (10–31)", "2026-04", "2026-05"]
    assert sum(n for _, n in months) == paper.briefing.figures["total"].a


def test_slides_are_native_and_the_page_has_tables(made):
    paper, body = made.paper, made.slides
    deck = pptx.Presentation(io.BytesIO(body))
    shapes = [shape for slide in deck.slides for shape in slide.shapes]
    assert sum(shape.has_chart for shape in shapes) >= 2
    assert sum(shape.has_table for shape in shapes) >= 1
    assert sum(shape.shape_type == 13 for shape in shapes) == 1  # the map
    chart = next(shape.chart for shape in shapes if shape.has_chart)
    assert sum(chart.plots[0].series[0].values) == paper.briefing.figures["total"].a
    assert "微软雅黑" in zipfile.ZipFile(io.BytesIO(body)).read("ppt/slides/slide1.xml").decode()
    document = docx.Document(io.BytesIO(made.page))
    assert len(document.tables) == 2
    assert len(document.inline_shapes) == 1
    assert "仿宋" in document.styles["Normal"].element.xml


def test_every_paper_carries_its_figures_and_the_head_of_the_log(facts, made, tmp_path):
    paper = made.paper
    for body in (made.slides, made.page, made.pdf):
        carried = read_carried(body)
        assert carried["figures"]["total"] == ["count", paper.briefing.figures["total"].a, None]
        assert carried["head"] == paper.head
    assert paper.head in text_of_slides(made.slides)
    assert paper.head in text_of_docx(made.page)
    for suffix in (".csv", ".xlsx", ".gpkg", ".parquet"):
        told = tell_table(facts, SCOPE, "grids", paper.briefing.wish, now=NOW, target=suffix)
        path = tmp_path / f"grids{suffix}"
        write_table(told, path)
        assert read_file_figures(path)["figures"]["total"] == carried["figures"]["total"]


def test_two_packs_of_one_issue_are_the_same_bytes(facts, tmp_path):
    wish = parse_wish({"period": "2026-05"})
    folders = []
    for run in range(2):
        paper = issue_paper(facts, SCOPE, "月报", wish, now=NOW + run * 3_600)
        stem = name_stem("月报", "2026-05")
        folders.append(tmp_path / f"run{run}")
        write_pack(
            paper, folders[-1], stem=stem, style=Style(),
            parts=("slides", "page", "tables"), progress=say_nothing,
        )  # fmt: skip
    names = sorted(path.name for path in folders[0].iterdir())
    assert len(names) == 8
    for name in names:
        one, other = ((folder / name) for folder in folders)
        assert one.read_bytes() == other.read_bytes(), name
        if name.endswith(".gpkg"):  # what is promised, should its format ever write the hour again
            for layer in ("grids", "about"):
                assert gpd.read_file(one, layer=layer).equals(gpd.read_file(other, layer=layer))


def test_markup_and_formulas_are_inert_in_every_export(facts, made, tmp_path):
    paper, slides, page = made.paper, made.slides, made.page
    for body in (slides, page):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                assert b"<script" not in archive.read(name).lower(), name
    assert FORMULA in text_of_docx(page)  # the category, as text
    with zipfile.ZipFile(io.BytesIO(slides)) as archive:
        books = [name for name in archive.namelist() if name.endswith(".xlsx")]
        for name in books:
            with zipfile.ZipFile(io.BytesIO(archive.read(name))) as book:
                assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    assert books
    wish = paper.briefing.wish
    told = tell_table(facts, SCOPE, "incidents", wish, now=NOW, target="x")
    assert {FORMULA, "+1+1"} <= set(told.table.frame["incident_id"])
    write_table(told, tmp_path / "i.csv")
    cells = pd.read_csv(tmp_path / "i.csv", dtype=str).fillna("").to_numpy().ravel()
    assert "'" + FORMULA in set(cells)
    assert not [cell for cell in cells if re.match(r"[=@\t\r]|[+-](?![\d.])|\+1\+", str(cell))]
    write_table(told, tmp_path / "i.xlsx")
    with zipfile.ZipFile(tmp_path / "i.xlsx") as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet2.xml")
        assert b"hyperlink" not in book.read("xl/worksheets/sheet2.xml").lower()


def test_no_table_has_a_column_that_names_somebody_or_free_text(facts):
    wish = parse_wish({"period": "all"})
    for what in ("grids", "incidents", "cameras", "places"):
        told = tell_table(facts, SCOPE, what, wish, now=NOW, target="x")
        assert len(told.table.frame) > 0
        assert not {"reason", "address", "attributes", "phone", "note"} & set(told.table.frame)
        assert {"时段", "统计截止", "规则", "审计链头"} <= set(dict(told.about))
        assert dict(told.about)["行数"].endswith(f"{told.table.whole:,}")


def test_a_scope_takes_out_only_what_it_sees(facts):
    leaf = int(facts.grids.finest()["uid"].iloc[4])
    narrow = Scope(account="镇", grids=frozenset({leaf}),
                   permissions=frozenset({"read", ROWS, "export"}))  # fmt: skip
    wish = parse_wish({"period": "all"})
    told = tell_table(facts, narrow, "incidents", wish, now=NOW, target="x")
    code = facts.grids.finest()["code"].iloc[4]
    assert set(told.table.frame["grid_code"]) == {code}
    grids = tell_table(facts, narrow, "grids", wish, now=NOW, target="x").table.frame
    other = grids[(grids["level"] == "网格") & (grids["code"] != code)]
    assert other["closed"].isna().all()
    sight = see_at(facts, narrow, cut_off=NOW)
    for uid in facts.grids.grids["uid"][facts.grids.grids["level"] == "community"]:
        screen = count_area(sight, grid=int(uid), period=Period(), filter=Filter(), now=NOW)
        for child in screen.children:
            (printed,) = grids.loc[grids["code"] == child.code, "total"]
            shown = child.total if isinstance(child.total, int) else child.total.text
            assert printed == shown
    assert any("–" in str(cell) for cell in other["total"])
    analyst = Scope.whole_city("分析", ("read", "export"))
    with pytest.raises(NotAllowed):
        tell_table(facts, analyst, "incidents", wish, now=NOW, target="x")


def test_an_offices_own_template_is_used_or_refused_in_a_sentence(made):
    paper = made.paper
    own = docx.Document()
    own.add_paragraph("某某区人民政府办公室")
    own.add_paragraph("{{title}}")
    own.add_paragraph("{{getu}}")
    own.add_paragraph("抄送：各街道")
    text = text_of_docx(set_docx(paper, picture=None, template=saved(own)))
    assert text.index("某某区") < text.index("总体情况") < text.index("抄送")
    assert "{{" not in text
    empty = docx.Document()
    empty.add_paragraph("没有占位符")
    with pytest.raises(BadFile) as caught:
        set_docx(paper, picture=None, template=saved(empty))
    assert "{{getu}}" in caught.value.faults[0].cause("zh")
    deck = pptx.Presentation()
    deck.slide_width = 9_144_000
    text = text_of_slides(set_slides(paper, picture=None, template=saved(deck)))
    assert paper.briefing.figures["total"].text in text
    for layout in deck.slide_layouts:
        for place in list(layout.placeholders):
            place._element.getparent().remove(place._element)
    with pytest.raises(BadFile):
        set_slides(paper, picture=None, template=saved(deck))
    for make in (set_docx, set_slides):
        with pytest.raises(BadFile) as caught:
            make(paper, picture=None, template=b"PK nothing")
        assert caught.value.faults[0].key == "briefing_template_kind"


def saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.mark.long
def test_libreoffice_opens_slides_and_page(made, tmp_path):
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice here")
    names = {"slides.pptx": made.slides, "page.docx": made.page}
    for name, body in names.items():
        (tmp_path / name).write_bytes(body)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    words = [office, profile, "--headless", "--convert-to", "pdf", *names]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, timeout=600)
    slides = len(pptx.Presentation(io.BytesIO(made.slides)).slides)
    pages = re.findall(rb"/Type\s*/Page\b", (tmp_path / "slides.pdf").read_bytes())
    assert len(pages) == slides > 5
    assert re.findall(rb"/Type\s*/Page\b", (tmp_path / "page.pdf").read_bytes())


def test_a_full_disk_leaves_none_of_a_pack(made, tmp_path, monkeypatch):
    def fill(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(pack_module._WRITE, "tables", fill)
    out = tmp_path / "pack"
    with pytest.raises(OSError, match="space"):
        write_pack(made.paper, out, stem="x", style=Style(), parts=("slides", "tables"),
                   progress=say_nothing)  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", MADE)
def test_a_scope_that_hides_all_gets_a_sentence_and_no_paper(facts, name):
    analyst = Scope.whole_city("分析", ("read", "export"))
    bureau = Bureau(facts, analyst, now=NOW)
    with pytest.raises(NotFound) as caught:  # of such days nobody but the whole is told
        bureau.make(name, parse_wish({"period": "2026-05-03"}), find_page("A4"))
    assert caught.value.sentence("zh")
    body = bureau.make(name, parse_wish({"period": "90d"}), find_page("A4"))[1]
    assert len(body) > 1_000


@pytest.mark.parametrize("name", MADE)
def test_a_missing_font_is_told_by_every_paper(facts, name, monkeypatch, tmp_path):
    bureau = Bureau(facts, SCOPE, now=NOW)
    _advances.cache_clear()
    monkeypatch.setattr(pylopdf_fonts_zh_cn, "sans_path", lambda: str(tmp_path / "none.otf"))
    try:
        with pytest.raises(NotFound) as caught:
            bureau.make(name, parse_wish({"period": "90d"}), find_page("A4"))
    finally:
        _advances.cache_clear()
    assert caught.value.faults[0].key == "font_missing"
    assert "Noto Sans SC" in caught.value.sentence("en")


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", b"%PDF-1.7 nothing", b'{"getu":', b"x" * 99])
def test_a_file_without_figures_is_refused(body):
    with pytest.raises(BadFile) as caught:
        read_carried(body)
    assert caught.value.faults[0].key == "briefing_no_figures"


def test_an_unknown_table_or_kind_of_file_is_refused(facts, tmp_path):
    wish = parse_wish({"period": "all"})
    with pytest.raises(BadSetting):
        tell_table(facts, SCOPE, "residents", wish, now=NOW, target="x")
    told = tell_table(facts, SCOPE, "grids", wish, now=NOW, target="x")
    with pytest.raises(BadSetting):
        write_table(told, tmp_path / "x.doc")
    assert not list(tmp_path.iterdir())
