# Everything here sets itself up: a fresh machine needs Python 3.11 or newer and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

# Tests run on all cores already: linear algebra on several threads each would only wait for one another.
export OPENBLAS_NUM_THREADS := 1

.PHONY: run test test-all bench readme accuracy lint clean
.DEFAULT_GOAL := run

run: $(VENV)/.run-ready  ## plan examples/shop.toml and print the plan
	@$(BIN)/capacity plan examples/shop.toml

test: lint  ## ruff, mypy, import contracts, pytest
	$(BIN)/python -m pytest -n auto

test-all: lint  ## the slow suites as well, and fresh examples for every property
	$(BIN)/python -m pytest -n auto -m "slow or not slow" --hypothesis-profile=fresh

lint: $(VENV)/.test-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

readme: $(VENV)/.test-ready  ## run the README's blocks again and write down what comes out
	$(BIN)/python docs/readme.py

accuracy: $(VENV)/.test-ready  ## measure every law against its bar again, the long runs too, and write docs/accuracy.md
	$(BIN)/python -m tests.accuracy --slow

bench: $(VENV)/.test-ready  ## one evaluation, one plan, a cold start; compared within one run
	$(BIN)/python bench/bench.py
	$(BIN)/python bench/keystrokes.py

clean:
	rm -rf $(VENV)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "capacity needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.test-ready: $(VENV)/.run-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
