#!/usr/bin/env bash
# Make sure that Prometheus, promtool and amtool are there for the tests of the alerts; say plainly what happens where they
# cannot be. Debian's packages are unpacked into .tools/, not installed: an installed one starts a service at once, and asks
# for a right that unpacking does not need.
set -euo pipefail
cd "$(dirname "$0")/.."

missing() {
  local name
  for name in prometheus promtool amtool; do
    if ! command -v "$name" >/dev/null 2>&1 && ! .tools/usr/bin/"$name" --version >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

if ! missing; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; then
  echo "unpacking Debian's prometheus and prometheus-alertmanager into .tools/ for the tests of the alerts"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  if [ "$(id -u)" = 0 ]; then apt-get update -qq >/dev/null || true; fi
  # What is downloaded is held against the hash in apt's signed lists.
  if (cd "$folder" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download prometheus prometheus-alertmanager >/dev/null); then
    mkdir -p .tools
    for package in "$folder"/*.deb; do dpkg-deb -x "$package" .tools; done
    if ! missing; then exit 0; fi
  fi
fi
echo "no Prometheus here and no way to fetch it: the tests of the alerts will be SKIPPED (Debian's packages prometheus and prometheus-alertmanager bring it)" >&2
