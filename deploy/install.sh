#!/usr/bin/env bash
# Install one lock file and this project into the virtual environment; print the time of downloads apart from the rest.
# What is installed beyond the lock file stays: the demo must not take the tools of development away.
# usage: deploy/install.sh BIN_DIR LOCK_FILE
set -euo pipefail
bin=$1 lock=$2
now() { date +%s%N; }
seconds() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.1f", (to - from) / 1e9 }'; }
started=$(now)
"$bin/uv" pip install --quiet --python "$bin/python" --require-hashes --requirements "$lock"
installed=$(now)
# The project itself is editable; its build back end comes from the index too.
"$bin/uv" pip install --quiet --python "$bin/python" --no-deps --editable .
echo "set-up: $lock downloaded and installed in $(seconds "$started" "$installed") s," \
  "the project linked in $(seconds "$installed" "$(now)") s"
