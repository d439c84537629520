# Runs a command when it is this node's turn at a state, and reports that it is done:
#
#   stateservice_turn 'canary' do
#     machine 'https://state.example.com/acme/canary'
#     command '/usr/local/sbin/deploy'
#   end
#
# Chef converges every half hour, so it does not wait: where it is not the node's turn, nothing is done, and the next
# converge asks again. So does the one after the node has reported, while others have not: by then the status document
# names the node, and its command is not run again.
require 'json'
require 'net/http'

provides :stateservice_turn
unified_mode true

# Not `state`: every resource of Chef has a method of that name.
property :state_name, String, name_property: true
# The machine's address.
property :machine, String, required: true
property :command, String, required: true
# How long the command may take, in seconds.
property :timeout, Integer, default: 3600
# Who reports: one name counts once.
property :by, String, default: lazy { node['fqdn'] || node['hostname'] }
# What to report where the command fails, `fail` for instance; left out, nothing is reported.
property :fail_event, String
# The token alone, with `read` and `update`.
property :token_file, String, default: '/etc/stateservice/token'

action :run do
  if turn? && !reported?
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
    answer = ask('Get', '/state', state: new_resource.state_name)
    return true if answer.is_a?(Net::HTTPOK)
    raise "#{new_resource.machine}: #{why(answer)}" unless answer.is_a?(Net::HTTPNotAcceptable)

    # "Not yet", or, without a Retry-After, "never".
    Chef::Log.warn("#{new_resource.state_name}: #{why(answer)}") unless answer['Retry-After']
    false
  end

  # In this visit of the state, which the status calls by its whole path.
  def reported?
    counts = JSON.parse(ask('Get', '').body)['quorums'].select do |quorum|
      quorum['event'] == 'update' && ".#{quorum['state']}".end_with?(".#{new_resource.state_name}")
    end
    counts.any? { |quorum| quorum['by'].include?(new_resource.by) }
  end

  def report(event)
    answer = ask('Put', '/state', state: new_resource.state_name, event: event, by: new_resource.by)
    raise "#{event} was not counted: #{why(answer)}" unless answer.is_a?(Net::HTTPOK)
  end

  # Sends a request; five times at most, where there is no answer or it is trouble. A report counts once all the same.
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
