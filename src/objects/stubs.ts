/** The Durable Objects: what may be asked of them, and their stubs by their names. */
import type { Address } from '../address.ts';
import type { Command, Outcome } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import { type PlacementBindings, stubNamed } from './placement.ts';
import type { Answer, Entered, MembersPage, MembersQuery, Query } from './results.ts';

/** What may be asked of a machine's object. */
export interface MachineMethods extends Rpc.DurableObjectBranded {
  execute(commands: readonly Command[]): Promise<Outcome[]>;
  read(queries: readonly Query[]): Promise<Answer[]>;
}

/** What may be asked of a tenant's object. */
export interface TenantMethods extends Rpc.DurableObjectBranded {
  enter(address: Address, bytes: number): Promise<Entered | Refusal>;
  correct(address: Address, bytes: number): Promise<void>;
  leave(address: Address, revision?: number): Promise<void>;
  has(addresses: readonly Address[]): Promise<boolean[]>;
  members(tenant: string, query: MembersQuery): Promise<MembersPage>;
}

export interface ObjectBindings extends PlacementBindings {
  readonly MACHINES: DurableObjectNamespace<MachineMethods>;
  readonly TENANTS: DurableObjectNamespace<TenantMethods>;
}

/** The object of a machine. @param name as `formatAddress` gives it. */
export function machineNamed(bindings: ObjectBindings, name: string): DurableObjectStub<MachineMethods> {
  return stubNamed(bindings.MACHINES, name, bindings);
}

/** The object that lists a tenant's machines. */
export function tenantNamed(bindings: ObjectBindings, name: string): DurableObjectStub<TenantMethods> {
  return stubNamed(bindings.TENANTS, name, bindings);
}
