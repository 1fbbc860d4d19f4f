from __future__ import annotations

import re
import tomllib

import pytest

from tests.house.tree import ROOT, files

LARGEST_KB = 600
TEXTS = [path for path in files() if path.suffix not in {".png", ".woff2", ".zip", ".gpkg", ".ico"}]
# Every office has its own mirror: no file names a package registry.
# In halves, so that this file does not name what it looks for.
_HOSTS = [
    ("py", "pi"),
    ("python", "hosted"),
    ("npm", "js"),
    ("deb.", "debian"),
    ("conda.", "anaconda"),
]
REGISTRY = re.compile(rf"(?:{'|'.join(re.escape(a + b) for a, b in _HOSTS)})\.(?:org|com)")
# No file knows the machine it was written on.
MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(?:work|root|home|opt|Users)/\w")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")  # not said here itself
HEADINGS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (REGISTRY, "names a package registry"),
        (MACHINE_PATH, "names a folder of one machine"),
        (UNFINISHED, "says it is unfinished: file an issue instead"),
        (re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE), "holds a merge conflict"),
    ],
    ids=["registry", "machine", "unfinished", "conflict"],
)
def test_no_file_holds(rule, why):
    found = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1} {why}"
        for path in TEXTS
        if path.name != "test_files.py"
        for text in [path.read_text("utf-8", errors="replace")]
        for match in [rule.search(text)]
        if match
    ]
    assert not found, "\n".join(found)


def test_no_large_file_is_kept():
    large = {
        str(path.relative_to(ROOT)): path.stat().st_size // 1000
        for path in files()
        if path.stat().st_size > LARGEST_KB * 1000
    }
    assert not large


def test_no_third_party_code_or_font_is_kept():
    """They come with set-up, by lock file; the repository holds our own work only."""
    kept = [path for path in files() if path.suffix in {".woff", ".woff2", ".otf", ".ttf", ".whl"}]
    minified = [path for path in files() if re.search(r"\.min\.(js|css)$", path.name)]
    assert not kept + minified


def test_text_is_utf8_with_unix_line_ends():
    own = (".py", ".toml", ".md", ".js", ".mjs", ".css", ".json", ".yml", ".lock")
    odd = []
    for path in TEXTS:
        data = path.read_bytes()
        if path.suffix in own and "data" not in path.parts:
            data.decode("utf-8")
            odd += [str(path)] if b"\r" in data or (data and not data.endswith(b"\n")) else []
    assert not odd


def test_the_licence_is_apache_2():
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_keeps_its_form():
    """Keep a Changelog: versions with dates, newest first, known headings, today's version."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", text, re.MULTILINE)
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == len(versions)
    assert versions[0][0] == "Unreleased"
    assert all(date for name, date in versions[1:])
    dates = [date for _, date in versions[1:]]
    assert dates == sorted(dates, reverse=True)
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= HEADINGS


def test_the_doors_a_newcomer_looks_for_are_there():
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "Makefile"):
        assert (ROOT / name).stat().st_size > 0, name
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111, ".ci/run is not executable"


def test_every_link_between_our_pages_leads_somewhere():
    dead = []
    for path in files():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                dead.append(f"{path.relative_to(ROOT)}: {target}")
    assert not dead, "\n".join(dead)


def test_the_version_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    package = re.search(r'"version": "(.+?)"', (ROOT / "package.json").read_text("utf-8"))
    assert package
    assert package[1] == project
