/**
 * Coalesces concurrent calls to one machine into one RPC: calls queue while others are in flight, and if calls came
 * concurrently before, a batch is delayed a moment for more of them. A thousand concurrent requests become a few RPCs,
 * and a few commits.
 *
 * A batch is sent only after every call in it has arrived, so an answer is never older than its request.
 */
import { waitUntil } from 'cloudflare:workers';
import { BATCH_SIZE } from '../limits.ts';
import { LruCache } from '../lru-cache.ts';
import { ConcurrencyEstimate } from './concurrency.ts';
import { type Patience, RoundTripEstimate } from './round-trip.ts';

/** Sends calls in one RPC, over the stub of the leader's request. Returns their results, in order. */
export type Send<Call, Result> = (calls: readonly Call[]) => Promise<readonly Result[]>;

/** Bounds of a queue. */
interface Bounds {
  /** The most calls of a batch. */
  readonly size: number;
  /** The most batches in flight. */
  readonly inFlight: number;
}

const BOUNDS: Bounds = { size: BATCH_SIZE, inFlight: Number.POSITIVE_INFINITY };

/** Queues of calls of one kind, by the machine's name. Shared by the requests of an isolate. */
export class Coalescer<Call, Result> {
  readonly #bounds: Bounds;
  readonly #queues = new Map<string, CallQueue<Call, Result>>();
  /** Estimates of the machines that were called concurrently. */
  readonly #estimates = new LruCache<string, Estimates>(ESTIMATES);

  constructor(bounds = BOUNDS) {
    this.#bounds = bounds;
  }

  /**
   * Makes a call, alone or in a batch.
   *
   * @param send bound to the caller's own stub: another request's must not be used.
   * @throws what `send` throws.
   */
  call(name: string, call: Call, send: Send<Call, Result>): Promise<Result> {
    if (!MAY_SHARE) return send([call]).then(only);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      const estimates = this.#estimates.get(name) ?? newEstimates();
      queue = new CallQueue(this.#bounds, estimates, (idle) => this.#retire(name, idle, estimates));
      this.#queues.set(name, queue);
    }
    return queue.call(call, send);
  }

  /** Drops a queue that is idle. A call that returns late leaves a newer queue of the same name alone. */
  #retire(name: string, queue: CallQueue<Call, Result>, estimates: Estimates): void {
    if (this.#queues.get(name) !== queue) return;
    this.#queues.delete(name);
    if (estimates.concurrency.isConcurrent) this.#estimates.set(name, estimates);
    else this.#estimates.delete(name);
  }
}

/** Machines whose estimates an isolate keeps while nothing calls them. */
const ESTIMATES = 1_000;

/** What the calls to a machine have shown of its callers, and of the way to it. */
interface Estimates {
  readonly concurrency: ConcurrencyEstimate;
  readonly roundTrip: RoundTripEstimate;
}

function newEstimates(): Estimates {
  return { concurrency: new ConcurrencyEstimate(), roundTrip: new RoundTripEstimate() };
}

/**
 * Whether a request may await a promise that another request resolves. If not, each call is an RPC of its own.
 * https://developers.cloudflare.com/workers/configuration/compatibility-flags/
 */
export const MAY_SHARE = Cloudflare.compatibilityFlags.handle_cross_request_promise_resolution === true;

interface PendingCall<Call, Result> {
  readonly call: Call;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls that are sent in one RPC. The first one is the leader: its request has the timer, and makes the RPC. */
class Batch<Call, Result> {
  readonly calls: PendingCall<Call, Result>[];
  /** The latest time to send it, ms since the epoch. No call joins later, because the leader may be gone. */
  #deadline: number;
  /** The most calls. */
  readonly #most: number;
  /** The calls that are waited for. */
  #size: number;
  #wake: (() => void) | undefined;

  constructor(leader: PendingCall<Call, Result>, most: number, { wait, delay }: Patience) {
    this.calls = [leader];
    this.#most = most;
    this.#size = most;
    this.#deadline = Date.now() + wait + delay;
  }

  get isOpen(): boolean {
    return this.calls.length < this.#most && Date.now() <= this.#deadline;
  }

  /** Lets calls join for `ms` more. */
  extend(ms: number): void {
    this.#deadline += ms;
  }

