"""The nursery's process: imports the program once, then forks a child for each order it reads."""

from __future__ import annotations

import json
import os
import sys

import app


def obey(order: dict, child: int) -> tuple[dict, int]:
    if "wait" in order:
        _, status = os.waitpid(child, 0)
        return {"code": os.waitstatus_to_exitcode(status)}, 0
    child = os.fork()
    if child == 0:
        become(order)
    return {"pid": child}, child


def become(order: dict) -> None:
    """Be `python app.py ARGUMENTS`: own files for output, own end, never back to the nursery."""
    for descriptor, name in ((1, order["out"]), (2, order["err"])):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(file, descriptor)
        os.close(file)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.chdir(order["cwd"])
    os.environ.update(order["env"])
    if order["user"] is not None:
        os.setgid(order["user"])
        os.setuid(order["user"])
    code = 70
    try:
        code = app.main(order["argv"])
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # as the interpreter would: show it, end with 1
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    child = 0
    for line in sys.stdin:
        answer, child = obey(json.loads(line), child)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
