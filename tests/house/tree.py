"""The source tree as the house tests see it: files, modules, their syntax."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("geodata", "layers", "dashboard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    path: Path
    name: str  # dotted, without .__init__
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        """The file's name in the tree, as a person would look for it."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        room = self.name.split(".")[0]
        return "app" if room == "commands" else room  # the door and what stands behind it

    def imports(self) -> Iterator[str]:
        """Every module this one imports, absolute and dotted; `from a import b` gives a and a.b."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]
        parts = package.split(".")[: len(package.split(".")) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])


def parse(path: Path) -> Module:
    text = path.read_text("utf-8")
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(part for part in parts if part != "__init__")
    return Module(path=path, name=name, text=text, tree=ast.parse(text, str(path)))


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every Python module of the folders, and app.py with its commands where "app" is named."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    if "app" in folders and (ROOT / "app.py").exists():
        paths += [ROOT / "app.py", *sorted((ROOT / "commands").rglob("*.py"))]
    return tuple(map(parse, paths))


@cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked, or would be at the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in sorted(set(listing.split("\0"))) if name)
    return tuple(path for path in paths if path.is_file())
