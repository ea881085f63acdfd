# `make help` lists the tasks. Each makes the environment in .venv first, once.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := $(VENV)/.peers

# What `make fit` fits, and how; for example  make fit DATA=open-models FIT="--axis flops --axis params"
DATA ?= gpt3
FIT ?= --where setting=few-shot --axis flops --axis params --axis perplexity
# More for pytest, for example  make test ARGS="-k axis -x"
ARGS ?=

# Interpreters to try, first the one .python-version names. Name another with  make PYTHON=/path/to/python
# The last two find those that uv or pyenv has but hides, as pyenv does where .python-version names one it lacks.
PINNED := $(shell cat .python-version 2>/dev/null)
PYTHONS = $(or $(PYTHON),python$(PINNED) python3.14 python3.13 python3.12 python3 python \
  $$(uv python find '>=3.12' 2>/dev/null) $${PYENV_ROOT:-$(HOME)/.pyenv}/versions/*/bin/python3)

# Prints the path of the interpreter that really runs; fails where that one is too old. A version manager
# may answer to a name with an error or with another version, so the name alone says nothing.
WHICH := import sys; print(sys.executable); sys.exit(sys.version_info < (3, 12))

# No tool may fetch an interpreter behind the user's back.
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help env fit test test-long test-all test-lowest test-newest mutants hostile lint types format docs build bench bench-full clean

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

env: $(STAMP) ## make the environment in .venv (by uv where it is installed, else by venv and pip)

fit: $(STAMP) ## fit the bundled GPT-3 results on three axes and write a report
	@mkdir -p results
	@echo "fitting $(DATA)"
	@$(BIN)/upturn fit $(DATA) $(FIT) --quiet -o results/$(DATA).nc || test $$? -eq 1
	@echo "every number:  $(BIN)/upturn summary results/$(DATA).nc"
	@$(BIN)/upturn report results/$(DATA).nc -o results/$(DATA).html || test $$? -eq 1

# A test that takes long, or that simulates many tables, has the marker `slow`: docs/experiments/tests.md
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist worksteal

test: $(STAMP) ## run the tests that every change must pass, in five minutes or less on two cores
	@$(PYTEST) -m "not slow" $(ARGS)

test-long: $(STAMP) browser ## run the others: calibration, NUTS, clusters, the browser, every example
	@$(PYTEST) -m slow $(ARGS)

test-all: test test-long ## run all tests

# The report is tested in a real browser; those tests are skipped where there is none and none can be had.
.PHONY: browser
browser:
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null 2>&1 || \
	{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  { apt-get update -qq; apt-get install -y -qq --no-install-recommends chromium; }; } \
	  >/dev/null 2>&1 </dev/null || true

# The lowest versions that pyproject.toml admits, and the newest, each in an environment of its own;
# the lowest with the oldest Python that there is. For a core of the tests:
#   make test-lowest ARGS="tests/formulas tests/tables tests/posterior tests/show"
test-lowest: $(STAMP) ## run the tests with the lowest versions of all dependencies
	@$(BIN)/uv venv --quiet --clear --python \
	  "$$($(BIN)/uv python find 3.12 2>/dev/null || echo $(BIN)/python)" $(VENV)-lowest
	@$(BIN)/uv pip compile --quiet --resolution lowest-direct --extra dev --no-header \
	  --python $(VENV)-lowest/bin/python -o $(VENV)-lowest/lowest.txt pyproject.toml >/dev/null
	@$(call TRY,lowest,-r $(VENV)-lowest/lowest.txt)

test-newest: $(STAMP) ## run the tests with the newest versions of all dependencies
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-newest
	@$(call TRY,newest,--upgrade -e '.[dev]')

TRY = $(BIN)/uv pip install --quiet --python $(VENV)-$(1)/bin/python $(2) && \
  $(BIN)/uv pip install --quiet --python $(VENV)-$(1)/bin/python --no-deps -e . && \
  OMP_NUM_THREADS=1 $(VENV)-$(1)/bin/python -m pytest -q -n auto --dist worksteal -m "not slow" $(ARGS)

mutants: $(STAMP) ## change a number or operator at a time, and count the changes that tests notice
	@$(BIN)/python -c "import cosmic_ray" 2>/dev/null || $(BIN)/uv pip install --quiet \
	  --python $(BIN)/python -e '.[mutants]'
	PYTHONPATH=src:. $(BIN)/python -m tests.mutation $(ARGS)

hostile: $(STAMP) ## run ten thousand hostile inputs and count the faults (about 20 minutes)
	$(BIN)/python -m tests.hostile --inputs 10000 $(ARGS)

lint: $(STAMP) ## check style, format and the order in which rooms import each other
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=src:. $(BIN)/lint-imports --no-cache

format: $(STAMP) ## repair style and format where a tool can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## check types
	$(BIN)/mypy

docs: $(STAMP) ## build the documentation site into docs/_build; a warning is an error
	@$(BIN)/python -c "import furo, myst_parser, numpydoc, sphinx" 2>/dev/null || \
	  if uv --version >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python -e '.[docs]'; \
	  else $(BIN)/python -m pip install --quiet -e '.[docs]'; fi
	$(BIN)/python docs/pictures.py
	$(BIN)/python -m sphinx -W --keep-going -q -d docs/_build/doctrees docs docs/_build/html
	@echo "open docs/_build/html/index.html"

build: $(STAMP) ## build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation --sdist --wheel --outdir dist .

bench: $(PEERS) ## run the benchmarks of samplers with few seeds and few curves, in ten minutes or so
	$(BIN)/python -m benchmarks

bench-full: $(PEERS) ## run the benchmarks of samplers in full, in an hour and a quarter
	$(BIN)/python -m benchmarks --full

clean: ## remove what was built and computed; the environment stays
	rm -rf build dist results docs/_build docs/generated .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(STAMP): pyproject.toml
	@set -eu; \
	if ! $(BIN)/python -c '$(WHICH)' >/dev/null 2>&1; then \
	  found=; \
	  for name in $(PYTHONS); do \
	    if real=$$($$name -c '$(WHICH)' 2>/dev/null); then found=$$real; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    seen=$$($(or $(PYTHON),python3) -V 2>/dev/null) || seen='no $(or $(PYTHON),python3)'; \
	    echo "upturn needs Python 3.12 or newer, but found $$seen: install Python 3.13, or name one with make PYTHON=/path/to/python3.13" >&2; \
	    exit 1; \
	  fi; \
	  rm -rf $(VENV); \
	  if uv --version >/dev/null 2>&1; then uv venv --quiet --python "$$found" $(VENV); \
	  else "$$found" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; fi; \
	fi; \
	echo "installing upturn and what its development needs into $(VENV), which takes a minute or two"; \
	if uv --version >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python --compile-bytecode -e '.[dev]'; \
	else \
	  $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip; \
	  $(BIN)/python -m pip install --quiet -e '.[dev]'; \
	fi; \
	touch $@

# The other samplers. What cannot be had is a row of the benchmarks that says so, and is tried again next time.
$(PEERS): $(STAMP)
	@echo "installing the samplers to compare with into $(VENV)"; \
	if uv --version >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python -e '.[bench]'; \
	else $(BIN)/python -m pip install --quiet -e '.[bench]'; fi && touch $@ || \
	echo "not all of them could be installed: those that are missing will be named" >&2
