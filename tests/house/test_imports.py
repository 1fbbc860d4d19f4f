from __future__ import annotations

import ast
import sys

import pytest

from tests.house.tree import ROOMS, modules

HEIGHT = {"geodata": 0, "layers": 1, "dashboard": 2, "commands": 3, "app": 4}
SOURCES = modules(*ROOMS, "app")

# Which room never imports what (design: three rooms and a door).
NEVER = {
    "geodata": {"dash", "flask", "waitress", "plotly", "folium", "matplotlib"},
    "layers": {"dash", "flask", "waitress", "sqlite3"},
    "dashboard": {"sqlite3"},
}
# Dash finds a component through its registry, which has to be told when the class is there.
REGISTERS = {"dashboard/gridmap/__init__.py"}
# What only some modules may import, each a way in or out that must stay easy to watch.
ONLY = {
    "sqlite3": ("geodata.store",),
    "pyogrio": (
        "geodata.geopackage",
        "geodata.reading.gdal_files",
        "geodata.reading._child",
        "geodata.reading._child_columns",
    ),
    "zipfile": ("geodata.reading.archives", "layers.office.sealing"),
    "subprocess": ("geodata.reading.gdal_files",),
    "flask": ("dashboard",),
    "dash": ("dashboard",),
    "waitress": ("dashboard",),
    # The one asks whether the port is free, the other is the only way out.
    "socket": ("dashboard.server", "geodata.picture_maps.fetching"),
    "ssl": ("geodata.picture_maps.fetching",),
    "urllib.request": (),
    "http.client": ("geodata.picture_maps.fetching",),
    "requests": (),
    "pickle": (),
    "marshal": (),
    "shelve": (),
}


def belongs(name: str, owners: tuple[str, ...]) -> bool:
    return any(name == owner or name.startswith(f"{owner}.") for owner in owners)


def test_rooms_import_downward_only():
    up = [
        f"{module.place} imports {name}"
        for module in SOURCES
        for name in module.imports()
        if HEIGHT.get(name.split(".")[0], -1) > HEIGHT[module.name.split(".")[0]]
    ]
    assert not up, "\n".join(sorted(up))


def test_no_room_imports_what_it_must_not_know():
    wrong = [
        f"{module.place} imports {name}"
        for module in SOURCES
        for name in module.imports()
        if name.split(".")[0] in NEVER.get(module.room, ())
    ]
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("library", ONLY)
def test_only_the_modules_made_for_it_import(library):
    wrong = {
        module.place
        for module in SOURCES
        for name in module.imports()
        if belongs(name, (library,)) and not belongs(module.name, ONLY[library])
    }
    assert not wrong, "\n".join(sorted(wrong))


def test_no_source_imports_tests_or_scripts():
    wrong = [
        f"{module.place} imports {name}"
        for module in SOURCES
        for name in module.imports()
        if name.split(".")[0] in {"tests", "scripts", "bench"} and module.room != "app"
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_set_up_starts_with_nothing_but_python():
    """It runs before any package is there: its own modules, and geodata's that need none."""
    bare = {"setup", "steps", "programs", "geodata", "geodata.errors", "geodata.words"}
    start = [module for module in modules("scripts") if module.path.stem in bare]
    start += [module for module in SOURCES if module.name in bare]
    wrong = [
        f"{module.place} imports {name}"
        for module in start
        for name in module.imports()
        if not belongs(name, (*sys.stdlib_module_names, *sorted(bare - {"geodata"})))
    ]
    assert len(start) == len(bare)
    assert not [line for line in wrong if not line.endswith(" imports geodata")]


def test_nothing_but_the_door_and_the_scripts_prints():
    wrong = [
        f"{module.place}:{node.lineno}"
        for module in SOURCES
        if module.room != "app"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"print", "breakpoint", "input"}
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_no_module_works_while_it_is_imported():
    """Definitions and constants only: no call for its effect, no file read, no connection."""
    working = {"open", "read_text", "read_bytes", "connect", "run", "Popen", "print", "mkdir"}
    wrong = []
    for module in SOURCES:
        for statement in module.tree.body:
            if is_main_guard(statement):
                continue
            effect = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            if effect and module.place not in REGISTERS:
                wrong.append(f"{module.place}:{statement.lineno} calls for an effect")
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and called_name(node) in working:
                    wrong.append(f"{module.place}:{node.lineno} calls {called_name(node)}")
    assert not wrong, "\n".join(sorted(wrong))


def test_no_error_is_caught_unseen():
    """No handler takes every error and goes on; one that cleans up and raises again may."""
    wrong = [
        f"{module.place}:{node.lineno}"
        for module in SOURCES
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]
    assert not wrong, "\n".join(sorted(wrong))


def is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__main__" in ast.unparse(statement.test)


def called_name(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def catches_everything(node: ast.ExceptHandler) -> bool:
    names = "" if node.type is None else ast.unparse(node.type)
    everything = not names or {"Exception", "BaseException"} & set(names.strip("()").split(", "))
    raises_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
    return bool(everything) and not raises_again
