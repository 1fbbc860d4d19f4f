from __future__ import annotations

import ast
import re

import pytest

from tests.house.tree import ROOMS, ROOT, Module, files, modules

LONGEST = 400
SOURCES = modules(*ROOMS, "app", "scripts")
# A drawer that anything fits in tells nobody what is inside.
DRAWERS = {"util", "utils", "utility", "utilities", "helper", "helpers", "common", "misc"} | {
    "manager",
    "managers",
    "base2",
    "core",
    "lib",
    "stuff",
    "shared",
    "functions",
    "service",
}
# One word per thing: what the trade calls otherwise is called so here too.
OTHER_WORDS = {
    "ticket": "case",
    "tickets": "cases",
    "cctv": "camera",
    "precinct": "grid",
    "hotspot": "hot area",
    "hotspots": "hot areas",
    "poi": "place",
    "pois": "places",
    "neighbourhood": "community",
    "neighborhood": "community",
}
# Places, never persons: no name of ours stands for one. Counts of many ("persons") may be.
PERSONS = {"person", "resident", "citizen"} | {
    "suspects",
    "petitioner",
    "complainant",
    "passport",
    "nationality",
    "ethnicity",
    "religion",
}
LOOKS_FOR_PERSONS = {"geodata.reading.personal"}  # it finds personal columns in order to drop them


def names_of(module: Module) -> set[str]:
    """Every name the module gives: functions, classes, arguments, variables, attributes."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def words_of(name: str) -> set[str]:
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    return {name.lower(), *parts}


@pytest.mark.parametrize("module", SOURCES, ids=lambda module: module.place)
def test_every_module_can_be_read_in_one_go(module):
    lines = module.text.count("\n")
    assert lines <= LONGEST, f"{lines} lines: split it along a noun"


def test_every_script_of_the_map_can_be_read_in_one_go():
    own = [path for path in files() if path.suffix in {".js", ".mjs"}]
    long = [str(path) for path in own if path.read_text("utf-8").count("\n") > LONGEST]
    assert not long, "\n".join(sorted(long))


def test_every_module_is_named_for_what_it_holds():
    drawers = [
        module.place for module in SOURCES if DRAWERS & set(module.path.stem.strip("_").split("_"))
    ]
    assert not drawers, "\n".join(sorted(drawers))


@pytest.mark.parametrize("module", SOURCES, ids=lambda module: module.place)
def test_everything_public_says_what_it_is(module):
    assert ast.get_docstring(module.tree), "the module has no docstring"
    silent = [
        node.name
        for node in public_definitions(module.tree)
        if not ast.get_docstring(node) and not is_overload(node)
    ]
    assert not silent, "\n".join(sorted(silent))


def test_one_word_stands_for_one_thing():
    wrong = [
        f"{module.place}: {name} (say {OTHER_WORDS[word]})"
        for module in SOURCES
        for name in names_of(module)
        for word in words_of(name) & set(OTHER_WORDS)
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_no_name_stands_for_a_person():
    wrong = [
        f"{module.place}: {name}"
        for module in SOURCES
        if module.name not in LOOKS_FOR_PERSONS
        for name in names_of(module)
        if words_of(name) & PERSONS
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_every_room_says_what_it_holds():
    for room in ROOMS:
        assert (ROOT / room / "__init__.py").exists(), room


def public_definitions(tree: ast.Module):
    """Functions and classes of the module, and methods of its public classes."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                inner = (item for item in node.body if isinstance(item, kinds))
                yield from (item for item in inner if not item.name.startswith("_"))


def is_overload(node: ast.AST) -> bool:
    return any("overload" in ast.unparse(item) for item in getattr(node, "decorator_list", ()))
