# The part of a node in a canary release.
stateservice_turn 'canary' do
  machine 'https://state.example.com/acme/canary'
  command '/usr/local/sbin/deploy'
  fail_event 'fail'
end

# If there is nothing to report, as in a window that opens and closes by the clock, a guard of any resource is enough. The file
# has the line `Authorization: Bearer TOKEN`, with a token with `read`.
execute 'patch' do
  command '/usr/local/sbin/patch'
  only_if 'curl -sf -H @/etc/stateservice/authorization "https://state.example.com/acme/maintenance/state?state=window"'
end
