#!/usr/bin/env bash
# Runs every test, or the command given, where there is no network but the loopback interface, after a build that may use
# one: tests/offline.sh [COMMAND...]
# Needs Linux, unprivileged user namespaces, and `ip` of iproute2 or BusyBox.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --release --workspace --locked --no-run
[ $# -gt 0 ] || set -- cargo test --release --workspace --locked --offline
exec unshare --map-root-user --net sh -ec '
    ip link set lo up
    test "$(ip -o link | wc -l)" = 1 # the loopback interface alone
    exec "$@"' sh "$@"
