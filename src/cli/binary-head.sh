#!/bin/sh
# StateService in one file: this script, and behind it workerd with the service in it. It needs Linux and /bin/sh, and no
# Node. `command -p` finds the standard utilities whatever PATH is.
set -u

START=@START@
SIZE=@SIZE@
VERSION=@VERSION@
WAITS_MAX=@WAITS@
DESCRIPTORS=@DESCRIPTORS@

say() {
  printf 'stateservice: %s\n' "$1" >&2
}

wrong() {
  say "$1; --help lists the flags"
  exit 2
}

failed() {
  say "$1"
  exit 1
}

usage() {
  printf '%s\n' "usage: $0 [flags]

Serves charts on this machine.

  --charts DIR   a folder of charts: DIR/default.yaml is at /state,
                 DIR/acme/release.yaml at /acme/release/state  (default: charts)
  --data DIR     the folder of the machines                    (default: data)
  --port N       0 for any free port                           (default: 5000)
  --host HOST    an address; 0.0.0.0 for all interfaces        (default: 127.0.0.1)
  --version

Requests need a token, signed with TOKEN_SECRET of the environment; without it, each is refused with 503. AUTH=open turns
tokens off. It unpacks its program to TMPDIR (default: /tmp), and removes it again as soon as it runs."
  exit 0
}

charts=charts data=data port=5000 host=127.0.0.1
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage ;;
    -V | --version) printf 'stateservice %s\n' "$VERSION" && exit 0 ;;
    --*=*) flag=${1%%=*} value=${1#*=} ;;
    --charts | --data | --port | --host)
      [ $# -ge 2 ] || wrong "$1 needs a value"
      flag=$1 value=$2
      shift
      ;;
    *) wrong "unknown argument $1" ;;
  esac
  shift
  [ -n "$value" ] || wrong "$flag is empty"
  case $flag in
    --charts) charts=$value ;;
    --data) data=$value ;;
    --port) port=$value ;;
    --host) host=$value ;;
    *) wrong "unknown flag $flag" ;;
  esac
done
case $port in *[!0-9]* | ??????*) wrong "--port $port is not a port: 0 to 65535" ;; esac
[ "$port" -le 65535 ] || wrong "--port $port is not a port: 0 to 65535"
[ -d "$charts" ] || failed "--charts $charts is not a folder"
case $host in *:*) address="[$host]" ;; *) address=$host ;; esac

[ "$(command -p wc -c <"$0")" -eq "$SIZE" ] || failed "$0 is not complete: it must have $SIZE bytes"

# The data are private to their owner, as the folder of `npm start` is.
umask 077
{ command -p mkdir -p "$data" && command -p chmod 700 "$data"; } || failed "cannot use the data folder $data"
# The descriptor stays open in the server, and the lock goes with it. The redirection is an error of its own.
exec 9>"$data/.binary.lock" || failed "cannot write to the data folder $data"
if command -p -v flock >/dev/null; then
  command -p flock -n 9 || failed "another server uses the data folder $data"
fi

[ -n "${TOKEN_SECRET-}" ] || [ "${AUTH-}" = open ] || say 'TOKEN_SECRET is not set: all requests are refused with 503'
AUTH=${AUTH:-token}
ALLOWED_HOSTS=${ALLOWED_HOSTS:-localhost,$host}

# A connection takes two descriptors; half of them are for requests that wait. Linux' shells have these options:
# shellcheck disable=SC3045
ulimit -n "$(ulimit -H -n)" 2>/dev/null
# shellcheck disable=SC3045
descriptors=$(ulimit -n)
[ "$descriptors" != unlimited ] || descriptors=$DESCRIPTORS
WAITS=$((descriptors / 4))
if [ "$descriptors" -ge "$DESCRIPTORS" ]; then
  WAITS=$WAITS_MAX
else
  say "the limit of open files is $descriptors, so at most $WAITS requests may wait or watch. Raise it to $DESCRIPTORS"
fi
LOCAL_HOOKS=yes
export AUTH ALLOWED_HOSTS WAITS LOCAL_HOOKS

# A workerd that was killed leaves pages that were written and not synced, which the next one takes for committed; and workerd does not
# sync the names of these folders.
{ command -p mkdir -p "$data/stateservice-Machine" "$data/stateservice-Tenant" && command -p sync; } ||
  failed "cannot use the data folder $data"

unpacked=${TMPDIR:-/tmp}/stateservice.$$
command -p mkdir -m 700 "$unpacked" || failed "cannot unpack to ${TMPDIR:-/tmp}"
program=$unpacked/stateservice
if ! { command -p tail -c "+$START" "$0" >"$program" && command -p chmod 700 "$program" && command -p mkfifo "$unpacked/port"; }; then
  command -p rm -rf "$unpacked"
  failed "cannot unpack to ${TMPDIR:-/tmp}"
fi

# When workerd listens, it has read its program, which can be removed. This is so as well when it has ended: the pipe closes.
({
  read -r line <"$unpacked/port"
  command -p rm -rf "$unpacked"
  bound=${line##*'"port":'}
  [ -z "$line" ] || printf 'StateService listens on http://%s:%s\n' "$address" "${bound%%[!0-9]*}"
} 9>&- &)
exec "$program" --socket-addr="http=$address:$port" --directory-path="charts=$charts" --directory-path="data=$data" \
  --control-fd=3 3>"$unpacked/port"
