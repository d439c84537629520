/** The objects by their names, and where they live. */
import * as z from 'zod';
import { type Address, formatAddress } from '../address.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { Machine } from './machine.ts';
import type { Tenant } from './tenant.ts';

/** https://developers.cloudflare.com/durable-objects/reference/data-location/ */
export interface PlacementBindings {
  /** Where an object is made, roughly: `weur`. Left out, near the first who asks for it. */
  readonly LOCATION?: string | null;
  /**
   * Where objects run and store, and nowhere else: `eu`. With another one the same address is another object, so it
   * is set before the first machine is made.
   */
  readonly JURISDICTION?: string | null;
}

export interface ObjectBindings extends PlacementBindings {
  readonly MACHINES: DurableObjectNamespace<Machine>;
  readonly TENANTS: DurableObjectNamespace<Tenant>;
}

/** The object of a machine. */
export function machineAt(bindings: ObjectBindings, address: Address): DurableObjectStub<Machine> {
  return objectNamed(bindings.MACHINES, formatAddress(address), bindings);
}

/** The object that lists a tenant's machines. */
export function tenantNamed(bindings: ObjectBindings, name: string): DurableObjectStub<Tenant> {
  return objectNamed(bindings.TENANTS, name, bindings);
}

const LocationShape = z.enum([
  'wnam',
  'enam',
  'sam',
  'weur',
  'eeur',
  'apac',
  'apac-ne',
  'apac-se',
  'oc',
  'afr',
  'me',
]) satisfies z.ZodType<DurableObjectLocationHint>;

const JurisdictionShape = z.enum([
  'eu',
  'us',
  'fedramp',
  'fedramp-high',
]) satisfies z.ZodType<DurableObjectJurisdiction>;

function objectNamed<Type extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<Type>,
  name: string,
  { LOCATION, JURISDICTION }: PlacementBindings,
): DurableObjectStub<Type> {
  if (!LOCATION && !JURISDICTION) return namespace.getByName(name);
  const placed = JURISDICTION ? namespace.jurisdiction(JurisdictionShape.parse(JURISDICTION)) : namespace;
  return placed.getByName(name, LOCATION ? { locationHint: LocationShape.parse(LOCATION) } : {});
}

/** Refuses names of places that there are not: a machine elsewhere than it must be is worse than none. */
export function checkPlacement({ LOCATION, JURISDICTION }: PlacementBindings): Refusal | undefined {
  if (LOCATION && !LocationShape.safeParse(LOCATION).success) {
    return refuse('not-set-up', `The variable LOCATION must be one of ${LocationShape.options.join(', ')}.`);
  }
  if (JURISDICTION && !JurisdictionShape.safeParse(JURISDICTION).success) {
    const known = JurisdictionShape.options.join(', ');
    return refuse('not-set-up', `The variable JURISDICTION must be one of ${known}.`);
  }
  return undefined;
}
