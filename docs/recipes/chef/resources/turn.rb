# Runs a command when it is this node's turn at a state, and reports it:
#
#   stateservice_turn 'canary' do
#     machine 'https://state.example.com/acme/canary'
#     command '/usr/local/sbin/deploy'
#   end
#
# Chef converges every half hour, so the resource does not wait. If it is not the node's turn, it does nothing, and the next
# converge asks again. It asks with the node's name: after the node has reported, the answer is no until the state is entered
# again, and the command does not run.
require 'json'
require 'net/http'

provides :stateservice_turn
unified_mode true

# Not `state`: every resource of Chef has a method of that name.
property :state_name, String, name_property: true
# The machine's address.
property :machine, String, required: true
property :command, String, required: true
# The longest time of the command, in seconds.
property :timeout, Integer, default: 3600
# The name of the caller: each name counts once.
property :by, String, default: lazy { node['fqdn'] || node['hostname'] }
# The event to report if the command fails, for example `fail`. Without it, a failure is not reported.
property :fail_event, String
# A file with the token alone, with `read` and `update`.
property :token_file, String, default: '/etc/stateservice/token'

action :run do
  if turn?
    converge_by "take the turn of #{new_resource.by} at #{new_resource.state_name}" do
      begin
        shell_out!(new_resource.command, timeout: new_resource.timeout)
      rescue Mixlib::ShellOut::Error
        report(new_resource.fail_event) if new_resource.fail_event
        raise
      end
      report('update')
    end
  end
end

action_class do
  def turn?
    answer = ask('Get', '/state', state: new_resource.state_name, by: new_resource.by)
    return true if answer.is_a?(Net::HTTPOK)
    raise "#{new_resource.machine}: #{why(answer)}" unless answer.is_a?(Net::HTTPNotAcceptable)

    # With Retry-After: not yet. Without it: never, or there is nothing to do.
    unless answer['Retry-After'] || nothing_to_do?(answer)
      Chef::Log.warn("#{new_resource.state_name}: #{why(answer)}")
    end
    false
  end

  # Whether the node has reported since the state was entered, or the state is for other nodes.
  def nothing_to_do?(answer)
    JSON.parse(answer.body)['type'].end_with?(':already-reported', ':not-for-you')
  end

  def report(event)
    answer = ask('Put', '/state', state: new_resource.state_name, event: event, by: new_resource.by)
    raise "#{event} was not counted: #{why(answer)}" unless answer.is_a?(Net::HTTPOK)
  end

  # Sends a request, at most five times if there is no answer or a 5xx. A repeated report counts once.
  def ask(method, resource, **parameters)
    uri = URI("#{new_resource.machine}#{resource}")
    uri.query = URI.encode_www_form(parameters) unless parameters.empty?
    request = Net::HTTP.const_get(method).new(uri)
    request['Accept'] = 'application/json'
    request['Authorization'] = "Bearer #{::File.read(new_resource.token_file).strip}"
    tries = 0
    begin
      tries += 1
      answer = Net::HTTP.start(uri.hostname, uri.port, use_ssl: uri.scheme == 'https') { |http| http.request(request) }
      raise IOError, why(answer) if answer.is_a?(Net::HTTPServerError)

      answer
    rescue IOError, SystemCallError, SocketError, Timeout::Error
      raise if tries == 5

      sleep tries
      retry
    end
  end

  def why(answer)
    JSON.parse(answer.body)['detail']
  rescue JSON::ParserError
    "the answer was #{answer.code}"
  end
end
