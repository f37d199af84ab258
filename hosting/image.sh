#!/bin/sh
# The steps of the image; the tests take the same ones, as there may be no Docker where they run.
#   system          nginx, by apt (as root)
#   python          the packages of requirements.lock, each checked by its hash, then torch in this machine's build
#   start [OPTION]  all servers behind nginx, in the foreground (options: python -m hosting --help)
#   check           whether they are ready: the container's health
set -eu
cd "$(dirname "$0")/.."
step="${1:-}"
[ $# -eq 0 ] || shift
: "${PYTHON:=python}"

case "$step" in
system)
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends nginx-light
    rm -rf /var/lib/apt/lists/*
    ;;
python)
    "$PYTHON" -m pip install --no-cache-dir --retries 5 --require-hashes --no-deps -r requirements.lock
    # shellcheck disable=SC2046 # one word each
    "$PYTHON" -m pip install --no-cache-dir --retries 5 $(sed -nE 's/^(torch(vision)?==[^ ]+).*/\1/p' requirements.txt)
    "$PYTHON" -m pip check
    ;;
start)
    exec "$PYTHON" -m hosting --address 0.0.0.0 --port 8501 "$@"
    ;;
check)
    exec "$PYTHON" -m hosting.check "$@"
    ;;
*)
    echo "expected system, python, start or check: see $0" >&2
    exit 2
    ;;
esac
