/**
 * Short calls to machines, made together. While calls of this isolate are under way to a machine, who asks it waits for
 * one to come back, and goes with all who wait in one call; and where there is a crowd, whose members have been seen to
 * come at once, he waits a moment for the others. So a thousand requests that come at once are a few calls to the
 * object, and a few commits.
 *
 * Nobody is told anything older than his request: a call leaves when all who travel with it have asked.
 */
import { waitUntil } from 'cloudflare:workers';
import { type Address, formatAddress } from '../address.ts';
import { type Call, type CallAnswer, type CallOutcome, perform } from '../commands.ts';
import { CROWDS, TRIP_LINGER, TRIP_PATIENCE, TRIP_SIZE, TRIP_WAIT } from '../limits.ts';
import type { Machine } from '../objects/machine.ts';
import { Crowd } from './concurrency.ts';

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
    line = new Line(name, crowds.get(name) ?? new Crowd());
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

/** By the names of machines that a crowd has just asked, who was asked last at the end. */
const crowds = new Map<string, Crowd>();

/** One who asks together with others. */
interface Traveller {
  readonly call: Call;
  readonly resolve: (answer: CallAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Those who go together. */
class Party {
  readonly travellers: Traveller[];
  /** When it has gone at the latest, ms since the epoch: nobody joins one later, for its leader may be no more. */
  readonly #until = Date.now() + TRIP_WAIT + TRIP_LINGER;
  #size = TRIP_SIZE;
  #go: (() => void) | undefined;

  constructor(leader: Traveller) {
    this.travellers = [leader];
  }

  get isOpen(): boolean {
    return this.travellers.length < TRIP_SIZE && Date.now() <= this.#until;
  }

  add(traveller: Traveller): void {
    this.travellers.push(traveller);
    if (this.travellers.length >= this.#size) this.go();
  }

  /** Waits until it is told to go or there are `size`, for `ms` at most. For its leader alone: the timer is his. */
  async wait(ms: number, size = TRIP_SIZE): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#size = size;
    this.#go = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#go = undefined;
  }

  go(): void {
    this.#go?.();
  }
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
  readonly #crowd: Crowd;
  /** Who have joined and are not answered yet. */
  #present = 0;
  /** Those that are under way. */
  #parties = 0;
  #next: Party | undefined;

  constructor(name: string, crowd: Crowd) {
    this.#name = name;
    this.#crowd = crowd;
  }

  join(machine: DurableObjectStub<Machine>, call: Call): Promise<CallAnswer> {
    this.#present += 1;
    this.#crowd.came(this.#present);
    const expected = this.#present === 1 ? this.#crowd.expected() : undefined;
    if (expected === 1) return this.#goAlone(machine, call);
    const { promise, resolve, reject } = Promise.withResolvers<CallAnswer>();
    const traveller = { call, resolve, reject };
    if (this.#next?.isOpen) this.#next.add(traveller);
    else {
      this.#next = new Party(traveller);
      waitUntil(this.#lead(machine, this.#next, expected));
    }
    return hold(promise, reject);
  }

  async #goAlone(machine: DurableObjectStub<Machine>, call: Call): Promise<CallAnswer> {
    try {
      return await perform(machine, call);
    } finally {
      this.#comeBack(1);
    }
  }

  /**
   * Waits for a call to come back, then for those who are expected, and goes with all who have joined.
   *
   * @param expected how many these are, where nothing is under way that might come back.
   */
  async #lead(machine: DurableObjectStub<Machine>, party: Party, expected?: number): Promise<void> {
    if (expected === undefined) await party.wait(TRIP_WAIT);
    const underWay = this.#present - party.travellers.length;
    const size = (expected ?? this.#crowd.expected()) - underWay;
    if (party.travellers.length < size) {
      await party.wait(TRIP_LINGER, size);
      this.#crowd.waited(party.travellers.length >= size);
    }
    if (this.#next === party) this.#next = undefined;
    await this.#travel(machine, party.travellers);
  }

  async #travel(machine: DurableObjectStub<Machine>, travellers: readonly Traveller[]): Promise<void> {
    this.#parties += 1;
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
      this.#comeBack(travellers.length);
    }
  }

  #comeBack(travellers: number): void {
    this.#present -= travellers;
    this.#crowd.left(this.#present);
    if (this.#next !== undefined) this.#next.go();
    else if (this.#parties === 0) this.#close();
  }

  /** Who went alone may be under way still, or be no more; one who comes back late leaves a newer line open. */
  #close(): void {
    if (lines.get(this.#name) !== this) return;
    lines.delete(this.#name);
    remember(this.#name, this.#crowd);
  }
}

/** For those who ask the machine next. */
function remember(name: string, crowd: Crowd): void {
  crowds.delete(name);
  if (!crowd.isThere) return;
  crowds.set(name, crowd);
  if (crowds.size > CROWDS) crowds.delete(crowds.keys().next().value ?? '');
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
