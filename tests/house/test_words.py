from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache

import pytest

from geodata.words import LANGS, load_words
from tests.house.tree import ROOMS, ROOT, Module, modules

WORDS = {lang: load_words(lang) for lang in LANGS}
KEYS = sorted(set().union(*WORDS.values()))
SOURCES = modules(*ROOMS, "app", "scripts", "bench")
SPEAKERS = {"say", "has_words"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def calls(module: Module, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in names:
                yield node


def key_pattern(node: ast.expr | None) -> str | None:
    """A regular expression of the keys that an expression can name; None where nothing is known."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [
            re.escape(part.value) if isinstance(part, ast.Constant) else r".+"
            for part in node.values
        ]
        return "".join(parts) if any(part != ".+" for part in parts) else None
    return None


def first_argument(call: ast.Call, keyword: str) -> ast.expr | None:
    if call.args:
        return call.args[0]
    return next((item.value for item in call.keywords if item.arg == keyword), None)


def fault_key(call: ast.Call) -> str | None:
    return key_pattern(first_argument(call, "key"))


@pytest.mark.parametrize("lang", LANGS)
def test_every_sentence_exists_in_every_language(lang):
    assert not [key for key in KEYS if not WORDS[lang].get(key, "").strip()]


def test_a_sentence_has_the_same_places_to_fill_in_every_language():
    for key in KEYS:
        found = {lang: placeholders(WORDS[lang][key]) for lang in LANGS if key in WORDS[lang]}
        assert len(set(map(frozenset, found.values()))) == 1, (key, found)
        assert all(name.isidentifier() for names in found.values() for name in names), key


def test_no_key_is_written_twice():
    """A TOML table may not be opened twice: the file would not load, or one would hide another."""
    for lang in LANGS:
        files = (ROOT / "geodata" / "text" / lang).glob("*.toml")
        text = "\n".join(path.read_text("utf-8") for path in files)
        heads = re.findall(r"^\[(.+)\]$", text, re.MULTILINE)
        assert len(heads) == len(set(heads))


def test_each_subject_has_its_words_in_a_file_of_the_same_name_in_every_language():
    names = [{path.name for path in (ROOT / "geodata" / "text" / lang).iterdir()} for lang in LANGS]
    assert all(found == names[0] for found in names)


def test_every_key_that_is_spoken_exists():
    unknown = [
        f"{module.place}:{call.lineno} {pattern}"
        for module in SOURCES
        for call in calls(module, *SPEAKERS)
        if (pattern := key_pattern(first_argument(call, "key")))
        and not any(re.fullmatch(pattern, key) for key in KEYS)
    ]
    assert not unknown, "\n".join(sorted(unknown))


def test_every_fault_has_a_cause_and_a_remedy():
    names = {key.split(".")[1] for key in KEYS if key.startswith("fault.")}
    half = [
        name for name in names for part in ("cause", "remedy") if f"fault.{name}.{part}" not in KEYS
    ]
    assert not half, "\n".join(sorted(half))


def test_every_fault_that_is_raised_has_words():
    unknown = [
        f"{module.place}:{call.lineno} {pattern}"
        for module in SOURCES
        for call in calls(module, "Fault")
        if (pattern := fault_key(call))
        and not any(re.fullmatch(rf"fault\.{pattern}\.cause", key) for key in KEYS)
    ]
    assert not unknown, "\n".join(sorted(unknown))


def test_a_sentence_is_given_all_it_has_places_for():
    """Where the key is a plain text and the values stand in the call, they must be enough."""
    poor = []
    for module in SOURCES:
        for call in calls(module, "say"):
            key = first_argument(call, "key")
            if not isinstance(key, ast.Constant) or key.value not in KEYS:
                continue
            if any(item.arg is None for item in call.keywords):
                continue
            given = {str(item.arg) for item in call.keywords}
            lacking = placeholders(WORDS["zh"][key.value]) - given
            if lacking:
                poor.append(f"{module.place}:{call.lineno} {key.value} lacks {lacking}")
    assert not poor, "\n".join(sorted(poor))


def test_a_fault_is_given_all_its_sentences_have_places_for():
    poor = []
    for module in SOURCES:
        for call in calls(module, "Fault"):
            key = first_argument(call, "key")
            given = given_values(call)
            if not isinstance(key, ast.Constant) or given is None:
                continue
            texts = (WORDS["zh"].get(f"fault.{key.value}.{part}", "") for part in PARTS)
            lacking = set().union(*map(placeholders, texts)) - given
            if lacking:
                poor.append(f"{module.place}:{call.lineno} {key.value} lacks {lacking}")
    assert not poor, "\n".join(sorted(poor))


PARTS = ("cause", "remedy")


def given_values(call: ast.Call) -> set[str] | None:
    """The names in `values={...}` of a fault; None where they cannot be read off the call."""
    if any(item.arg is None for item in call.keywords) or len(call.args) > 1:
        return None
    values = next((item.value for item in call.keywords if item.arg == "values"), None)
    if values is None:
        return set()
    if isinstance(values, ast.Dict) and all(isinstance(name, ast.Constant) for name in values.keys):
        return {name.value for name in values.keys}
    return None


def test_no_sentence_is_left_that_nobody_speaks():
    texts, patterns = set(template_texts()), set()
    for module in SOURCES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                pattern = key_pattern(node)
                if pattern and re.search(r"[a-z]", pattern.replace(".+", "")):
                    patterns.add(pattern)
    silent = [key for key in KEYS if not is_spoken(key, texts, patterns)]
    assert not silent, "\n".join(sorted(silent))


@cache
def template_texts() -> frozenset[str]:
    """Every quoted text of the plain pages' templates."""
    pages = sorted((ROOT / "dashboard" / "templates").glob("*.html"))
    found = (re.findall(r"""["']([\w.]+)["']""", page.read_text("utf-8")) for page in pages)
    return frozenset(text for texts in found for text in texts)


def test_every_key_that_a_template_speaks_exists():
    pages = sorted((ROOT / "dashboard" / "templates").glob("*.html"))
    spoken = {
        (page.name, key)
        for page in pages
        for key in re.findall(r"""\bsay\(["']([\w.]+)["'] *[,)]""", page.read_text("utf-8"))
    }
    assert spoken
    assert not [found for found in sorted(spoken) if found[1] not in KEYS]


def is_spoken(key: str, texts: set[str], patterns: set[str]) -> bool:
    short = key.split(".")[1] if key.startswith("fault.") else key
    if {key, short} & texts or any(re.fullmatch(item, key) for item in patterns):
        return True
    room, _, name = key.partition(".")
    return room == "map" and is_spoken_by_the_map(name)


def is_spoken_by_the_map(name: str) -> bool:
    """Whether the map component's own code names a sentence, whole or with a part filled in."""
    page = map_source()
    whole = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])|\.{re.escape(name)}\b")
    templates = re.findall(r"`([\w.]*\$\{[^`]*)`", page)
    patterns = (re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(item)) for item in templates)
    filled = (item for item in patterns if item.replace(".+", ""))
    return bool(whole.search(page)) or any(re.fullmatch(item, name) for item in filled)


@cache
def map_source() -> str:
    paths = sorted((ROOT / "dashboard" / "gridmap").rglob("*.*js"))
    own = (path for path in paths if "built" not in path.parts)
    return "\n".join(path.read_text("utf-8") for path in own)
