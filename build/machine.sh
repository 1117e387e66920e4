#!/bin/sh
# Checks the system's programs, and installs missing ones if possible.
# Reports in one sentence what is missing.
set -u

fail() {
    echo "$1" >&2
    exit 1
}

# The packages that the tests require.
absent() {
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || echo chromium
    command -v redis-server >/dev/null 2>&1 || echo redis-server
}

# The package with which tests in Chromium take half the CPU time.
absent_shell() {
    command -v chromium-headless-shell >/dev/null 2>&1 || echo chromium-headless-shell
}

# The packages of optional browsers.
absent_browsers() {
    command -v firefox-esr >/dev/null 2>&1 || command -v firefox >/dev/null 2>&1 || echo firefox-esr
    command -v WebKitWebDriver >/dev/null 2>&1 || echo webkit2gtk-driver
    command -v Xvfb >/dev/null 2>&1 || echo xvfb
}

# The packages of programs for the files of deploy/. They are unpacked, not installed, because an
# installed service would be started.
programs=.cache/programs
absent_servers() {
    for pair in nginx:nginx caddy:caddy promtool:prometheus; do
        PATH="$PATH:/usr/sbin:$programs/usr/sbin:$programs/usr/bin" command -v "${pair%:*}" >/dev/null 2>&1 ||
            echo "${pair#*:}"
    done
}

unpack() {
    mkdir -p "$programs" && (
        cd "$programs" && apt-get download -qq "$1" && dpkg -x "$1"_*.deb . && rm "$1"_*.deb
    ) >/dev/null 2>&1
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
    if [ -n "$(absent)$(absent_shell)$(absent_browsers)$(absent_servers)" ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        echo "Installing for the tests:" $(absent) $(absent_shell) $(absent_browsers) $(absent_servers)
        apt-get update -qq >/dev/null
        for package in $(absent) $(absent_shell) $(absent_browsers); do
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null 2>&1
        done
    fi
    if [ -n "$(absent_servers)" ] && command -v apt-get >/dev/null 2>&1; then
        for package in $(absent_servers); do
            unpack "$package"
        done
    fi
    [ -z "$(absent)" ] || fail "The tests require programs that are not on PATH: install $(echo $(absent))."
    [ -z "$(absent_shell)" ] ||
        echo "The tests take longer than with a program that is not installed: $(absent_shell)."
    [ -z "$(absent_browsers)" ] ||
        echo "The tests skip a browser that is not installed: install $(echo $(absent_browsers))."
    [ -z "$(absent_servers)" ] ||
        echo "The tests skip files of deploy/: install $(echo $(absent_servers))."
    ;;
esac
