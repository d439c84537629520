/** The keys of issuers that an isolate keeps. */
import { waitUntil } from 'cloudflare:workers';
import { LruCache } from '../../lru-cache.ts';
import { type Refusal, refuse } from '../../refusal.ts';
import {
  ISSUER_WAIT,
  KEYS_FRESH,
  KEYS_PAUSE,
  KEYS_STALE,
  KEYS_USABLE,
  KEYS_WAITERS,
  NO_KEYS_PAUSE,
  OIDC_ENTRIES,
} from '../../request-limits.ts';
import type { KeySource } from './config.ts';
import { type Algorithm, type Fetched, fetchKeys, type Keys, keyName } from './documents.ts';

const issuers = new LruCache<string, IssuerKeys>(OIDC_ENTRIES);

/** Returns the keys of an issuer that this isolate keeps. */
export function keysOf(source: KeySource): IssuerKeys {
  const name = JSON.stringify([source.iss, source.jwks]);
  return issuers.get(name) ?? issuers.set(name, new IssuerKeys(source.iss, () => fetchKeys(source)));
}

/** A fetch of the keys. */
interface Fetching {
  /** When it began, ms since the epoch. */
  readonly at: number;
  hasEnded: boolean;
}

/**
 * The keys of one issuer.
 *
 * They are fetched at the first token, for a `kid` that is not among them, and when they are an hour old. One fetch is
 * under way at a time, and the next begins a minute after it at the earliest, whatever tokens come. Keys that cannot be fetched
 * again are used until they are a day old.
 *
 * The requests of an isolate share the keys, and no promise: one that needs the keys that another request fetches looks again
 * on timers of its own.
 */
export class IssuerKeys {
  readonly #iss: string;
  readonly #fetch: () => Promise<Fetched>;
  readonly #now: () => number;
  #keys: Keys = new Map();
  /** When the keys were fetched, ms since the epoch. */
  #since = Number.NEGATIVE_INFINITY;
  /** The last fetch. */
  #last: Fetching | undefined;
  /** Whether the last fetch that has ended has failed. */
  #hasFailed = false;
  #waiting = 0;

  /** @param now the clock, ms since the epoch. */
  constructor(iss: string, fetch: () => Promise<Fetched>, now = Date.now) {
    this.#iss = iss;
    this.#fetch = fetch;
    this.#now = now;
  }

  /** Finds the key that a token names, or refuses the token. */
  async find(alg: Algorithm, kid: string): Promise<{ readonly ok: true; readonly key: CryptoKey } | Refusal> {
    const known = this.#find(alg, kid);
    const age = this.#age;
    if (known === undefined || age > KEYS_FRESH) this.#fetchIfDue();
    // An issuer that has failed once may hang: no request waits for it again that has a key.
    if (known !== undefined && (age <= KEYS_STALE || this.#hasFailed)) return { ok: true, key: known };
    await this.#fetched();
    const key = this.#find(alg, kid);
    return key === undefined ? this.#refuse() : { ok: true, key };
  }

  #find(alg: Algorithm, kid: string): CryptoKey | undefined {
    return this.#age > KEYS_USABLE ? undefined : this.#keys.get(keyName(alg, kid));
  }

  /** ms */
  get #age(): number {
    return this.#now() - this.#since;
  }

  /** Whether a fetch is under way that may still return: the request whose fetch it is may have been cancelled. */
  get #isFetching(): boolean {
    return this.#last?.hasEnded === false && this.#now() < this.#last.at + LEASE;
  }

  /** When the next fetch may begin, ms since the epoch. */
  get #due(): number {
    const pause = this.#age > KEYS_USABLE ? NO_KEYS_PAUSE : KEYS_PAUSE;
    return this.#last === undefined ? Number.NEGATIVE_INFINITY : this.#last.at + pause;
  }

  #fetchIfDue(): void {
    if (this.#now() < this.#due) return;
    const fetching: Fetching = { at: this.#now(), hasEnded: false };
    this.#last = fetching;
    waitUntil(this.#load(fetching));
  }

  async #load(fetching: Fetching): Promise<void> {
    const fetched = await this.#fetch();
    // One that was given up returns late: the keys may be older.
    if (this.#last !== fetching) return;
    if (fetched.ok) {
      this.#keys = fetched.keys;
      this.#since = fetching.at;
    } else {
      console.error(`OIDC: the keys of ${this.#iss} cannot be fetched: ${fetched.why}`);
    }
    this.#hasFailed = !fetched.ok;
    fetching.hasEnded = true;
  }

  /** Waits until no fetch is under way. Returns at once if too many requests wait already. */
  async #fetched(): Promise<void> {
    if (this.#waiting >= KEYS_WAITERS) return;
    this.#waiting += 1;
    try {
      for (let pause = 1; this.#isFetching; pause = Math.min(pause * 2, LONGEST_PAUSE))
        await scheduler.wait(pause);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** An unknown key is no reason to try again, unless the keys are not known, or may be others by now. */
  #refuse(): Refusal {
    if (this.#last?.hasEnded && !this.#hasFailed && this.#age <= KEYS_USABLE) {
      return refuse('no-token', 'The key of the token is not one of its issuer.');
    }
    const later = this.#isFetching ? 1 : Math.ceil((this.#due - this.#now()) / 1_000);
    const detail = `The keys of ${this.#iss} cannot be fetched, so its tokens cannot be verified. Others are accepted.`;
    return refuse('issuer-unavailable', detail, { retryAfter: Math.max(1, later) });
  }
}

/** How long others rely on a fetch, in ms: less than the pause before the next one. */
const LEASE = ISSUER_WAIT + 1_000;

/** The longest pause between two looks, in ms. */
const LONGEST_PAUSE = 100;
