#!/usr/bin/env bash
# A full surface scan of one host with ten services, against `nmap -sV -sC` and `testssl.sh` on the same host, alternating in
# one run; then the memory of the idle server and of a /24 scan. Prints medians and ratios; asserts nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds="${ROUNDS:-3}"
for peer in nmap testssl /usr/bin/time; do command -v "$peer" >/dev/null || { echo "missing: $peer" >&2; exit 1; }; done
work="$(mktemp -d)"
trap 'exec {LAB[1]}>&- 2>/dev/null || true; kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

# BARTIZAN_BENCH_BIN measures a binary that is there already.
bin="${BARTIZAN_BENCH_BIN:-$CARGO_TARGET_DIR/release/bartizan}"
[ -n "${BARTIZAN_BENCH_BIN:-}" ] || cargo build --release --quiet --package bartizan-cli
cargo build --quiet --package bartizan-test-support --example lab

echo "== starting the lab of ten services"
coproc LAB { "$CARGO_TARGET_DIR/debug/examples/lab" 2>"$work/lab.log"; }
read -r -t 120 line <&"${LAB[0]}" || { cat "$work/lab.log" >&2; exit 1; }
echo "$line" >"$work/lab.json"
ports="$(python3 -c 'import json,sys; print(",".join(str(p) for p in json.load(open(sys.argv[1]))["ports"]))' "$work/lab.json")"
tls="$(python3 -c 'import json,sys; print(" ".join(str(p) for p in json.load(open(sys.argv[1]))["tls"]))' "$work/lab.json")"
echo "ports $ports, of which TLS: $tls"

# Wall seconds, CPU seconds and peak RSS in MiB of one command, as a line `wall cpu rss`. Time says in a line before it when the
# command did not end with 0, as testssl does when it finds something.
measure() { /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >"$work/out" 2>&1 || true; tail -1 "$work/time" | awk '{printf "%.2f %.2f %.1f\n", $1, $2+$3, $4/1024}'; }

peers() {
  nmap -sV -sC -Pn -n -p "$ports" 127.0.0.1
  for port in $tls; do testssl --quiet --color 0 --warnings off --fast "127.0.0.1:$port"; done
}
export -f peers; export ports tls

for round in $(seq "$rounds"); do
  measure "$bin" scan 127.0.0.1 --profile full -p "$ports" --quiet -o "json=$work/scan.json" >>"$work/ours"
  measure bash -c peers >>"$work/theirs"
  echo "round $round: ours $(tail -1 "$work/ours") · nmap + testssl $(tail -1 "$work/theirs")"
done

"$bin" serve --listen 127.0.0.1:0 --data-dir "$work/data" >"$work/serve.log" 2>&1 &
server=$!
for _ in $(seq 100); do grep -q "http://" "$work/serve.log" && break; sleep 0.1; done
idle="$(awk '/VmRSS/ {printf "%.1f", $2/1024}' "/proc/$server/status")"
kill "$server"
network="$(measure "$bin" scan 127.0.0.0/24 --profile quick --quiet -o "json=$work/net.json")"

python3 - "$work/ours" "$work/theirs" "$idle" "$network" <<'PY'
import statistics as s, sys
rows = lambda f: list(zip(*[map(float, l.split()) for l in open(f)]))
ours, theirs = rows(sys.argv[1]), rows(sys.argv[2])
print("\n| | wall s | CPU s | peak RSS MiB |\n|---|---|---|---|")
for name, r in (("bartizan scan --profile full", ours), ("nmap -sV -sC + testssl.sh", theirs)):
    print(f"| {name} | " + " | ".join(f"{s.median(c):.2f}" for c in r) + " |")
print("| ratio (theirs / ours) | " + " | ".join(f"{s.median(t) / max(s.median(o), .01):.1f}" for o, t in zip(ours, theirs)) + " |")
print(f"\nidle server: {sys.argv[3]} MiB RSS (goal: at most 60)\nquick scan of a /24 (wall s, CPU s, RSS MiB): {sys.argv[4]}")
PY
