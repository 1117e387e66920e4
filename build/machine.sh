#!/bin/sh
# Checks, and where it can installs, what the machine itself must have.
# Says in one sentence what is missing.
set -u

fail() {
    echo "$1" >&2
    exit 1
}

case "$1" in
python)
    command -v "$2" >/dev/null 2>&1 || fail "Python is missing: install Python 3.11 or newer, or name it with make PYTHON=..."
    "$2" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python is too old: $("$2" --version 2>&1), 3.11 or newer is needed; name it with make PYTHON=..."
    "$2" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "Python's venv module is missing: install it (on Debian: apt-get install python3-venv)."
    ;;
node)
    command -v node >/dev/null 2>&1 || fail "Node is missing: install Node 20 or newer."
    command -v npm >/dev/null 2>&1 || fail "npm is missing: install it beside Node."
    node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' ||
        fail "Node is too old: $(node --version), 20 or newer is needed."
    ;;
tests)
    missing=""
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
        missing="chromium"
    command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
    [ -z "$missing" ] && exit 0
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        echo "Installing for the tests: $missing"
        # shellcheck disable=SC2086 - the names are words of their own
        apt-get update -qq >/dev/null && apt-get install -y -qq $missing >/dev/null && exit 0
    fi
    fail "The tests need programs that are not on PATH: install $missing."
    ;;
esac
