# The words a developer needs. `make run` and `make test` work on a fresh machine with python3 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Many short programs are run: compiling the package for each of them would take most of the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-e2e lint format soak bench bench-more docs docs-check pictures dist image clean

# Serves with the credentials it finds, else the demo.
run: $(VENV)/run.stamp
	$(BIN)/openclaw-oauthrouter serve --demo-if-empty

# More workers than cores: many tests wait for time-outs and processes.
test: $(VENV)/dev.stamp
	$(BIN)/pytest -n 3 -m "not e2e"

# Needs what .ci/run installs: Node, openclaw, Claude Code, Codex CLI, chromium, faketime, redis-server.
test-e2e: $(VENV)/dev.stamp
	$(BIN)/pytest -m e2e

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m openclaw_oauthrouter.openclaw.manifest --write

# Ten minutes of faults, load and reloads.
soak: $(VENV)/dev.stamp
	$(BIN)/python -m tests.soak --seconds 600

# What a request costs, without sockets; under a minute.
bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.inproc

# What single features cost, and the classifier and the trace by themselves.
bench-more: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.features
	$(BIN)/python benchmarks/classify.py
	$(BIN)/python benchmarks/trace.py

# The documentation as a site, in site/; every warning is an error.
docs: $(VENV)/dev.stamp
	$(BIN)/mkdocs build --strict

docs-check: $(VENV)/dev.stamp
	$(BIN)/pytest tests/docs

# The pictures of the documentation, taken anew of a default installation; needs Chromium.
pictures: $(VENV)/dev.stamp
	OAUTHROUTER_PICTURES=1 $(BIN)/pytest tests/browser/test_pictures.py

# What is published: the source distribution, and the wheel built from it.
dist: $(VENV)/dev.stamp
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*

image:
	docker build --tag openclaw-oauthrouter .

$(VENV)/run.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable ".[speed]"
	touch $@

$(VENV)/dev.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1" # the first that knows dependency groups
	$(BIN)/pip install --quiet --editable ".[speed]" --group dev --group e2e
	touch $@

clean:
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
