#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes .venv: the pinned packages of requirements.txt and this checkout's p11board. Called by make
# when requirements.txt or pyproject.toml are newer; an interrupted run is simply repeated.
set -euo pipefail
cd "$(dirname "$0")/.."

log=build/venv.log
mkdir -p build
echo "venv: installing the Python packages of requirements.txt into .venv"
install() {
    [ -x .venv/bin/pip ] || "${PYTHON:-python3}" -m venv --clear .venv || return
    .venv/bin/pip install --disable-pip-version-check -r requirements.txt || return
    .venv/bin/pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
}

no_network='NewConnectionError|NameResolutionError|Temporary failure|timed out|unreachable'

if ! install >"$log" 2>&1 </dev/null; then
    if grep -qE "$no_network" "$log"; then
        echo "venv: no network: cannot download Python packages; connect and run this again ($log)" >&2
    else
        echo "venv: $(grep -m1 -i '^ERROR' "$log" || tail -1 "$log") ($log)" >&2
    fi
    exit 1
fi
touch .venv/complete
