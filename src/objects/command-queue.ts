import type { Command, Outcome } from '../commands.ts';
import type { ReadChart } from './chart-source.ts';
import { faultOf } from './faults.ts';

/**
 * The queue of one machine's commands, and the loop that drains it. The commands that arrive while the commit before
 * becomes durable are one batch.
 */
export class CommandQueue {
  readonly #storage: DurableObjectStorage;
  readonly #run: Run;
  readonly #queue: Queued[] = [];
  #isDraining = false;

  constructor(storage: DurableObjectStorage, run: Run) {
    this.#storage = storage;
    this.#run = run;
  }

  /** @param next the chart of a `reset` or an `upload`. */
  push(command: Command, next?: ReadChart): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#queue.push({ command, next, settle: resolve });
    if (!this.#isDraining) void this.#drain();
    return promise;
  }

  /** The loop: runs while there are commands in the queue. Never throws. */
  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#queue.length > 0) {
      let batch: readonly Queued[] = [];
      try {
        // Waits for the commit before; if there is none, for one turn of the event loop. (`scheduler.wait(0)` would take
        // at least a millisecond.)
        await this.#storage.sync();
        batch = this.#nextBatch();
        const outcomes = await this.#run(batch);
        if (outcomes.length === 0) throw new Error('no command of a batch was executed');
        for (const [i, { settle }] of batch.entries()) {
          const outcome = outcomes[i];
          if (outcome !== undefined) settle(outcome);
        }
        if (outcomes.length === batch.length) continue;
        this.#queue.unshift(...batch.slice(outcomes.length));
        // The clock has stood still during the turn: the first wait is over at once, and the rest begins after it.
        await scheduler.wait(1);
        await scheduler.wait(TURN_REST);
      } catch (error) {
        // Storage or another object failed.
        const fault = faultOf(error, 'a commit');
        for (const { settle } of batch.length > 0 ? batch : this.#queue.splice(0)) settle(fault);
      }
    }
    this.#isDraining = false;
  }

  #nextBatch(): Queued[] {
    const alone = this.#queue.findIndex(isAlone);
    return this.#queue.splice(0, alone === -1 ? this.#queue.length : Math.max(alone, 1));
  }
}

/** Between two turns, if the first one could not execute its whole batch, in ms: requests to other machines run in it. */
const TURN_REST = 2;

/** Executes the first commands of a batch, at least one. @returns their outcomes. */
type Run = (batch: readonly Queued[]) => readonly Outcome[] | Promise<readonly Outcome[]>;

/** A command in the queue. */
export interface Queued {
  readonly command: Command;
  /** The chart of a `reset` or an `upload`. */
  readonly next: ReadChart | undefined;
  readonly settle: (outcome: Outcome) => void;
}

/** Whether a command is a batch of its own: the machine may begin, end or restart with it. */
function isAlone({ command }: Queued): boolean {
  return ALONE.has(command.type) || (command.type === 'start' && command.inputs !== undefined);
}

const ALONE: ReadonlySet<Command['type']> = new Set(['upload', 'erase', 'restore', 'restored']);
