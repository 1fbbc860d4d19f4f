# Getu: set up, run, test. Needs Python 3.11 or later with venv, git and make.
# PYTHON=... names the Python to use; CITY=... the folder of the demo city; PYTEST_FLAGS=... goes to
# pytest, SERVE_FLAGS=... to the server (such as --port 8060).

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	"$$name" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo "$$name" && break; \
	done)
PYTHON := $(or $(PYTHON),python3)
RUN_PYTHON := .venv/bin/python
NO_PYTHON = { echo "没有找到 Python（$(PYTHON)）。请先安装 Python 3.11 及其 venv 模块。"; \
	echo "No Python found ($(PYTHON)). Install Python 3.11 with its venv module first."; exit 1; }
SETUP = command -v "$(PYTHON)" >/dev/null || $(NO_PYTHON); $(PYTHON) scripts/setup.py
ifeq ($(CONDA_DEFAULT_ENV),getu) # the environment of environment.yml stands for .venv
RUN_PYTHON := python
SETUP = python scripts/setup.py --here
endif
CITY ?= city
PYTEST_FLAGS ?=
# Tests run in so many processes, a file in one; each has its own cities and its own browser.
WORKERS ?= 2
SERVE_FLAGS ?=

.PHONY: help setup run test test-long coverage docs lint lock clean

help:
	@echo "make run        set up, make the demo city if there is none, serve it on http://127.0.0.1:8050"
	@echo "make setup      set up only"
	@echo "make test       set up, run the tests        make test-long   the long ones too"
	@echo "make lint       style and types              make coverage    tests with branch coverage"
	@echo "make docs       write docs/settings.md anew"
	@echo "make lock       pin the packages anew        make clean       remove what set-up made, never a city"

setup:
	@$(SETUP)

# The city is made aside and moved in whole: a stopped first run never leaves half a city behind.
run: setup
	@if [ ! -e "$(CITY)" ]; then \
		rm -rf .setup/city && $(RUN_PYTHON) app.py demo jiangdu --city .setup/city && mv .setup/city "$(CITY)"; \
	fi
	@$(RUN_PYTHON) app.py serve --city "$(CITY)" $(SERVE_FLAGS)

test:
	@$(SETUP) --tests
	@$(RUN_PYTHON) -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_FLAGS)

test-long:
	@$(SETUP) --tests
	@$(RUN_PYTHON) -m pytest --long $(PYTEST_FLAGS)  # measured one after another

docs:
	@$(SETUP)
	@$(RUN_PYTHON) scripts/settings_page.py

coverage:
	@$(SETUP) --tests
	@$(RUN_PYTHON) -m pytest --cov --cov-report=term-missing:skip-covered

lint:
	@$(SETUP) --tests
	@$(RUN_PYTHON) -m ruff check
	@$(RUN_PYTHON) -m ruff format --check
	@$(RUN_PYTHON) -m mypy

# Pins stay unless LOCK_FLAGS=--upgrade is given. The other locks follow the first one.
LOCK_FLAGS ?=
COMPILE = .setup/lock-tool/bin/uv pip compile --no-config --quiet --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock" $(LOCK_FLAGS)
lock:
	@$(PYTHON) -m venv .setup/lock-tool && .setup/lock-tool/bin/python -m pip install --quiet uv==0.13.9
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra test --constraints requirements.lock --output-file requirements-test.lock
	$(COMPILE) --group node --output-file requirements-node.lock
	$(COMPILE) pyproject.toml --group bench --group engine --constraints requirements.lock --output-file requirements-bench.lock
	npm install --package-lock-only --ignore-scripts

clean:
	rm -rf .venv .setup node_modules dashboard/gridmap/built dashboard/assets/fonts
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find app.py bench commands dashboard geodata layers scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
