"""Promise: a wrong setting is refused by name, with what to write instead."""

from __future__ import annotations

import pytest

from geodata.errors import BadSetting
from geodata.settings import Settings, load_settings, parse_settings, write_settings


def test_without_a_file_every_setting_has_its_default(tmp_path):
    assert load_settings(tmp_path) == Settings()


def test_a_written_file_reads_back_as_it_was(tmp_path):
    write_settings(tmp_path, {"name_zh": "江都", "near_m": 12.5})
    settings = load_settings(tmp_path)
    assert (settings.name_zh, settings.near_m) == ("江都", 12.5)


def test_an_unknown_key_is_named_with_the_nearest_known_one():
    with pytest.raises(BadSetting, match="near_line_m"):
        parse_settings({"near_lines_m": 3})


def test_every_fault_is_reported_at_once():
    with pytest.raises(BadSetting) as caught:
        parse_settings({"near_m": -1, "timezone": "Mars/Base", "base_path": "getu", "lang": 3})
    assert {fault.field for fault in caught.value.faults} == {
        "near_m", "timezone", "base_path", "lang",
    }  # fmt: skip
    assert caught.value.exit_code == 2


def test_a_file_that_is_no_toml_names_the_place(tmp_path):
    (tmp_path / "city.toml").write_text("near_m = = 3", "utf-8")
    with pytest.raises(BadSetting, match="line 1"):
        load_settings(tmp_path)
