#!/bin/sh
# The part of one machine in a fleet (docs/fleet.md, charts/acme/night.yaml). It waits for each turn, and runs ./deploy.sh or
# ./rollback.sh. A service starts it at boot, and again after a failure: a part that is done is not done again.
#
#   night.sh URL NAME ZONE [OPTION...]    # the options are those of turn.sh
#
# The exit code is 0 as soon as the rollout is over, 1 after an error.
set -u
machine=$1 name=$2 zone=$3
shift 3

# turn [OPTION...] URL STATE COMMAND
turn() {
  turn.sh -b "$name" "$@"
  code=$?
  # Without an answer, with a refused report or a lost slot, this machine does not know where the fleet is.
  case $code in 64 | 69 | 74 | 79) exit 1 ;; esac
}

# After a failure it waits for what the fleet does: it goes on without this machine, or rolls back.
turn -f fail "$@" "$machine" rollout.canary ./deploy.sh
turn -c -f fail "$@" "$machine" "rollout.fleet.$zone" ./deploy.sh
turn "$@" "$machine" rollback ./rollback.sh

# Never (76): there is nothing to roll back.
[ "$code" -eq 0 ] || [ "$code" -eq 76 ]
