#!/usr/bin/env bash
# Measures correlation at full size (goals P1, P3 to P9, P13) on real records of BARTIZAN_CORPUS, multiplied, and beside
# the peers that are installed. Needs about 6 GB of disk in a temporary folder (TMPDIR) and some minutes. Called by
# `make bench-matching`.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${BARTIZAN_CORPUS:?the benchmark multiplies real records: BARTIZAN_CORPUS must name the corpus}"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
target="${CARGO_TARGET_DIR:-target}"

cargo build --quiet --release --package bartizan-accuracy --bin bench-matching --package bartizan-cli
bench="$target/release/bench-matching"
bartizan="$target/release/bartizan"

# Two cores, as the goals say.
pinned() { if command -v taskset >/dev/null; then taskset -c 0,1 "$@"; else "$@"; fi; }
timed() { local name="$1"; shift; /usr/bin/time -f "$name: wall %e s, cpu %U + %S s, peak %M kB" "$@" >/dev/null; }

echo "== $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- || true)"
for step in prepare ingest load cold fleet; do
  echo "== $step"
  pinned "$bench" "$step" "$folder"
done

echo "== one target, from process start to result: the 31 Cargo.lock files of the corpus, one process each"
mkdir "$folder/locks"
for archive in lockfiles-and-dpkg lockfiles-older-revisions; do
  tar -C "$folder/locks" --zstd -xf "$BARTIZAN_CORPUS/inventory/$archive.tar.zst"
done
"$bartizan" feeds import --store "$folder/store-rust" "$BARTIZAN_CORPUS/osv/crates.io.jsonl.zst" >/dev/null
find "$folder/locks" -name Cargo.lock | sort >"$folder/locks.txt"
# shellcheck disable=SC2016
timed "bartizan audit, 31 files" sh -c 'while read -r file; do "$1" audit --store "$2" "$file" || true; done <"$3"' \
  sh "$bartizan" "$folder/store-rust" "$folder/locks.txt"
if cargo audit --version >/dev/null 2>&1 && [ -d "${RUSTSEC_DB:-}" ]; then
  # shellcheck disable=SC2016
  timed "cargo-audit, 31 files" sh -c 'while read -r file; do cargo audit --no-fetch --stale --db "$1" --file "$file" || true; done <"$2"' \
    sh "$RUSTSEC_DB" "$folder/locks.txt"
else
  echo "cargo-audit: not measured (cargo install cargo-audit; RUSTSEC_DB names a checkout of the RustSec database)"
fi
for peer in cve-bin-tool debsecan; do
  command -v "$peer" >/dev/null || echo "$peer: not measured (not installed)"
done
if command -v debsecan >/dev/null; then
  python3 scripts/debsecan-source.py "$BARTIZAN_CORPUS" "$folder/debsecan"
  timed "debsecan, one host" debsecan --suite bookworm --source "file://$folder/debsecan" --status "$folder/locks/dpkg/debian12-buildhost/status"
fi
