#!/usr/bin/env bash
# A backup put into an empty database: deploy/restore.sh FILE. See docs/backup.md.
#   AI_ADMIN_DATABASE_URL  an empty database; its role is to own it, and may make roles where the server lacks ours
#   PG_BIN                 where pg_restore of the server's version is; unset: on the path
set -euo pipefail
[[ $# -eq 1 ]] || { printf 'usage: %s FILE\n' "$0" >&2; exit 2; }
file=$1
# shellcheck source=deploy/postgres.sh
source "$(dirname "${BASH_SOURCE[0]}")/postgres.sh"

[[ -r $file ]] || fail "$file cannot be read"
require_version pg_restore
[[ $(sql -c "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')") == 0 ]] ||
    fail "the database is not empty: nothing of it is overwritten. Make another one and name it in AI_ADMIN_DATABASE_URL"

sql -f "$(dirname "${BASH_SOURCE[0]}")/roles.sql"
# All or nothing. Whoever restores owns what is restored: the owner of old need not exist here.
"$(program pg_restore)" --single-transaction --exit-on-error --no-owner --no-password --dbname="$url" "$file"
sql -c ANALYZE

say "restored, at schema $(sql -c 'SELECT version_num FROM alembic_version')"
say "Now, with the AI_ADMIN_MASTER_KEYS of the time of the backup: ai-admin db upgrade; ai-admin audit verify;"
say "ai-admin keys status; ai-admin doctor. Then start workers, and gateways last."
