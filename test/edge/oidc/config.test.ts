/** The variable `OIDC`: its forms, and its faults. */
import { describe, expect, it } from 'vitest';
import { oidcOf } from '../../../src/edge/oidc/config.ts';
import { OIDC_BYTES, OIDC_ENTRIES } from '../../../src/request-limits.ts';
import { type Issuer, newIssuer } from '../../issuers.ts';
import { problemOf } from '../../service.ts';
import { GUARDED, sendWith } from '../../tokens.ts';

const ENTRY = `
- iss: https://token.actions.githubusercontent.com
  aud: https://state.example.com
  if: claims.repository == "acme/app" && claims.ref == "refs/heads/main"
  by: claims.actor
  charts: [acme/release@*]
  can: [read, update]
`;

/** What is wrong, by path. */
function faultsOf(value: unknown): readonly (readonly [path: string, message: string])[] {
  const oidc = oidcOf(value);
  return oidc.ok ? [] : (oidc.errors ?? []).map(({ path, message }) => [path, message]);
}

describe('the variable OIDC', () => {
  it('is YAML, JSON, or a list of wrangler.toml', async () => {
    const { entry, token }: Issuer = await newIssuer();
    const { iss, aud, charts, can } = entry;
    const yaml = `# ours\n- iss: ${iss}\n  aud: ${aud}\n  if: true\n  charts: ['${charts}']\n  can: [${can}]\n`;
    for (const OIDC of [yaml, JSON.stringify([entry]), [entry]]) {
      const headers = { Authorization: `Bearer ${await token()}` };
      const response = await sendWith({ ...GUARDED, OIDC }, 'GET', '/acme', { headers });
      expect(response.status).toBe(200);
    }
  });

  it.each([undefined, null, '', ' \n', '[]'])('has no issuer: %j', (value) => {
    expect(oidcOf(value)).toEqual({ ok: true, entries: [] });
  });

  it('finds the keys of Cloudflare Access where they are, and those of others by discovery', () => {
    const text = `${ENTRY}
- {iss: https://acme.cloudflareaccess.com, aud: tag, if: true, charts: ['*'], can: [read]}
- {iss: https://id.example.com, aud: a, jwks: https://id.example.com/keys, if: true, charts: ['*'], can: [read]}
- {iss: http://localhost:8080, aud: a, if: true, charts: ['*'], can: [read]}
`;
    const oidc = oidcOf(text);
    expect(oidc.ok && oidc.entries.map(({ source }) => source.jwks)).toEqual([
      undefined,
      'https://acme.cloudflareaccess.com/cdn-cgi/access/certs',
      'https://id.example.com/keys',
      undefined,
    ]);
  });
});

