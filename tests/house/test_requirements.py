from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import distributions, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT

LOCKS = (
    "requirements.lock",
    "requirements-test.lock",
    "requirements-node.lock",
    "requirements-bench.lock",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NEEDS = PROJECT["project"]["dependencies"]
TEST_NEEDS = PROJECT["project"]["optional-dependencies"]["test"]
NODE_NEEDS = PROJECT["dependency-groups"]["node"]
BENCH_NEEDS = [*PROJECT["dependency-groups"]["bench"], *PROJECT["dependency-groups"]["engine"]]


def read_lock(name: str) -> dict[str, list[tuple[Requirement, int]]]:
    """Each package's pins (one a marker) with the number of its hashes."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    pins: dict[str, list[tuple[Requirement, int]]] = {}
    for line in text.splitlines():
        if line and not line.startswith(("#", " ")):
            pin = Requirement(line.split(" --hash")[0].strip())
            hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line))
            pins.setdefault(canonicalize_name(pin.name), []).append((pin, hashes))
    return pins


def pinned(pin: Requirement) -> str:
    (only,) = pin.specifier
    assert only.operator == "==", pin
    return only.version


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_package_by_version_and_hash(name):
    for pins in read_lock(name).values():
        assert all(pinned(pin) and hashes for pin, hashes in pins), pins


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("requirements.lock", NEEDS),
        ("requirements-test.lock", NEEDS + TEST_NEEDS),
        ("requirements-node.lock", NODE_NEEDS),
        ("requirements-bench.lock", NEEDS + BENCH_NEEDS),
    ],
    ids=LOCKS,
)
def test_a_lock_holds_all_that_the_project_asks_for(name, needs):
    lock = read_lock(name)
    for need in map(Requirement, needs):
        pins = lock.get(canonicalize_name(need.name))
        assert pins, f"{need} is not in {name}: run `make lock`"
        assert all(need.specifier.contains(pinned(pin)) for pin, _ in pins), f"{need}: {pins}"


@pytest.mark.parametrize("lock", ["requirements-test.lock", "requirements-bench.lock"])
def test_tests_and_benches_run_on_the_versions_that_users_run(lock):
    users, others = read_lock("requirements.lock"), read_lock(lock)
    for name, pins in users.items():
        assert [str(pin) for pin, _ in others[name]] == [str(pin) for pin, _ in pins]


def test_what_is_installed_is_what_is_locked():
    lock = read_lock("requirements-test.lock")
    here = {canonicalize_name(item.metadata["Name"]) for item in distributions()}
    wrong = [
        f"{name} {version(name)}, locked {pinned(pin)}"
        for name, pins in lock.items()
        for pin, _ in pins
        if (not pin.marker or pin.marker.evaluate())
        and (name not in here or version(name) != pinned(pin))
    ]
    assert not wrong, "run `make setup`: " + "; ".join(wrong)


def test_the_conda_environment_takes_python_and_pip_and_leaves_the_rest_to_the_lock():
    lines = (ROOT / "environment.yml").read_text("utf-8").splitlines()
    items = [line.strip() for line in lines if line.strip().startswith("- ")]
    python = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert items == [
        "- conda-forge",
        f"- python={python}",
        "- pip",
        "- pip:",
        "- --requirement requirements.lock",
    ]


def test_the_map_parts_are_locked_by_hash_without_an_address():
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    parts = {name: part for name, part in packages.items() if name}
    assert all(part["integrity"].startswith("sha512-") for part in parts.values())
    assert not [name for name, part in parts.items() if "resolved" in part]
    asked = json.loads((ROOT / "package.json").read_text("utf-8"))
    for group in ("dependencies", "devDependencies"):
        assert packages[""][group] == asked[group], "run `make lock`"
