# AI-Admin: everything a newcomer needs. `make help` lists the commands.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first Python that really runs and is new enough (version managers put names on the path that only print an error).
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; exit; fi; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := bot handlers middlewares orchestration crm db locales sandbox
PORT ?= 8085
CRM ?= yclients
CHANNEL ?= telegram
KILLS ?= 200
MINUTES ?= 30

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_NO_PROGRESS := 1
# Two thousand modules are compiled once, into .venv and beside our own, not anew at each start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

# ---- set-up -------------------------------------------------------------------------------------------------------

$(BIN)/uv:
	@bash deploy/install.sh $(PYTHON) $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml deploy/install.sh
	@bash deploy/install.sh $(PYTHON) $(VENV) requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml deploy/install.sh
	@bash deploy/install.sh $(PYTHON) $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/.runtime

.PHONY: setup
setup: $(VENV)/.dev  ## Make .venv with everything for development.

.PHONY: lock
lock: $(BIN)/uv  ## Write both lock files anew (needs the package index).
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra embedded --extra tracing pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra embedded --extra tracing --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

# ---- use ----------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.runtime  ## The whole system with sandbox servers and one demo company. PORT=, CRM=, CHANNEL=, SELF_TEST=1
	@$(BIN)/python -m bot demo --port $(PORT) --crm $(CRM) --channel $(CHANNEL) $(if $(SELF_TEST),--self-test,)

# ---- checks -------------------------------------------------------------------------------------------------------

.PHONY: lint
lint: $(VENV)/.dev  ## Format check, linter, types, import layers.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev  ## Format the code and sort imports.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: test
test: $(VENV)/.dev  ## The whole suite; brings Chromium, Prometheus and PgBouncer for their tests where it may.
	@bash deploy/chromium.sh
	@bash deploy/prometheus.sh
	@bash deploy/pgbouncer.sh
	@bash deploy/checkers.sh
	$(BIN)/python -m pytest -n auto $(ARGS)

.PHONY: coverage
coverage: $(VENV)/.dev  ## The whole suite with its lines counted: takes half as long again.
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n auto $(ARGS)
	@$(BIN)/coverage combine -q && $(BIN)/coverage report

.PHONY: audit
audit: $(VENV)/.dev  ## Known vulnerabilities of what the lock files pin; says so where nobody could be asked.
	@$(BIN)/python deploy/audit.py requirements.lock requirements-dev.lock

.PHONY: sbom
sbom: $(VENV)/.dev  ## What an installation is made of, with hashes: dist/sbom.json (CycloneDX).
	@mkdir -p dist
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
	  --sv 1.6 --output-reproducible --validate --of JSON -o dist/sbom.json 2>/dev/null
	@$(BIN)/python -c 'import json; print("dist/sbom.json:", len(json.load(open("dist/sbom.json"))["components"]), "components")'

.PHONY: bench
bench: $(VENV)/.dev  ## Figures of speed and size, PART=intake|turns|… for one. QUICK=1: to see that it works. FULL=1: 20 million messages.
	@$(if $(FULL),FULL=1 )$(BIN)/python -m bench $(if $(QUICK),--quick,) $(PART)

.PHONY: capacity
capacity: $(VENV)/.dev  ## What 100, 10,000 and 1,000,000 companies need, by the figures of the bench. ARGS="--help" for more.
	@$(BIN)/python -m bench.capacity $(ARGS)

.PHONY: attacks
attacks: $(VENV)/.dev  ## Attacks on the agent, played by a model that obeys every instruction, with the guards and without.
	@$(BIN)/python -m bench.attacks $(ARGS)

.PHONY: guards
guards: $(VENV)/.dev  ## Switch every guard off in turn, in a copy, and see that its test fails.
	@$(BIN)/python -m bench.guards

.PHONY: chaos
chaos: $(VENV)/.dev  ## Conversations while processes are killed and vendors fail, then everything is counted. KILLS=
	@$(BIN)/python -m bench.chaos --kills $(KILLS) $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev  ## Steady load with faults: memory, connections, age of work and keys of Redis over time. MINUTES=
	@$(BIN)/python -m bench.soak --minutes $(MINUTES)

.PHONY: drill
drill: $(VENV)/.dev  ## An installation is backed up under load, lost, and brought back: seconds, and what is missing. ARGS=
	@$(BIN)/python -m bench.upgrades $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev  ## A hundred thousand inputs that nobody should send, at every door; then everything is looked after. ARGS=
	@$(BIN)/python -m bench.fuzz $(ARGS)
