/** The claims of a machine on slots of its states, as pure values. */
import type { Program } from './compile.ts';
import { type StateNumber, UPDATE } from './model.ts';
import { countersOf } from './queries.ts';
import type { Snapshot } from './snapshot.ts';

/** One slot of one state, held by one caller until its lease ends, the state is left, or the slot is released. */
export interface Claim {
  readonly state: StateNumber;
  readonly by: string;
  /** ms since the epoch; a renewal does not change it. */
  readonly since: number;
  /** End of the lease, ms since the epoch. */
  readonly until: number;
}

/**
 * The claims of a machine, by state. One caller has at most one on each state. A value: a change copies the claims of
 * its state, of which there are at most as many as slots.
 */
export type Claims = ReadonlyMap<StateNumber, StateClaims>;

export const NO_CLAIMS: Claims = new Map();

/** Returns the key of a claim. */
export function keyOf({ state, by }: Pick<Claim, 'state' | 'by'>): string {
  return `${state}/${by}`;
}

/** Indexes claims by state and caller. */
export function indexClaims(claims: Iterable<Claim>): Claims {
  const byState = new Map<StateNumber, Map<string, Claim>>();
  for (const claim of claims) {
    const present = byState.get(claim.state);
    if (present === undefined) byState.set(claim.state, new Map([[claim.by, claim]]));
    else present.set(claim.by, claim);
  }
  return [...byState].reduce((index, [state, byCaller]) => put(index, state, byCaller), new Map());
}

/** Returns the claim of `by` on `state`. */
export function claimOf(claims: Claims, state: StateNumber, by: string): Claim | undefined {
  return claims.get(state)?.byCaller.get(by);
}

/** Returns the claims on `state`, in the order in which their leases end. */
export function claimsOn(claims: Claims, state: StateNumber): Claim[] {
  return [...(claims.get(state)?.byCaller.values() ?? [])].sort((a, b) => a.until - b.until);
}

/** Returns the number of claims on `state`. */
export function countOn(claims: Claims, state: StateNumber): number {
  return claims.get(state)?.byCaller.size ?? 0;
}

/** Returns the number of claims on all states. */
export function countAll(claims: Claims): number {
  let count = 0;
  for (const { byCaller } of claims.values()) count += byCaller.size;
  return count;
}

/** Returns the number of slots of `state` and their lease, ms; undefined if it has no slots. */
export function slotsOf({ model }: Pick<Program, 'model'>, state: StateNumber) {
  return model.states[state]?.slots;
}

/**
 * Whether a report of `event` needs a slot of the states that it touches: `update` does, and so do events that a quorum
 * counts. Other events (`abort`, `fail`) do not: it must be possible to leave a state whose holders hang.
 */
export function needsSlot(chart: Program, snapshot: Snapshot, address: StateNumber, event: string): boolean {
  return event === UPDATE || countersOf(chart, snapshot, address, event).length > 0;
}

/** Returns the claims with `claim` added or renewed. */
export function withClaim(claims: Claims, claim: Claim): Claims {
  const byCaller = new Map(claims.get(claim.state)?.byCaller).set(claim.by, claim);
  return put(new Map(claims), claim.state, byCaller);
}

/** Returns the claims without one. */
export function withoutClaim(claims: Claims, { state, by }: Claim): Claims {
  const byCaller = new Map(claims.get(state)?.byCaller);
  byCaller.delete(by);
  return put(new Map(claims), state, byCaller);
}

/** Returns the claims on all states but `state`. */
export function withoutState(claims: Claims, state: StateNumber): Claims {
  return put(new Map(claims), state, new Map());
}

/** Returns the claim whose lease ends first. */
export function nextToExpire(claims: Claims): Claim | undefined {
  let next: Claim | undefined;
  for (const { first } of claims.values()) if (next === undefined || first.until < next.until) next = first;
  return next;
}

/** The claims on one state; never empty. */
interface StateClaims {
  readonly byCaller: ReadonlyMap<string, Claim>;
  /** The claim whose lease ends first. */
  readonly first: Claim;
}

/** Puts the claims of one state into an index. */
function put(
  index: Map<StateNumber, StateClaims>,
  state: StateNumber,
  byCaller: ReadonlyMap<string, Claim>,
): Map<StateNumber, StateClaims> {
  let first: Claim | undefined;
  for (const claim of byCaller.values()) if (first === undefined || claim.until < first.until) first = claim;
  if (first === undefined) index.delete(state);
  else index.set(state, { byCaller, first });
  return index;
}
