from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont

from geodata.fonts import UNREADABLE, cut_font, interface_characters, read_license
from geodata.words import LANGS, load_words

NAMES = ["仙女镇第47网格", "邵伯镇", "𠮷园路社区"]


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    path = tmp_path_factory.mktemp("fonts") / "deep" / "city.woff2"
    lacking = cut_font(NAMES, path)
    return path, lacking


def characters_in(path) -> set[str]:
    with TTFont(path) as font:
        return set(map(chr, font.getBestCmap()))


def test_a_cut_font_holds_the_characters_asked_for_and_no_others(cut):
    path, lacking = cut
    assert characters_in(path) == set(" ".join(NAMES)) - lacking


def test_what_the_source_lacks_is_told(tmp_path):
    assert cut_font(["网\U000f0000格\n"], tmp_path / "a.woff2") <= {"\U000f0000"}
    assert characters_in(tmp_path / "a.woff2") == {"网", "格", " "}


def test_the_same_characters_give_the_same_bytes(cut, tmp_path):
    path, _ = cut
    cut_font(reversed(NAMES * 2), tmp_path / "again.woff2")
    assert path.read_bytes() == (tmp_path / "again.woff2").read_bytes()


def test_a_font_of_nothing_is_still_a_font(tmp_path):
    assert cut_font([], tmp_path / "empty.woff2") == frozenset()
    assert characters_in(tmp_path / "empty.woff2") == {" "}


def test_nothing_but_the_font_is_left_behind(cut):
    path, _ = cut
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_figures_are_as_wide_as_one_another(cut, tmp_path):
    cut_font(["0123456789"], tmp_path / "figures.woff2")
    with TTFont(tmp_path / "figures.woff2") as font:
        names = font.getBestCmap()
        assert len({font["hmtx"][names[ord(figure)]][0] for figure in "0123456789"}) == 1


def test_the_interface_font_has_every_character_of_every_sentence():
    wanted = interface_characters() | UNREADABLE
    for lang in LANGS:
        for text in load_words(lang).values():
            assert wanted.issuperset(text)


def test_the_interface_font_stays_small(tmp_path):
    """The first page may carry 1.2 MB without fonts; the font must not double it."""
    lacking = cut_font(interface_characters(), tmp_path / "interface.woff2")
    assert not lacking
    assert (tmp_path / "interface.woff2").stat().st_size < 400_000


def test_the_licence_travels_with_the_font(cut):
    path, _ = cut
    assert "SIL OPEN FONT LICENSE" in read_license().upper()
    with TTFont(path) as font:
        assert "SIL Open Font License" in str(font["name"].getDebugName(13))
