/** The keys of an issuer: when they are fetched, and how long they are used. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fetched } from '../../../src/edge/oidc/documents.ts';
import { IssuerKeys } from '../../../src/edge/oidc/keys.ts';
import {
  ISSUER_WAIT,
  KEYS_FRESH,
  KEYS_PAUSE,
  KEYS_STALE,
  KEYS_USABLE,
  KEYS_WAITERS,
  NO_KEYS_PAUSE,
} from '../../../src/request-limits.ts';
import { counting, final, newChart, sequence } from '../../charts.ts';
import { type Issuer, newIssuer, newKey } from '../../issuers.ts';
import { problemOf, statePath } from '../../service.ts';
import { sendWith } from '../../tokens.ts';

const log = vi.spyOn(console, 'error').mockImplementation(() => {});
beforeEach(() => {
  log.mockClear();
});

/** An issuer that the test plays, and the clock. */
class Played {
  now = 1_000_000_000;
  fetches = 0;
  /** The `kid` of its keys; undefined if it does not answer. */
  published: readonly string[] | undefined = ['a'];
  /** Ends each fetch; by default at once. */
  gate: Promise<void> = Promise.resolve();
  readonly keys = new IssuerKeys(
    'https://issuer.test',
    async (): Promise<Fetched> => {
      this.fetches += 1;
      const { published } = this;
      await this.gate;
      if (published === undefined) return { ok: false, why: 'it does not answer' };
      return { ok: true, keys: new Map(published.map((kid) => [`ES256 ${kid}`, KEY])) };
    },
    () => this.now,
  );

  /** `yes`, or the kind of refusal and its `Retry-After`. */
  async ask(kid: string): Promise<string> {
    const found = await this.keys.find('ES256', kid);
    return found.ok
      ? 'yes'
      : [found.code, ...(found.retryAfter === undefined ? [] : [found.retryAfter])].join(' ');
  }
}

const { private: jwk } = await newKey('ES256');
const KEY = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
  'sign',
]);

let played: Played;
beforeEach(() => {
  played = new Played();
});

describe('the keys of an issuer', () => {
  it('are fetched once for all requests that come at once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    played.gate = promise;
    const asked = Array.from({ length: 50 }, (_, i) => played.ask(i % 2 === 0 ? 'a' : `unknown-${i}`));
    await scheduler.wait(20);
    resolve();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['yes', 'no-token']));
    expect(played.fetches).toBe(1);
  });

  it('are fetched again for an unknown key, once a minute', async () => {
    expect(await played.ask('a')).toBe('yes');
    played.published = ['b'];
    for (let i = 0; i < 20; i++) expect(await played.ask(`random-${i}`)).toBe('no-token');
    expect(await played.ask('b')).toBe('no-token');
    played.now += KEYS_PAUSE - 1;
    expect(await played.ask('b')).toBe('no-token');
    expect(played.fetches).toBe(1);
    played.now += 1;
    const all = Array.from({ length: 20 }, (_, i) => played.ask(`random-${i}`));
    expect(await played.ask('b')).toBe('yes');
    expect(new Set(await Promise.all(all))).toEqual(new Set(['no-token']));
    expect(played.fetches).toBe(2);
  });

  it('that were withdrawn are valid no more', async () => {
    expect(await played.ask('a')).toBe('yes');
    played.published = ['b'];
    played.now += KEYS_PAUSE;
    expect(await played.ask('b')).toBe('yes');
    expect(await played.ask('a')).toBe('no-token');
  });

  it('are fetched again after an hour, and no request waits for it', async () => {
    expect(await played.ask('a')).toBe('yes');
    played.now += KEYS_FRESH;
    expect(await played.ask('a')).toBe('yes');
    expect(played.fetches).toBe(1);
    played.now += 1;
    const { promise, resolve } = Promise.withResolvers<void>();
    played.gate = promise;
    expect(await played.ask('a')).toBe('yes');
    expect(await played.ask('a')).toBe('yes');
    expect(played.fetches).toBe(2);
    resolve();
  });

  it('of an isolate that was idle for two hours are fetched before they are used', async () => {
    expect(await played.ask('a')).toBe('yes');
    played.now += KEYS_STALE + 1;
    played.published = ['b'];
    expect(await played.ask('a')).toBe('no-token');
    // A first failure is waited for, and no other: the issuer may hang.
    played.now += KEYS_STALE + 1;
    played.published = undefined;
    expect(await played.ask('b')).toBe('yes');
    played.now += KEYS_PAUSE;
    const { promise, resolve } = Promise.withResolvers<void>();
    played.gate = promise;
    expect(await played.ask('b')).toBe('yes');
    expect(played.fetches).toBe(4);
    resolve();
  });

  it('are used for a day while they cannot be fetched, and fetched again once a minute', async () => {
    expect(await played.ask('a')).toBe('yes');
    played.published = undefined;
    played.now += KEYS_FRESH;
    let minutes = 0;
    for (; played.now < 1_000_000_000 + KEYS_USABLE; played.now += KEYS_PAUSE) {
      minutes += 1;
      expect(await played.ask('a')).toBe('yes');
      // The fetch of this minute has ended.
      await Promise.resolve();
    }
    expect(played.fetches).toBeGreaterThan(minutes / 2);
    expect(played.fetches).toBeLessThanOrEqual(minutes + 1);
    played.now += 1;
    expect(await played.ask('a')).toMatch(/^issuer-unavailable \d+$/);
    played.published = ['a'];
    played.now += KEYS_PAUSE;
    expect(await played.ask('a')).toBe('yes');
  });
});

