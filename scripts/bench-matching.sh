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

echo "== $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- || true)"
for step in prepare ingest load cold fleet; do
  echo "== $step"
  pinned "$bench" "$step" "$folder"
done

echo "== beside the peers, from process start to result, three rounds in turn, medians (BARTIZAN_PEERS is a folder with their bin)"
PATH="${BARTIZAN_PEERS:+$BARTIZAN_PEERS/bin:}$PATH"
mkdir "$folder/locks"
for archive in lockfiles-and-dpkg lockfiles-older-revisions; do
  tar -C "$folder/locks" --zstd -xf "$BARTIZAN_CORPUS/inventory/$archive.tar.zst"
done
find "$folder/locks" -name Cargo.lock | sort >"$folder/locks.txt"
host="$folder/locks/dpkg/debian12-buildhost/status"

# Wall seconds, CPU seconds and peak RSS in MiB of one command; its output stays in $folder/out.
measure() {
  pinned /usr/bin/time -f '%e %U %S %M' -o "$folder/time" "$@" >"$folder/out" 2>"$folder/err" || true
  tail -1 "$folder/time" | awk '{printf "%.3f %.3f %.1f\n", $1, $2 + $3, $4 / 1024}'
}
# The medians of each column of a file with three lines.
medians() { for column in 1 2 3; do cut -d' ' -f"$column" "$1" | sort -n | sed -n 2p; done | paste -sd' ' -; }
# compare NAME: measures `ours` and `theirs` in turn and prints both with theirs / ours.
compare() {
  rm -f "$folder/ours" "$folder/theirs"
  for _ in 1 2 3; do
    measure bash -c ours >>"$folder/ours"
    measure bash -c theirs >>"$folder/theirs"
  done
  echo "$1 $(medians "$folder/ours") $(medians "$folder/theirs")" | awk '{
    printf "%s: ours wall %s s, cpu %s s, %s MiB; theirs wall %s s, cpu %s s, %s MiB", $1, $2, $3, $4, $5, $6, $7
    printf "; theirs / ours: wall %.1f, cpu %.1f, memory %.1f\n", $5 / ($2 + 1e-9), $6 / ($3 + 1e-9), $7 / ($4 + 1e-9)
  }'
}
export bartizan folder host

if command -v cargo-audit >/dev/null; then
  python3 scripts/rustsec-source.py "$BARTIZAN_CORPUS" "$folder/rustsec"
  "$bartizan" feeds import --store "$folder/store-rust" "$BARTIZAN_CORPUS/osv/crates.io.jsonl.zst" >/dev/null
  ours() { while read -r file; do "$bartizan" audit --quiet --store "$folder/store-rust" "$file" || true; done <"$folder/locks.txt"; }
  theirs() {
    while read -r file; do
      cargo-audit audit --no-fetch --stale --db "$folder/rustsec" --file "$file" || true
    done <"$folder/locks.txt"
  }
  export -f ours theirs
  compare "cargo-audit,31-files-a-process-each"
else
  echo "cargo-audit: not measured (not installed: cargo install --root FOLDER cargo-audit, BARTIZAN_PEERS=FOLDER)"
fi
if command -v debsecan >/dev/null; then
  python3 scripts/debsecan-source.py "$BARTIZAN_CORPUS" "$folder/debsecan"
  "$bartizan" feeds import --store "$folder/store-debian" "$BARTIZAN_CORPUS/debian/security-tracker-2023-03.tar.zst" >/dev/null
  ours() { "$bartizan" audit --quiet --allow-partial --store "$folder/store-debian" --os debian:12 "$host"; }
  theirs() { debsecan --suite bookworm --source "file://$folder/debsecan" --status "$host"; }
  export -f ours theirs
  compare "debsecan,one-host"
else
  echo "debsecan: not measured (not installed: apt-get install debsecan)"
fi
echo "cve-bin-tool: not measured (it fetches its database from the network; nothing here fills it from the corpus)"
