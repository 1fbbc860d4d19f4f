from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from geodata.errors import GetuError
from geodata.words import LANGS, has_words, load_words
from tests.house.tree import ROOT


@pytest.fixture
def programs(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import_module("steps")  # it keeps the true root
    module = import_module("programs")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "STATE", tmp_path)
    return module


@pytest.fixture
def steps(programs, monkeypatch, tmp_path):
    module = import_module("steps")
    monkeypatch.setattr(module, "STATE", tmp_path)
    monkeypatch.setattr(module, "DONE", tmp_path / "done.json")
    return module


def count_runs(steps, monkeypatch, **marks: str) -> list[str]:
    """Stand three steps in for the real ones; the list fills as they run."""
    ran: list[str] = []

    def step(name):
        return steps.Step(name=name, run=lambda _: ran.append(name) or "", mark=lambda: marks[name])

    monkeypatch.setattr(steps, "list_steps", lambda **_: [step(name) for name in marks])
    return ran


def test_what_is_done_is_not_done_again(steps, monkeypatch, capsys):
    ran = count_runs(steps, monkeypatch, packages="1", map="2", fonts="3")
    steps.set_up(tests=False, here=False)
    steps.set_up(tests=False, here=False)
    assert ran == ["packages", "map", "fonts"]
    assert len(capsys.readouterr().out.splitlines()) == 4  # three steps and the sum, once


def test_only_what_changed_is_done_again(steps, monkeypatch):
    count_runs(steps, monkeypatch, packages="1", map="2", fonts="3")
    steps.set_up(tests=False, here=False)
    ran = count_runs(steps, monkeypatch, packages="1", map="new", fonts="3")
    steps.set_up(tests=False, here=False)
    assert ran == ["map"]


def test_a_product_that_was_removed_is_made_again(steps, tmp_path):
    product = tmp_path / "built"
    step = steps.Step(name="map", run=lambda _: "", mark=lambda: "1", product=product)
    assert not step.is_done({"map": "1"})
    product.mkdir()
    assert step.is_done({"map": "1"})


def test_a_step_that_fails_is_not_remembered_and_those_before_it_are(steps, programs, monkeypatch):
    def fail(_):
        raise programs.explain_failure("npm error ENOTFOUND", step="map_parts")

    monkeypatch.setattr(
        steps,
        "list_steps",
        lambda **_: [
            steps.Step(name="packages", run=lambda _: "", mark=lambda: "1"),
            steps.Step(name="map_parts", run=fail, mark=lambda: "1"),
        ],
    )
    with pytest.raises(GetuError):
        steps.set_up(tests=False, here=False)
    assert json.loads(steps.DONE.read_text("utf-8")) == {"packages": "1"}


def test_a_step_one_can_do_without_stops_nothing_and_is_tried_again(
    steps, programs, monkeypatch, capsys
):
    def fail(_):
        raise programs.explain_failure("", step="kernels")

    kernels = steps.Step(name="kernels", run=fail, mark=lambda: "1", needed=False)
    later = steps.Step(name="fonts", run=lambda _: "", mark=lambda: "1")
    monkeypatch.setattr(steps, "ROOT", steps.STATE)
    monkeypatch.setattr(steps, "list_steps", lambda **_: [kernels, later])
    steps.set_up(tests=False, here=False)
    assert json.loads(steps.DONE.read_text("utf-8")) == {"fonts": "1"}
    assert "kernels.log" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("printed", "key"),
    [
        ("OSError: [Errno 28] No space left on device", "setup_disk_full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE FILE", "setup_wrong_hash"),
        ("npm error code EINTEGRITY", "setup_wrong_hash"),
        ("Retrying after NewConnectionError\nNo matching distribution", "setup_no_network"),
        ("npm error code ENOTFOUND", "setup_no_network"),
        ("ERROR: No matching distribution found for numpy==2.4.6", "setup_no_wheel"),
        ("The virtual environment was not created: ensurepip is not available", "setup_no_venv"),
        ("Segmentation fault", "setup_step_failed"),
    ],
)
def test_a_failure_is_explained_by_its_cause(programs, printed, key):
    (fault,) = programs.explain_failure(printed, step="packages").faults
    assert fault.key == key
    for lang in LANGS:
        assert fault.cause(lang)
        assert fault.remedy(lang)


def test_a_failed_program_leaves_its_whole_output_in_the_log(programs, tmp_path):
    command = [sys.executable, "-c", "print('first'); print('last'); raise SystemExit(3)"]
    with pytest.raises(GetuError) as caught:
        programs.run_program(command, step="map")
    assert (tmp_path / "map.log").read_text("utf-8") == "first\nlast\n"
    assert "last" in caught.value.sentence("en")


def test_a_program_that_works_gives_its_last_line(programs):
    command = [sys.executable, "-c", "print('a'); print('b'); print()"]
    assert programs.run_program(command, step="fonts") == "b"


def test_every_step_has_words(steps):
    for tests in (False, True):
        for here in (False, True):
            for step in steps.list_steps(tests=tests, here=here):
                assert has_words(f"setup.step_{step.name}"), step.name
    assert {key for key in load_words("zh") if key.startswith("setup.step_")}


def test_packages_are_installed_from_known_hashes_only(steps, monkeypatch):
    commands = []
    monkeypatch.setattr(steps, "run_program", lambda command, **_: commands.append(command))
    steps.install("requirements.lock", None, step="packages", python=Path(sys.executable))
    (command,) = commands
    assert "--require-hashes" in command
    assert command[command.index("--only-binary") + 1] == ":all:"


def test_an_older_python_is_told_which_one_is_needed():
    """The door must be readable to Pythons that cannot read the rest."""
    source = (ROOT / "scripts" / "setup.py").read_text("utf-8")
    told = "import sys; sys.version_info = (3, 8, 10); sys.argv = ['setup.py']\n"
    answer = subprocess.run(
        [sys.executable, "-c", told + f"exec({source!r})"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert answer.returncode == 1
    assert "Python 3.11" in answer.stderr
    assert "3.8" in answer.stderr
    assert "Traceback" not in answer.stderr
    compile(source, "setup.py", "exec", dont_inherit=True)


def test_make_offers_what_the_readme_and_ci_ask_for():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in ("setup", "run", "test", "test-long", "lint", "clean", "lock", "docs"):
        assert f"\n{target}:" in makefile, target
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_clean_never_touches_a_city():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    rules = makefile.split("\nclean:")[1]
    assert "city" not in rules.replace("never a city", "")
    assert "CITY" not in rules
