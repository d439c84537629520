/** `token`: what a caller sends to show who it is and what it may do. */
import { sign } from 'hono/jwt';
import { parseDuration } from '../chart/time.ts';
import { RIGHTS, type Right } from '../grant.ts';
import { CALLER_LENGTH, SECRET_BYTES, TOKEN_LENGTH } from '../limits.ts';
import { readFlags } from './flags.ts';
import { DONE, type Outcome, refuse } from './outcome.ts';

export const help = `usage: npm run -s token -- --charts GLOBS --can RIGHTS --sub NAME [--ttl DURATION]

Prints a token, signed with TOKEN_SECRET of the environment: the secret that the service has.

  --charts GLOBS  the machines it is for, with commas between: acme/*, acme/release@*, default; * is every one
  --can RIGHTS    read (ask), update (report, hold slots), admin (charts, reset, delete), with commas between
  --sub NAME      who it is given to; the history names it
  --ttl DURATION  for how long it is good: 90s, 30m, 12h, 7d     (default: 30d)

examples:
  export TOKEN_SECRET=$(openssl rand -base64 32)
  npm run -s token -- --charts 'acme/*' --can read,update --sub web-01 --ttl 30d
  curl -H "Authorization: Bearer $(npm run -s token -- --charts '*' --can read --sub me --ttl 1h)" …`;

/** What a token is to say. */
interface TokenFlags {
  readonly charts: readonly string[];
  readonly can: readonly Right[];
  readonly sub: string;
  /** ms */
  readonly ttl: number;
}

export async function run(args: string[]): Promise<Outcome<void>> {
  const flags = readTokenFlags(args);
  if (!flags.ok) return flags;
  const secret = process.env.TOKEN_SECRET ?? '';
  if (Buffer.byteLength(secret) < SECRET_BYTES) {
    return refuse(`TOKEN_SECRET of the environment must have ${SECRET_BYTES} bytes at least`);
  }
  const { charts, can, sub, ttl } = flags.value;
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub, charts, can, iat: now, exp: now + Math.ceil(ttl / 1_000) };
  const token = await sign(claims, await keyOf(secret), 'HS256');
  if (token.length > TOKEN_LENGTH) {
    return refuse(`the token would have more than ${TOKEN_LENGTH} characters; give it fewer globs`);
  }
  console.log(token);
  return DONE;
}

/** A key and not its text: hono takes one with PRIVATE in it for another kind. */
function keyOf(secret: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['sign']);
}

const OPTIONS = {
  charts: { type: 'string' },
  can: { type: 'string' },
  sub: { type: 'string' },
  ttl: { type: 'string', default: '30d' },
} as const;

function readTokenFlags(args: string[]): Outcome<TokenFlags> {
  const parsed = readFlags(args, OPTIONS);
  if (!parsed.ok) return parsed;
  const { charts = '', can = '', sub = '', ttl } = parsed.value.values;
  const globs = listOf(charts);
  const wrongGlob = globs.find((glob) => !GLOB.test(glob));
  if (globs.length === 0) return refuse("--charts is missing: --charts 'acme/*'", 'usage');
  if (wrongGlob !== undefined)
    return refuse(`--charts: ${wrongGlob} is no address, nor a glob over them`, 'usage');
  const rights = listOf(can);
  const known = RIGHTS.filter((right) => rights.includes(right));
  if (rights.length === 0 || known.length < new Set(rights).size) {
    return refuse(`--can takes ${RIGHTS.join(', ')}, with commas between`, 'usage');
  }
  if (sub === '' || sub.length > CALLER_LENGTH) {
    return refuse(`--sub must be a name of 1 to ${CALLER_LENGTH} characters`, 'usage');
  }
  const duration = parseDuration(ttl);
  if (duration === undefined || duration < 1_000) {
    return refuse(`--ttl ${ttl} is no duration such as 12h or 30d`, 'usage');
  }
  return { ok: true, value: { charts: globs, can: known, sub, ttl: duration } };
}

/** Everything, the service's own machine, or `tenant/chart` with stars in it and perhaps a run. */
const GLOB = /^(\*|default|[A-Za-z0-9*][\w.*-]*\/[A-Za-z0-9*][\w.*-]*(@[A-Za-z0-9*][\w.*-]*)?)$/;

function listOf(text: string): string[] {
  return text.split(',').flatMap((item) => item.trim() || []);
}
