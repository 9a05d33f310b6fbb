#!/usr/bin/env bash
# Make sure that Prometheus and promtool are there for the tests of the alerts; say plainly what happens where they cannot be.
# Debian's package is unpacked into .tools/, not installed: an installed one starts a service at once, and asks for a right
# that unpacking does not need.
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; then exit 0; fi
if [ -x .tools/usr/bin/prometheus ] && [ -x .tools/usr/bin/promtool ]; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; then
  echo "unpacking Debian's prometheus into .tools/ for the tests of the alerts"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  if [ "$(id -u)" = 0 ]; then
    apt-get update -qq >/dev/null || true
  fi
  # What is downloaded is held against the hash in apt's signed lists.
  if (cd "$folder" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download prometheus >/dev/null) &&
    mkdir -p .tools && dpkg-deb -x "$folder"/prometheus_*.deb .tools; then
    if .tools/usr/bin/promtool --version >/dev/null 2>&1; then exit 0; fi
    rm -f .tools/usr/bin/prometheus .tools/usr/bin/promtool
  fi
fi
echo "no Prometheus here and no way to fetch it: the tests of the alerts will be SKIPPED (Debian's package prometheus brings it)" >&2
