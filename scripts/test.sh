#!/usr/bin/env bash
# Every check and test of the project, in the order in which they fail fastest. Called by `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"; }

if [ -n "${BARTIZAN_CORPUS:-}" ]; then echo "corpus: $BARTIZAN_CORPUS"; else echo "corpus: none; tests that need it say so and do nothing"; fi

step "formatting"
cargo fmt --all --check

step "clippy"
cargo clippy --workspace --all-targets --quiet -- -D warnings

step "web interface: lint, types, unit tests"
(cd ui && npm run --silent lint && npm run --silent typecheck && npm run --silent check:api && npm test --silent)

step "building the program and the tests"
cargo build --package bartizan-cli
export BARTIZAN_BIN="$CARGO_TARGET_DIR/debug/bartizan"

step "invariants and generated files"
cargo xtask tidy
cargo xtask generate --check

if [ -n "${BARTIZAN_TEST_LONG:-}" ]; then
  step "fuzz targets"
  cargo check --quiet --manifest-path fuzz/Cargo.toml
fi

step "tests"
if cargo nextest --version >/dev/null 2>&1; then
  # Most tests wait for servers and time-outs and not for a core: twice as many at a time take little more than half as long.
  cargo nextest run --workspace --no-fail-fast --test-threads $(($(nproc) * 2)) ${BARTIZAN_TEST_LONG:+--profile long}
else
  cargo test --workspace --no-fail-fast
fi

step "browser tests"
(cd ui && npm run --silent test:e2e)

step "done"
