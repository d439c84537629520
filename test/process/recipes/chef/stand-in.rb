# Chef is not in Debian, so this stands in for it: as much of its DSL for resources and recipes as the cookbook uses, with
# nothing of its converging, reporting or ordering. The cookbook's own code runs as it is.
#
#   ruby stand-in.rb COOKBOOK FQDN
require 'open3'

module Mixlib
  class ShellOut
    class Error < RuntimeError; end
    class ShellCommandFailed < Error; end
  end
end

class Chef
  module Log
    def self.warn(message) = puts("WARN: #{message}")
  end

  class Resource
    # In a resource of Chef's, `File` is the resource of that name.
    class File; end

    # Methods that every resource has, as far as somebody may be led to name a property so. Chef refuses that.
    OWN_METHODS = %i[action identity name node retries sensitive state].freeze

    class << self
      def properties = @properties ||= {}

      def provides(name)
        Recipe.define_method(name) do |title, &block|
          resource = Chef.const_get(:CookbookResource).new(title)
          resource.instance_eval(&block)
          resource.run
        end
      end

      def property(name, type, required: false, name_property: false, default: nil)
        raise ArgumentError, "property #{name} overwrites a method" if OWN_METHODS.include?(name)

        properties[name] = { type:, required:, name_property:, default: }
        define_method(name) do |*value|
          @values[name] = value.first unless value.empty?
          get(name)
        end
      end

      def unified_mode(_) = nil
      def lazy(&block) = block
      def action(_, &block) = define_method(:run_action, &block)
      def action_class(&block) = class_eval(&block)
    end

    def initialize(title)
      @title = title
      @values = {}
    end

    def run
      self.class.properties.each { |name, property| raise "#{name} is required" if property[:required] && get(name).nil? }
      run_action
    end

    def new_resource = self
    def node = NODE

    def get(name)
      type, _, name_property, default = self.class.properties.fetch(name).values
      default = instance_exec(&default) if default.is_a?(Proc)
      value = @values.fetch(name) { name_property ? @title : default }
      raise "#{name} must be a #{type}" unless value.nil? || value.is_a?(type)

      value
    end

    def converge_by(what)
      puts what
      yield
    end

    def shell_out!(command, timeout:)
      output, status = Open3.capture2e(command)
      puts output
      raise Mixlib::ShellOut::ShellCommandFailed, "#{command} ended with #{status.exitstatus}" unless status.success?
    end
  end

  class Recipe
    def execute(_, &block)
      settings = Hash.new { |_, name| raise "#{name} is not set" }
      collector = Object.new
      %i[command only_if].each { |name| collector.define_singleton_method(name) { |value| settings[name] = value } }
      collector.instance_eval(&block)
      system(settings[:command], exception: true) if system(settings[:only_if], out: ::File::NULL)
    end
  end
end

cookbook, fqdn = ARGV
NODE = { 'fqdn' => fqdn }.freeze
resource = "#{cookbook}/resources/turn.rb"
recipe = "#{cookbook}/recipes/default.rb"
Chef::CookbookResource = Class.new(Chef::Resource)
# Both as text, as Chef does: constants are looked up where the text is evaluated.
Chef::CookbookResource.class_eval(File.read(resource), resource)
Chef::Recipe.new.instance_eval(File.read(recipe), recipe)
