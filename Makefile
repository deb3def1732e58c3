# Sluice. `make` alone lists the targets.
PYTHON ?= python3
PORT ?= 4566
BLUEPRINT ?= top-coins
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
EMULATOR ?= ministack
export PORT EMULATOR
export SLUICE_PYTHON := $(CURDIR)/$(BIN)/python
export SLUICE_UV := $(CURDIR)/$(BIN)/uv
# Wheels of the layers: this machine's for the emulator, Lambda's for `make build-aws`.
export SLUICE_PLATFORM ?=

.DEFAULT_GOAL := help
.PHONY: help run up start down stop logs test coverage lint check docs format invoke bench proof fuzz clean generate policies access journeys screenshots lock build-aws

help: ## List the targets
	@grep -hE '^[a-z][a-z -]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z][a-z -]*):[^#]*## (.*)/  \1\t\2/' | expand -t 18
	@echo
	@echo "  EMULATOR=localstack takes LocalStack in a container instead of the embedded emulator."
	@echo "  PORT=4666 moves the local stack to another port, so that two can run side by side."

$(INSTALLED): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one, as in: make $(MAKECMDGOALS) PYTHON=python3.13"; exit 1; }
	@echo "• Install the packages into $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)

run: $(INSTALLED) ## Start the local stack and run the demonstration (BLUEPRINT=top-coins)
	@$(BIN)/sluice demo $(BLUEPRINT)

up start: $(INSTALLED) ## Start the local stack
	@$(BIN)/sluice up

down stop: $(INSTALLED) ## Stop the local stack; its state is kept
	@$(BIN)/sluice down

logs: $(INSTALLED) ## Show what the functions logged lately
	@$(BIN)/sluice logs

test: $(INSTALLED) ## Run the tests of all rings
	@$(BIN)/python tools/check.py test

lint: $(INSTALLED) ## Run the linters and type checkers
	@$(BIN)/python tools/check.py lint

coverage: $(INSTALLED) ## Run the unit tests and say what they do not reach; fails below 90 %
	@$(BIN)/python tools/check.py coverage

check: $(INSTALLED) ## What CI runs: lint, then test
	@$(BIN)/python tools/check.py lint test

docs: $(INSTALLED) ## Build the documentation's site in .docs; a broken link fails
	@$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going --jobs auto docs .docs
	@echo "open .docs/index.html"

format: $(INSTALLED) ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

generate: $(INSTALLED) ## Generate files from the code: routes, OpenAPI, reference, schemas
	@$(BIN)/python tools/generate.py && $(BIN)/python tools/console_types.py --write

policies: $(INSTALLED) ## Print which function may do what, and write it to docs/reference/policies.txt
	@$(BIN)/python tools/policies.py --write

access: $(INSTALLED) ## Print who may call which route: the table of docs/reference/access.md
	@$(BIN)/python tools/access.py

journeys: $(INSTALLED) ## Run the journeys of docs/tutorial/journeys.md on a stack of their own, and write their times
	@$(BIN)/python tools/journeys.py

screenshots: $(INSTALLED) ## Make the README's screenshots of the console again
	@$(BIN)/python tools/screenshots.py

lock: $(INSTALLED) ## Pin the newest allowed versions of all packages
	@$(BIN)/python tools/lock.py

invoke: $(INSTALLED) ## Call one function in a Lambda container (FUNCTION=api EVENT=events/api-health.json)
	@test -n "$(FUNCTION)" -a -f "$(EVENT)" || { echo "as in: make invoke FUNCTION=api EVENT=events/api-health.json"; exit 1; }
	@$(BIN)/sluice invoke $(FUNCTION) $(EVENT)

bench: $(INSTALLED) ## Run a benchmark (NAME=extract)
	@test -f benchmarks/$(NAME).py || { echo "NAME is one of: $(filter-out support database_reads concurrent_readers merge_data,$(basename $(notdir $(wildcard benchmarks/*.py))))"; exit 1; }
	@$(BIN)/python -m benchmarks.$(NAME)

proof: $(INSTALLED) ## Run the long proofs at their full size
	@$(BIN)/python tools/check.py proof

fuzz: $(INSTALLED) ## Send random requests to a stack of its own (FUZZ_EXAMPLES=20 to each operation, FUZZ_SEED=…)
	@$(BIN)/python tools/check.py fuzz

# Bytecode of another minor version of Python would not be read: then the functions start a second slower, once each.
build-aws: $(INSTALLED) ## Build for AWS, with Lambda's own wheels, and with the console
	@CONSOLE_OUT="$(CURDIR)/.local/console-aws" NODE_LOCK=requirements/node.txt $(BIN)/python -m sluice_cli.local.console console .local/node
	@foreign=$$($(BIN)/python -c 'import sys; print("" if sys.version_info[:2] == (3, 13) else "yes")'); \
	test -z "$$foreign" || echo "• No bytecode for Lambda's Python 3.13: cold starts are slower. To have it: make clean, then make build-aws PYTHON=python3.13"; \
	SLUICE_FOREIGN_PYTHON="$$foreign" SLUICE_CONSOLE="$(CURDIR)/.local/console-aws" SLUICE_PLATFORM="--python-platform x86_64-manylinux_2_28 --python-version 3.13" $(BIN)/sam build --config-env prod

clean: ## Stop the local stack and remove everything that was made here
	@test ! -x $(BIN)/sluice || $(BIN)/sluice clean
	@rm -rf $(VENV) .local .aws-sam .bench .docs .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage *.egg-info client/build client/*.egg-info
