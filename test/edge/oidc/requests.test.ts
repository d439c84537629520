/** Requests with the tokens of issuers: how they are sent, logged, waited for, and shared with pages. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ISSUED_TOKEN_LENGTH } from '../../../src/request-limits.ts';
import { counting, final, newChart, sequence } from '../../charts.ts';
import { type Issuer, newIssuer } from '../../issuers.ts';
import { problemOf, statePath } from '../../service.ts';
import { GUARDED, inSeconds, sendWith, tokenFor } from '../../tokens.ts';
import { fewRequests } from '../few-requests.ts';

const address = await newChart(sequence(counting('a', 'b', 1_000), final('b')));
const path = statePath(address, 'a');

let issuer: Issuer;
beforeAll(async () => {
  issuer = await newIssuer();
});

/** `yes`, or the status and what it says. */
async function said(response: Response): Promise<string> {
  return response.ok ? 'yes' : `${response.status} ${(await problemOf(response)).detail}`;
}

describe('the token of Cloudflare Access', () => {
  it('is accepted in the header that Access sends', async () => {
    const headers = { 'Cf-Access-Jwt-Assertion': await issuer.token() };
    expect(await said(await sendWith(issuer.bindings, 'GET', path, { headers }))).toBe('yes');
  });

  it('is not read beside another token', async () => {
    const headers = { Authorization: 'Bearer x', 'Cf-Access-Jwt-Assertion': await issuer.token() };
    expect(await said(await sendWith(issuer.bindings, 'GET', path, { headers }))).toMatch(/^401 /);
  });

  it('is not read without an entry for an issuer', async () => {
    const headers = { 'Cf-Access-Jwt-Assertion': await tokenFor('*', 'read') };
    expect(await said(await sendWith(GUARDED, 'GET', path, { headers }))).toMatch(/^401 Send a token/);
  });

  it('is refused if it is empty or too long', async () => {
    for (const token of ['', 'x'.repeat(ISSUED_TOKEN_LENGTH + 1)]) {
      const headers = { 'Cf-Access-Jwt-Assertion': token };
      expect(await said(await sendWith(issuer.bindings, 'GET', path, { headers }))).toMatch(
        /^401 The header Cf-Access-Jwt-Assertion has no token/,
      );
    }
  });
});

describe('a request with the token of an issuer', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  beforeEach(() => {
    log.mockClear();
  });
  afterAll(() => {
    log.mockRestore();
    errors.mockRestore();
  });

  it('is logged with its subject and issuer, and without the token', async () => {
    const token = await issuer.token({ sub: 'repo:acme/app' });
    const headers = { Authorization: `Bearer ${token}` };
    await sendWith({ ...issuer.bindings, LOG: 'requests' }, 'GET', path, { headers });
    const [line = ''] = log.mock.calls.map(([written]) => String(written));
    expect(JSON.parse(line)).toMatchObject({ sub: 'repo:acme/app', iss: issuer.iss, status: 200 });
    expect(line).not.toContain(token);
  });

  it('does not use the rate limit of another issuer’s token with the same subject', async () => {
    const limit = { RATE_LIMIT: fewRequests() };
    const statusOf = async (one: Issuer) => {
      const headers = { Authorization: `Bearer ${await one.token({ sub: 'same' })}` };
      return (await sendWith({ ...one.bindings, ...limit }, 'GET', path, { headers })).status;
    };
    const other = await newIssuer();
    for (let i = 0; i < 5; i++) expect(await statusOf(issuer)).toBe(200);
    expect(await statusOf(issuer)).toBe(429);
    expect(await statusOf(other)).toBe(200);
  });

  it('waits no longer than the token is valid', async () => {
    // The keys are fetched before its time runs.
    const first = { Authorization: `Bearer ${await issuer.token()}` };
    expect((await sendWith(issuer.bindings, 'GET', path, { headers: first })).status).toBe(200);
    const headers = { Authorization: `Bearer ${await issuer.token({ exp: inSeconds(4) })}` };
    const began = Date.now();
    const waiting = `${statePath(address, 'b')}&wait=60s`;
    expect((await sendWith(issuer.bindings, 'GET', waiting, { headers })).status).toBe(406);
    // A wait of its own would be 60 s long.
    expect(Date.now() - began).toBeLessThan(30_000);
  });

  it('may be one of a browser that has signed in with it', async () => {
    const body = new URLSearchParams({ token: await issuer.token(), to: `/${address}` });
    const signedIn = await sendWith(issuer.bindings, 'POST', '/signin', { body, redirect: 'manual' });
    expect(signedIn.status).toBe(303);
    const [cookie = ''] = (signedIn.headers.get('Set-Cookie') ?? '').split(';');
    expect((await sendWith(issuer.bindings, 'GET', path, { headers: { Cookie: cookie } })).status).toBe(200);
  });

  it('may come again later if its issuer does not answer, to sign in as well', async () => {
    const silent = await newIssuer();
    await silent.publish();
    const body = new URLSearchParams({ token: await silent.token() });
    const answer = await sendWith(silent.bindings, 'POST', '/signin', { body });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('Retry-After')).toMatch(/^(?:[1-9]|10)$/);
    expect(await answer.text()).toContain('cannot be fetched');
  });

  it('may be one of a page of another site', async () => {
    const bindings = { ...issuer.bindings, CORS_ORIGINS: 'https://ops.test' };
    const headers = { Origin: 'https://ops.test', Authorization: `Bearer ${await issuer.token()}` };
    const response = await sendWith(bindings, 'GET', path, { headers });
    expect(response.status).toBe(200);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('https://ops.test');
  });
});
