#!/usr/bin/env bash
# A backup of the database, made while everything runs: deploy/backup.sh FILE. See docs/backup.md.
#   AI_ADMIN_DATABASE_URL  the database; its role must see every row: a superuser, or BYPASSRLS with pg_read_all_data
#   PG_BIN                 where pg_dump of the server's version is; unset: on the path
set -euo pipefail
[[ $# -eq 1 ]] || { printf 'usage: %s FILE\n' "$0" >&2; exit 2; }
file=$1
# shellcheck source=deploy/postgres.sh
source "$(dirname "${BASH_SOURCE[0]}")/postgres.sh"
umask 077

require_version pg_dump
[[ ! -e $file ]] || fail "$file is there already: a backup never overwrites one"
# Row-level security is forced on the owner too: without this, pg_dump would stop in the middle.
[[ $(sql -c "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user") == t ]] || fail \
    "this role does not see every company's rows. As a superuser, once:
    CREATE ROLE ai_admin_backup LOGIN BYPASSRLS PASSWORD '…'; GRANT pg_read_all_data TO ai_admin_backup;
and give its address to this script alone"

# The name appears only when the dump is whole.
draft=$file.part
trap 'rm -f "$draft"' EXIT
"$(program pg_dump)" --format=custom --no-password --file="$draft" --dbname="$url"
"$(program pg_restore)" --list "$draft" >/dev/null
sync "$draft"
mv "$draft" "$file"
trap - EXIT

say "$file: $(stat -c %s "$file") bytes"
say "THE KEYS ARE NOT IN IT. Without AI_ADMIN_MASTER_KEYS (and the Vault behind it, where there is one) no token of a"
say "channel and no secret of a CRM in this backup can be read again. Keep them, and keep them somewhere else."
