/** Claims as their issuers document them. */

/** https://docs.github.com/en/actions/reference/security/oidc */
export const GITHUB = {
  iss: 'https://token.actions.githubusercontent.com',
  aud: 'https://github.com/octo-org',
  sub: 'repo:octo-org/octo-repo:environment:prod',
  jti: 'example-id',
  environment: 'prod',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  sha: 'example-sha',
  repository: 'octo-org/octo-repo',
  repository_id: '74',
  repository_owner: 'octo-org',
  repository_owner_id: '65',
  repository_visibility: 'private',
  actor: 'octocat',
  actor_id: '12',
  workflow: 'example-workflow',
  job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
  run_id: 'example-run-id',
  run_number: '10',
  run_attempt: '2',
  runner_environment: 'github-hosted',
  event_name: 'workflow_dispatch',
  head_ref: '',
  base_ref: '',
} as const;

/** https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/application-token/ */
const ACCESS = {
  iss: 'https://acme.cloudflareaccess.com',
  aud: ['32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228'],
  type: 'app',
} as const;

/** A person who has logged in. */
export const ACCESS_USER = {
  ...ACCESS,
  email: 'user@example.com',
  identity_nonce: '6ei69kawdKzMIAPF',
  sub: '7335d417-61da-459d-899c-0a01c76a2f94',
  country: 'US',
} as const;

/** A program with a service token. */
export const ACCESS_SERVICE = {
  ...ACCESS,
  common_name: 'e367826f93b8d71185e03fe518aff3b4.access',
  sub: '',
} as const;