  add(call: PendingCall<Call, Result>): void {
    this.calls.push(call);
    if (this.calls.length >= this.#size) this.wake();
  }

  /** Waits for `wake`, for `size` calls, or for `ms`. Only the leader's request may call it: a timer belongs to a request. */
  async wait(ms: number, size = this.#most): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#size = size;
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  wake(): void {
    this.#wake?.();
  }
}

/**
 * The queue of calls from one isolate to one machine.
 *
 * The requests of an isolate share its memory, but a request is cancelled when its client disconnects. So `waitUntil`
 * keeps a leader running, every call awaits a promise that its own request has made, and a lone call that never returns
 * delays others by the wait of a batch each, until the queue is retired.
 */
class CallQueue<Call, Result> {
  readonly #bounds: Bounds;
  readonly #estimate: ConcurrencyEstimate;
  readonly #roundTrip: RoundTripEstimate;
  readonly #onIdle: (queue: CallQueue<Call, Result>) => void;
  /** The number of calls without a result yet. */
  #pending = 0;
  /** The calls of the batches in flight, and when each was sent, ms since the epoch: the oldest first. */
  readonly #inFlight = new Map<readonly PendingCall<Call, Result>[], number>();
  /** Batches that wait until one in flight returns, the oldest first. */
  readonly #held: Batch<Call, Result>[] = [];
  /** The batch that calls join. */
  #next: Batch<Call, Result> | undefined;

  constructor(
    bounds: Bounds,
    { concurrency, roundTrip }: Estimates,
    onIdle: (queue: CallQueue<Call, Result>) => void,
  ) {
    this.#bounds = bounds;
    this.#estimate = concurrency;
    this.#roundTrip = roundTrip;
    this.#onIdle = onIdle;
  }

  call(call: Call, send: Send<Call, Result>): Promise<Result> {
    this.#forgetLost();
    this.#pending += 1;
    this.#estimate.called(this.#pending);
    const expected = this.#pending === 1 ? this.#estimate.expected() : undefined;
    if (expected === 1) return this.#sendAlone(call, send);
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const pending = { call, resolve, reject };
    if (this.#next?.isOpen) this.#next.add(pending);
    else {
      const { patience } = this.#roundTrip;
      this.#next = new Batch(pending, this.#bounds.size, patience);
      waitUntil(this.#lead(this.#next, send, patience, expected));
    }
    stayAlive(reject);
    return promise;
  }

  async #sendAlone(call: Call, send: Send<Call, Result>): Promise<Result> {
    const sent = Date.now();
    try {
      return only(await send([call]));
    } finally {
      this.#roundTrip.took(Date.now() - sent);
      this.#completed(1);
    }
  }

  /**
   * Waits until a call in flight returns, then for the calls that are expected, and sends the batch.
   *
   * @param expected the number of calls to wait for, if no call is in flight.
   */
  async #lead(
    batch: Batch<Call, Result>,
    send: Send<Call, Result>,
    { wait, delay }: Patience,
    expected?: number,
  ): Promise<void> {
    if (expected === undefined) await batch.wait(wait);
    if (this.#inFlight.size >= this.#bounds.inFlight) await this.#hold(batch);
    const inFlight = this.#pending - batch.calls.length;
    const size = (expected ?? this.#estimate.expected()) - inFlight;
    const present = batch.calls.length;
    if (present < size) {
      await batch.wait(delay, size);
      this.#estimate.delayed(size - present, batch.calls.length - present);
    }
    if (this.#next === batch) this.#next = undefined;
    await this.#send(batch.calls, send);
  }

  /** Holds a batch back until one in flight returns. Calls join it meanwhile. */
  async #hold(batch: Batch<Call, Result>): Promise<void> {
    batch.extend(FULL_WAIT);
    this.#held.push(batch);
    await batch.wait(FULL_WAIT);
    const at = this.#held.indexOf(batch);
    if (at >= 0) this.#held.splice(at, 1);
  }

  async #send(calls: readonly PendingCall<Call, Result>[], send: Send<Call, Result>): Promise<void> {
    const sent = Date.now();
    this.#inFlight.set(calls, sent);
    try {
      const results = await send(calls.map(({ call }) => call));
      for (const [i, { resolve, reject }] of calls.entries()) {
        const result = results[i];
        if (result === undefined) reject(new Error(UNANSWERED));
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    } finally {
      this.#roundTrip.took(Date.now() - sent);
      if (this.#inFlight.delete(calls)) this.#completed(calls.length);
    }
  }

  /** Counts on no batch whose calls have given up: the code of its leader may have been stopped before it returned. */
  #forgetLost(): void {
    for (const [calls, sent] of this.#inFlight) {
      if (Date.now() < sent + BATCH_PATIENCE) return;
      this.#inFlight.delete(calls);
      this.#pending -= calls.length;
    }
  }

  #completed(calls: number): void {
    this.#pending -= calls;
    this.#estimate.answered(this.#pending);
    const next = this.#held.shift() ?? this.#next;
    if (next !== undefined) next.wake();
    else if (this.#inFlight.size === 0) this.#onIdle(this);
  }
}

/**
 * Keeps a request alive that awaits a promise which another request resolves: workerd cancels a request that awaits nothing
 * else, and a pending timer prevents that. It ends the wait if the leader never returns. It ends with its request, so it is
 * not cleared: that took as long as setting it.
 */
function stayAlive(giveUp: (error: Error) => void): void {
  setTimeout(() => giveUp(lost()), BATCH_PATIENCE);
}

/** How long a call waits for its batch to return, in ms. */
const BATCH_PATIENCE = 30_000;

/** How long a batch waits in a queue with as many in flight as there may be, in ms: some of them may never return. */
const FULL_WAIT = 5_000;

/** Marked as the platform marks a lost call: it may have been executed. */
function lost(): Error {
  return Object.assign(new Error('a batch has not returned'), { retryable: true });
}

/** Returns the result of a call that was sent alone. */
export function only<Result>(results: readonly Result[]): Result {
  const [result] = results;
  if (result === undefined) throw new Error(UNANSWERED);
  return result;
}

const UNANSWERED = 'a machine has not answered a call';
