/** The Durable Objects by their names. */
import { type Address, formatAddress } from '../address.ts';
import type { Machine } from './machine.ts';
import { type PlacementBindings, stubNamed } from './placement.ts';
import type { Tenant } from './tenant.ts';

export interface ObjectBindings extends PlacementBindings {
  readonly MACHINES: DurableObjectNamespace<Machine>;
  readonly TENANTS: DurableObjectNamespace<Tenant>;
}

/** The object of a machine. */
export function machineAt(bindings: ObjectBindings, address: Address): DurableObjectStub<Machine> {
  return stubNamed(bindings.MACHINES, formatAddress(address), bindings);
}

/** The object that lists a tenant's machines. */
export function tenantNamed(bindings: ObjectBindings, name: string): DurableObjectStub<Tenant> {
  return stubNamed(bindings.TENANTS, name, bindings);
}
