# The ways in. `make` lists them; each makes .venv first where it is absent or stale.

.DEFAULT_GOAL := help
PYTHON ?= python3
RUN := .venv/bin/
ARGS ?=

.PHONY: help venv demo demo-raw test wheel hub-check bench golden check

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

venv: ## Make .venv, or bring it up to date (PYTHON=… names the Python of a new one)
	@$(PYTHON) .ci/environment.py

demo: venv ## Build a mixture from the samples, tune a small model on the CPU, measure it before and after
	$(RUN)python scripts/demo.py --expect-seen 0.9

demo-raw: venv ## The same over real files: DATA=… is the folder that holds them
	@test -n "$(DATA)" || { echo "make demo-raw needs the folder of the raw datasets: make demo-raw DATA=path/to/raw" >&2; exit 2; }
	$(RUN)python scripts/demo.py examples/local_files/mixture.yaml --data-dir "$(DATA)" --out runs/demo-raw --num-pairs 4000 --epochs 1 --hidden-size 64 --rows-per-task 10

test: venv ## Run every test, with branch coverage and the ten slowest (ARGS="-k words": some, without coverage)
	$(RUN)python -m pytest $(or $(ARGS),-n auto --maxprocesses 4 --dist loadfile --cov --cov-report=term)

wheel: venv ## Install the wheel alone under every supported Python that is at hand, and use it (TUNE=1: tune too)
	$(RUN)python .ci/wheel.py $(if $(TUNE),--tune)

hub-check: venv ## Read the first 100 rows of every task's hub source: columns, label names, splits (needs a network)
	$(RUN)instruction-kit probe

bench: venv ## Measure how fast the commands are, into benchmarks/results (BENCH=…: another script of benchmarks/)
	$(RUN)python benchmarks/$(or $(BENCH),commands).py $(ARGS)

golden: venv ## Write anew what the templates render of the samples (tests/golden) and docs/labels.md, to be read as a diff
	REWRITE_GOLDEN=1 $(RUN)python -m pytest -q tests/test_library_golden.py

check: venv ## Lint, formatting, types, imports, the rules of the library, and the examples in the docs; all, then the verdict
	@failed=0; \
	for step in "ruff check ." "ruff format --check ." "mypy" "lint-imports --no-logo" \
		"instruction-kit check --library" "pytest -q tests/test_docs.py"; do \
		echo "== $$step"; $(RUN)$$step || failed=1; \
	done; exit $$failed
