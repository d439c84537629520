/**
 * The bounds of what a request may have, its names, its token and its body, and where each comes from.
 * `edge/published-limits.ts` has those that callers can meet.
 */

/** Characters of a tenant's, a chart's and a run's name: what DNS allows a label (RFC 1035), and files too. */
export const NAME_LENGTH = 63;

/** Characters of a caller's name, and of an `Idempotency-Key`. */
export const CALLER_LENGTH = 255;
export const KEY_LENGTH = 255;

/** Characters of the reason for a pause: it is in the history and in each refusal meanwhile. */
export const REASON_LENGTH = 255;

/**
 * How long a link may be used, in ms: the default, and the maximum. A link stays valid after its maker's token expires or is
 * revoked; the maximum bounds for how long.
 */
export const LINK_TTL = 24 * 60 * 60_000;
export const LINK_TTL_MAX = 7 * LINK_TTL;

/** Characters of a link below its machine's path: some 250 are usual. Browsers, mail and proxies take URLs of 8,000 characters. */
export const LINK_LENGTH = 4_096;

/** Parameters of a query, also empty ones: the start of a run takes all inputs of a chart (`CHART_INPUTS`), others a handful. */
export const QUERY_PARAMETERS = 72;

/**
 * Bytes of `state` in a request: every key and `id` fits (`STATE_NAME_LENGTH`), and a path of several. Bytes of
 * `If-Match`, and those of `If-None-Match` that are read: some 100 revisions.
 */
export const STATE_BYTES = 8 * 1024;
export const IF_MATCH_BYTES = 1_024;

/** Bytes of a secret for tokens, at least: as many as its hash has (RFC 7518, section 3.2). */
export const SECRET_BYTES = 32;

/** Characters of a token in a cookie: browsers keep 4,096 bytes of name and value (RFC 6265, section 6.1). */
export const SESSION_TOKEN_LENGTH = 4_000;

/** Bytes of the form that signs in: a token, and a path. */
export const SIGN_IN_BYTES = 16 * 1024;

/** Bytes of any other form: a chart of 256 KiB, of which each byte may be written as three. And its fields: one for each input. */
export const FORM_BYTES = 784 * 1024;
export const FORM_FIELDS = 80;

/** Characters of a token: a few hundred with a handful of globs. A longer one is not read. */
export const TOKEN_LENGTH = 4_096;

/**
 * Characters of a token of an issuer: GitHub's have some 2,000, Microsoft's with 200 groups some 10,000. A longer one is not
 * read.
 */
export const ISSUED_TOKEN_LENGTH = 16 * 1024;

/** Bytes and entries of the variable `OIDC`: Cloudflare's variables have at most 5 kB. */
export const OIDC_BYTES = 16 * 1024;
export const OIDC_ENTRIES = 32;

/** How far the clock of an issuer may be ahead, in s (RFC 7519, section 4.1.5: "usually no more than a few minutes"). */
export const ISSUER_SKEW = 60;

/** Bytes of a document of an issuer, and keys in it: Microsoft's have some 20 kB. And how long all of them may take, in ms. */
export const ISSUER_BYTES = 256 * 1024;
export const ISSUER_KEYS = 100;
export const ISSUER_WAIT = 5_000;

/**
 * Ages of an issuer's keys, in ms: at which they are fetched again, at which requests wait for that, as those of an isolate that
 * was idle, and up to which they are used if they cannot be fetched.
 */
export const KEYS_FRESH = 60 * 60_000;
export const KEYS_STALE = 2 * KEYS_FRESH;
export const KEYS_USABLE = 24 * 60 * 60_000;

/** The least time between two fetches of an issuer's keys, in ms; and the same while there are none that can be used. */
export const KEYS_PAUSE = 60_000;
export const NO_KEYS_PAUSE = 10_000;

/** Requests of an isolate that wait for the keys of one issuer at once, for at most `ISSUER_WAIT`. */
export const KEYS_WAITERS = 1_000;

/** How long a request's body may take to arrive, in ms: a chart of `CHART_BYTES` takes 30 s at 70 kbit/s. */
export const BODY_WAIT = 30_000;

/** Bytes of a FleetLock request: two names of bounded length, and other fields that a client may send. */
export const FLEETLOCK_BYTES = 16 * 1024;
