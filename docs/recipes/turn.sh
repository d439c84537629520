#!/bin/sh
# Waits for this machine's turn at a state, runs a command, and reports that it is done.
#
#   turn.sh [OPTION...] URL STATE [COMMAND [ARGUMENT...]]
#
#   turn.sh -t /etc/stateservice/authorization https://state.example.com/acme/release fleet ./deploy.sh
#
# URL is the address of the machine, and STATE its state. Without a COMMAND it only waits for the turn, and reports nothing.
# A caller that has reported has nothing to do until the state is entered again: started every half hour, it runs the command once.
#
#   -b NAME     the name of the caller: each name counts once (default: the name of this host)
#   -c          claims a slot first, for a state with `slots`; the lease must be longer than the command
#   -e EVENT    the event to report if the command succeeds (default: update)
#   -f EVENT    the event to report if it fails, for example `fail` (default: no report)
#   -h          prints this text
#   -p SECONDS  patience: how long to wait for the turn; 0 asks once (default: no end)
#   -q          does not print what it waits for (default: at once, and once a minute)
#   -r TIMES    how often to send a request again if there is no answer, with growing pauses (default: 8, about four minutes)
#   -t FILE     a file with the line `Authorization: Bearer TOKEN`; the token needs `read`, and `update` with a COMMAND
#
# The exit code is that of the command, and 0 if there is nothing to do: the caller has reported already, or the state is
# for other members (`only`). Before the command runs, or in place of its 0, it is:
#
#   64  wrong arguments
#   69  error: no answer, or an answer that is neither yes nor no (an address without a chart, a token without the right)
#   74  the command succeeded, but its report was refused
#   75  not yet: the patience has ended
#   76  never: the state cannot become current any more, or the caller is not a member of the machine
#   77  without a COMMAND: there is nothing to do
#
# curl 7.71 or newer is the only requirement.
set -u

readonly USAGE=64 FAILURE=69 NOT_COUNTED=74 NOT_YET=75 NEVER=76 NOTHING_TO_DO=77

# Seconds between two lines that say what it waits for.
readonly SAY_EVERY=60

# The longest wait of one request, in seconds.
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

by=$(uname -n) has_slots='' event=update fail_event='' patience='' times=8 token_file='' is_quiet='' has_command='' said=0 sleeper=''
[ "${1-}" != --help ] || help
while getopts b:ce:f:hp:qr:t: option; do
  case $option in
    b) by=$OPTARG ;;
    c) has_slots=yes ;;
    e) event=$OPTARG ;;
    f) fail_event=$OPTARG ;;
    h) help ;;
    p) is_number "$OPTARG" || wrong "-p $OPTARG is not a number of seconds" && patience=$OPTARG ;;
    q) is_quiet=yes ;;
    r) is_number "$OPTARG" || wrong "-r $OPTARG is not a number" && times=$OPTARG ;;
    t) [ -r "$OPTARG" ] || wrong "cannot read $OPTARG" && token_file=$OPTARG ;;
    *) wrong 'unknown option' ;;
  esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || wrong 'URL and STATE are missing'
