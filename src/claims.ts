/** Who may work now: claims of a state's slots, as pure values. */
import type { Chart, StateNumber } from './chart/index.ts';

/** One slot of one state, held by one caller until its lease ends, the state is left, or it is given back. */
export interface Claim {
  readonly state: StateNumber;
  readonly by: string;
  /** ms since the epoch; a renewal leaves it. */
  readonly since: number;
  /** When the lease ends, ms since the epoch. */
  readonly until: number;
}

/** The claims of a machine. One caller has at most one of each state. */
export type Claims = ReadonlyMap<string, Claim>;

export const NO_CLAIMS: Claims = new Map();

/** The key of a claim among others. */
export function keyOf({ state, by }: Pick<Claim, 'state' | 'by'>): string {
  return `${state}/${by}`;
}

/** @returns the claim of `by` on `state`. */
export function claimOf(claims: Claims, state: StateNumber, by: string): Claim | undefined {
  return claims.get(keyOf({ state, by }));
}

/** @returns the claims on `state`, the one that ends first in front. */
export function claimsOn(claims: Claims, state: StateNumber): Claim[] {
  return [...claims.values()].filter((claim) => claim.state === state).sort((a, b) => a.until - b.until);
}

/** @returns how many may work in `state`, and for how long; undefined where anyone may. */
export function slotsOf({ model }: Chart, state: StateNumber) {
  return model.states[state]?.slots;
}

export function withClaim(claims: Claims, claim: Claim): Claims {
  return new Map(claims).set(keyOf(claim), claim);
}

export function withoutClaim(claims: Claims, claim: Claim): Claims {
  const rest = new Map(claims);
  rest.delete(keyOf(claim));
  return rest;
}

/** @returns the claim whose lease ends first. */
export function nextToExpire(claims: Claims): Claim | undefined {
  let first: Claim | undefined;
  for (const claim of claims.values()) if (first === undefined || claim.until < first.until) first = claim;
  return first;
}
