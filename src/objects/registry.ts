import { type Address, DEFAULT } from '../address.ts';
import type { Listing } from '../listing.ts';
import type { Refusal } from '../refusal.ts';
import type { StoredChart } from '../store/machine-store.ts';
import type { Restoration } from '../store/restoration.ts';
import { troubleOf } from './faults.ts';
import type { Entered, Noted } from './results.ts';
import { type ObjectBindings, type TenantMethods, tenantNamed } from './stubs.ts';

/**
 * A machine's entry in the registry of its tenant. Only the machine itself changes the entry, over one stub: calls over
 * one stub arrive in the order in which they were made, so the last call decides.
 *
 * The service's own machine, which has no tenant, is in a registry of its own.
 */
export class Registry {
  readonly #bindings: ObjectBindings;
  readonly #address: Address;
  #stub: DurableObjectStub<TenantMethods> | undefined;

  constructor(bindings: ObjectBindings, address: Address) {
    this.#bindings = bindings;
    this.#address = address;
  }

  /**
   * Enters the machine before its first commit, or reserves room for another chart before the machine runs it.
   *
   * @returns a refusal where a bound of the tenant would be exceeded.
   */
  enter(chart: Pick<StoredChart, 'text' | 'definition'>): Promise<Entered | Refusal> {
    return this.#call(async (tenant) => tenant.enter(this.#address, bytesOf(chart)));
  }

  /** Enters the size of the present chart. @param bytes of its text and definition. */
  async correct(bytes: number): Promise<void> {
    await this.#call((tenant) => tenant.correct(this.#address, bytes));
  }

  /**
   * Keeps the last revision of a machine that is about to be deleted: whatever fails from then on, no later machine has it.
   *
   * @throws where the registry cannot be reached: then the machine must not be deleted.
   */
  async keepRevision(revision: number): Promise<void> {
    if (revision === 0) return;
    try {
      await this.#call((tenant) => tenant.keepRevision(this.#address, revision));
    } catch (error) {
      if (troubleOf(error) !== undefined) throw error;
      // An object of an earlier version: `leave` tells it the revision.
      console.error('the registry has not kept the last revision of a machine', error);
    }
  }

  /**
   * Leaves the registry after the machine was deleted. If the call fails, the entry stays until the list is
   * read: a read queries each machine, and a machine that is not there leaves.
   *
   * @param revision at least the machine's last revision; 0 if it had not begun
   */
  async leave(revision = 0): Promise<void> {
    try {
      await this.#call((tenant) => tenant.leave(this.#address, revision));
    } catch (error) {
      console.error('a deleted machine is still in the registry of its tenant', error);
    }
  }

  /** Tells what the list of the tenant is filtered, counted and sorted by. */
  async tell(listing: Listing): Promise<void> {
    if (this.#address.tenant !== undefined)
      await this.#call((tenant) => tenant.tell([{ address: this.#address, listing }]));
  }

  /** Notes a restore, before the storage of the machine goes back. */
  restoring(note: Restoration): Promise<Noted | Refusal> {
    return this.#call(async (tenant) => tenant.restoring(this.#address, note));
  }

  /** Returns the restore that is under way. */
  async restoration(): Promise<Restoration | undefined> {
    return (await this.#call(async (tenant) => tenant.restoration(this.#address))) ?? undefined;
  }

  /** Ends the restore, and corrects the entry. @param bytes of the present chart; undefined if there is no machine. */
  async settle(bytes: number | undefined): Promise<void> {
    await this.#call((tenant) => tenant.settle(this.#address, bytes ?? null));
  }

  async #call<Result>(call: (tenant: DurableObjectStub<TenantMethods>) => Promise<Result>): Promise<Result> {
    this.#stub ??= tenantNamed(this.#bindings, this.#address.tenant ?? DEFAULT.chart);
    try {
      return await call(this.#stub);
    } catch (error) {
      // The platform never repairs a stub that has failed.
      this.#stub = undefined;
      throw error;
    }
  }
}

/** Returns the bytes of a chart as it is stored: its text and its definition. */
function bytesOf({ text, definition }: Pick<StoredChart, 'text' | 'definition'>): number {
  const encoder = new TextEncoder();
  return encoder.encode(text).length + encoder.encode(JSON.stringify(definition)).length;
}
