/** The Durable Objects: their methods, and their stubs by name. */
import type { Address } from '../address.ts';
import type { Command, Outcome } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import type { Restoration } from '../store/restoration.ts';
import type { MachinesPage, MachinesQuery, Told } from './list-results.ts';
import { type PlacementBindings, stubNamed } from './location.ts';
import type { Answer, Entered, Noted, Query } from './results.ts';

/** The methods of a machine's object. */
export interface MachineMethods extends Rpc.DurableObjectBranded {
  execute(commands: readonly Command[]): Promise<Outcome[]>;
  read(queries: readonly Query[]): Promise<Answer[]>;
}

/** The methods of a tenant's object. */
export interface TenantMethods extends Rpc.DurableObjectBranded {
  enter(address: Address, bytes: number): Promise<Entered | Refusal>;
  correct(address: Address, bytes: number): Promise<void>;
  keepRevision(address: Address, revision: number): Promise<void>;
  leave(address: Address, revision?: number): Promise<void>;
  restoring(address: Address, note: Restoration): Promise<Noted | Refusal>;
  restoration(address: Address): Promise<Restoration | null>;
  settle(address: Address, bytes: number | null): Promise<void>;
  has(addresses: readonly Address[]): Promise<boolean[]>;
  tell(told: readonly Told[]): Promise<void>;
  members(tenant: string, query: MachinesQuery): Promise<MachinesPage>;
}

export interface ObjectBindings extends PlacementBindings {
  readonly MACHINES: DurableObjectNamespace<MachineMethods>;
  readonly TENANTS: DurableObjectNamespace<TenantMethods>;
}

/** Returns the stub of a machine. @param name from `formatAddress`. */
export function machineNamed(bindings: ObjectBindings, name: string): DurableObjectStub<MachineMethods> {
  return stubNamed(bindings.MACHINES, name, bindings);
}

/** Returns the stub of a tenant. */
export function tenantNamed(bindings: ObjectBindings, name: string): DurableObjectStub<TenantMethods> {
  return stubNamed(bindings.TENANTS, name, bindings);
}
