# Each target starts from Python 3.11+, make and git: it makes its own environment first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test check format fuzz oracle clean

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("batchwright needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev --editable .
	touch $@

demo: $(VENV)/.ready   ## the built-in fleet: cold, then again from the cache
	$(BIN)/batchwright demo

test: $(VENV)/.ready   ## every test
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.ready  ## format, lint, types, layers, commands against docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/unit/test_documentation.py

format: $(VENV)/.ready ## put the code into the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: $(VENV)/.ready   ## a million random values: collisions and unstable keys (minutes)
	$(BIN)/python benchmarks/fuzz_digest.py --values 1000000

oracle: $(VENV)/.ready ## the whole example fleet against a plain sequential run (many minutes)
	$(BIN)/python examples/library/make_text.py examples/library/docstrings.txt
	mkdir -p .batchwright
	$(BIN)/batchwright run examples/library --json .batchwright/oracle.json
	$(BIN)/python examples/library/oracle.py .batchwright/oracle.json --all

clean:
	rm -rf $(VENV) .batchwright examples/*/.batchwright
