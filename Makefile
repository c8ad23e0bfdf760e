# `make` lists what can be made. The first target that needs it makes .venv from a lock with hashes; later runs see by a
# stamp, named after the contents of lock and pyproject.toml, that nothing is to be done.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo explorer pages check lint quick types test tests prove mutate bench schema released lock clean
MAKEFLAGS += --no-print-directory

# Some images set it for the sake of their size. pip compiles what it installs all the same, but our own files would be
# compiled again by each process that a target, or a test of it, starts: a second of work each.
unexport PYTHONDONTWRITEBYTECODE

# The first Python here that is new enough; another one by `make PYTHON=… demo`.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin
KEY := $(shell cat requirements.lock requirements-dev.lock pyproject.toml | cksum | cut -d' ' -f1)
RUNTIME := .venv/installed-$(KEY)
DEV := .venv/installed-dev-$(KEY)
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: $(RUNTIME) pages ## Start everything and show it on a sample company; EXIT=1 stops after the answers
	@$(BIN)/selfsame demo $(if $(filter-out 0,$(EXIT)),--exit)

# The pages that the service shows at /graphiql, by the Node that the environment brings, else by the machine's.
PAGES := selfsame/pages/built-$(shell find explorer -name node_modules -prune -o -type f -print | LC_ALL=C sort | xargs cat | cksum | cut -d' ' -f1)
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"

explorer: $(RUNTIME) $(PAGES) ## Build the web pages of the service: GraphiQL

# A demo that cannot have them does without.
pages: $(RUNTIME)
	@$(MAKE) $(PAGES) || echo 'GraphiQL cannot be built here, for the reason above: all else goes on without that page.' >&2

$(PAGES):
	@echo 'Building GraphiQL, once: npm fetches what explorer/package-lock.json lists …'
	@$(NODE) sh -c 'command -v npm >/dev/null' || { echo 'There is no npm: install Node.js 20.19 or newer.' >&2; exit 1; }
	@cd explorer && $(NODE) npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
	@cd explorer && $(NODE) npm run --silent build -- --logLevel warn
	@touch $@

check: lint ## Format, lint, types, imports and the tests of the pure rooms: under a minute
	$(BIN)/python -m pytest -q -m 'not neo4j' tests/identity tests/insight tests/house

lint: quick types

quick: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(DEV)
	$(BIN)/mypy

# Each worker starts a Neo4j of its own, 0.8 GB: two keep two cores busy.
WORKERS ?= 2

# The types are looked at beside the first tests, which wait for Neo4j: half a minute of one core.
test: quick ## Every check and every test; what needs more than pip brings is skipped by name
	@$(MAKE) -j2 types tests

tests: $(DEV)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal tests

prove: $(DEV) ## The properties again, with many more examples
	$(BIN)/python -m pytest -q --hypothesis-profile prove tests

# All of identity/ takes half an hour; ONLY=stitching is one file of it. What is done is kept in mutants/, so it goes on there.
mutate: $(DEV) ## Faults put into the pure rules one by one, and which of them no test notices (docs/mutation.md)
	$(BIN)/python -m mutmut run $(if $(ONLY),'identity.$(ONLY).*')
	@$(BIN)/python -m mutmut results | grep -E 'survived|timeout|suspicious|no tests' || echo 'every one was noticed'

bench: $(DEV) ## Ratios against stated ceilings
	$(BIN)/python -m bench

schema: $(RUNTIME) ## Print schema.graphql and openapi.json from the code
	$(BIN)/selfsame schema > schema.graphql.new
	@mv schema.graphql.new schema.graphql
	$(BIN)/selfsame schema --http > openapi.json.new
	@mv openapi.json.new openapi.json

released: ## At a release: let today's schema be the one that later changes are compared with
	cp schema.graphql tests/walks/graphql_clients/released.graphql

lock: $(DEV) ## Resolve all dependencies again: Python's, Neo4j's, and those of the tests' Kafka
	printf 'hatchling\neditables\n' | $(LOCK) --extra demo --extra tables --extra otel -o requirements.lock pyproject.toml -
	printf 'hatchling\neditables\n' | $(LOCK) --extra demo --extra tables --extra kafka --extra dlt --extra otel --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml -
	$(BIN)/python -m graph.server.lock
	$(BIN)/python -m tests.kafka.lock
LOCK := $(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-annotate --no-header

clean: ## Take away what can be made again, and the demo's data
	rm -rf .venv .selfsame explorer/node_modules selfsame/pages mutants dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(RUNTIME): | .venv/bin/pip
	$(call install,requirements.lock)

$(DEV): | .venv/bin/pip
	$(call install,requirements-dev.lock)
	@touch $(RUNTIME)

define install
@echo 'Installing what $(1) lists …'
@$(PIP) install --require-hashes -r $(1)
@$(PIP) install -q --no-build-isolation --no-deps --editable .
@touch $@
endef

.venv/bin/pip:
	@test -n '$(PYTHON)' && '$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Selfsame needs Python 3.11 or newer: install one, or name it as in `make PYTHON=python3.12 demo`.' >&2; exit 1; }
	@'$(PYTHON)' -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module: install it (on Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@'$(PYTHON)' -m venv --clear .venv
