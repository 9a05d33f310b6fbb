#!/usr/bin/env bash
# Run once by PostgreSQL's image, when its data folder is made: the two logins and the database.
set -euo pipefail
psql -X -v ON_ERROR_STOP=1 -U postgres -v owner_password="$OWNER_PASSWORD" -v login_password="$LOGIN_PASSWORD" \
  -f /logins/logins.sql
