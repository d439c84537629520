/** The variable `OIDC`: whose tokens the service accepts besides its own, and what each of them allows. */
import * as z from 'zod/mini';
import { type Document, keyText, readDocument } from '../../chart/document.ts';
import { IssueList, type PathStep } from '../../chart/issue.ts';
import { GLOB, RIGHTS, type Right } from '../../grant.ts';
import { fitsIn, type Refusal, refuse } from '../../refusal.ts';
import { OIDC_BYTES, OIDC_ENTRIES } from '../../request-limits.ts';
import { atOnce } from '../../sliced.ts';
import { isLoopback } from '../host.ts';
import { type ClaimSet, compileCondition, compileName } from './condition.ts';

/** Where the keys of an issuer are. */
export interface KeySource {
  readonly iss: string;
  /** The address of its JWKS; undefined if discovery tells it. */
  readonly jwks: string | undefined;
}

/** One entry of the list: tokens of `iss` for one of `aud` whose claims meet the condition. */
export interface Entry {
  readonly source: KeySource;
  readonly aud: readonly string[];
  /** The entry's `if`. */
  holds(claims: ClaimSet): boolean;
  /** The entry's `by`; absent if the token does not fix a name. @returns undefined if the claims have no such name. */
  readonly nameIn?: (claims: ClaimSet) => string | undefined;
  readonly charts: readonly string[];
  readonly can: readonly Right[];
}

export interface Oidc {
  readonly ok: true;
  /** In their order: the first that fits a token counts. */
  readonly entries: readonly Entry[];
}

const NONE: Oidc = { ok: true, entries: [] };

/** The last value that was read: it is the same one for each request of an isolate. */
let last: { readonly value: unknown; readonly oidc: Oidc | Refusal } = { value: undefined, oidc: NONE };

/**
 * Reads the variable.
 *
 * @param value YAML or JSON; or the list itself, which `[[vars.OIDC]]` in wrangler.toml makes.
 * @returns a refusal that lists every fault.
 */
export function oidcOf(value: unknown): Oidc | Refusal {
  if (value !== last.value) last = { value, oidc: readOidc(value) };
  return last.oidc;
}

function readOidc(value: unknown): Oidc | Refusal {
  if (value === undefined || value === null) return NONE;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.trim() === '') return NONE;
  const issues = new IssueList();
  if (!fitsIn(OIDC_BYTES, text)) {
    issues.error({ line: 1, column: 1 }, [], `It has more than ${OIDC_BYTES} bytes.`);
    return wrong(issues);
  }
  const document = atOnce(readDocument(text, issues));
  if (document === undefined) return wrong(issues);
  const { data, error } = EntriesShape.safeParse(document.data);
  if (error !== undefined) for (const issue of error.issues) report(issue, document, issues);
  const entries = (data ?? []).map(({ iss, aud, jwks, if: holds, by, charts, can }): Entry => {
    const source = { iss, jwks: jwks ?? knownKeySet(iss) };
    return { source, aud, holds, charts, can, ...(by === undefined ? {} : { nameIn: by }) };
  });
  for (const [i, { source }] of entries.entries()) {
    const first = entries.find((entry) => entry.source.iss === source.iss);
    if (first === undefined || first.source.jwks === source.jwks) continue;
    const path = [i, 'jwks'];
    issues.error(document.locate(path), path, 'Entries of one issuer must have the same `jwks`.');
  }
  return issues.errors.length === 0 ? { ok: true, entries } : wrong(issues);
}

/** Cloudflare Access has no discovery: https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/ */
function knownKeySet(iss: string): string | undefined {
  const { hostname, origin } = new URL(iss);
  return hostname.endsWith('.cloudflareaccess.com') ? `${origin}/cdn-cgi/access/certs` : undefined;
}

/**
 * Whether keys may be fetched from an address. Over http:// others on the network could put in keys of their own, so only
 * this machine may be asked that way.
 */
export function isSafeAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== '' || password !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/** Whether an address is on this machine. */
export function isLocal(address: string): boolean {
  return isLoopback(new URL(address).hostname);
}

const ADDRESS = 'must be an https:// address, without user, password and fragment';

