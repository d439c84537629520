/** `token`: makes a token for a caller. */
import { sign } from 'hono/jwt';
import { parseDuration } from '../chart/time.ts';
import { GLOB, importTokenKey, RIGHTS, type Right } from '../grant.ts';
import { CALLER_LENGTH, SECRET_BYTES, TOKEN_LENGTH } from '../request-limits.ts';
import { readFlags } from './flags.ts';
import { DONE, type Result, refuse } from './result.ts';

export const help = `usage: npm run -s token -- --charts GLOBS --can RIGHTS --sub NAME [--by NAME] [--ttl DURATION]

Prints a token, signed with TOKEN_SECRET of the environment, which must be the secret of the service.

  --charts GLOBS  its machines, separated by commas: acme/*, acme/release@*, default; * for all
  --can RIGHTS    read (ask), update (report, hold slots, make links), operate (start, inputs,
                  pause, override), admin (charts, reset, restore, delete), separated by
                  commas
  --sub NAME      the name of its holder, for the history
  --by NAME       the only name under which its holder reports, claims and asks
  --ttl DURATION  its lifetime: 90s, 30m, 12h, 7d     (default: 30d)

examples:
  export TOKEN_SECRET=$(openssl rand -base64 32)
  npm run -s token -- --charts 'acme/*' --can read,update --sub web-01 --ttl 30d
  npm run -s token -- --charts 'acme/*' --can read,update --sub fleet --by web-01
  curl -H "Authorization: Bearer $(npm run -s token -- --charts '*' --can read --sub me --ttl 1h)" …`;

/** The claims of a token. */
interface TokenFlags {
  readonly charts: readonly string[];
  readonly can: readonly Right[];
  readonly sub: string;
  readonly by?: string;
  /** ms */
  readonly ttl: number;
}

export async function run(args: string[]): Promise<Result<void>> {
  const flags = readTokenFlags(args);
  if (!flags.ok) return flags;
  const secret = process.env.TOKEN_SECRET ?? '';
  if (Buffer.byteLength(secret) < SECRET_BYTES) {
    return refuse(`TOKEN_SECRET of the environment must have at least ${SECRET_BYTES} bytes`);
  }
  const { charts, can, sub, by, ttl } = flags.value;
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    sub,
    charts,
    can,
    ...(by === undefined ? {} : { by }),
    iat: now,
    exp: now + Math.ceil(ttl / 1_000),
  };
  const token = await sign(claims, await importTokenKey(secret, 'sign'), 'HS256');
  if (token.length > TOKEN_LENGTH) {
    return refuse(`the token would be longer than ${TOKEN_LENGTH} characters; use fewer globs`);
  }
  console.log(token);
  return DONE;
}

const OPTIONS = {
  charts: { type: 'string' },
  can: { type: 'string' },
  sub: { type: 'string' },
  by: { type: 'string' },
  ttl: { type: 'string', default: '30d' },
} as const;

function readTokenFlags(args: string[]): Result<TokenFlags> {
  const parsed = readFlags(args, OPTIONS);
  if (!parsed.ok) return parsed;
  const { charts = '', can = '', sub = '', by, ttl } = parsed.value.values;
  const globs = listOf(charts);
  const wrongGlob = globs.find((glob) => !GLOB.test(glob));
  if (globs.length === 0) return refuse("--charts is missing: --charts 'acme/*'", 'usage');
  if (wrongGlob !== undefined)
    return refuse(`--charts: ${wrongGlob} is neither an address nor a glob`, 'usage');
  const rights = listOf(can);
  const known = RIGHTS.filter((right) => rights.includes(right));
  if (rights.length === 0 || known.length < new Set(rights).size) {
    return refuse(`--can takes ${RIGHTS.join(', ')}, separated by commas`, 'usage');
  }
  if (sub === '' || sub.length > CALLER_LENGTH) {
    return refuse(`--sub must be a name of 1 to ${CALLER_LENGTH} characters`, 'usage');
  }
  if (by !== undefined && (by === '' || by.length > CALLER_LENGTH)) {
    return refuse(`--by must be a name of 1 to ${CALLER_LENGTH} characters`, 'usage');
  }
  const duration = parseDuration(ttl);
  if (duration === undefined || duration < 1_000) {
    return refuse(`--ttl ${ttl} is not a duration such as 12h or 30d`, 'usage');
  }
  return {
    ok: true,
    value: { charts: globs, can: known, sub, ...(by === undefined ? {} : { by }), ttl: duration },
  };
}

function listOf(text: string): string[] {
  return text.split(',').flatMap((item) => item.trim() || []);
}
