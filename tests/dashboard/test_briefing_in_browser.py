"""Promise: the briefing page works by hand: look, fetch, bring a template, keep, issue, bind."""

from __future__ import annotations

import io
from typing import Any

import docx
import pytest

from dashboard.server import make_app
from geodata.city import City
from tests.city import NOW, make_tiny_city

PAGE = "/briefing?lang=zh&theme=light&period=90d"


@pytest.fixture
def address(tmp_path: Any, serve_page: Any) -> str:
    """Return where the app of a tiny city of its own answers: this page writes."""
    city: City = make_tiny_city(tmp_path / "city")
    found: str = serve_page(make_app(city, now=lambda: NOW)).address
    return found


@pytest.mark.browser
def test_a_briefing_is_made_by_hand(page, address, tmp_path):
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.goto(address + PAGE)
    sheet = page.locator(".briefing-sheet img")
    assert sheet.evaluate("async one => { await one.decode(); return one.naturalWidth }") > 1_000
    assert "共受理事件" in page.inner_text(".briefing-text")
    page.select_option("select[name=page]", "A3-portrait")
    page.fill("input[name=period]", "2026-05")
    page.click(".briefing-form button[type=submit]")
    page.wait_for_selector(".briefing-sheet img[src*='2026-05']")
    tall = "async one => { await one.decode(); return one.naturalHeight > one.naturalWidth }"
    assert page.locator(".briefing-sheet img").evaluate(tall)
    with page.expect_download() as fetched:
        page.click("a[href*='/briefing/file/slides.pptx']")
    assert fetched.value.suggested_filename.endswith(".pptx")

    template = docx.Document()
    template.add_paragraph("{{getu}}")
    template.save(tmp_path / "office.docx")
    page.set_input_files("#templates input[type=file]", tmp_path / "office.docx")
    page.click("#templates form[enctype] button")
    page.wait_for_selector("#templates li strong")
    assert "office.docx" in page.inner_text("#templates")
    with page.expect_download() as fetched:
        page.click("a[href*='/briefing/file/page.docx']")
    made = docx.Document(io.BytesIO(fetched.value.path().read_bytes()))
    assert "试算稿" in made.paragraphs[0].text  # the template has no title of its own

    page.fill(".briefing-keep input[name=name]", "月报")
    page.click(".briefing-keep:has(input[name=name]) button")
    page.wait_for_selector("form[action*='/briefing/issue'] button")
    page.click("form[action*='/briefing/issue'] button")
    page.wait_for_selector("a[href*='/briefing/issue/1/page.docx']")

    page.select_option("#atlas select", "community")
    page.click("#atlas button")
    page.wait_for_selector("[data-state=bound] a[download]")  # it asks again by itself
    with page.expect_download() as fetched:
        page.click("[data-state=bound] a[download]")
    assert fetched.value.path().read_bytes().startswith(b"%PDF")
    assert wrong == []
