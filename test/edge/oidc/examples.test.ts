/** The example of the documentation, with the claims that GitHub and Cloudflare document. */
import { expect, it } from 'vitest';
import { oidcOf } from '../../../src/edge/oidc/config.ts';
import { ACCESS_SERVICE, ACCESS_USER, GITHUB } from './documented.ts';

const [text = ''] = Object.values(
  import.meta.glob('../../../docs/recipes/oidc.yaml', { query: '?raw', import: 'default', eager: true }),
);

/** The first entry that holds, and the name that it fixes. */
function entryFor(claims: Readonly<Record<string, unknown>>) {
  const oidc = oidcOf(text);
  if (!oidc.ok) throw new Error(JSON.stringify(oidc));
  const aud = [claims.aud].flat();
  const entry = oidc.entries.find(
    (one) => one.source.iss === claims.iss && one.aud.some((own) => aud.includes(own)) && one.holds(claims),
  );
  return entry && { can: entry.can, charts: entry.charts, by: entry.nameIn?.(claims) };
}

it('the example is for the main branch of one repository at GitHub', () => {
  const aud = 'https://state.example.com';
  expect(entryFor({ ...GITHUB, aud })).toEqual({
    can: ['read', 'update'],
    charts: ['acme/approval@*'],
    by: undefined,
  });
  expect(entryFor({ ...GITHUB, aud, repository_id: '75' })).toBeUndefined();
  expect(entryFor({ ...GITHUB, aud, ref: 'refs/pull/27/merge' })).toBeUndefined();
  expect(entryFor(GITHUB)).toBeUndefined();
});

it('the example is for people and for a service token of Cloudflare Access', () => {
  expect(entryFor(ACCESS_USER)).toMatchObject({ by: 'user@example.com', can: ['read', 'update', 'operate'] });
  expect(entryFor(ACCESS_SERVICE)).toMatchObject({
    by: 'e367826f93b8d71185e03fe518aff3b4.access',
    can: ['read'],
  });
  expect(entryFor({ ...ACCESS_SERVICE, common_name: 'other.access' })).toBeUndefined();
});

it('the example is for a group of a company', () => {
  const claims = { iss: 'https://id.example.com/realms/acme', aud: ['account', 'stateservice'] };
  const manager = { ...claims, groups: ['release-managers'], preferred_username: 'ann' };
  expect(entryFor(manager)).toMatchObject({ by: 'ann', charts: ['acme/*'] });
  expect(entryFor({ ...claims, groups: ['developers'] })).toBeUndefined();
  expect(entryFor(claims)).toBeUndefined();
});
