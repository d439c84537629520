#!/bin/sh
# Waits for this machine's turn at a state, runs a command, and reports that it is done.
#
#   turn.sh [OPTION...] URL STATE [COMMAND [ARGUMENT...]]
#
#   turn.sh -t /etc/stateservice/authorization https://state.example.com/acme/release fleet ./deploy.sh
#
# URL is the machine's, and STATE its state. Without a COMMAND it only waits, and reports nothing.
#
#   -b NAME     who reports: one name counts once, however often it is said (this host's name)
#   -c          claims a slot first, where the state has `slots`; its lease must outlast the command
#   -e EVENT    what to report where the command succeeds (update)
#   -f EVENT    what to report where it fails, `fail` for instance; left out, nothing is reported
#   -h          prints this
#   -p SECONDS  patience: how long to wait for the turn; 0 asks once (for ever)
#   -q          says nothing of what it waits for; else it does at once, and once a minute
#   -r TIMES    how often a request without an answer is sent again, ever more slowly (8: some four minutes)
#   -t FILE     a file with the line `Authorization: Bearer TOKEN`, which needs `read`, and `update` with a COMMAND
#
# It ends with the command's own exit code, and before the command is run, or in place of its 0, with
#
#   64  these arguments make no sense
#   69  trouble: there was no answer, or none that is a yes or a no (an address without a chart, a token that may not report)
#   74  the command has succeeded, but its report was refused
#   75  not yet: patience is at an end
#   76  never: the state cannot come any more
#
# curl 7.71 or newer is all that it needs.
set -u

readonly USAGE=64 TROUBLE=69 NOT_COUNTED=74 NOT_YET=75 NEVER=76

# Between two lines that say what is waited for, in seconds.
readonly SAY_EVERY=60

# What the service waits for at most in one request, in seconds.
readonly LONGEST_WAIT=60

say() {
  printf 'turn.sh: %s\n' "$*" >&2
}

wrong() {
  say "$1"
  say 'usage: turn.sh [-b NAME] [-c] [-e EVENT] [-f EVENT] [-h] [-p SECONDS] [-q] [-r TIMES] [-t FILE] URL STATE [COMMAND...]'
  exit "$USAGE"
}

# The comment at the top of this file.
help() {
  sed -n '2,/^# curl/ s/^#\( \|$\)//p' "$0"
  exit 0
}

is_number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
}

by=$(uname -n) has_slots='' event=update fail_event='' patience='' times=8 token_file='' seen='' is_quiet='' said=0
[ "${1-}" != --help ] || help
while getopts b:ce:f:hp:qr:t: option; do
  case $option in
    b) by=$OPTARG ;;
    c) has_slots=yes ;;
    e) event=$OPTARG ;;
    f) fail_event=$OPTARG ;;
    h) help ;;
    p) is_number "$OPTARG" || wrong "-p $OPTARG is no number of seconds" && patience=$OPTARG ;;
    q) is_quiet=yes ;;
    r) is_number "$OPTARG" || wrong "-r $OPTARG is no number" && times=$OPTARG ;;
    t) [ -r "$OPTARG" ] || wrong "cannot read $OPTARG" && token_file=$OPTARG ;;
    *) wrong 'that option is not known' ;;
  esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || wrong 'which machine, and which state?'
url=${1%/} state=$2
shift 2

answers=$(mktemp -d) || exit "$TROUBLE"
trap 'rm -rf "$answers"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ask METHOD RESOURCE [PARAMETER...] sends a request. `status` is then its answer's, 000 where there was none; `later`
# its Retry-After and `etag` its ETag, or empty.
ask() {
  method=$1 resource=$2
  shift 2
  for parameter; do
    shift
    set -- "$@" --data-urlencode "$parameter"
  done
  # curl reads the token by itself: whoever lists the processes of this host sees the name of its file.
  [ -z "$token_file" ] || set -- "$@" -H "@$token_file"
  [ -z "$seen" ] || set -- "$@" -H "If-None-Match: $seen"
  : >"$answers/headers"
  : >"$answers/body"
  curl -sS -G -X "$method" "$@" \
    --connect-timeout 10 --max-time $((LONGEST_WAIT + 30)) \
    --retry "$times" --retry-all-errors \
    -D "$answers/headers" -o "$answers/body" "$url$resource" ||
    : >"$answers/headers" # What came before an answer broke off is none.
  status=$(header status)
  status=${status:-000}
  later=$(header retry-after)
  etag=$(header etag)
}

