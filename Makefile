# Everything happens in .venv/ at the root. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
LAB_FLAGS ?=
DECISION ?= approve
PYTEST_ARGS ?= -n auto
RUNS ?= 1000
BIN := .venv/bin
# Hundreds of processes import the same packages: compiled once, not in each (containers set this).
export PYTHONDONTWRITEBYTECODE :=
# Jupyter refuses to run as root (containers, CI) unless told.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# One installer, uv when it is there, else venv + pip. $(1) names the lock and the extra.
define install
	@if command -v uv >/dev/null; then \
	  echo "Installing with uv ($(1)) …"; \
	  { test -x $(BIN)/python || uv venv -q --python '>=3.11' .venv; } && \
	  uv pip install -q --python $(BIN)/python --require-hashes -r .locks/$(1).txt && \
	  uv pip install -q --python $(BIN)/python --no-deps -e .; \
	else \
	  echo "Installing with pip ($(1)); the first time takes a minute or two …"; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bAInk Lab needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")' && \
	  { $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv; } && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .locks/$(1).txt && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .; \
	fi
	@touch $@
endef

.venv/.lab: pyproject.toml .locks/lab.txt
	$(call install,lab)

.venv/.dev: pyproject.toml .locks/dev.txt
	$(call install,dev)
	@touch .venv/.lab

.PHONY: help lab demo test check bench interop live mutants campaign lock fresh clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

lab: .venv/.lab ## open the workshop in JupyterLab (LAB_FLAGS=--no-browser only serves)
	$(BIN)/python -m jupyterlab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(AS_ROOT) $(LAB_FLAGS)

demo: .venv/.lab ## one transfer from question to money moved (DECISION=approve|deny|ignore)
	$(BIN)/baink-lab demo --decision $(DECISION)

test: .venv/.dev ## every test: unit, end to end, notebooks, browser
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: .venv/.dev ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify notebooks/*.ipynb

bench: .venv/.dev ## each budget beside what this machine measures
	$(BIN)/python -m bench

interop: .venv/.dev ## the sandbox under SDKs that nobody here wrote
	$(BIN)/python -m pytest tests/interop $(PYTEST_ARGS)

live: .venv/.dev ## the contract's tests against a real tenant (README, Live mode); one push, nobody has to answer it
	$(BIN)/python -m pytest -m live tests/contract

mutants: .venv/.dev ## break each invariant once, and see a test go red
	$(BIN)/python -m bench.mutations

campaign: .venv/.dev ## kill -9 a thousand approvals, each at a random step (RUNS=1000)
	$(BIN)/python -m bench.campaign $(RUNS)

lock: ## resolve the locks anew (needs uv)
	for set in lab dev; do uv pip compile -q --universal --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --upgrade --python-version 3.11 --extra $$set pyproject.toml -o .locks/$$set.txt; done

fresh: ## run the tests on the newest versions that pyproject.toml allows, in .venv-fresh
	$(PYTHON) -m venv --clear .venv-fresh && .venv-fresh/bin/python -m pip install -q -e '.[dev]'
	.venv-fresh/bin/python -m pytest $(PYTEST_ARGS)

clean: ## remove what make made (not what learners did: that is `baink-lab reset`)
	rm -rf .venv .venv-fresh .pytest_cache .mypy_cache .ruff_cache .hypothesis artifacts
