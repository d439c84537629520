# Substitutes for commands that need an account, a network, root, or hours. The shell that runs the blocks of the
# documentation reads this file. A command without a function here runs unchanged, also one that matches no `case`.
#
#   SYSTEM  a folder in place of the root folder of a host
#   SECRET  the secret of the server that asks for tokens

npx() {
  case "$1 $2" in
    'wrangler deploy') command npx wrangler deploy --dry-run "${@:3}" ;;
    'wrangler secret') is_the_secret "${*: -1}" && wrangler_knows "$2 $3" "${@:4}" ;;
    'wrangler login' | 'wrangler rollback' | 'wrangler tail') wrangler_knows "$2" "${@:3}" ;;
    *) command npx "$@" ;;
  esac
}

npm() {
  case "$1 $2" in
    # The gate has run it.
    ci*) [ -f package-lock.json ] ;;
    install* | i\ * | update*) once command npm "$@" --dry-run ;;
    start*) once listens "$@" ;;
    test*) has_script test ;;
    'run deploy'*) deploys "$@" ;;
    'run test:'* | 'run check' | 'run bench'* | 'run dev') has_script "$2" ;;
    *) command npm "$@" ;;
  esac
}

# once COMMAND... runs a command that several pages show, for the first of them.
once() {
  local ran=$SYSTEM/${*//[^[:alnum:]]/_}
  [ -e "$ran" ] || { "$@" && touch "$ran"; }
}

# deploys ARGUMENT... runs `npm run deploy` as a dry run.
deploys() {
  [[ $* == *' -- '* ]] || set -- "$@" --
  [ "${*: -1}" = --dry-run ] || set -- "$@" --dry-run
  once command npm "$@"
}

git() {
  case $1 in
    pull) [[ $(command git pull -h) == 'usage: git pull'* ]] ;;
    *) command git "$@" ;;
  esac
}

# The test server has a secret already: it replaces the new one.
openssl() {
  case $1 in
    rand) [ "$(command openssl "$@" | wc -c)" -ge 32 ] && printf '%s\n' "$SECRET" ;;
    *) command openssl "$@" ;;
  esac
}

# A container may forbid tracing: the traced command runs without it.
strace() {
  while [ "$1" != npm ]; do shift; done
  "$@"
}

install() { command install "${@/#\//$SYSTEM/}"; }
cp() { command cp "${@/#\//$SYSTEM/}"; }

# The line before installed the unit. recipes/systemd.test.ts checks units with systemd itself.
systemctl() {
  local unit=${*: -1}
  [ "$1" = start ] && [ -f "$SYSTEM/etc/systemd/system/${unit%@*}@.service" ]
}

# recipes/ansible.test.ts runs the playbooks against hosts, with and without slots.
ansible-playbook() { command ansible-playbook --syntax-check "$@"; }

# Shows the status of each request to the test.
curl() { command curl -w '%{stderr}answered %{http_code}\n' "$@"; }

# wrangler_knows SUBCOMMAND [ARGUMENT...] succeeds if the help of the subcommand names every flag. The help is cached.
wrangler_knows() {
  local help=$SYSTEM/wrangler-${1// /-} argument
  # shellcheck disable=SC2086 # a subcommand may have two words
  [ -s "$help" ] || command npx wrangler $1 --help >"$help" </dev/null || return
  grep -qE "^wrangler $1( |\$)" "$help" || return
  for argument in "${@:2}"; do
    [[ $argument != -* ]] || grep -qwe "${argument%%=*}" "$help" || return
  done
}

# Succeeds if the standard input is the secret of the server, or empty as at a terminal.
is_the_secret() {
  local given
  given=$(cat && echo .)
  case $1 in
    HOOK_*) [[ $given =~ ^https://[^\ ]+\ whsec_[A-Za-z0-9+/]{32,}=*\.$ ]] ;;
    *) [ "$given" = . ] || [ "$given" = "$SECRET." ] ;;
  esac
}

has_script() { [ "$(command npm pkg get "scripts.$1")" != {} ]; }

# listens ARGUMENT... starts `npm start` on a free port until it listens, and then stops its process group.
listens() {
  local group log=$SYSTEM/npm-start.log i=0
  [[ $* == *' -- '* ]] || set -- "$@" -- --port 5000
  set -m
  # The log of the server before says that it listens, too.
  : >"$log"
  command npm "${@/#5000/0}" >"$log" 2>&1 &
  group=$!
  set +m
  until grep -q 'listens on' "$log" || ! kill -0 "$group" 2>/dev/null || [ $((i += 1)) -gt 250 ]; do sleep 0.1; done
  kill -- "-$group"
  wait "$group"
  cat "$log" && grep -q 'listens on http://127.0.0.1:' "$log"
}
