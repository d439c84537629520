import type { Address } from '../address.ts';
import type { Refusal } from '../refusal.ts';
import type { StoredChart } from '../store/machine-store.ts';
import { type ObjectBindings, tenantNamed } from './stubs.ts';
import type { Tenant } from './tenant.ts';

/**
 * A machine's place on the list of its tenant. Only the machine itself enters and leaves it, over one stub, whose
 * calls arrive in the order in which they were made: so the last word is the right one.
 *
 * The service's own machine has no tenant, and no list.
 */
export class Membership {
  readonly #bindings: ObjectBindings;
  readonly #address: Address;
  #stub: DurableObjectStub<Tenant> | undefined;

  constructor(bindings: ObjectBindings, address: Address) {
    this.#bindings = bindings;
    this.#address = address;
  }

  /**
   * Enters the machine, before it is there, or makes room for another chart before it has that.
   *
   * @returns why it may not be, or nothing.
   */
  async enter(chart: Pick<StoredChart, 'text' | 'definition'>): Promise<Refusal | undefined> {
    return this.#ask(async (tenant) => tenant.enter(this.#address, bytesOf(chart)));
  }

  /** @param bytes of the chart that the machine has after all. */
  async correct(bytes: number): Promise<void> {
    await this.#ask((tenant) => tenant.correct(this.#address, bytes));
  }

  /**
   * Leaves, when the machine is gone. Where that comes to nothing the list has a machine too many, until it is read:
   * it asks each machine that it has.
   */
  async leave(): Promise<void> {
    try {
      await this.#ask((tenant) => tenant.leave(this.#address));
    } catch (error) {
      console.error('a machine that is gone is still on the list of its tenant', error);
    }
  }

  async #ask<Answer>(
    ask: (tenant: DurableObjectStub<Tenant>) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { tenant } = this.#address;
    if (tenant === undefined) return undefined;
    this.#stub ??= tenantNamed(this.#bindings, tenant);
    try {
      return await ask(this.#stub);
    } catch (error) {
      // A stub that has failed fails for ever.
      this.#stub = undefined;
      throw error;
    }
  }
}

/** Bytes of a chart as the store keeps it: its text, and what was read of it. */
function bytesOf({ text, definition }: Pick<StoredChart, 'text' | 'definition'>): number {
  const encoder = new TextEncoder();
  return encoder.encode(text).length + encoder.encode(JSON.stringify(definition)).length;
}