describe('an issuer that does not answer', () => {
  beforeEach(() => {
    played.published = undefined;
  });

  it('is asked again after ten seconds, and its tokens are told when', async () => {
    expect(await played.ask('a')).toBe('issuer-unavailable 10');
    played.now += 7_000;
    for (let i = 0; i < 20; i++) expect(await played.ask(`random-${i}`)).toBe('issuer-unavailable 3');
    expect(played.fetches).toBe(1);
    expect(log.mock.calls.flat()).toEqual([
      'OIDC: the keys of https://issuer.test cannot be fetched: it does not answer',
    ]);
    played.now += NO_KEYS_PAUSE - 7_000;
    played.published = ['a'];
    expect(await played.ask('a')).toBe('yes');
  });

  it('may have changed its keys, so a token with an unknown one is told to come again', async () => {
    played.published = ['a'];
    expect(await played.ask('a')).toBe('yes');
    played.published = undefined;
    played.now += KEYS_PAUSE;
    expect(await played.ask('b')).toBe('issuer-unavailable 60');
    expect(await played.ask('a')).toBe('yes');
  });

  it('is waited for by so many requests', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    played.gate = promise;
    const waiting = Array.from({ length: KEYS_WAITERS }, () => played.ask('a'));
    expect(await played.ask('a')).toBe('issuer-unavailable 1');
    played.published = ['a'];
    resolve();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['issuer-unavailable 10']));
    expect(played.fetches).toBe(1);
  });

  it('is asked again if the request that asked is gone', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    played.gate = promise;
    const first = played.ask('a');
    await scheduler.wait(10);
    played.now += ISSUER_WAIT + 1_000;
    expect(await first).toBe('issuer-unavailable 4');
    played.now += NO_KEYS_PAUSE;
    played.published = ['a'];
    played.gate = Promise.resolve();
    expect(await played.ask('a')).toBe('yes');
    resolve();
  });
});

describe('the service', () => {
  let issuer: Issuer;
  let path: string;
  beforeEach(async () => {
    issuer = await newIssuer();
    path = statePath(await newChart(sequence(counting('a', 'b', 1_000), final('b'))), 'a');
  });

  const ask = async (token: string) => {
    const headers = { Authorization: `Bearer ${token}` };
    return (await sendWith(issuer.bindings, 'GET', path, { headers })).status;
  };

  it('fetches the keys once, however many requests come at once, and whoever sends them', async () => {
    const stranger = await newKey('ES256');
    const tokens = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        i % 2 === 0 ? issuer.token() : issuer.token({}, { ...stranger, kid: `random-${i}` }),
      ),
    );
    const statuses = await Promise.all(tokens.map(ask));
    expect(statuses).toEqual(tokens.map((_, i) => (i % 2 === 0 ? 200 : 401)));
    expect(await issuer.fetched()).toEqual({ discovery: 1, keys: 1 });
  });

  it('fetches nothing for a token that is refused without a key', async () => {
    for (const claims of [{ aud: 'other' }, { exp: 1 }, { iss: 'https://other.test' }, { sub: 7 }]) {
      expect(await ask(await issuer.token(claims))).toBe(401);
    }
    expect(await issuer.fetched()).toEqual({ discovery: 0, keys: 0 });
  });

  it('answers 503 with Retry-After for the tokens of an issuer without keys', async () => {
    await issuer.publish();
    const headers = { Authorization: `Bearer ${await issuer.token()}` };
    const response = await sendWith(issuer.bindings, 'GET', path, { headers });
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toMatch(/^(?:[1-9]|10)$/);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:issuer-unavailable');
    expect(log.mock.calls.flat().join()).toContain('has no key for RS256, ES256, EdDSA');
  });
});