# Of several answers (of a proxy, or of one that curl has asked again) the last one counts.
header() {
  tr -d '\r' <"$answers/headers" | awk -v name="$1" '
    /^HTTP\// { value = name == "status" ? $2 : "" }
    tolower($1) == name ":" { value = $2 }
    END { print value }'
}

# Why the answer was no, in the service's words.
reason() {
  detail=$(sed -n 's/^ *"detail": "\(.*\)",\{0,1\}$/\1/p' "$answers/body" | sed 's/\\\(.\)/\1/g')
  [ "$status" != 000 ] || detail='there was no answer'
  printf '%s' "${detail:-the answer was $status}"
}

# Ends unless the answer was "not yet" and there is patience left.
stop_unless_not_yet() {
  if [ "$status" != 406 ]; then
    say "trouble: $(reason)"
    exit "$TROUBLE"
  fi
  if [ -z "$later" ]; then
    say "never: $(reason)"
    exit "$NEVER"
  fi
  if [ "$(left 1)" -eq 0 ]; then
    say "not yet: $(reason)"
    exit "$NOT_YET"
  fi
}

# Says why the turn has not come, once in a while.
say_waiting() {
  [ -z "$is_quiet" ] && [ $(($(date +%s) - said)) -ge "$SAY_EVERY" ] || return 0
  said=$(date +%s)
  say "waiting: $(reason)"
}

# Seconds of patience that are left, at most $1.
left() {
  [ -n "$patience" ] || { echo "$1" && return; }
  left=$((began + patience - $(date +%s)))
  [ "$left" -gt 0 ] || left=0
  [ "$left" -lt "$1" ] || left=$1
  echo "$left"
}

# Ends unless the token may report: better than to run the command for nothing. The service checks the right first, and
# then refuses the event, whose name is reserved: nothing is counted, and no machine is asked.
check_right_to_report() {
  ask PUT /state "state=$state" event=xstate.may-I-report
  ! grep -q 'problem:reserved-event"' "$answers/body" || return 0
  say "trouble: $(reason)"
  exit "$TROUBLE"
}

await_state() {
  wait=0 # The first answer is at once, to say what is waited for.
  while
    ask GET /state "state=$state" "wait=$(left "$wait")s"
    [ "$status" != 200 ]
  do
    stop_unless_not_yet
    say_waiting
    [ "$wait" -eq 0 ] || sleep "$(left "$later")"
    wait=$LONGEST_WAIT
  done
}

await_slot() {
  while
    ask POST /claims "state=$state" "by=$by"
    [ "$status" != 200 ]
  do
    stop_unless_not_yet
    say_waiting
    # Until anything changes at all at this machine, as it does where a slot is given back.
    seen=$etag
    ask GET '' "wait=$(left "$later")s"
    seen=''
    case $status in 200 | 304) ;; *) sleep 5 ;; esac
    await_state
  done
}

began=$(date +%s)
[ $# -eq 0 ] || check_right_to_report
await_state
[ $# -gt 0 ] || exit 0
[ -z "$has_slots" ] || await_slot

"$@"
code=$?

if [ "$code" -eq 0 ]; then
  ask PUT /state "state=$state" "by=$by" "event=$event"
  [ "$status" = 200 ] && exit 0
  say "done, but not counted: $(reason)"
  exit "$NOT_COUNTED"
fi
if [ -n "$fail_event" ]; then
  ask PUT /state "state=$state" "by=$by" "event=$fail_event"
  [ "$status" = 200 ] || say "failed, and the report of it was refused: $(reason)"
elif [ -n "$has_slots" ]; then
  # Another machine may try what this one could not.
  ask DELETE /claims "state=$state" "by=$by"
fi
exit "$code"
