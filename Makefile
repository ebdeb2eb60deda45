# One command for each thing a person does here; `make` alone lists them. scripts/setup.sh makes the environment
# when it is missing or out of date, and takes no time when it is not.
.DEFAULT_GOAL := help
.PHONY: help run test check lint format bench reliability docs lock

bin := .venv/bin
# More for the command behind the target: make run ARGS="--speed 60", make test ARGS="-k ledger"
ARGS ?=
# How many tests run at once
WORKERS ?= auto
compile := $(bin)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## a paper grid bot on live public prices, in the terminal
	@sh scripts/setup.sh run
	@$(bin)/autogrid demo $(ARGS)

test: ## the whole default suite
	@sh scripts/setup.sh dev
	@$(bin)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: lint test ## all that a change must pass: lint and test

lint: ## style, types and import contracts
	@sh scripts/setup.sh dev
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

format: ## put the code into form
	@sh scripts/setup.sh dev
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

bench: ## the figures of the speed we promise, measured here
	@sh scripts/setup.sh dev
	@$(bin)/python -m benchmarks $(ARGS)
	@test -n "$(ARGS)" || $(bin)/python -m benchmarks.indicators

reliability: ## the long runs: bots killed at random moments, faults on demand
	@sh scripts/setup.sh dev
	@$(bin)/python -m pytest -m reliability -n $(WORKERS) --dist loadfile $(ARGS)

docs: ## check what the documents say
	@sh scripts/setup.sh dev
	@$(bin)/python -m pytest tests/docs $(ARGS)

lock: ## write the requirement locks anew from pyproject.toml; ARGS=--upgrade for newer versions
	@sh scripts/setup.sh dev
	$(compile) --group uv $(ARGS) -o requirements-uv.lock
	$(compile) pyproject.toml --group build -c requirements-uv.lock $(ARGS) -o requirements.lock
	$(compile) pyproject.toml --group build --group dev -c requirements-uv.lock -c requirements.lock $(ARGS) \
	  -o requirements-dev.lock
