"""Promise: an address that nothing stands at is a page that says so, with a way back."""

from __future__ import annotations

import pytest

from tests.dashboard.door_city import Door, says_nothing

PAGE = {"Accept": "text/html"}


@pytest.mark.parametrize("path", ["nosuchpage", "codes", "data/", "wall/map", "desk/a/b", "duty/x"])
@pytest.mark.parametrize(("lang", "said"), [("zh", "没有找到"), ("en", "Not found")])
def test_an_unknown_address_is_no_screen_but_says_so_and_leads_back(tiny_app, path, lang, said):
    answer = tiny_app.server.test_client().get(f"/{path}?lang={lang}", headers=PAGE)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert said in answer.text
    assert f"<code>/{path}</code>" in answer.text
    assert 'href="/?lang=' in answer.text


def test_what_is_missing_below_a_page_says_what_it_is_in_the_same_frame(tiny_app):
    client = tiny_app.server.test_client()
    answer = client.get("/area/rows?code=999&lang=en", headers=PAGE)
    assert answer.status_code == 404
    assert "999" in answer.text
    assert 'href="/street/?lang=en' in answer.text
    asked = client.get("/area/rows?code=999&lang=en")  # a script is told in a line
    assert (asked.status_code, asked.mimetype) == (404, "text/plain")


def test_markup_in_an_address_stays_text(tiny_app):
    answer = tiny_app.server.test_client().get("/%3Cscript%3Ealert(1)", headers=PAGE)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


def test_who_is_not_signed_in_is_shown_the_door_at_any_address(tiny, tmp_path):
    door = Door(tiny, tmp_path / "city")
    door.add_every_role()
    answer = door.client().get("/nosuchpage", headers=PAGE)
    assert answer.status_code == 302
    assert "/sign-in?next=" in answer.headers["Location"]
    assert says_nothing(answer)
