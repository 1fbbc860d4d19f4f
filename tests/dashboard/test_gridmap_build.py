"""What is built runs in the oldest browser we serve, and the paper says what the code draws."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboard.gridmap import BUILT

HOME = BUILT.parent
NODE = shutil.which("node")
CHECK = """
import {{ checkFloor }} from {floor};
import {{ readFileSync }} from "node:fs";
console.log(JSON.stringify(checkFloor(readFileSync(0, "utf8"))));
"""

needs_node = pytest.mark.skipif(
    not NODE or not (HOME.parents[1] / "node_modules" / "acorn").is_dir(),
    reason="no Node.js or its parts here: make setup",
)


def find_faults(script: str) -> list[str]:
    assert NODE
    code = CHECK.format(floor=json.dumps(str(HOME / "floor.mjs")))
    command = [NODE, "--input-type=module", "-e", code]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


@needs_node
@pytest.mark.parametrize(
    "script",
    [
        "class A { static { this.x = 1; } }",
        "class A { #x; static has(o) { return #x in o; } }",
        "const re = /a/d;",
        "[1].toSorted();",
        "structuredClone({});",
        "Promise.withResolvers();",
    ],
)
def test_what_chromium_86_cannot_read_fails_the_build(script):
    assert len(find_faults(script)) == 1


@needs_node
def test_what_chromium_86_reads_or_we_fill_in_passes():
    assert (
        find_faults("const x = a?.b ?? [1].at(-1); class A { #y = 1; z = Object.hasOwn(x, 1); }")
        == []
    )


@needs_node
@pytest.mark.skipif(not BUILT.is_dir(), reason="the map is not built: make setup")
@pytest.mark.parametrize("name", ["gridmap.js", "gridmap-worker.js", "guard.js"])
def test_what_is_built_stays_readable_for_it(name):
    assert find_faults((BUILT / name).read_text("utf-8")) == []


@pytest.mark.skipif(not BUILT.is_dir(), reason="the map is not built: make setup")
def test_the_guard_is_plain_old_javascript():
    guard = (BUILT / "guard.js").read_text("utf-8")
    assert not re.search(r"=>|`|\b(let|const|class|async)\b", re.sub(r"//.*|\"[^\"]*\"", "", guard))


def test_every_kind_of_layer_is_described():
    code = (HOME / "src" / "draw" / "index.js").read_text("utf-8")
    listed = re.search(r"export const KINDS = \{([^}]*)\}", code)
    assert listed
    kinds = set(re.findall(r"\w+", listed[1]))
    paper = Path(HOME / "DESCRIPTORS.md").read_text("utf-8")
    assert set(re.findall(r"^## (\w+)$", paper, re.MULTILINE)) == kinds
