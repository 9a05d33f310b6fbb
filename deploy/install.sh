#!/usr/bin/env bash
# Make the virtual environment with uv in it; install one lock file and this project, where one is named. What was
# downloaded is counted apart from the set-up, which the speed of the line does not change.
# What is installed beyond the lock file stays: the demo must not take the tools of development away.
# usage: deploy/install.sh PYTHON VENV [LOCK_FILE]
set -euo pipefail
python=$1 venv=$2 lock=${3:-}
bin=$venv/bin
downloads=0 setup=0

now() { date +%s%N; }
# add downloads|setup FROM TO: nanoseconds to a sum.
add() { printf -v "$1" %s $((${!1} + $3 - $2)); }
seconds() { awk -v ns="$1" 'BEGIN { printf "%.1f", ns / 1e9 }'; }
# fetched_in: the nanoseconds that uv's report says it took to ask the index ("Resolved 73 packages in 674ms") and to
# download and unpack ("Prepared 73 packages in 1m 02s"); what its cache holds it does not prepare. (%.0f because mawk's
# %d ends at 2^31.)
fetched_in() {
  awk '/^(Resolved|Prepared) / {
         for (i = 1; i <= NF && $i != "in"; i++);
         for (i++; i <= NF; i++) s += $i * ($i ~ /ms$/ ? 0.001 : $i ~ /m$/ ? 60 : 1)
       } END { printf "%.0f", s * 1e9 }' "$1"
}

uv() {
  local report from to fetched
  report=$(mktemp)
  from=$(now)
  if ! NO_COLOR=1 UV_NO_PROGRESS=1 "$bin/uv" "$@" 2>"$report"; then
    cat "$report" >&2
    rm -f "$report"
    return 1
  fi
  to=$(now)
  fetched=$(fetched_in "$report")
  rm -f "$report"
  downloads=$((downloads + fetched)) setup=$((setup + to - from - fetched))
}

if [ ! -x "$bin/uv" ]; then
  echo "setting up $venv with $python"
  "$python" -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "AI-Admin needs Python 3.11 or newer; PYTHON=/path/to/python3.11 make ... names one")'
  at=$(now)
  "$python" -m venv "$venv"
  made=$(now)
  add setup "$at" "$made"
  wheels=$(mktemp -d)
  trap 'rm -rf "$wheels"' EXIT
  "$bin/pip" download --quiet --no-deps --dest "$wheels" uv
  at=$(now)
  add downloads "$made" "$at"
  "$bin/pip" install --quiet --no-index "$wheels"/*
  add setup "$at" "$(now)"
fi
if [ -n "$lock" ]; then
  uv pip install --python "$bin/python" --require-hashes --requirements "$lock"
  # The project itself is linked; what builds the link comes from the index too, and is downloaded first, by itself.
  builders=$(mktemp -d)
  trap 'rm -rf "${wheels:-}" "$builders"' EXIT
  uv pip install --python "$bin/python" --target "$builders" hatchling editables
  at=$(now)
  "$bin/uv" pip install --quiet --python "$bin/python" --no-deps --editable .
  add setup "$at" "$(now)"
fi
echo "set-up${lock:+ by $lock}: $(seconds "$setup") s, and $(seconds "$downloads") s of downloads"
