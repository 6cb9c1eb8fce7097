#!/bin/sh
# Make .venv: find a Python and a C compiler, installing them where that is
# possible, and hand over to prepare.py.
#
# usage: tools/prepare.sh run|test|bench|dev|vendor
#
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."

say() {
    echo "==> $*" >&2
}

# True for a Python that can make a virtual environment and build extensions.
usable_python() {
    "$1" - 2>/dev/null <<'END'
import ensurepip, os, sys, sysconfig, venv
include = sysconfig.get_paths()["include"]
sys.exit(not (sys.version_info >= (3, 10)
              and os.path.exists(os.path.join(include, "Python.h"))))
END
}

# Print the first usable Python. WASI_BACKING_PYTHON goes before all others.
find_python() {
    for python in "${WASI_BACKING_PYTHON:-python3}" python3 /usr/bin/python3 \
        python3.14 python3.13 python3.12 python3.11 python3.10; do
        if usable_python "$python"; then
            echo "$python"
            return
        fi
    done
    return 1
}

# True for a .venv that works; a new version of its Python may have broken it.
usable_venv() {
    .venv/bin/python -c 'import pip' 2>/dev/null
}

# Print the packages, by their Debian names, that are still needed.
missing() {
    # A compiler without the C library's headers is not enough.
    echo '#include <stdio.h>' | ${CC:-cc} -E - >/dev/null 2>&1 ||
        printf ' gcc libc6-dev'
    usable_venv || find_python >/dev/null ||
        printf ' python3 python3-venv python3-dev'
}

install() {
    export DEBIAN_FRONTEND=noninteractive
    say "installing$1"
    # shellcheck disable=SC2086 # one word per package
    apt-get install -y -qq --no-install-recommends $1 >/dev/null 2>&1 ||
        { apt-get update -qq &&
            apt-get install -y -qq --no-install-recommends $1 >/dev/null; }
}

packages=$(missing)
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
then
    install "$packages" || true
    packages=$(missing)
fi
if [ -n "$packages" ]; then
    echo "missing: a C compiler with the C library's headers, or Python 3.10" \
        "or later with its headers and venv module; on Debian:" \
        "sudo apt-get install$packages" >&2
    exit 1
fi
if ! usable_venv; then
    python=$(find_python)
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi
exec .venv/bin/python tools/prepare.py "$@"
