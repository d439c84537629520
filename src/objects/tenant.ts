import { DurableObject } from 'cloudflare:workers';
import { type Address, formatAddress } from '../address.ts';
import { TENANT_BYTES, TENANT_MACHINES } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { type Member, RegistryTable } from '../store/registry-table.ts';
import type { Restoration } from '../store/restoration.ts';
import { ALARM_BACKOFF_MAX } from './alarm.ts';
import type { MachinesPage, MachinesQuery, Told } from './list-results.ts';
import { machinesPage } from './machines-page.ts';
import { notStarted } from './refusals.ts';
import type { Entered, Noted } from './results.ts';
import { machineNamed, type ObjectBindings, type TenantMethods } from './stubs.ts';

/**
 * The Durable Object of one tenant: the registry of its machines, which bounds their number and bytes.
 *
 * A machine is entered before its first commit, and leaves when it is deleted. After a commit that has moved it, it tells what
 * its list is filtered, counted and sorted by (`telling.ts`): a report that only counts costs no call here. A request for the
 * list asks the machines of its page themselves, so what is shown of a machine is never stale; which page it is on may be.
 */
export class Tenant extends DurableObject<ObjectBindings> implements TenantMethods {
  readonly #registry: RegistryTable;

  constructor(ctx: DurableObjectState, env: ObjectBindings) {
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
    if (before === undefined && total.machines >= TENANT_MACHINES) return tooManyMachines(address);
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

  /** Keeps the last revision of a machine before it is deleted: no later machine at the address has it. Idempotent. */
  async keepRevision(address: Address, revision: number): Promise<void> {
    const member = memberOf(address);
    this.ctx.storage.transactionSync(() => this.#keepRevision(member, revision));
  }

  /**
   * Removes a machine from the registry; idempotent.
   *
   * @param revision the last one of the machine, if it had begun: no machine at the address has it again.
   */
  async leave(address: Address, revision = 0): Promise<void> {
    const member = memberOf(address);
    this.ctx.storage.transactionSync(() => {
      if (this.#registry.bytesOf(member) !== undefined) this.#keepRevision(member, revision);
      this.#registry.leave(member);
    });
  }

  #keepRevision(member: Member, revision: number): void {
    if (revision > this.#registry.lastRevision(member)) this.#registry.keepRevision(member, revision);
  }

  /**
   * Notes a restore of a machine before its storage goes back. From then on it is finished, whatever fails: by the edge
   * at once, or by the alarm here.
   *
   * @param note without the last revision if the machine was deleted: the registry knows it.
   */
  async restoring(address: Address, note: Restoration): Promise<Noted | Refusal> {
    const member = memberOf(address);
    const last = this.#registry.lastRevision(member);
    if (note.states === null && last === 0) return notStarted(address);
    const isListed = this.#registry.bytesOf(member) !== undefined;
    if (!isListed && this.#registry.total().machines >= TENANT_MACHINES) return tooManyMachines(address);
    // The machine that comes back may be at the last revision itself.
    const noted = note.states === null ? { ...note, revision: last + 1, entries: last } : note;
    this.ctx.storage.transactionSync(() => this.#registry.noteRestoration(noted));
    await this.ctx.storage.setAlarm(Date.now() + EDGE_TIME);
    return { ok: true, note: noted };
  }

  /** Returns the restore of a machine that is under way. */
  async restoration(address: Address): Promise<Restoration | null> {
    return this.#registry.restorations(formatAddress(address))[0] ?? null;
  }

  /**
   * Ends a restore, and corrects the machine's entry.
   *
   * @param bytes of the chart that the machine has now; null where there is no machine, as before the restore.
   */
  async settle(address: Address, bytes: number | null): Promise<void> {
    this.ctx.storage.transactionSync(() => {
      this.#registry.dropRestoration(formatAddress(address));
      if (bytes !== null) this.#registry.enter(memberOf(address), bytes);
    });
    if (this.#registry.restorations().length === 0) await this.ctx.storage.deleteAlarm();
  }

  /** Finishes the restores that the edge has begun and not finished. Repeated until each is finished. */
  override async alarm(): Promise<void> {
    for (const { machine, id } of this.#registry.restorations()) {
      try {
        await machineNamed(this.env, machine).execute([{ type: 'restored', id }]);
      } catch (error) {
        console.error(`a restore of ${machine} is not finished yet`, error);
      }
    }
    if (this.#registry.restorations().length > 0) {
      await this.ctx.storage.setAlarm(Date.now() + ALARM_BACKOFF_MAX);
    }
  }

  /** Returns for each address whether it is in the registry. It only reads. */
  async has(addresses: readonly Address[]): Promise<boolean[]> {
    return addresses.map((address) => this.#registry.bytesOf(memberOf(address)) !== undefined);
  }

  /** Takes what machines have told: what their list is filtered, counted and sorted by. */
  async tell(told: readonly Told[]): Promise<void> {
    const { listing } = this.#registry;
    if (listing === undefined) return;
    this.ctx.storage.transactionSync(() => {
      for (const { address, listing: news } of told) listing.write(memberOf(address), news);
    });
  }

  /** Returns a page of the list of machines, and whether there are more than `limit`. */
  async members(tenant: string, query: MachinesQuery): Promise<MachinesPage> {
    return machinesPage(this.#registry, tenant, query, Date.now());
  }
}

/** How long the edge has to finish a restore itself, ms: the restart of an object takes some 100 ms. */
const EDGE_TIME = 10_000;

function tooManyMachines({ tenant }: Address): Refusal {
  const detail = `The tenant ${tenant} has ${TENANT_MACHINES} machines, which is the limit; delete machines that are no longer needed.`;
  return refuse('too-many-machines', detail);
}

function memberOf({ chart, run = '' }: Address): Member {
  return { chart, run };
}
