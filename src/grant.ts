/** What a caller may do, and to which machines: the same rules for tokens and for bindings. Pure. */
import { type Address, formatAddress } from './address.ts';

/** `read` asks, `update` reports and holds slots, `admin` changes the chart and ends the machine. None implies another. */
export const RIGHTS = ['read', 'update', 'admin'] as const;

export type Right = (typeof RIGHTS)[number];

export interface Grant {
  /** Who it was given to. */
  readonly sub: string;
  /** The machines that it is for, as globs over addresses: `acme/*`, `acme/release@*`, `default`. */
  readonly charts: readonly string[];
  readonly can: readonly Right[];
  /** When it ends, ms since the epoch. */
  readonly until: number;
}

/** Whether a grant is for a machine and has a right there. */
export function allows({ charts, can }: Grant, right: Right, address: Address): boolean {
  if (!can.includes(right)) return false;
  const name = formatAddress(address);
  return charts.some((glob) => matches(glob, name));
}

/** Whether a grant has a right at one machine of a tenant, or more. */
export function allowsSome({ charts, can }: Grant, right: Right, tenant: string): boolean {
  return can.includes(right) && charts.some((glob) => matchesTenant(glob, tenant));
}

/**
 * A glob over addresses. `*` stands for any characters of one name, and of the run behind it: it crosses no `/`.
 * Alone it stands for every machine.
 */
export function matches(glob: string, address: string): boolean {
  if (glob === '*') return true;
  const [patterns, names] = [glob.split('/'), address.split('/')];
  return (
    patterns.length === names.length && patterns.every((pattern, i) => matchesName(pattern, names[i] ?? ''))
  );
}

function matchesTenant(glob: string, tenant: string): boolean {
  const [pattern = '', chart] = glob.split('/');
  return glob === '*' || (chart !== undefined && matchesName(pattern, tenant));
}

/** Takes what stands before the first star from the front, and so on: no pattern makes it go back. */
function matchesName(pattern: string, name: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - at >= last.length && name.endsWith(last);
}
