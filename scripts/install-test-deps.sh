#!/usr/bin/env bash
# Installs what the tests start for real: servers and peers from Debian (scripts/test-deps.txt) and Python packages
# (scripts/test-deps-pip.txt, into a virtual environment in the cache folder), and an OpenID provider from npm. Says what it
# does; does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${XDG_CACHE_HOME:-$HOME/.cache}/bartizan"
mkdir -p "$cache"

list() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1" | tr -d '[:blank:]' | sort -u; }

missing=()
while read -r package; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done < <(list scripts/test-deps.txt)

if [ "${#missing[@]}" -gt 0 ]; then
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "install as root: apt-get install ${missing[*]}" >&2; exit 1; }
    sudo=sudo
  fi
  echo "== installing Debian packages for the tests: ${missing[*]}"
  # Services must not start: the tests run their own on private ports. A policy that we did not write is left alone.
  policy=/usr/sbin/policy-rc.d
  made=""
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod +x "$policy"
    made=yes
  fi
  trap '[ -z "$made" ] || $sudo rm -f "$policy"' EXIT
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 \
    || { tail -40 "$cache/apt.log" >&2; exit 1; }
fi

requirements="$(list scripts/test-deps-pip.txt)"
stamp="$cache/venv/.requirements"
if [ "$(cat "$stamp" 2>/dev/null)" != "$requirements" ]; then
  echo "== installing Python packages for the tests into $cache/venv: $(echo $requirements)"
  python3 -m venv "$cache/venv"
  # shellcheck disable=SC2086
  "$cache/venv/bin/pip" install --quiet --disable-pip-version-check $requirements
  printf '%s\n' "$requirements" >"$stamp"
fi

provider="$cache/identity-provider"
source="crates/test-support/identity-provider"
if ! cmp -s "$source/package-lock.json" "$provider/.installed"; then
  echo "== installing the OpenID provider of the tests from npm into $provider"
  mkdir -p "$provider"
  cp "$source/package.json" "$source/package-lock.json" "$provider/"
  (cd "$provider" && npm install --no-save --no-audit --no-fund --loglevel=error)
  cp "$source/package-lock.json" "$provider/.installed"
fi
