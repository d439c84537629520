import { type Refusal, refuse } from '../refusal.ts';
import { deleted } from './refusals.ts';
import type { Turn } from './turn.ts';

type Command = (turn: Turn, now: number) => void;

/**
 * Commands that will be run in one turn and committed together.
 *
 * It stays open until the commit before is durable, or for one trip round the event loop where there is none: what
 * arrives meanwhile joins it. (`scheduler.wait(0)` would take a millisecond at least.)
 */
export class Batch {
  readonly #commands: Command[] = [];
  readonly #done: Promise<void>;

  /** @param commit called once, when the batch is closed: takes a turn, runs the commands in it, and commits. */
  constructor(storage: DurableObjectStorage, commit: (run: Command) => void) {
    this.#done = storage.sync().then(() =>
      commit((turn, now) => {
        for (const command of this.#commands) command(turn, now);
      }),
    );
  }

  /**
   * Joins a command.
   *
   * @returns its answer, when the whole batch is committed. One that meets a bug fails alone.
   */
  async join<Answer extends object>(run: (turn: Turn, now: number) => Answer): Promise<Answer | Refusal> {
    let answer: Answer | Refusal = deleted();
    this.#commands.push((turn, now) => {
      try {
        answer = run(turn, now);
      } catch (error) {
        console.error('a command failed', error);
        answer = refuse(
          'internal-error',
          'This request met a fault of the service; it may or may not have been counted.',
        );
      }
    });
    await this.#done;
    return answer;
  }
}
