/** Tells a tenant of the moves of its machines: `Tenant` filters, counts and sorts its list by them. */
import { lateAt } from '../chart/chart.ts';
import { FAILED_TAG } from '../chart/model.ts';
import { TELL_PAUSE } from '../limits.ts';
import type { Listing } from '../listing.ts';
import type { Cause } from '../store/history-table.ts';
import type { Memory, Publish } from './memory.ts';
import type { News } from './news.ts';
import type { Registry } from './registry.ts';
import type { Summary } from './results.ts';
import { summaryOf } from './status-document.ts';

/** Causes of entries that cannot change what is told, where no state was entered. */
const PLAIN: ReadonlySet<Cause> = new Set<Cause>([
  'update',
  'claim',
  'release',
  'lease-expired',
  'members',
  'resend',
  'refused',
]);

/** After a change, an object that starts tells again for so long, in ms: a crash may have cut the call of the one before. */
const DOUBT = 10 * 60 * 1_000;

/** Attempts of a call that fails, and the pause before the second, in ms; it doubles with each. */
const ATTEMPTS = 6;
const BACKOFF = 1_000;

/**
 * Tells the tenant after a commit that has moved the machine, beside all requests: nothing waits for it. A report that only
 * counts tells nothing, so it costs no call. One call is under way at a time, and a machine that moves all the time makes
 * two a second.
 *
 * The list is right again after a call that was lost with the object: the next object tells if the change is recent or as
 * soon as it commits, and a reader of the list corrects the machines of its page.
 */
export class Telling {
  readonly #memory: Memory;
  readonly #registry: Registry;
  /** What was told last, or is being told; undefined if nothing is known of it. */
  #told: string | undefined;
  /** When, by `performance.now`. */
  #toldAt = Number.NEGATIVE_INFINITY;
  #isUnderWay = false;
  #isWanted = false;

  constructor(memory: Memory, registry: Registry) {
    this.#memory = memory;
    this.#registry = registry;
  }

  /** Takes the news of the machine. */
  hear(news: Parameters<Publish>[0]): void {
    if (news === 'restarting') return;
    if (news === 'erased') this.#told = undefined;
    else if (this.#told === undefined || !isPlain(news)) this.#want();
  }

  /** Before the machine is read by an object that has just started. */
  loading(): void {
    queueMicrotask(() => {
      const { machine } = this.#memory;
      const isRecent = machine !== undefined && Date.now() - machine.changedAt < DOUBT;
      if (isRecent && this.#told === undefined) this.#want();
    });
  }

  #want(): void {
    this.#isWanted = true;
    if (!this.#isUnderWay) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isUnderWay = true;
    for (let failures = 0; this.#isWanted && failures < ATTEMPTS; ) {
      const pause = failures > 0 ? BACKOFF * 2 ** failures * (0.5 + Math.random() / 2) : this.#pause();
      if (pause > 0) await scheduler.wait(pause);
      this.#isWanted = false;
      const { machine } = this.#memory;
      if (machine === undefined) break;
      const listing = listingOf(summaryOf(machine));
      const { revision: _, ...moves } = listing;
      const told = JSON.stringify(moves);
      if (told === this.#told) continue;
      this.#told = told;
      this.#toldAt = performance.now();
      try {
        await this.#registry.tell(listing);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#told = undefined;
        this.#isWanted = true;
        if (failures === ATTEMPTS) console.error('the list of a tenant is behind one of its machines', error);
      }
    }
    this.#isUnderWay = false;
  }

  /** How long to wait until the next call, in ms. */
  #pause(): number {
    return Math.max(0, this.#toldAt + TELL_PAUSE - performance.now());
  }
}

/** Whether the entries have moved nothing that is told. */
function isPlain({ history }: News): boolean {
  return history?.every(({ cause, entered }) => entered.length === 0 && PLAIN.has(cause)) ?? false;
}

/** @returns what a machine tells its tenant. */
export function listingOf(summary: Summary): Listing {
  const { revision, states, since = 0, status, tags = [], isPaused = false, deadline } = summary;
  return {
    revision,
    states,
    since,
    outcome: status === 'done' && tags.includes(FAILED_TAG) ? 'failed' : status,
    isPaused,
    deadline: deadline === undefined ? null : { at: deadline.at, lateAt: lateAt(deadline) },
  };
}
