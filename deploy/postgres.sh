# shellcheck shell=bash
# Sourced by backup.sh and restore.sh: which database, and whose programs.

say() { printf '%s\n' "$*" >&2; }
fail() { say "$(basename "$0"): $*"; exit 1; }

: "${AI_ADMIN_DATABASE_URL:?is not set: the address of the database, as the processes have it}"
# Our address names the driver and asyncpg's word for TLS; PostgreSQL's own programs know neither.
url=${AI_ADMIN_DATABASE_URL/#postgresql+asyncpg:/postgresql:}
url=${url/ssl=/sslmode=}

program() {
    if [[ -n ${PG_BIN:-} ]]; then printf '%s/%s' "$PG_BIN" "$1"; else printf '%s' "$1"; fi
}

sql() { "$(program psql)" -X -q -A -t -v ON_ERROR_STOP=1 -d "$url" "$@"; }

# A pg_dump older than its server refuses, and a pg_restore older than the dump cannot read it.
require_version() {
    local server mine
    server=$(sql -c "SELECT current_setting('server_version_num')::int / 10000") || fail "the database does not answer"
    mine=$("$(program "$1")" --version | grep -oE '[0-9]+' | head -1) || fail "there is no $1: set PG_BIN to the folder of PostgreSQL $server's programs"
    ((mine >= server)) || fail "$1 is of version $mine, the server of $server: set PG_BIN to the folder of PostgreSQL $server's programs (Debian: apt install postgresql-client-$server from apt.postgresql.org)"
}
