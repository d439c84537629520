# What is run in place of a command that needs an account, a network, root, or the whole of the tests. Read by the shell
# that runs the blocks of the documentation: a command without a function here, and one that falls through its `case`, is
# run as it stands.
#
#   SYSTEM  a folder in place of the root of a host
#   SECRET  the secret of the server that asks for tokens

npx() {
  case "$1 $2" in
    'wrangler deploy') command npx wrangler deploy --dry-run "${@:3}" ;;
    'wrangler secret') is_the_secret && wrangler_knows "$2 $3" "${@:4}" ;;
    'wrangler login' | 'wrangler rollback' | 'wrangler tail') wrangler_knows "$2" "${@:3}" ;;
    *) command npx "$@" ;;
  esac
}

npm() {
  case "$1 $2" in
    ci* | install* | i\ * | update*) command npm "$@" --dry-run ;;
    start*) listens "$@" ;;
    test*) has_script test ;;
    'run test:'* | 'run check' | 'run bench' | 'run dev') has_script "$2" ;;
    *) command npm "$@" ;;
  esac
}

git() {
  case $1 in
    pull) [[ $(command git pull -h) == 'usage: git pull'* ]] ;;
    *) command git "$@" ;;
  esac
}

# The server was there before the secret was made: its own stands in for that.
openssl() {
  case $1 in
    rand) [ "$(command openssl "$@" | wc -c)" -ge 32 ] && printf '%s\n' "$SECRET" ;;
    *) command openssl "$@" ;;
  esac
}

# A container may not be allowed to trace: what is traced is run without.
strace() {
  while [ "$1" != npm ]; do shift; done
  "$@"
}

install() { command install "${@/#\//$SYSTEM/}"; }
cp() { command cp "${@/#\//$SYSTEM/}"; }

# The unit was put in its place by the line before. systemd itself checks it in recipes/systemd.test.ts.
systemctl() {
  local unit=${*: -1}
  [ "$1" = start ] && [ -f "$SYSTEM/etc/systemd/system/${unit%@*}@.service" ]
}

# It is run against hosts, with and without slots, in recipes/ansible.test.ts.
ansible-playbook() { command ansible-playbook --syntax-check "$@"; }

# So that the test sees what each request was answered.
curl() { command curl -w '%{stderr}answered %{http_code}\n' "$@"; }

# wrangler_knows SUBCOMMAND [ARGUMENT...]: its help, which is kept, is about this very command and names every flag.
wrangler_knows() {
  local help=$SYSTEM/wrangler-${1// /-} argument
  # shellcheck disable=SC2086 # a subcommand may have two words
  [ -s "$help" ] || command npx wrangler $1 --help >"$help" </dev/null || return
  grep -qE "^wrangler $1( |\$)" "$help" || return
  for argument in "${@:2}"; do
    [[ $argument != -* ]] || grep -qwe "${argument%%=*}" "$help" || return
  done
}

# What comes by a pipe is what the server checks tokens with. At a terminal one would be asked for it.
is_the_secret() {
  local given
  given=$(cat && echo .)
  [ "$given" = . ] || [ "$given" = "$SECRET." ]
}

has_script() { [ "$(command npm pkg get "scripts.$1")" != {} ]; }

# listens ARGUMENT...: `npm start` listens, on a port that is free. Its processes are a group of their own, which ends.
listens() {
  local group log=$SYSTEM/npm-start.log i=0
  [[ $* == *' -- '* ]] || set -- "$@" -- --port 5000
  set -m
  command npm "${@/#5000/0}" >"$log" 2>&1 &
  group=$!
  set +m
  until grep -q 'listens on' "$log" || ! kill -0 "$group" 2>/dev/null || [ $((i += 1)) -gt 250 ]; do sleep 0.1; done
  kill -- "-$group"
  wait "$group"
  cat "$log" && grep -q 'listens on http://127.0.0.1:' "$log"
}
