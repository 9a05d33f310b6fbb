#!/usr/bin/env bash
# Install one lock file and this project into the virtual environment; print the time of downloads apart from the rest.
# usage: deploy/install.sh BIN_DIR LOCK_FILE
set -euo pipefail
bin=$1 lock=$2
now() { date +%s%N; }
started=$(now)
"$bin/uv" pip sync --quiet --python "$bin/python" --require-hashes "$lock"
synced=$(now)
# The project itself is editable; its build back end comes from the index too, hence within the same timed step.
"$bin/uv" pip install --quiet --python "$bin/python" --no-deps --editable .
done_at=$(now)
printf 'set-up: %s downloaded and unpacked in %.1f s, project linked in %.1f s\n' \
  "$lock" "$(( (synced - started) / 1000000 ))e-3" "$(( (done_at - synced) / 1000000 ))e-3"
