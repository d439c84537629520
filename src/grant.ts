/** Rights: the same rules for tokens and for bindings. */
import { type Address, segmentsOf } from './address.ts';

/**
 * `read` permits queries, `update` reports and claims, `operate` the operator's hand (start, inputs, pause, override), `admin` changes
 * of the chart and erasing. None implies another.
 */
export const RIGHTS = ['read', 'update', 'operate', 'admin'] as const;

export type Right = (typeof RIGHTS)[number];

export interface Grant {
  /** The name of the caller that it was given to. */
  readonly sub: string;
  /** The issuer that names it so; absent if it is this service. */
  readonly iss?: string;
  /** The machines that it covers, as globs over addresses: `acme/*`, `acme/release@*`, `default`. */
  readonly charts: readonly string[];
  readonly can: readonly Right[];
  /** The only name under which its bearer may report, claim and ask; absent: any. */
  readonly by?: string;
  /** When it expires, ms since the epoch. */
  readonly until: number;
}

/** A glob over addresses: `*`, `default`, or `tenant/chart` with an optional run, in which `*` is a wildcard. */
export const GLOB = /^(\*|default|[A-Za-z0-9*][\w.*-]*\/[A-Za-z0-9*][\w.*-]*(@[A-Za-z0-9*][\w.*-]*)?)$/;

/** Whether a grant has a right at a machine. */
export function allows({ charts, can }: Grant, right: Right, address: Address): boolean {
  return can.includes(right) && charts.some((glob) => matches(glob, address));
}

/** Whether a grant has a right at any machine of a tenant. */
export function allowsSome({ charts, can }: Grant, right: Right, tenant: string): boolean {
  return can.includes(right) && charts.some((glob) => matchesTenant(glob, tenant));
}

/**
 * Whether a glob covers an address. `*` matches any characters of a name and of the run after it, but no `/`. Alone it
 * covers every machine.
 */
export function matches(glob: string, address: Address): boolean {
  if (glob === '*') return true;
  const [patterns, names] = [glob.split('/'), segmentsOf(address)];
  return (
    patterns.length === names.length && patterns.every((pattern, i) => matchesName(pattern, names[i] ?? ''))
  );
}

function matchesTenant(glob: string, tenant: string): boolean {
  const [pattern = '', chart] = glob.split('/');
  return glob === '*' || (chart !== undefined && matchesName(pattern, tenant));
}

/**
 * The machines of one tenant at which a grant has a right, as `allows` says, for many questions: each glob is parsed once, and
 * those for other tenants are left out.
 */
export class Coverage {
  readonly #names: ReadonlySet<string>;
  readonly #patterns: readonly NamePattern[];

  constructor({ charts, can }: Grant, right: Right, tenant: string) {
    const globs = can.includes(right) ? charts.filter((glob) => matchesTenant(glob, tenant)) : [];
    const texts = new Set(globs.flatMap((glob) => lastPatternOf(glob) ?? []));
    const isName = (text: string) => !text.includes('*');
    this.#names = new Set([...texts].filter(isName));
    this.#patterns = [...texts].filter((text) => !isName(text)).map(parsePattern);
  }

  /** @param machine one of the tenant's, with or without the tenant. */
  has(machine: Address): boolean {
    const name = segmentsOf(machine).at(-1) ?? '';
    return this.#names.has(name) || this.#patterns.some((pattern) => fits(pattern, name));
  }

  /** Whether it has every machine of the tenant. */
  get isWhole(): boolean {
    return this.#patterns.some(({ first, parts, last }) => [first, ...parts, last].join('') === '');
  }

  /** The most patterns that a machine is compared with. */
  get patterns(): number {
    return this.#patterns.length;
  }

  /** What the names of the charts begin with, each once: no machine with another name is covered. */
  get prefixes(): readonly string[] {
    const begins = [...this.#names, ...this.#patterns.map(({ first }) => first)];
    const charts = begins.map((begin) => begin.split('@')[0] ?? '').sort();
    const prefixes: string[] = [];
    for (const chart of charts) {
      const before = prefixes.at(-1);
      if (before === undefined || !chart.startsWith(before)) prefixes.push(chart);
    }
    return prefixes;
  }
}

/** Returns the pattern of a glob for the last segment of an address with a tenant; undefined if it covers no such address. */
function lastPatternOf(glob: string): string | undefined {
  const [tenant, chart, ...more] = glob.split('/');
  if (chart === undefined) return tenant === '*' ? tenant : undefined;
  return more.length === 0 ? chart : undefined;
}

/** A pattern with a wildcard: what a name begins with, what follows somewhere in this order, and what it ends with. */
interface NamePattern {
  readonly first: string;
  readonly parts: readonly string[];
  /** Undefined if there is no wildcard: the name is `first`. */
  readonly last: string | undefined;
}

function parsePattern(pattern: string): NamePattern {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  return { first, parts, last };
}

function matchesName(pattern: string, name: string): boolean {
  return fits(parsePattern(pattern), name);
}

/** Finds each part between stars once, from the front, without backtracking: the time is linear. */
function fits({ first, parts, last }: NamePattern, name: string): boolean {
  if (last === undefined) return first === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - at >= last.length && name.endsWith(last);
}

/**
 * Imports the key that tokens are signed with: HS256 (RFC 7518, section 3.2). hono takes a `CryptoKey` as it is, but a
 * text that contains `PRIVATE` for a key of another kind.
 */
export function importTokenKey(secret: string, use: 'sign' | 'verify'): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, [use]);
}
