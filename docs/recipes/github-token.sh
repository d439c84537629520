#!/bin/sh
# Runs a command with a token of GitHub Actions, and keeps the token valid while the command runs.
#
#   github-token.sh AUDIENCE FILE COMMAND [ARGUMENT...]
#
#   github-token.sh https://state.example.com authorization turn.sh -t authorization "$MACHINE" build ./build.sh
#
# AUDIENCE is the `aud` of an entry for GitHub in the variable OIDC of the service. FILE gets the line
# `Authorization: Bearer TOKEN`, as `turn.sh -t FILE` and `curl -H @FILE` read it. The job needs the permission `id-token: write`.
#
# A token of GitHub is valid for a few minutes. So FILE is written again every RENEW_AFTER seconds (default: 120) until the
# command ends. The exit code is that of the command, 64 for wrong arguments, and 69 if GitHub gives no token.
#
# It needs curl 7.71 or newer, and jq.
set -eu

readonly USAGE=64 FAILURE=69

say() {
  printf 'github-token.sh: %s\n' "$*" >&2
}

if [ $# -lt 3 ]; then
  say 'usage: github-token.sh AUDIENCE FILE COMMAND [ARGUMENT...]'
  exit "$USAGE"
fi
if [ -z "${ACTIONS_ID_TOKEN_REQUEST_URL-}" ]; then
  say 'error: the job needs the permission id-token: write'
  exit "$FAILURE"
fi
audience=$(jq -rn --arg audience "$1" '$audience | @uri') file=$2
shift 2

# Others on the runner cannot read the token, and see no part of it in the list of processes.
renew() (
  umask 077
  printf 'Authorization: Bearer %s\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" |
    curl -sSf --max-time 30 --retry 3 --retry-connrefused -H @- "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$audience" |
    jq -r '.value | strings | "Authorization: Bearer \(.)"' >"$file.new" && [ -s "$file.new" ] && mv "$file.new" "$file"
)

if ! renew; then
  say 'error: GitHub gives no token'
  exit "$FAILURE"
fi

# The command takes the place of this process, so signals reach it. Without a new token, the one before is valid for some minutes.
(
  age=0
  while sleep 1 && kill -0 $$; do
    age=$((age + 1))
    [ "$age" -lt "${RENEW_AFTER:-120}" ] || { renew && age=0; } || age=$((age - 10))
  done
) </dev/null >/dev/null 2>&1 &
exec "$@"
