/**
 * Short calls to machines, made together. While `ALONE` calls of this isolate are under way to a machine, or one where
 * there is a crowd, who asks it waits for one to come back, `TRIP_WAIT` at most, and goes with all who wait in one call.
 * So a thousand requests that come at once are a few calls to the object, and a few commits.
 *
 * Nobody is told anything older than his request: a call leaves when all who travel with it have asked.
 */
import { waitUntil } from 'cloudflare:workers';
import { type Address, formatAddress } from './address.ts';
import { type Call, type CallAnswer, type CallOutcome, perform } from './calls.ts';
import { ALONE, CROWD, TRIP_PATIENCE, TRIP_SIZE, TRIP_WAIT } from './limits.ts';
import type { Machine } from './machine.ts';

/**
 * Asks a machine, alone or together with others.
 *
 * @param machine as the request's own: another's must not be used.
 * @throws what the method throws that is called.
 */
export function ask(machine: DurableObjectStub<Machine>, address: Address, call: Call): Promise<CallAnswer> {
  if (!ARE_SHARED) return perform(machine, call);
  const name = formatAddress(address);
  let line = lines.get(name);
  if (line === undefined) {
    line = new Line(name);
    lines.set(name, line);
  }
  return line.join(machine, call);
}

/**
 * Whether a request may keep a promise that another one has waiting; where not, each goes alone.
 * https://developers.cloudflare.com/workers/configuration/compatibility-flags/
 */
const ARE_SHARED = Cloudflare.compatibilityFlags.handle_cross_request_promise_resolution === true;

/** By the names of the machines that are being asked. */
const lines = new Map<string, Line>();

/** How many went together in this isolate's last calls, on average. */
let company = 0;

/** One who asks together with others. */
interface Traveller {
  readonly call: Call;
  readonly resolve: (answer: CallAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait to go together. */
interface Party {
  readonly travellers: Traveller[];
  readonly depart: () => void;
  /** When it has gone at the latest, ms since the epoch: nobody joins one later, for its leader may be no more. */
  readonly until: number;
}

/**
 * The calls of one isolate to one machine.
 *
 * The requests of an isolate share its memory, but one whose client has left stops where it stands. So whoever leads a
 * party is kept running by `waitUntil`, each answer goes to a promise that its own request has made, and one who went
 * alone and never comes back holds the others up for `TRIP_WAIT` and until the line is closed.
 */
class Line {
  readonly #name: string;
  #alone = 0;
  #parties = 0;
  #next: Party | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  join(machine: DurableObjectStub<Machine>, call: Call): Promise<CallAnswer> {
    const most = company < CROWD ? ALONE : 1;
    if (this.#next === undefined && this.#parties === 0 && this.#alone < most)
      return this.#goAlone(machine, call);
    const { promise, resolve, reject } = Promise.withResolvers<CallAnswer>();
    const traveller = { call, resolve, reject };
    if (this.#next !== undefined && isOpen(this.#next)) this.#next.travellers.push(traveller);
    else waitUntil(this.#lead(machine, traveller));
    return hold(promise, reject);
  }

  async #goAlone(machine: DurableObjectStub<Machine>, call: Call): Promise<CallAnswer> {
    this.#alone += 1;
    try {
      return await perform(machine, call);
    } finally {
      this.#alone -= 1;
      this.#comeBack();
    }
  }

  /** Waits for a call to come back, and goes with all who have joined by then. */
  async #lead(machine: DurableObjectStub<Machine>, traveller: Traveller): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const party = { travellers: [traveller], depart: resolve, until: Date.now() + TRIP_WAIT };
    this.#next = party;
    const patience = setTimeout(resolve, TRIP_WAIT);
    await promise;
    clearTimeout(patience);
    if (this.#next === party) this.#next = undefined;
    await this.#travel(machine, party.travellers);
  }

  async #travel(machine: DurableObjectStub<Machine>, travellers: readonly Traveller[]): Promise<void> {
    this.#parties += 1;
    company += (travellers.length - company) / 8;
    try {
      const outcomes: readonly CallOutcome[] = await machine.answer(travellers.map(({ call }) => call));
      for (const [i, { resolve, reject }] of travellers.entries()) {
        const outcome = outcomes[i];
        if (outcome === undefined) reject(new Error('a machine has not answered all that it was asked'));
        else if (typeof outcome === 'object' && 'error' in outcome) reject(outcome.error);
        else resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of travellers) reject(error);
    } finally {
      this.#parties -= 1;
      this.#comeBack();
    }
  }

  #comeBack(): void {
    if (this.#next !== undefined) this.#next.depart();
    else if (this.#parties === 0) this.#close();
  }

  /** One who comes back late leaves a newer line open. */
  #close(): void {
    if (lines.get(this.#name) === this) lines.delete(this.#name);
  }
}

/**
 * Waits for an answer that another request will bring. The platform takes a request for hung, and cancels it, that has
 * nothing of its own under way while its thread has nothing to do; so it has a timer, which also ends the wait where he
 * who has gone for the answer never comes back.
 */
async function hold<Answer>(answer: Promise<Answer>, giveUp: (error: Error) => void): Promise<Answer> {
  const timer = setTimeout(() => giveUp(new Error('a call has not come back')), TRIP_PATIENCE);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}

function isOpen({ travellers, until }: Party): boolean {
  return travellers.length < TRIP_SIZE && Date.now() <= until;
}
