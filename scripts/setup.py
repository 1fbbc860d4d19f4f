"""
Make this folder ready to run: packages, front end, fonts, compiled kernels.

Needs Python 3.11 or later with its venv module, and nothing else; Node.js comes from the machine
or from a Python package. Every step that is done is skipped the next time. `--tests` adds what
only the tests need.
"""

import sys
from pathlib import Path

OLDEST = (3, 11)
# Not among the words of geodata/text: an older Python cannot read them.
TOO_OLD = (
    "Getu 需要 Python 3.11 或更新版本，当前是 {0}.{1}。请安装后运行：make PYTHON=python3.11\n"
    "Getu needs Python 3.11 or later; this is {0}.{1}. Install it, then: make PYTHON=python3.11\n"
)


def main():
    """Refuse a Python that is too old in words, then hand over to the steps."""
    if sys.version_info < OLDEST:
        sys.stderr.write(TOO_OLD.format(*sys.version_info))
        return 1
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from steps import run_setup

    return run_setup()


if __name__ == "__main__":
    sys.exit(main())
