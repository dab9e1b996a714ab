# Everything a fresh Debian machine with cargo and node needs: `make run` and `make test`.
# Both say what they install. Builds go to the user's cache folder, so that clones share them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/bartizan
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PATH := $(CACHE)/venv/bin:$(PATH):/usr/sbin:/sbin
BIN := $(CARGO_TARGET_DIR)/debug/bartizan
LISTEN ?= 127.0.0.1:8000
DATA ?= ./bartizan-data

.PHONY: help run build test test-long fuzz-check bench bench-portscan bench-services bench-matching bench-api lint ui ui-deps test-deps generate

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: ui ## Build everything and start the server on http://127.0.0.1:8000
	@echo "== building the server (a few minutes the first time)"
	cargo build --package bartizan-cli
	@echo "== starting; data in $(DATA), stop with Ctrl-C"
	$(BIN) serve --listen $(LISTEN) --data-dir $(DATA)

build: ui ## Optimised build: target/release/bartizan with the web interface inside
	cargo build --release --package bartizan-cli
	@echo "built $(CARGO_TARGET_DIR)/release/bartizan"

test: test-deps ui ## All checks and tests that continuous integration runs
	scripts/test.sh

test-long: test-deps ui ## What takes longer than continuous integration allows
	BARTIZAN_TEST_LONG=1 scripts/test.sh

fuzz-check: ## Check that the fuzz targets compile (to run them: fuzz/Cargo.toml)
	cargo check --manifest-path fuzz/Cargo.toml

bench: test-deps ## Our own parts, then a full scan of one host against nmap and testssl.sh on the same host
	cargo bench --workspace
	scripts/bench-peers.sh

bench-portscan: ## `bartizan ports` against nmap, masscan, zmap and rustscan in network namespaces, then service identification against nmap -sV (as root; peers from Debian, rustscan from crates.io)
	for tool in ip nft nmap masscan zmap ethtool time; do type -P $$tool >/dev/null || { apt-get update -qq; apt-get install -y --no-install-recommends iproute2 nftables nmap masscan zmap ethtool time; break; }; done
	command -v rustscan >/dev/null || [ -x $(CACHE)/peers/bin/rustscan ] || cargo install rustscan --root $(CACHE)/peers
	cargo build --release --package bartizan-cli
	cargo build --release --package bartizan-portscan --features lab --examples
# Each part runs also where another one misses a goal.
	missed=0; \
	PATH="$$PATH:$(CACHE)/peers/bin" scripts/bench-portscan.py bench --out $(CACHE)/bench-portscan.jsonl || missed=1; \
	scripts/bench-portscan.py check || missed=1; \
	scripts/bench-services.py --install || missed=1; \
	exit $$missed

bench-services: ## Service identification on real servers against nmap -sV (as root; installs the servers from Debian)
	cargo build --release --quiet --package bartizan-cli
	scripts/bench-services.py --install

bench-matching: ## Correlation at full size on real records of BARTIZAN_CORPUS, multiplied, beside the peers that are installed
	scripts/bench-matching.sh

bench-api: ## The API on a million findings, SQLite and PostgreSQL: lists, deep pages, a storm of sign-ins, memory (PostgreSQL from Debian)
	cargo build --release --quiet --package bartizan-cli
	scripts/bench-api.py

lint: ## Formatting, clippy, invariants
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo xtask tidy

generate: ## Write generated files
	cargo xtask generate
	cd ui && npm run generate:api

ui: ui-deps ## The web interface, into ui/dist
	@cd ui && if [ ! -f dist/index.html ] || [ -n "$$(find src index.html package-lock.json vite.config.ts -newer dist/index.html -print -quit)" ]; then \
	  echo "== building the web interface"; npm run --silent build; fi

# `npm install` and not `npm ci`: the lock file lists the optional binaries of the platforms it was made for, and `npm ci` refuses to
# go on when a registry does not carry those of others. `--no-save` keeps the lock file as it is.
ui-deps:
	@cd ui && if [ ! -f node_modules/.stamp ] || [ package-lock.json -nt node_modules/.stamp ]; then \
	  echo "== installing the packages of the web interface from npm (ui/node_modules)"; npm install --no-save --no-audit --no-fund --loglevel=error && touch node_modules/.stamp; fi

test-deps:
	@scripts/install-test-deps.sh
