# Everything here needs Python 3.11 or newer with pip, and make. The virtual environments are made when they are missing.

# Asked for when an environment is made. A build without optimizations makes the demonstration and the tests slower.
PYTHON ?= $(shell python3 -I ops/fastest_python.py)
ARCH ?= arm64
STACK ?= adweir
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SAM_READY := .venv-sam/.ready
SAM := .venv-sam/bin/sam
PIP_QUIET := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# Python keeps what it compiled: pytest alone rewrites 300 files for each of its processes otherwise (7 s each).
unexport PYTHONDONTWRITEBYTECODE

# The layers' makefiles read this: the processor for which sam build fetches the wheels.
export ADWEIR_ARCH = $(ARCH)

.DEFAULT_GOAL := help
.PHONY: help demo demo-all test coverage check contract contracts contract-dbt contract-geox contract-mcp contract-mmm client security layers hashes fuzz simulate kills soak mutants lint up down status build deploy bench sam clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## run the pipeline once on ten days; KEEP=1 keeps the sandbox
	$(BIN)/adweir demo $(if $(KEEP),--keep)

demo-all: $(READY) ## the same on the whole history
	$(BIN)/adweir demo --all $(if $(KEEP),--keep)

# One process tells the stories of the sandbox, the others run the rest (tests/support/sharing_out.py).
test: $(READY) ## run the whole test suite
	$(BIN)/python -m pytest -n 3

coverage: $(READY) ## run the tests without e2e; the core's coverage is at least 95 %
	$(BIN)/python -m pytest -n 2 -m "not e2e" --cov --cov-report=term:skip-covered

check: lint coverage ## run lint, every test, coverage
	$(BIN)/python -m pytest -m e2e

contract: $(READY) ## run released clients against the sandbox (installs them once)
	$(BIN)/python -m contract $(CLIENT)

contracts: $(READY) ## check the data contracts (installs a tool once)
	$(BIN)/python -m contract.odcs

contract-dbt: $(READY) ## have dbt build examples/dbt (installs it once)
	$(BIN)/python -m contract.models

contract-mmm: $(READY) ## load media-mix datasets with other tools (5 GB; TOOL="pymc")
	$(BIN)/python -m contract.media_mix $(TOOL)

contract-mcp: $(READY) ## have the protocol's own client ask (installs it once)
	$(BIN)/python -m contract.assistant

contract-geox: $(READY) ## plant lifts in 20 geo experiments of Meridian GeoX
	$(BIN)/python -m contract.experiments

client: $(READY) ## make a client of the API's description, use it
	$(BIN)/python -m contract.generated_client

security: $(READY) ## checkov, schemathesis, a bill of materials (PART="api")
	PYTHONPATH=layers/core:.:tests $(BIN)/python -m contract.security $(PART)

layers: $(READY) ## build the layers twice for each processor: the same bytes?
	$(BIN)/python -m ops.layers build

hashes: $(READY) ## write the hashes of the layers' packages anew
	$(BIN)/python -m ops.layers lock

fuzz: $(READY) ## feed mutated inputs to all that reads them (SEED=…, INPUTS=…)
	PYTHONPATH=layers/core:.:tests $(BIN)/python -m fuzz $(if $(SEED),--seed $(SEED)) $(if $(INPUTS),--inputs $(INPUTS)) \
	  $(if $(TARGET),--target $(TARGET)) $(if $(PART),--part $(PART)) $(if $(REPLAY),--replay $(REPLAY))

simulate: $(READY) ## simulate the pipeline on 10,000 seeds (SEED=…, FAULT=…, DAYS=…)
	PYTHONPATH=layers/core:.:tests $(BIN)/python -m simulation $(if $(SEED),--seed $(SEED)) $(if $(FAULT),--fault $(FAULT)) \
	  $(if $(SEEDS),--seeds $(SEEDS)) $(if $(RECORD),--record) $(if $(DAYS),--days $(DAYS))

kills: $(READY) ## kill each function at each step of a run
	PYTHONPATH=layers/core:.:tests $(BIN)/python -m simulation.kills $(if $(FAULT),--fault $(FAULT))

soak: $(READY) ## run days of the world with random faults on a sandbox (SEED=…)
	PYTHONPATH=layers/core:.:tests $(BIN)/python -m soak $(if $(SEED),--seed $(SEED)) $(if $(PROFILES),--profiles $(PROFILES)) \
	  $(if $(DAYS),--days $(DAYS)) $(if $(HOURLY),--hourly $(HOURLY))

mutants: $(READY) ## do the tests notice wrong code? (ONLY="merge money")
	$(BIN)/python -m ops.mutants $(ONLY)

lint: $(READY) $(SAM_READY) ## run ruff, import-linter, mypy --strict, cfn-lint, sam validate
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=layers/core:. $(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/mypy $(wildcard layers/core/adweir ops sandbox tests bench contract examples)
	for app in functions/*/; do $(BIN)/mypy $$app || exit 1; done
	$(BIN)/python -m ops.platform_check
	$(BIN)/cfn-lint template.yaml
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint

up: $(READY) ## start the sandbox: the whole system on this machine
	$(BIN)/adweir up

down: $(READY) ## stop the sandbox; its state stays
	$(BIN)/adweir down

status: $(READY) ## show what runs and where
	$(BIN)/adweir status

build: $(SAM_READY) $(READY) ## build for Lambda (ARCH=arm64 or x86_64); needs no Docker
	$(SAM) build --parameter-overrides Architecture=$(ARCH)

# PARAMS: the template's parameters, Key=Value and file://prod.yaml, as sam deploy takes them.
deploy: $(READY) ## deploy to your own AWS account (STACK=adweir, PARAMS=...)
	$(BIN)/python -m ops.preflight $(PARAMS)
	$(MAKE) build
	$(SAM) deploy --stack-name $(STACK) --parameter-overrides Architecture=$(ARCH) $(PARAMS)

bench: $(READY) ## run the measurements of bench/; each ends with one JSON object
	for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

sam: $(SAM_READY) ## install the SAM CLI in its own environment (.venv-sam/bin/sam)

clean: ## remove what builds and tests leave behind
	rm -rf .aws-sam dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz .coverage

$(READY): pyproject.toml constraints.txt layers/core/requirements.txt layers/analytics/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP_QUIET) $(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

$(SAM_READY):
	$(PYTHON) -m venv .venv-sam
	$(PIP_QUIET) .venv-sam/bin/python -m pip install -q 'aws-sam-cli>=1.160'
	touch $@
