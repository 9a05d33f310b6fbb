#!/usr/bin/env bash
# Bring Debian's PgBouncer into .tools/pgbouncer for its tests, unpacked and not installed: no service is started. Say
# plainly what happens where it cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.tools/pgbouncer
if [ -x "$tools/usr/sbin/pgbouncer" ] || command -v pgbouncer >/dev/null 2>&1; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1; then
  echo "bringing Debian's pgbouncer into $tools for its tests"
  draft=$(mktemp -d)
  trap 'rm -rf "$draft"' EXIT
  chmod 755 "$draft"
  if [ "$(id -u)" = 0 ]; then apt-get update -qq >/dev/null 2>&1 || true; fi
  # The libraries that it needs and a small installation lacks come with it.
  if (cd "$draft" && apt-get download -qq pgbouncer libevent-2.1-7 libc-ares2 >/dev/null 2>&1); then
    mkdir -p "$tools"
    for package in "$draft"/*.deb; do dpkg -x "$package" "$tools"; done
    exit 0
  fi
fi
echo "no PgBouncer here and none to be had: its tests will be SKIPPED (apt-get install pgbouncer brings it)" >&2
