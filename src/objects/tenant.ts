import { DurableObject } from 'cloudflare:workers';
import type { Address } from '../address.ts';
import { allows, type Grant } from '../grant.ts';
import { TENANT_BYTES, TENANT_MACHINES } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { type Member, RegistryTable } from '../store/registry-table.ts';

/** Which of a tenant's machines are asked for. */
export interface MembersQuery {
  /** Only those behind this one. */
  readonly after?: Address;
  /** Only those of this chart. */
  readonly chart?: string;
  /** Only those that may be read with it. */
  readonly grant?: Grant;
  readonly limit: number;
}

/**
 * The Durable Object of one tenant: it knows which machines there are, and bounds them.
 *
 * A machine is entered before it first answers, and leaves when it is deleted; what becomes of it in between is not
 * told here. Who reads the list asks the machines themselves, so that an update costs nothing more, and the list is
 * never behind.
 */
export class Tenant extends DurableObject {
  readonly #registry: RegistryTable;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#registry = new RegistryTable(ctx.storage.sql);
  }

  /**
   * Enters a machine that is about to begin, or one that is about to have a larger chart: until it says what has come
   * of it (`correct`), it has room for either. To be asked again is no harm.
   *
   * @param bytes of its chart.
   * @returns why it may not be, or nothing.
   */
  async enter(address: Address, bytes: number): Promise<Refusal | undefined> {
    const member = memberOf(address);
    const before = this.#registry.bytesOf(member);
    const total = this.#registry.total();
    if (before === undefined && total.machines >= TENANT_MACHINES) {
      const detail = `The tenant ${address.tenant} has ${TENANT_MACHINES} machines, which is the limit; delete those that have had their time.`;
      return refuse('too-many-machines', detail);
    }
    if (before !== undefined && bytes <= before) return undefined;
    if (total.bytes - (before ?? 0) + bytes > TENANT_BYTES) {
      const detail = `The charts of the tenant ${address.tenant} would have more than ${TENANT_BYTES} bytes; delete machines that have had their time.`;
      return refuse('too-many-bytes', detail);
    }
    this.ctx.storage.transactionSync(() => this.#registry.enter(member, bytes));
    return undefined;
  }

  /** Enters what a machine has: that is so already, and is not refused. */
  async correct(address: Address, bytes: number): Promise<void> {
    this.ctx.storage.transactionSync(() => this.#registry.enter(memberOf(address), bytes));
  }

  /** Takes a machine off the list. One that is not on it is as good as taken off. */
  async leave(address: Address): Promise<void> {
    this.ctx.storage.transactionSync(() => this.#registry.leave(memberOf(address)));
  }

  /** @returns of each address, whether it is on the list. Nothing is written to find that out. */
  async has(addresses: readonly Address[]): Promise<boolean[]> {
    return addresses.map((address) => this.#registry.bytesOf(memberOf(address)) !== undefined);
  }

  /** @returns machines in the order of their addresses, and whether there are more. */
  async members(
    tenant: string,
    { after, chart, grant, limit }: MembersQuery,
  ): Promise<{ readonly addresses: readonly Address[]; readonly more: boolean }> {
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
