#!/usr/bin/env bash
# Measures correlation at full size (goals P1, P3 to P9, P13) on real records of BARTIZAN_CORPUS, multiplied, and beside
# the peers that are installed. Needs about 6 GB of disk in a temporary folder (TMPDIR) and some minutes. Called by
# `make bench-matching`. `bench-matching.sh core` and `bench-matching.sh peers` run one half; BARTIZAN_BENCH_BIN names a
# program that is built already.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${BARTIZAN_CORPUS:?the benchmark multiplies real records: BARTIZAN_CORPUS must name the corpus}"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
target="${CARGO_TARGET_DIR:-target}"

bench="$target/release/bench-matching"
bartizan="${BARTIZAN_BENCH_BIN:-$target/release/bartizan}"

# Two cores, as the goals say.
pinned() { if command -v taskset >/dev/null; then taskset -c 0,1 "$@"; else "$@"; fi; }

echo "== $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- || true)"
core() {
  cargo build --quiet --release --package bartizan-accuracy --bin bench-matching
  for step in prepare ingest load cold fleet; do
    echo "== $step"
    pinned "$bench" "$step" "$folder"
  done
}
peers() {
  [ -n "${BARTIZAN_BENCH_BIN:-}" ] || cargo build --quiet --release --package bartizan-cli
  pinned python3 scripts/bench-matching-peers.py "$bartizan" "$folder/peers"
}

case "${1:-all}" in
  core) core ;;
  peers) peers ;;
  all)
    core
    peers
    ;;
  *)
    echo "usage: bench-matching.sh [core|peers]" >&2
    exit 2
    ;;
esac
