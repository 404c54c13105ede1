# Two commands are enough: `make run` and `make test`. Nothing is assumed but Python >= 3.11 and the package registry.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --disable-pip-version-check
UV := .venv-lock/bin/uv
# One worker for each core; the tests of a file stay together, they share what is dear to make.
SPREAD := --numprocesses auto --dist loadfile
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

SEED_ARG := $(if $(SEED),--seed $(SEED))

.PHONY: run live first scenario check test fault bench lock locale docs format clean

run: $(VENV)/.stamp  ## a month of the department: made up, imported into SQLite, judged
	$(PY) examples/department_month/show_month.py

live: $(VENV)/.stamp  ## the engine at work on real Kafka and PostgreSQL, fetched as packages; SECONDS=60
	$(PY) examples/live/show_live.py --seconds $(or $(SECONDS),60)

first: $(VENV)/.stamp  ## judge a small history of forty dossiers against one procedure
	$(PY) examples/first_history/run.py

scenario: $(VENV)/.stamp  ## a year of the department, every planted alert raised once and none else; DOSSIERS=100000 SEED=1 KAFKA=1
	PYTHONPATH=.:tests $(PY) -m scenario --dossiers $(or $(DOSSIERS),100000) --seed $(or $(SEED),1) $(if $(KAFKA),--kafka)

check: $(VENV)/.stamp  ## formatting, types, unit and property tests; under 30 s
	$(PY) -m ruff check --quiet .
	$(PY) -m ruff format --quiet --check .
	$(PY) -m mypy
	DUNGHEN_TEST_PROFILE=check $(PY) -m pytest $(SPREAD) -m "not slow" tests/unit tests/property tests/test_architecture.py

test: $(VENV)/.stamp  ## everything
	$(PY) -m ruff check --quiet .
	$(PY) -m ruff format --quiet --check .
	$(PY) -m mypy
	$(PY) -m pytest $(SPREAD)

fault: $(VENV)/.stamp  ## kills, stalls and restarts while a month flows; nothing may be lost; KILLS=1000 SEED=7
	PYTHONPATH=.:tests/broker $(PY) tests/fault/campaign.py --kills $(or $(KILLS),1000) $(SEED_ARG)

bench: $(VENV)/.bench-stamp  ## figures against floors measured in the same run
	$(PY) -m tests.bench

locale: $(VENV)/.stamp  ## compile the Vietnamese catalogue
	$(PY) -m workflow.locale

docs: $(VENV)/.stamp  ## write docs/commands.md and the picture of the example procedure anew
	$(PY) docs/generate.py

format: $(VENV)/.stamp
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock: $(UV)  ## write the lock files anew, after a change of dependencies
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade pyproject.toml --extra pg -c requirements.lock -o requirements-pg.lock
	$(COMPILE) --upgrade pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --upgrade pyproject.toml --group dev --group bench -c requirements-dev.lock -o requirements-bench.lock

clean:
	rm -rf $(VENV) .venv-lock .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist var

$(VENV)/.stamp: requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dunghen needs Python 3.11 or newer; set PYTHON=...")'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.bench-stamp: requirements-bench.lock $(VENV)/.stamp
	$(PIP) install --require-hashes -r requirements-bench.lock
	touch $@

$(UV):
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet "uv>=0.9"
