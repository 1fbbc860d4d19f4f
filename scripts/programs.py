"""Run other programs for the set-up: their output to a log, their failure in words."""

from __future__ import annotations

import locale
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from geodata.errors import Fault, GetuError
from geodata.words import Lang, parse_lang, say

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".setup"
LOG_TAIL_LINES = 12
DETAIL_WIDTH = 50

# What pip or npm print, and which fault it is; the first that is found counts.
SYMPTOMS = {
    "No space left on device": "setup_disk_full",
    "ENOSPC": "setup_disk_full",
    "DO NOT MATCH THE HASHES": "setup_wrong_hash",
    "EINTEGRITY": "setup_wrong_hash",
    "NewConnectionError": "setup_no_network",
    "NameResolutionError": "setup_no_network",
    "ConnectTimeout": "setup_no_network",
    "ReadTimeout": "setup_no_network",
    "ProxyError": "setup_no_network",
    "SSLError": "setup_no_network",
    "ENOTFOUND": "setup_no_network",
    "ECONNREFUSED": "setup_no_network",
    "ETIMEDOUT": "setup_no_network",
    "EAI_AGAIN": "setup_no_network",
    "No matching distribution": "setup_no_wheel",
    "ensurepip is not available": "setup_no_venv",
    "No module named venv": "setup_no_venv",
    "No module named ensurepip": "setup_no_venv",
}


def choose_lang() -> Lang:
    """Return the language of the terminal: Chinese where the locale says so, else English."""
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    name = next(filter(None, names), None) or locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith("chinese") else parse_lang(name, "en")


LANG = choose_lang()


class Progress:
    """One line a step: its title, on a terminal what it is doing, and at the end its seconds."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.start = time.monotonic()
        self.live = sys.stdout.isatty()
        self._write(title + " ")

    def show(self, detail: str) -> None:
        """Say what is being done now; only on a terminal."""
        if self.live:
            self._write(f"\r\033[K{self.title} {detail[:DETAIL_WIDTH]}")

    def end(self, note: str) -> None:
        """Say how long the step took."""
        seconds = say("setup.seconds", LANG, seconds=round(time.monotonic() - self.start, 1))
        lead = f"\r\033[K{self.title} " if self.live else ""
        self._write(f"{lead}{seconds}{', ' if note else ''}{note}\n")

    def break_off(self) -> None:
        """Leave the line as it is, so that what went wrong starts on its own."""
        self._write("\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def run_program(
    command: list[str | Path], *, step: str, watch: Callable[[str], None] | None = None
) -> str:
    """
    Run a program, keep what it prints in .setup/<step>.log, and return its last line.

    `watch` is called with each line. Raises GetuError with the cause and the log's last lines.
    """
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    environment["DEBIAN_FRONTEND"] = "noninteractive"
    lines: list[str] = []
    log = STATE / f"{step}.log"
    program = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    with log.open("w", encoding="utf-8") as file, program:
        assert program.stdout
        for line in program.stdout:
            file.write(line)
            lines.append(line.rstrip())
            if watch:
                watch(lines[-1].strip())
    if program.returncode:
        raise explain_failure("\n".join(lines), step=step)
    return next((line for line in reversed(lines) if line), "")


def explain_failure(text: str, *, step: str) -> GetuError:
    """Return the error that a failed program's output points to, its last lines included."""
    key = next((key for symptom, key in SYMPTOMS.items() if symptom in text), "setup_step_failed")
    lines = [line for line in text.splitlines() if not line.startswith("Ignoring ")]
    tail = "\n".join("    " + line for line in lines[-LOG_TAIL_LINES:])
    log = (STATE / f"{step}.log").relative_to(ROOT)
    values = {"step": say(f"setup.step_{step}", LANG), "log": log, "tail": tail}
    return GetuError(Fault(key=key, values=values))
