#!/usr/bin/env bash
# Make sure that what the files of deploy/ are checked with is there: systemd-analyze, caddy, docker compose. Say plainly
# what happens where it cannot be.
set -euo pipefail
packages=()
command -v systemd-analyze >/dev/null 2>&1 || packages+=(systemd)
command -v caddy >/dev/null 2>&1 || packages+=(caddy)
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null 2>&1 || packages+=(docker-compose)
if [ ${#packages[@]} = 0 ]; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing Debian's ${packages[*]} for the tests of the deployment"
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; then
    exit 0
  fi
fi
echo "no ${packages[*]} here and no right to install it: its tests will be SKIPPED (apt-get install brings it)" >&2
