#!/usr/bin/env bash
# `ai-admin` for an admin at this machine, installed as /usr/local/bin/ai-admin: the command runs as the service's user,
# with the settings that the units have. Only root may read them, hence `sudo ai-admin …`; who called sudo stands in the
# audit.
#   ENV_FILE  the settings: NAME=value, a line each, taken to the letter (no quotes, no $), as systemd and docker read them
#   RELEASE   the release that is used
#   RUN_AS    the service's user; empty: nobody else is become
#   STATE     the service's folder: it is home and working folder, as where the admin stands may be closed to the service.
#             So files are named by their whole path, and must be readable by the service's user.
set -euo pipefail
env_file=${ENV_FILE:-/etc/ai-admin/env} release=${RELEASE:-/opt/ai-admin/current} run_as=${RUN_AS-ai-admin}
state=${STATE:-/var/lib/ai-admin}
if [ ! -r "$env_file" ]; then
  echo "ai-admin: $env_file cannot be read; as root: sudo ai-admin $*" >&2
  exit 1
fi
export AI_ADMIN_MODE=production AI_ADMIN_DATA_DIR=$state HOME=$state
while IFS= read -r line || [ -n "$line" ]; do
  case $line in '' | '#'*) continue ;; esac
  export "${line%%=*}=${line#*=}"
done <"$env_file"
cd "$state"
export AI_ADMIN_ACTOR=${AI_ADMIN_ACTOR:-${SUDO_USER:-}}
if [ -n "$run_as" ]; then
  exec setpriv --reuid="$run_as" --regid="$run_as" --init-groups --no-new-privs "$release/.venv/bin/ai-admin" "$@"
fi
exec "$release/.venv/bin/ai-admin" "$@"
