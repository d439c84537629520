name 'stateservice'
version '0.1.0'
chef_version '>= 16.0'
