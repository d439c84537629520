import { DurableObject } from 'cloudflare:workers';
import type { Address } from '../address.ts';
import { allows } from '../grant.ts';
import { TENANT_BYTES, TENANT_MACHINES } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { type Member, RegistryTable } from '../store/registry-table.ts';
import type { Entered, MachinesPage, MachinesQuery } from './results.ts';
import type { TenantMethods } from './stubs.ts';

/**
 * The Durable Object of one tenant: the registry of its machines, which bounds their number and bytes.
 *
 * A machine is entered before its first commit, and leaves when it is deleted. The registry holds no state of a machine:
 * a request for the list asks the machines themselves. So an update costs no call here, and the list is never stale.
 */
export class Tenant extends DurableObject implements TenantMethods {
  readonly #registry: RegistryTable;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#registry = new RegistryTable(ctx.storage);
  }

  /**
   * Enters a machine that is about to begin, or to run another chart. Reserves the larger of both sizes until `correct`;
   * idempotent.
   *
   * @param bytes of its chart: text and definition.
   * @returns a refusal where a bound of the tenant would be exceeded.
   */
  async enter(address: Address, bytes: number): Promise<Entered | Refusal> {
    const member = memberOf(address);
    const before = this.#registry.bytesOf(member);
    const total = this.#registry.total();
    if (before === undefined && total.machines >= TENANT_MACHINES) {
      const detail = `The tenant ${address.tenant} has ${TENANT_MACHINES} machines, which is the limit; delete machines that are no longer needed.`;
      return refuse('too-many-machines', detail);
    }
    const entered = { ok: true, revision: this.#registry.lastRevision(member) } as const;
    if (before !== undefined && bytes <= before) return entered;
    if (total.bytes - (before ?? 0) + bytes > TENANT_BYTES) {
      const detail = `The charts of the tenant ${address.tenant} would have more than ${TENANT_BYTES} bytes; delete machines that are no longer needed.`;
      return refuse('too-many-bytes', detail);
    }
    this.ctx.storage.transactionSync(() => this.#registry.enter(member, bytes));
    return entered;
  }

  /** Enters the size of the chart that a machine has now. It is never refused, because the chart is stored already. */
  async correct(address: Address, bytes: number): Promise<void> {
    this.ctx.storage.transactionSync(() => this.#registry.enter(memberOf(address), bytes));
  }

  /**
   * Removes a machine from the registry; idempotent.
   *
   * @param revision the last one of the machine, if it had begun: no machine at the address has it again.
   */
  async leave(address: Address, revision = 0): Promise<void> {
    const member = memberOf(address);
    this.ctx.storage.transactionSync(() => {
      if (revision > 0 && this.#registry.bytesOf(member) !== undefined)
        this.#registry.keepRevision(member, revision);
      this.#registry.leave(member);
    });
  }

  /** Returns for each address whether it is in the registry. It only reads. */
  async has(addresses: readonly Address[]): Promise<boolean[]> {
    return addresses.map((address) => this.#registry.bytesOf(memberOf(address)) !== undefined);
  }

  /** Returns machines in the order of their addresses, and whether there are more than `limit`. */
  async members(tenant: string, { after, chart, grant, limit }: MachinesQuery): Promise<MachinesPage> {
    const from = after === undefined ? { chart: '', run: '' } : memberOf(after);
    const addresses: Address[] = [];
    for (const member of this.#registry.members(from, chart)) {
      const address = addressOf(tenant, member);
      if (grant !== undefined && !allows(grant, 'read', address)) continue;
      if (addresses.length === limit) return { addresses, more: true };
      addresses.push(address);
    }
    return { addresses, more: false };
  }
}

function memberOf({ chart, run = '' }: Address): Member {
  return { chart, run };
}

function addressOf(tenant: string, { chart, run }: Member): Address {
  return { tenant, chart, ...(run === '' ? {} : { run }) };
}