/** A fault in one key of a valid entry. */
const FAULTS: readonly [to: string, from: RegExp, path: string, message: RegExp][] = [
  ['iss: http://id.example.com', /iss: .*/, '[0].iss', /must be an https:\/\/ address/],
  ['iss: id.example.com', /iss: .*/, '[0].iss', /must be an https:\/\/ address/],
  ['iss: https://me:secret@id.example.com', /iss: .*/, '[0].iss', /without user, password/],
  ['iss: https://id.example.com?a=b', /iss: .*/, '[0].iss', /must have no query/],
  ['iss: http://127.0.0.1.example.com', /iss: .*/, '[0].iss', /must be an https:\/\/ address/],
  ['', /iss: .*\n {2}/, '[0].iss', /^`iss` is missing: it must be an https/],
  ['', /aud: .*\n {2}/, '[0].aud', /^`aud` is missing/],
  ['aud: []', /aud: .*/, '[0].aud', /text, or a list of texts/],
  ['aud: 7', /aud: .*/, '[0].aud', /text, or a list of texts/],
  ['', /if: .*\n {2}/, '[0].if', /^`if` is missing: it must be a condition in CEL/],
  ['if: claims.a ==', /if: .*/, '[0].if', /^`if` is wrong: /],
  ['if: claim.a == "b"', /if: .*/, '[0].if', /^`if` is wrong: .*claim/],
  ['if: claims.a + 1', /if: .*/, '[0].if', /^`if` is wrong: a condition is true or false/],
  ['if: claims.a.matches("x")', /if: .*/, '[0].if', /`matches` is not available here/],
  [`if: ${'claims.a || '.repeat(40)} true`, /if: .*/, '[0].if', /^`if` is wrong: /],
  ['by: 1 + 1', /by: .*/, '[0].by', /a name is a text; this gives a int/],
  ['by: event.by', /by: .*/, '[0].by', /^`by` is wrong: /],
  ['charts: acme/*', /charts: .*/, '[0].charts', /must be a list of addresses/],
  ['charts: []', /charts: .*/, '[0].charts', /at least one item/],
  ['charts: [acme]', /charts: .*/, '[0].charts[0]', /must be an address or a glob/],
  ['can: [read, write]', /can: .*/, '[0].can[1]', /must be one of read, update, operate, admin/],
  ['can: []', /can: .*/, '[0].can', /at least one item/],
  ['can: [read]\n  audience: x', /can: .*/, '[0].audience', /has no key `audience`; it has: iss, aud/],
  ['can: [read]\n  jwks: ftp://x', /can: .*/, '[0].jwks', /must be an https/],
  ['iss: https://id.example.com', /^[\s\S]*$/, '', /must be a list of entries/],
  ['- text', /^[\s\S]*$/, '[0]', /must be a mapping with iss, aud/],
  [`# ${'x'.repeat(OIDC_BYTES)}`, /^[\s\S]*$/, '', /more than 16384 bytes/],
  ['\n   aud', /\n {2}aud/, '', /./],
];

describe('a fault of the variable OIDC', () => {
  it.each(FAULTS)('is named: %s', (to, from, path, message) => {
    expect(faultsOf(ENTRY)).toEqual([]);
    const [fault, ...others] = faultsOf(ENTRY.replace(from, to));
    expect(others).toEqual([]);
    expect(fault).toEqual([path, expect.stringMatching(message)]);
  });

  it('is named beside the others, with its line', () => {
    const oidc = oidcOf(ENTRY.replace('can: [read', 'can: [see').replace('by: claims.actor', 'by: 7'));
    expect(oidc).toMatchObject({
      code: 'not-set-up',
      detail: expect.stringMatching(
        /^The variable OIDC is wrong: \[0\]\.by: .* There are 1 more; see `errors`\.$/,
      ),
      errors: [
        { line: 5, path: '[0].by' },
        { line: 7, path: '[0].can[0]' },
      ],
    });
  });

  it('is one if there are too many entries, or two places for the keys of one issuer', () => {
    expect(faultsOf(ENTRY.repeat(OIDC_ENTRIES))).toEqual([]);
    expect(faultsOf(ENTRY.repeat(OIDC_ENTRIES + 1))).toEqual([['', expect.stringContaining('at most 32')]]);
    const other = ENTRY.replace('can:', 'jwks: https://keys.example.com\n  can:');
    expect(faultsOf(ENTRY + other)).toEqual([['[1].jwks', expect.stringContaining('the same `jwks`')]]);
  });

  it('is the answer to every request, also with a token of the service', async () => {
    const OIDC = ENTRY.replace('iss: https', 'iss: http');
    for (const method of ['GET', 'PUT', 'OPTIONS']) {
      for (const path of ['/', '/healthz', '/acme/release/state?state=a', '/acme', '/a/b/c/d/e']) {
        const response = await sendWith({ ...GUARDED, OIDC }, method, path);
        expect(response.status, `${method} ${path}`).toBe(503);
        const { detail, errors } = await problemOf(response);
        expect(detail).toContain('The variable OIDC is wrong: [0].iss: ');
        expect(errors).toHaveLength(1);
      }
    }
  });
});
