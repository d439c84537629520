import { KNOWN_CHARTS, RECENT_ANSWERS } from '../limits.ts';
import { LruCache } from '../lru-cache.ts';
import type { WaitAnswer } from './waiter.ts';

interface KeptAnswer {
  readonly answer: WaitAnswer;
  /** When the object was asked, ms since the epoch: the answer was true at that moment, or later. */
  readonly askedAt: number;
  /** The epoch of the machine in which it was asked. */
  readonly epoch: Epoch;
  /** Characters of the answer and of its key, about. */
  readonly length: number;
}

/** The time between two commands that this isolate sends to a machine. Compared by identity. */
type Epoch = Readonly<Record<never, never>>;

/**
 * The answers to "is this state current?" that an isolate keeps for requests that accept a stale one (`max-stale`). One
 * call to the object serves all of them for that time.
 *
 * Requests without `max-stale` neither read nor fill it. A command that this isolate has sent to a machine makes the
 * machine's answers useless, also those of calls in flight: a client that reports and then asks through the same isolate
 * sees its own report.
 */
export class RecentAnswers {
  readonly #answers: LruCache<string, KeptAnswer>;
  readonly #epochs = new LruCache<string, Epoch>(KNOWN_CHARTS);

  /** @param most characters of all answers together. */
  constructor(most = RECENT_ANSWERS) {
    this.#answers = new LruCache(most, ({ length }) => length);
  }

  /**
   * The answers for one request.
   *
   * @param machine its name.
   * @param maxStale how old an answer may be, ms.
   */
  for(machine: string, state: string, maxStale: number): StaleAnswers {
    // A space: no machine has one in its name.
    const key = `${machine} ${state}`;
    const epochNow = () => this.#epochs.get(machine) ?? this.#epochs.set(machine, {});
    const keptNow = () => {
      const kept = this.#answers.get(key);
      return kept?.epoch === epochNow() && Date.now() - kept.askedAt <= maxStale ? kept : undefined;
    };
    return {
      find: () => keptNow()?.answer,
      ask: async (fresh) => {
        const kept = keptNow();
        if (kept !== undefined) return kept.answer;
        const [askedAt, epoch] = [Date.now(), epochNow()];
        const answer = await fresh();
        if (isOfMachine(answer) && this.#epochs.get(machine) === epoch) {
          const length = key.length + JSON.stringify(answer).length;
          this.#answers.set(key, { answer, askedAt, epoch, length });
        }
        return answer;
      },
      ageOf: (answer) => {
        const kept = this.#answers.get(key);
        return kept?.answer === answer ? Math.max(0, Date.now() - kept.askedAt) : 0;
      },
    };
  }

  /** Notes that a command has been sent to a machine. */
  forget(machine: string): void {
    this.#epochs.delete(machine);
  }
}

/** The answers that one request accepts. */
export interface StaleAnswers {
  /** Returns the kept answer; undefined if there is none, or if it is too old. */
  find(): WaitAnswer | undefined;
  /**
   * Returns the kept answer, or asks for one and keeps it.
   *
   * @param fresh asks the object about the present.
   */
  ask(fresh: () => Promise<WaitAnswer>): Promise<WaitAnswer>;
  /** How old an answer may be, ms; 0 if it is not a kept one. */
  ageOf(answer: WaitAnswer): number;
}

/** Whether the answer is about the machine, and not about the platform or the request. */
function isOfMachine(answer: WaitAnswer): boolean {
  return answer.ok || answer.machine !== undefined;
}
