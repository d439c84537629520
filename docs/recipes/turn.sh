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
#   -c          holds a slot while the command runs, for a state with `slots`
#   -e EVENT    the event to report if the command succeeds (default: update)
#   -f EVENT    the event to report if it fails, for example `fail` (default: no report)
#   -h          prints this text
#   -k SECONDS  how long a command may take to end after TERM; then it gets KILL (default: 10)
#   -p SECONDS  patience: how long to wait for the turn; 0 asks once (default: no end)
#   -q          does not print what it waits for (default: at once, and once a minute)
#   -r TIMES    how often to send a request again if there is no answer, with growing pauses (default: 8, about four minutes)
#   -t FILE     a file with the line `Authorization: Bearer TOKEN`; the token needs `read`, and `update` with a COMMAND
#
# With -c it renews the claim at each third of the lease. If the slot is lost, it ends the command: TERM, then KILL. A slot is
# lost if its lease ends before a renewal is answered, if the state is left, if the machine is reset or deleted, or if the token
# is refused. In its environment the command has TURN_REVISION, the revision of the claim. It is a fencing token: each claim of
# the machine has a greater one. What the command writes to should refuse a smaller revision than it has seen.
#
# TERM, INT and HUP end the command in the same way, and give the slot back. The command has a process group of its own, which is
# ended as a whole, unless stdin is a terminal.
#
# The exit code is that of the command, and 0 if there is nothing to do: the caller has reported already, or the state is
# for other members (`only`). Otherwise it is:
#
#   64  wrong arguments
#   69  error: no answer, or an answer that is neither yes nor no (an address without a chart, a token without the right)
#   74  the command succeeded, but its report was refused
#   75  not yet: the patience has ended
#   76  never: the state cannot become current any more, or the caller is not a member of the machine
#   77  without a COMMAND: there is nothing to do
#   79  the slot was lost while the command ran
#
# It needs a POSIX shell and curl 7.55 or newer.
set -u

readonly USAGE=64 FAILURE=69 NOT_COUNTED=74 NOT_YET=75 NEVER=76 NOTHING_TO_DO=77 LOST=79

# Seconds between two lines that say what it waits for.
readonly SAY_EVERY=60

# The longest wait of one request, in seconds.
readonly LONGEST_WAIT=60

say() {
  printf 'turn.sh: %s\n' "$*" >&2
}

wrong() {
  say "$1"
  say 'usage: turn.sh [-b NAME] [-c] [-e EVENT] [-f EVENT] [-h] [-k SECONDS] [-p SECONDS] [-q] [-r TIMES] [-t FILE] URL STATE [COMMAND...]'
  exit "$USAGE"
}

# The comment at the top of this file.
help() {
  sed -n '2,/curl 7/ s/^# \{0,1\}//p' "$0"
  exit 0
}

is_number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
}

# Sends a request, again if there is no answer: ask METHOD RESOURCE [PARAMETER...]. It sets `status` (000 without an answer),
# `later` (Retry-After in seconds, or empty), `revision` and `asked` (when it was sent, seconds since the epoch).
ask() {
  tries=0 pause=1
  while
    ask_once "$@"
    has_no_answer && [ "$tries" -lt "$times" ]
  do
    [ "$tries" -gt 0 ] || [ -n "$is_quiet" ] || cat "$answers/errors" >&2
    say_waiting
    tries=$((tries + 1))
    rest "${later:-$pause}"
    pause=$((pause * 2))
  done
  [ "$status" != 000 ] || cat "$answers/errors" >&2
}

ask_once() {
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
  asked=$(date +%s)
  # In the background, so that a signal ends it at once.
  curl -sS -G -X "$method" "$@" \
    --connect-timeout 10 --max-time "$within" \
    -D "$answers/headers" -o "$answers/body" "$url$resource" >/dev/null 2>"$answers/errors" &
  child=$!
  wait "$child" || : >"$answers/headers" # An incomplete answer is no answer.
  child=''
  read_headers
}

# Whether the request is worth a repeat: the service did not answer, or could not.
has_no_answer() {
  case $status in 000 | 408 | 429 | 5??) ;; *) return 1 ;; esac
}

