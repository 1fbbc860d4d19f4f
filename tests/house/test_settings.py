from __future__ import annotations

from dataclasses import fields

from geodata.settings import Settings, load_settings, write_settings
from scripts.settings_page import PAGE, write_page


def test_every_setting_says_what_it_is():
    silent = [item.name for item in fields(Settings) if not item.metadata.get("doc", "").strip()]
    assert not silent


def test_the_settings_page_is_the_settings():
    assert PAGE.read_text("utf-8") == write_page(), "run `make docs`"


def test_a_new_city_file_names_every_setting_and_reads_back(tmp_path):
    write_settings(tmp_path, {"name_zh": "江都", "near_m": 25.0})
    text = (tmp_path / "city.toml").read_text("utf-8")
    assert not [item.name for item in fields(Settings) if f"{item.name} = " not in text]
    assert load_settings(tmp_path) == Settings(name_zh="江都", near_m=25.0)