url=${1%/} state=$2
shift 2
[ $# -eq 0 ] || has_command=yes

answers=$(mktemp -d) || exit "$FAILURE"
trap 'rm -rf "$answers"; [ -z "$sleeper" ] || kill "$sleeper"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ask METHOD RESOURCE [PARAMETER...] sends a request. It sets `status` (000 without an answer) and `later` (Retry-After or
# empty).
ask() {
  method=$1 resource=$2
  shift 2
  for parameter; do
    shift
    set -- "$@" --data-urlencode "$parameter"
  done
  # curl reads the token from the file, so the list of processes shows only the name of the file.
  [ -z "$token_file" ] || set -- "$@" -H "@$token_file"
  : >"$answers/headers"
  : >"$answers/body"
  curl -sS -G -X "$method" "$@" \
    --connect-timeout 10 --max-time $((LONGEST_WAIT + 30)) \
    --retry "$times" --retry-all-errors \
    -D "$answers/headers" -o "$answers/body" "$url$resource" ||
    : >"$answers/headers" # An incomplete answer is no answer.
  status=$(header status)
  status=${status:-000}
  later=$(header retry-after)
}

# If there are several answers (from a proxy, or after a retry of curl), the last one counts.
header() {
  tr -d '\r' <"$answers/headers" | awk -v name="$1" '
    /^HTTP\// { value = name == "status" ? $2 : "" }
    tolower($1) == name ":" { value = $2 }
    END { print value }'
}

# The reason of a refusal, in the words of the service.
reason() {
  detail=$(sed -n 's/^ *"detail": "\(.*\)",\{0,1\}$/\1/p' "$answers/body" | sed 's/\\\(.\)/\1/g')
  [ "$status" != 000 ] || detail='there was no answer'
  printf '%s' "${detail:-the answer was $status}"
}

# Whether the answer was the refusal $1.
is_refusal() {
  grep -q "problem:$1\"" "$answers/body"
}

# Exits unless the answer was "not yet" and there is patience left.
stop_unless_not_yet() {
  if [ "$status" != 406 ]; then
    say "error: $(reason)"
    exit "$FAILURE"
  fi
  if is_refusal already-reported || is_refusal not-for-you; then
    [ -n "$is_quiet" ] || say "nothing to do: $(reason)"
    [ -z "$has_command" ] && exit "$NOTHING_TO_DO"
    exit 0
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

# Prints why the turn has not come, at most once in SAY_EVERY seconds.
say_waiting() {
  [ -z "$is_quiet" ] && [ $(($(date +%s) - said)) -ge "$SAY_EVERY" ] || return 0
  said=$(date +%s)
  say "waiting: $(reason)"
}

# The remaining patience in seconds, at most $1.
left() {
  [ -n "$patience" ] || { echo "$1" && return; }
  left=$((began + patience - $(date +%s)))
  [ "$left" -gt 0 ] || left=0
  [ "$left" -lt "$1" ] || left=$1
  echo "$left"
}

# Sleeps for $1 seconds. In the background, so that a signal ends it at once.
rest() {
  sleep "$1" &
  sleeper=$!
  wait "$sleeper"
  sleeper=''
}

# Exits unless the token may report, so that the command does not run in vain. The service checks the right first, and
# then refuses the reserved event: nothing is counted, and no machine is asked.
check_right_to_report() {
  ask PUT /state "state=$state" event=xstate.may-I-report
  ! is_refusal reserved-event || return 0
  say "error: $(reason)"
  exit "$FAILURE"
}

# Waits until there is something to do: the state is current and open, the caller has not reported, and a slot is free.
await_turn() {
  wait=0 # The first answer comes at once and says what the machine waits for.
  while
    asked=$(date +%s)
    ask GET /state "state=$state" "by=$by" "wait=$(left "$wait")s"
    [ "$status" != 200 ]
  do
    stop_unless_not_yet
    say_waiting
    # The next request can wait for a change of the machine. It need not be sent before a window opens in an hour, or if the
    # service did not wait.
    if [ "$later" -gt "$LONGEST_WAIT" ] || [ $(($(date +%s) - asked)) -lt "$wait" ]; then
      rest "$(left "$later")"
    fi
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
    # Another caller has taken the slot.
    rest "$(left 1)"
    await_turn
  done
}

began=$(date +%s)
[ -z "$has_command" ] || check_right_to_report
await_turn
[ -n "$has_command" ] || exit 0
[ -z "$has_slots" ] || await_slot

"$@"
code=$?

if [ "$code" -eq 0 ]; then
  ask PUT /state "state=$state" "by=$by" "event=$event"
  [ "$status" = 200 ] && exit 0
  say "the command succeeded, but its report was refused: $(reason)"
  exit "$NOT_COUNTED"
fi
if [ -n "$fail_event" ]; then
  ask PUT /state "state=$state" "by=$by" "event=$fail_event"
  [ "$status" = 200 ] || say "the command failed, and its report was refused: $(reason)"
elif [ -n "$has_slots" ]; then
  # Free the slot for another machine.
  ask DELETE /claims "state=$state" "by=$by"
fi
exit "$code"