# Sets `status`, `later` and `revision` (of the machine, or empty). If there are several answers (from a proxy), the last one counts.
read_headers() {
  # shellcheck disable=SC2046 # three words, of digits or a dash
  set -- $(awk '
    { sub(/\r$/, "") }
    /^HTTP\// { status = $2; later = revision = "-" }
    tolower($1) == "retry-after:" { later = $2 }
    tolower($1) == "etag:" { revision = $2; gsub(/[^0-9]/, "", revision) }
    END { print number(status, "000"), number(later, "-"), number(revision, "-") }
    function number(text, otherwise) { return text ~ /^[0-9]+$/ ? text : otherwise }' "$answers/headers")
  status=${1:-000} later=${2:--} revision=${3:--}
  later=${later#-} revision=${revision#-}
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
  sleep "$1" >/dev/null 2>&1 &
  child=$!
  wait "$child"
  child=''
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
    may_hold=yes
    ask POST /claims "state=$state" "by=$by"
    [ "$status" != 200 ]
  do
    stop_unless_not_yet
    say_waiting
    # Another caller has taken the slot.
    rest "$(left 1)"
    await_turn
  done
  note_lease
  TURN_REVISION=$revision
  export TURN_REVISION
}

# Notes how long the lease lasts, and from when on. The lease begins when the service answers, so this is no later.
note_lease() {
  lease=$(sed -n 's/^ *"lease": \([0-9]*\).*/\1/p' "$answers/body")
  lease=${lease:-0} held_from=$asked
}

# Starts the command as `command`. A background command has no stdin unless it is named.
start_command() {
  (: <&0) 2>/dev/null || exec </dev/null
  exec 3<&0
  target='' has_begun=yes
  if [ -t 0 ]; then
    # In a process group of its own it could not read from the terminal.
    "$@" <&3 3<&- &
  elif command -v setsid >/dev/null; then
    setsid "$@" <&3 3<&- &
    target=-$!
  else
    set -m 2>/dev/null
    "$@" <&3 3<&- &
    # Some shells need a terminal for it.
    case $- in *m*) target=-$! ;; esac
    set +m
  fi
  command=$!
  target=${target:-$command}
  exec 3<&-
}

# Sends a signal to the command, and to its group if it has one.
signal() {
  kill -s "$1" -- "$target" 2>/dev/null || kill -s "$1" "$command" 2>/dev/null
}

# Ends the command: TERM, and after the grace KILL.
end_command() {
  signal TERM
  passed=0
  while signal 0 && [ "$passed" -lt "$grace" ]; do
    rest 1
    passed=$((passed + 1))
  done
  signal KILL
}

# Runs beside the command: renews the claim until the slot is lost, and then ends the command.
keep_slot() {
  trap 'exit 0' TERM
  child='' times=0
  trap '[ -z "$child" ] || kill "$child" 2>/dev/null' EXIT
  # A signal that came before these traps may be lost, with those of turn.sh, which may have ended since.
  if [ -e "$answers/over" ] || [ ! -d "$answers" ]; then exit; fi
  lost=$answers/lost answers=$answers/keeper
  mkdir "$answers"
  # A long lease is given up so early that the command has ended when another caller can have the slot.
  early=$((lease / 10))
  [ "$early" -le "$grace" ] || early=$grace
  while :; do
    third=$((lease / 3))
    [ "$third" -gt 0 ] || third=1
    rest "$third"
    renew
  done
}

# Renews the claim. Without an answer it tries again until the lease would be over.
renew() {
  status=000 retry_after=0
  while :; do
    # If turn.sh itself was killed, nobody reports what the command does.
    kill -s 0 "$$" 2>/dev/null || { end_command && exit; }
    within=$((held_from + lease - early - $(date +%s)))
    [ "$within" -gt 0 ] || lose "its lease is over, because $(reason)"
    [ "$within" -le 30 ] || within=30
    ask_once POST /claims "state=$state" "by=$by" renew=true
    [ "$status" != 200 ] || break
    has_no_answer || lose "$(reason)"
    retry_after=$((retry_after * 2 + 1))
    [ "$retry_after" -le 15 ] || retry_after=15
    [ "${later:-0}" -le "$retry_after" ] || retry_after=$later
    within=$((held_from + lease - early - $(date +%s)))
    [ "$retry_after" -le "$within" ] || retry_after=$within
    [ "$retry_after" -le 0 ] || rest "$retry_after"
  done
  note_lease
}

# Ends keep_slot.
let_go() {
  [ -n "$keeper" ] || return 0
  : >"$answers/over"
  kill "$keeper" 2>/dev/null
}

lose() {
  : >"$lost"
  say "the slot is lost: $1"
  end_command
  exit
}

# Gives the slot back without a report.
give_back() {
  ask DELETE /claims "state=$state" "by=$by"
}

# Ends after a signal, with the exit code $1. Only traps call it:
# shellcheck disable=SC2317
stop() {
  trap '' HUP INT TERM
  let_go
  if [ -n "$has_begun" ]; then
    # The signal may have come before `command` was set. If the command was not started, $! is a process that has ended.
    command=${command:-$!}
    target=${target:-$command}
    end_command &
    ender=$!
    # The shell has to take note that the command has ended.
    wait "$command" 2>/dev/null
    wait "$ender"
  fi
  # Whoever sent the signal does not wait for long.
  times=2 within=10
  [ -z "$may_hold" ] || give_back
  exit "$1"
}

main() {
  by=$(uname -n) has_slots='' event=update fail_event='' grace=10 patience='' times=8 token_file='' is_quiet='' has_command=''
  said=0 within=$((LONGEST_WAIT + 30))
  [ "${1-}" != --help ] || help
  while getopts b:ce:f:hk:p:qr:t: option; do
    case $option in
      b) by=$OPTARG ;;
      c) has_slots=yes ;;
      e) event=$OPTARG ;;
      f) fail_event=$OPTARG ;;
      h) help ;;
      k) is_number "$OPTARG" || wrong "-k $OPTARG is not a number of seconds" && grace=$OPTARG ;;
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
  began=$(date +%s)
  [ -z "$has_command" ] || check_right_to_report
  await_turn
  [ -n "$has_command" ] || exit 0
  [ -z "$has_slots" ] || await_slot

  start_command "$@"
  if [ -n "$has_slots" ]; then
    keep_slot &
    keeper=$!
  fi
  wait "$command" 2>/dev/null
  code=$?
  if [ -e "$answers/lost" ]; then
    wait "$keeper"
    exit "$LOST"
  fi
  has_begun=''
  let_go

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
    give_back
  fi
  exit "$code"
}

answers='' child='' command='' keeper='' has_begun='' may_hold=''
trap 'rm -rf "$answers"; [ -z "$child" ] || kill "$child" 2>/dev/null' EXIT
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM
# The last line: a script that was not downloaded to its end does nothing.
main "$@"