const AddressShape = z
  .string({ error: ADDRESS })
  .check(z.refine(isSafeAddress, { error: `${ADDRESS}; http:// is for loopback addresses only` }));

const IssuerShape = AddressShape.check(
  z.refine((iss) => !iss.includes('?'), {
    error: 'must have no query: it is the `iss` of the tokens, to the letter',
    // Only where the rules before it hold.
    when: ({ issues }) => issues.length === 0,
  }),
);

const AUDIENCE = 'must be the `aud` of the tokens: a text, or a list of texts';
const AudienceShape = z
  .pipe(
    z.union([z.string(), z.array(z.string())], { error: AUDIENCE }),
    z.transform((aud) => [aud].flat()),
  )
  .check(z.refine((all) => all.length > 0 && !all.includes(''), { error: AUDIENCE }));

const CONDITION =
  "must be a condition in CEL over `claims`, such as 'claims.repository == \"acme/app\"'; 'true' is for every token of the issuer";

/** YAML reads an unquoted `true` as a boolean. */
const ConditionShape = z.pipe(
  z.union([z.string(), z.boolean()], { error: CONDITION }),
  z.transform((source, context) => compiled(compileCondition(String(source)), context)),
);

const NameShape = z.pipe(
  z.string({ error: 'must be an expression in CEL over `claims` that gives a name, such as `claims.sub`' }),
  z.transform((source: string, context) => compiled(compileName(source), context)),
);

const EntryShape = z.strictObject(
  {
    iss: IssuerShape,
    aud: AudienceShape,
    jwks: z.optional(AddressShape),
    if: ConditionShape,
    by: z.optional(NameShape),
    charts: z
      .array(z.string().check(z.regex(GLOB, { error: 'must be an address or a glob, such as `acme/*`' })), {
        error: 'must be a list of addresses and globs, such as [acme/*]',
      })
      .check(z.minLength(1, { error: 'must have at least one item' })),
    can: z
      .array(z.enum(RIGHTS, { error: `must be one of ${RIGHTS.join(', ')}` }), {
        error: `must be a list of rights: ${RIGHTS.join(', ')}`,
      })
      .check(z.minLength(1, { error: 'must have at least one item' })),
  },
  { error: 'must be a mapping with iss, aud, if, charts and can' },
);

const KEYS = Object.keys(EntryShape.shape);

const EntriesShape = z
  .array(EntryShape, { error: 'must be a list of entries' })
  .check(z.maxLength(OIDC_ENTRIES, { error: `must have at most ${OIDC_ENTRIES} entries` }));

/** Hands on what an expression compiles to, or reports its error. */
function compiled<Run>(
  result: { readonly ok: true; readonly evaluate: Run } | { readonly ok: false; readonly message: string },
  { value, issues }: z.core.ParsePayload,
): Run | never {
  if (result.ok) return result.evaluate;
  issues.push({ code: 'custom', input: value, message: `is wrong: ${result.message}` });
  return z.NEVER;
}

function report(issue: z.core.$ZodIssue, document: Document, issues: IssueList): void {
  const path: PathStep[] = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const shown = keyText(key);
      const message = `An entry has no key \`${shown}\`; it has: ${KEYS.join(', ')}.${issues.didYouMean(shown, KEYS)}`;
      issues.error(document.locate([...path, key], 'key'), [...path, key], message);
    }
    return;
  }
  const step = path.at(-1);
  const subject =
    step === undefined ? 'The value' : typeof step === 'number' ? `Item ${step + 1}` : `\`${step}\``;
  const message = document.has(path)
    ? `${subject} ${issue.message}.`
    : `${subject} is missing: it ${issue.message}.`;
  issues.error(document.locate(path), path, message);
}

function wrong(issues: IssueList): Refusal {
  issues.sort();
  const { errors } = issues;
  const [first, ...others] = errors;
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
  const more = others.length === 0 ? '' : ` There are ${others.length} more; see \`errors\`.`;
  return refuse('not-set-up', `The variable OIDC is wrong: ${where}${first?.message ?? ''}${more}`, {
    errors,
  });
}
