# Each target does its own set-up: Python 3.11 or newer and make are all it takes.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
BENCH ?= overhead
# More would wait for each other: many tests start processes of their own.
SIDE_BY_SIDE := --numprocesses=logical --maxprocesses=4 --dist=worksteal

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: setup demo test check format bench simulate

setup: $(READY) ## everything that Muster needs; leaves .venv/bin/muster

demo: setup ## one request on five devices, two of which are killed on the way
	@$(BIN)/muster demo

test: setup ## the tests; those that need a broker are skipped where there is none
	@$(BIN)/pytest $(SIDE_BY_SIDE)

check: setup ## what CI runs; the coverage of protocol/ needs mosquitto
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/loq check
	$(BIN)/pytest $(SIDE_BY_SIDE) --cov --cov-report=
	$(BIN)/coverage report --fail-under=90
	$(BIN)/coverage report --fail-under=100 --include='orchestrator/core/*,protocol/*'

format: setup ## mend what can be mended by machine
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: setup ## one benchmark: make bench BENCH=overhead
	@$(BIN)/muster bench $(BENCH)

simulate: setup ## 10,000 whole systems in bad worlds, on a virtual clock
	@$(BIN)/muster simulate --worlds 10000

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Muster needs Python 3.11 or newer: install one," \
		"or name it: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/system-package $(notdir $(PYTHON))-venv
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing Muster and its libraries into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt pip
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt \
		--build-constraint constraints.txt --group dev --editable .
	@PATH="$$PATH:/usr/local/sbin:/usr/sbin:/opt/homebrew/sbin" command -v mosquitto >/dev/null \
		|| .ci/system-package mosquitto || true
	@touch $@
