"""Real `app.py` processes, born quickly: one process imports the program and forks for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NURSE = Path(__file__).with_name("nurse.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process said and how it ended; the code is negative when a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def plain(self) -> Any:
        """Return the one JSON object on stdout; anything beside it is an error."""
        assert self.out.count("\n") == 1, self.out
        assert self.out.endswith("\n"), self.out
        found = json.loads(self.out)
        assert isinstance(found, dict), found
        return found

    @property
    def said(self) -> str:
        """Return everything a person sees."""
        return self.out + self.err


class Nursery:
    """
    Starts `app.py` with arguments in processes of their own, one after the other.

    Each has its own file descriptors, exit code and end, as if a shell had started it; what it
    saves is the second that importing takes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(NURSE)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )

    def run(
        self,
        *argv: object,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
        call: str = "",
    ) -> Run:
        """Run `app.py`, or with `call` a function of the tests, and wait for its end."""
        self.start(*argv, cwd=cwd, env=env, user=user, call=call)
        return self.wait()

    def start(
        self,
        *argv: object,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
        call: str = "",
    ) -> int:
        """Start `app.py`, or `call` (module:name), and return its number; `wait` must follow."""
        order = {
            "argv": [str(item) for item in argv],
            "cwd": str(cwd or self._folder),
            "out": str(self._folder / "stdout"),
            "err": str(self._folder / "stderr"),
            "env": dict(env or {}),
            "user": user,
            "call": call,
        }
        return int(self._ask(order)["pid"])

    def wait(self) -> Run:
        """Return what the process that was started said, once it has ended."""
        code = int(self._ask({"wait": True})["code"])
        out, err = (
            (self._folder / name).read_bytes().decode("utf-8") for name in ("stdout", "stderr")
        )
        return Run(code=code, out=out, err=err)

    def close(self) -> None:
        """End the nursery."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery died"
        return dict(json.loads(answer))


def run_plainly(argv: Sequence[object], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `app.py` as a shell would, from nothing."""
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py"), *(str(item) for item in argv)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        **options,
    )
