"""Promise: no screen reaches an incident without saying for whom."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache

from tests.house.tree import Module, modules

# The one place where facts of the whole city become what a scope may see of them.
CHOKE = "dashboard.pictures"
WHOLE = {"load_facts", "narrow_facts", "sort_facts", "build_snapshot", "open_snapshot"}
# Tables whose rows are single incidents, or tell of one.
ROWS = re.compile(
    r"\b(?:FROM|JOIN)\s+(?:incident|event|event_payload|payload|alarm|decision|dispute|note)\b",
    re.I,
)
# What reads such tables for a screen though it takes no scope, and why it may.
ALLOWED: dict[str, str] = {
    "read_decisions": "those on one incident, which `open_lying` has let this scope through to",
}


@dataclass(frozen=True)
class Function:
    """A function of geodata: whether it reads rows, asks for a scope, and what it calls."""

    place: str  # module.name
    reads: bool
    scoped: bool
    calls: frozenset[str]  # module.name


@cache
def functions() -> dict[str, Function]:
    found = {}
    for module in modules("geodata"):
        texts = {
            target.id
            for node in module.tree.body
            if isinstance(node, ast.Assign) and holds_rows(node)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        known = imported(module) | {
            node.name: f"{module.name}.{node.name}"
            for node in module.tree.body
            if isinstance(node, ast.FunctionDef)
        }
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef):
                names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                arguments = (*node.args.args, *node.args.kwonlyargs)
                found[f"{module.name}.{node.name}"] = Function(
                    place=f"{module.name}.{node.name}",
                    reads=holds_rows(node) or bool(names & texts),
                    scoped=any(argument.arg == "scope" for argument in arguments),
                    calls=frozenset(known[name] for name in names & set(known)),
                )
    return found


def holds_rows(node: ast.AST) -> bool:
    """Tell whether there is SQL in it that reads a table of incidents."""
    return any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) and ROWS.search(part.value)
        for part in ast.walk(node)
    )


def imported(module: Module) -> dict[str, str]:
    """What a module imports by name: the name here, and whose it is."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@cache
def row_readers() -> frozenset[str]:
    """Functions that come to incidents' rows, themselves or by others, and ask for no scope."""
    every = functions()
    found = {place for place, one in every.items() if one.reads and not one.scoped}
    while True:
        more = {
            place
            for place, one in every.items()
            if place not in found and not one.scoped and one.calls & found
        }
        if not more:
            return frozenset(found)
        found |= more


def test_there_are_readers_to_watch():
    names = {place.rpartition(".")[2] for place in row_readers()}
    assert {"read_incident_columns", "read_decisions"} <= names
    assert len(names) > 20


def test_no_screen_calls_what_reads_incidents_without_a_scope():
    wrong = [
        f"{module.place} imports {place}, which reads incidents and takes no scope"
        for module in modules("dashboard")
        for name, place in imported(module).items()
        if place in row_readers() and name not in ALLOWED
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_facts_of_the_whole_city_are_in_one_module_of_the_dashboard():
    wrong = []
    for module in modules("dashboard", "layers"):
        for node in ast.walk(module.tree):
            named = getattr(node, "id", getattr(node, "attr", None))
            whole = named in WHOLE or (named == "current" and "keeper" in ast.dump(node))
            if whole and module.name != CHOKE:
                wrong.append(f"{module.place}:{node.lineno} {named}")  # type: ignore[attr-defined]
    assert not wrong, "\n".join(sorted(wrong))


def test_every_use_of_facts_in_the_dashboard_says_for_whom():
    """`pictures.facts()` and `pictures.newest()` take the scope as their first argument."""
    wrong = [
        f"{module.place}:{call.lineno}"
        for module in modules("dashboard")
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"facts", "newest"}
        and not call.args
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_pictures_and_parts_never_open_the_store():
    wrong = [
        f"{module.place}:{node.lineno}"
        for module in modules("dashboard", "layers")
        if module.name.startswith(("dashboard.parts", "layers"))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"database", "transaction", "_answers"}
    ]
    assert not wrong, "\n".join(sorted(wrong))
