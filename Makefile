# Every target sets up what it needs: a fresh clone has only Python >= 3.11 and Rust.

PYTHON ?= python3
T ?= 60

BIN := .venv/bin
RUST := Cargo.toml Cargo.lock rustfmt.toml $(shell find rust -name '*.rs' -o -name Cargo.toml)
CARGO_FUZZ := .tools/bin/cargo-fuzz
FUZZ_TARGETS := wire_proto wire_json map_request

.DEFAULT_GOAL := help
.PHONY: help build run test lint format docs bench fuzz truth clean

help:  ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "spanmap needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

.venv/.built: .venv/.installed $(RUST)
	@command -v cargo >/dev/null || { echo 'spanmap needs Rust: https://rustup.rs'; exit 1; }
	PIP_QUIET=1 VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/maturin develop --release --locked --quiet
	@touch $@

build: .venv/.built  ## Build the extension and install the package into .venv.

run: build  ## Map the sample export: a table of all events, and one of them whole.
	$(BIN)/spanmap map --sample --format table
	@echo
	$(BIN)/spanmap map --sample 2>/dev/null | sed -n 4p | $(BIN)/python -m json.tool

test: build  ## Run the Rust tests, then the Python tests.
	cargo test --locked --quiet --package spanmap-core
	$(BIN)/python -m pytest --quiet --numprocesses 2

lint: build  ## Check formatting, types, stubs, the layout and generated docs; warnings are errors.
	cargo fmt --all --check
	cargo clippy --locked --quiet --workspace --all-targets -- --deny warnings
	$(BIN)/ruff format --check python tests benches
	$(BIN)/ruff check python tests benches
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest spanmap._core
	$(BIN)/python -m pytest --quiet tests/test_layout.py
	$(BIN)/spanmap rules --format markdown | diff docs/mapping.md - || { echo 'The rules have changed: make docs'; exit 1; }

format: .venv/.installed  ## Format all code.
	cargo fmt --all
	$(BIN)/ruff format python tests benches
	$(BIN)/ruff check --fix python tests benches

docs: build  ## Write docs/mapping.md from the rules.
	$(BIN)/spanmap rules --format markdown > docs/mapping.md

bench: build  ## Measure, with rivals in the same run; write benches/results/DATE.md and the README's table.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python benches/report.py

$(CARGO_FUZZ):
	cargo install --quiet --locked --root .tools cargo-fuzz@0.13.2

fuzz: $(CARGO_FUZZ)  ## Fuzz each target for T seconds (default 60).
	set -e; for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/corpus/$$target; \
		$(CARGO_FUZZ) run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(T); \
	done

truth: build  ## Score both mappers against what really happened in the captured scenarios.
	$(BIN)/python -m tests.truth core
	$(BIN)/python -m tests.truth reference

clean:  ## Remove what the other targets made.
	rm -rf .venv .tools target fuzz/target python/spanmap/*.so .mypy_cache .pytest_cache .ruff_cache .hypothesis
