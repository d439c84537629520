/**
 * A fleet of simulated machines that take a chart from its start to its end. Each does what a shell script with curl
 * would do: it waits for its turn, claims a slot if there are slots, works, and reports until the report is accepted.
 * It crashes at any moment and forgets everything but its name. Its requests arrive late or twice, and their answers
 * get lost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from './random.ts';

export interface Step {
  readonly name: string;
  /** The number of machines that may work at once; undefined for no limit. */
  readonly slots?: number;
}

export interface Plan {
  readonly seed: number;
  readonly machines: number;
  readonly steps: readonly Step[];
  /** The state behind the last step. */
  readonly end: string;
  /** The URL of the chart's machine. */
  readonly url: string;
}

/** The log of the fleet. Times are ms since the epoch, by one clock. */
export interface Log {
  readonly answers: Answer[];
  /** When each machine worked, in steps with slots. */
  readonly work: Work[];
  crashes: number;
}

/** An answer of the service, whether or not the machine was still there to get it. */
interface Answer {
  readonly machine: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly step: string;
  readonly sent: number;
  readonly answered: number;
  readonly status: number;
  readonly revision: number;
}

interface Work {
  readonly machine: string;
  readonly step: string;
  readonly from: number;
  /** When it reported, crashed, or had to stop because its lease had ended. */
  readonly to: number;
}

/** The faults of the network and of the machines. */
const FAULTS = {
  crashBeforeAnswer: 0.02,
  crashAtWork: 0.03,
  answerLost: 0.03,
  duplicate: 0.1,
  delayed: 0.2,
  /** The longest delay, in ms. */
  delay: 60,
};

/** Takes all machines of a plan to the end of its chart. */
export async function runFleet(plan: Plan): Promise<Log> {
  const log: Log = { answers: [], work: [], crashes: 0 };
  const names = Array.from({ length: plan.machines }, (_, i) => `web-${String(i).padStart(3, '0')}`);
  await Promise.all(names.map((name, i) => new SimulatedMachine(plan, name, i, log).run()));
  return log;
}

class Crash extends Error {}

class SimulatedMachine {
  readonly #plan: Plan;
  readonly #name: string;
  readonly #random: Random;
  readonly #log: Log;
  /** Requests in flight, perhaps of a machine that has crashed since. */
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(plan: Plan, name: string, number: number, log: Log) {
    this.#plan = plan;
    this.#name = name;
    this.#random = new Random(plan.seed * 1_000 + number);
    this.#log = log;
  }

  async run(): Promise<void> {
    for (;;) {
      try {
        for (const step of this.#plan.steps) await this.#take(step);
        await this.#turn(this.#plan.end);
        // Repeats of answered requests must arrive too, before the server is stopped.
        await Promise.all(this.#underWay);
        return;
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        this.#log.crashes += 1;
        // A machine takes longer to come back than its last packets take to arrive.
        await Promise.all(this.#underWay);
        await pause(this.#random.below(FAULTS.delay));
      }
    }
  }

  /** Does a step, unless it is over. */
  async #take({ name, slots }: Step): Promise<void> {
    while (await this.#turn(name)) {
      const lease = slots === undefined ? Number.POSITIVE_INFINITY : await this.#claim(name);
      if (lease === undefined) continue;
      await this.#work(name, slots === undefined ? undefined : lease);
      if (now() < lease && (await this.#report(name))) return;
    }
  }

  /**
   * Waits for its turn.
   * @returns whether the state is current, and not over.
   */
  async #turn(step: string): Promise<boolean> {
    for (;;) {
      const answer = await this.#send('GET', step, `state?state=${step}&wait=5s`);
      if (answer?.status === 200) return true;
      if (answer?.status === 406 && answer.retryAfter === undefined) return false;
    }
  }

  /**
   * Requests a slot until it gets one.
   * @returns the end of the lease; undefined if the step is over.
   */
  async #claim(step: string): Promise<number | undefined> {
    for (;;) {
      const answer = await this.#send('POST', step, `claims?state=${step}&by=${this.#name}`);
      if (answer?.status === 200) return Date.parse(JSON.parse(answer.text).until);
      if (answer?.status === 406 && answer.retryAfter === undefined) return undefined;
      // `Retry-After` is in seconds: too long for this fleet.
      await pause(50 + this.#random.below(150));
    }
  }

  async #work(step: string, lease: number | undefined): Promise<void> {
    const from = now();
    const isFatal = this.#random.chance(FAULTS.crashAtWork);
    await pause(this.#random.below(40));
    const to = Math.min(now(), lease ?? Number.POSITIVE_INFINITY);
    if (lease !== undefined) this.#log.work.push({ machine: this.#name, step, from, to });
    if (isFatal) throw new Crash();
  }

  /**
   * Reports until the report is accepted.
   * @returns whether it was; otherwise the step begins again.
   */
  async #report(step: string): Promise<boolean> {
    for (;;) {
      const answer = await this.#send('PUT', step, `state?state=${step}&by=${this.#name}`);
      if (answer?.status === 200) return true;
      if (answer?.status === 406) return false;
    }
  }

  /** @returns undefined if the answer was lost. */
  async #send(method: Answer['method'], step: string, path: string) {
    const copies = this.#random.chance(FAULTS.duplicate) ? 2 : 1;
    const delays = Array.from({ length: copies }, () =>
      this.#random.chance(FAULTS.delayed) ? this.#random.below(FAULTS.delay) : 0,
    );
    const isFatal = this.#random.chance(FAULTS.crashBeforeAnswer);
    const isLost = this.#random.chance(FAULTS.answerLost);
    const [first] = delays.map((delay) => this.#deliver(method, step, path, delay));
    if (isFatal) throw new Crash();
    const answer = await first;
    return isLost ? undefined : answer;
  }

  async #deliver(method: Answer['method'], step: string, path: string, delay: number) {
    const delivery = this.#request(method, step, path, delay);
    this.#underWay.add(delivery);
    return delivery.finally(() => this.#underWay.delete(delivery));
  }

  async #request(method: Answer['method'], step: string, path: string, delay: number) {
    const sent = now();
    if (delay > 0) await pause(delay);
    const response = await fetch(`${this.#plan.url}/${path}`, { method });
    const text = await response.text();
    const { status, headers } = response;
    const revision = Number(headers.get('ETag')?.slice(1, -1));
    this.#log.answers.push({ machine: this.#name, method, step, sent, answered: now(), status, revision });
    if (status !== 200 && status !== 406)
      throw new Error(`${method} ${path} was answered ${status}: ${text}`);
    return { status, text, retryAfter: headers.get('Retry-After') ?? undefined };
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
