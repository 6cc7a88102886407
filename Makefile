# On a bare machine with Python 3.11, make and git:
#
#   make demo     runs the demo              (make demo FOLDER=path ARGS="--help")
#   make check    runs all checks
#
# Both put what they need into ./.venv*, and do so again when pyproject.toml has changed. `make help` lists the rest.

.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:

# The interpreter of the main environment; found by itself where it is not given.
PYTHON ?=
# What is handed to the command line of the demo, to pytest and to the benchmarks.
FOLDER ?=
ARGS ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
COUNTS_ARGS ?=
# How many processes the tests of one interpreter run in: one for each core, unless it is given.
WORKERS ?= auto

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
TYPED := $(wildcard orchestra_trio tests type_tests benchmarks examples)

# What is tested is what is installed, whatever the shell has set.
unexport PYTHONPATH PYTHONHOME
# pyright asks for no newer version of itself.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help
help:
	@echo "make demo           run the demo (FOLDER=path, ARGS=...)"
	@echo "make check          run all checks, the tests last"
	@echo "make lint           ruff, flake8-async, the changelog's fragments"
	@echo "make format         let ruff format and mend what it can"
	@echo "make types          mypy, pyright, pyright --verifytypes"
	@echo "make imports        import-linter: the rooms of the house"
	@echo "make build-wheel    build the wheel, and use it without extras"
	@echo "make bench-quick    the benchmarks, briefly"
	@echo "make bench          the benchmarks, for figures (BENCH_ARGS=...)"
	@echo "make counts         instructions and calls of fixed runs against the stored figures (COUNTS_ARGS=...)"
	@echo "make docs           the documentation, in build/docs"
	@echo "make wirings        the command check, on the wirings of the demo and the examples"
	@echo "make readme         the programs in README.md, CONTRIBUTING.md and docs/"
	@echo "make test           all tests with branch coverage (PYTEST_ARGS=...)"
	@echo "make test-py312     the tests of the wheel under Python 3.12, where the machine has it"
	@echo "make test-py313     the same under Python 3.13"
	@echo "make test-public    the tests that matter with trio's public interface alone"
	@echo "make dev            only make ./.venv, with all tools"
	@echo "make clean          remove what these commands have made"

.PHONY: demo
demo: $(VENV)/.demo
	@$(BIN)/orchestra-trio demo $(if $(FOLDER),"$(FOLDER)") $(ARGS)

# The documents' programs are part of the tests. The tests of the main interpreter come last, so that their summary and
# the coverage are the last thing to be read.
.PHONY: check
check: lint types imports build-wheel docs wirings bench-quick counts test-py312 test-py313 test-public test

.PHONY: lint
lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	find $(wildcard orchestra_trio examples) -name '*.py' -exec \
	    $(BIN)/flake8-async --enable=ASYNC,ASYNC910,ASYNC911,ASYNC912,ASYNC913 {} +
	find $(wildcard tests benchmarks) -name '*.py' -exec $(BIN)/flake8-async --enable=ASYNC {} +
	$(BIN)/towncrier build --draft >/dev/null

.PHONY: format
format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: $(VENV)/.dev
	$(BIN)/mypy $(TYPED)
	PATH="$(CURDIR)/$(BIN):$$PATH" pyright
	PATH="$(CURDIR)/$(BIN):$$PATH" pyright --ignoreexternal --verifytypes orchestra_trio

.PHONY: imports
imports: $(VENV)/.dev
	$(BIN)/lint-imports

.PHONY: build-wheel
build-wheel: $(VENV)/.dev
	rm -rf dist
	$(BIN)/hatchling build
	$(BIN)/python .ci/check_wheel.py dist/*.whl

.PHONY: bench-quick
bench-quick: $(VENV)/.dev
	$(BIN)/python -m benchmarks --quick

.PHONY: bench
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

# No figure of a fixed run may be more than 5 % past what is stored; COUNTS_ARGS=--update stores those of now.
.PHONY: counts
counts: $(VENV)/.dev
	$(BIN)/python -m benchmarks.counts $(COUNTS_ARGS)

# Every warning is an error, and every reference must lead somewhere; no network is needed.
.PHONY: docs
docs: $(VENV)/.dev
	$(BIN)/sphinx-build -q -n -W -E -b html docs build/docs

# The wirings of the demo and of the examples have no cycle that could block but those named here.
.PHONY: wirings
wirings: $(VENV)/.dev
	$(BIN)/orchestra-trio check orchestra_trio.cli.demo.wiring:Indexing --allow-unsent Walk --allow-unsent Lookup
	$(BIN)/orchestra-trio check examples.dig:Mine --allow-cycle digger,sorter
	$(BIN)/orchestra-trio check examples.network_node:NetworkNode --allow-cycle approval_voting,disputes \
	    --allow-unsent Packet

.PHONY: readme
readme: $(VENV)/.dev
	$(BIN)/pytest tests/test_readme.py

# Not by pytest-cov: the library has a plugin of pytest's, so it is imported before that one begins to measure.
.PHONY: test
test: $(VENV)/.dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(WORKERS) $(PYTEST_ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

# The benchmarks are no part of the wheel, and take a third of the time.
WHEEL_TESTS = -n $(WORKERS) --ignore=tests/benchmarks

.PHONY: test-py312
test-py312: build-wheel
	@.ci/test-wheel 3.12 $(WHEEL_TESTS) $(PYTEST_ARGS)

.PHONY: test-py313
test-py313: build-wheel
	@.ci/test-wheel 3.13 $(WHEEL_TESTS) $(PYTEST_ARGS)

# The tests of what may use private parts of trio, with its public interface alone.
.PHONY: test-public
test-public: $(VENV)/.dev
	ORCHESTRA_TRIO_PUBLIC_ONLY=1 $(BIN)/pytest tests/delivery tests/runtime tests/laws tests/testing -n $(WORKERS) $(PYTEST_ARGS)

.PHONY: dev
dev: $(VENV)/.dev

$(VENV)/.created: pyproject.toml
	@python="$(PYTHON)"; [ -n "$$python" ] || python=$$(.ci/find-python 3.11 --or-newer) || exit 1; \
	    echo "making $(VENV) with $$python"; \
	    "$$python" -m venv --clear $(VENV)
	@$(PIP) --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.created
	@$(PIP) --editable '.[demo,dashboard]'
	@touch $@

$(VENV)/.dev: $(VENV)/.created
	@$(PIP) --editable '.[graph,testing,demo,benchmarks,metrics,tracing,dashboard]' --group dev
	@touch $@

.PHONY: clean
clean:
	rm -rf .venv .venv-3.* build dist htmlcov .coverage .coverage.* .hypothesis \
	    .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find orchestra_trio tests type_tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
