#!/usr/bin/env bash
# Make sure that headless Chromium is there for the page test; say plainly what happens where it cannot be.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing Debian's chromium for the page test"
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium >/dev/null; then exit 0; fi
fi
echo "no Chromium here and no right to install it: the page test will be SKIPPED (apt-get install chromium brings it)" >&2
