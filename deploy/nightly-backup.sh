#!/usr/bin/env bash
# One backup named after the moment, and the old ones away: deploy/nightly-backup.sh FOLDER. ai-admin-backup.timer runs it.
#   KEEP_DAYS  how old a backup may become; the newest stay however old they are, as nothing is removed after a failure
# Everything else is said to backup.sh, beside this file.
set -euo pipefail
[[ $# -eq 1 ]] || { printf 'usage: %s FOLDER\n' "$0" >&2; exit 2; }
folder=$1
"$(dirname "${BASH_SOURCE[0]}")/backup.sh" "$folder/$(date -u +%Y-%m-%dT%H%M%SZ).dump"
find "$folder" -maxdepth 1 -name '*.dump' -mtime "+${KEEP_DAYS:-14}" -delete
