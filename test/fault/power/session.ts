/** The calls of one machine, in which each answer can be found in the trace of its server. */
import { Random } from '../../process/coordination/random.ts';
import { Client, type Stage } from '../clients.ts';
import { Clock } from '../clock.ts';
import type { Moment } from '../moment.ts';
import type { Answer, Request } from '../requests.ts';
import type { Shape } from '../shapes.ts';
import { send } from '../wire.ts';
import { Connection, type Heard } from './connection.ts';
import type { Step } from './trace.ts';

/** A machine, and everything that its clients did. */
export interface Machine {
  /** `/power/early` */
  readonly path: string;
  readonly shape: Shape;
  /** By client, in order. The client `FIRST` made the call that began the machine. */
  readonly calls: ReadonlyMap<string, readonly Call[]>;
  /** How far the service's clock was ahead of the clients', at least and at most, in ms. */
  readonly ahead: Moment;
}

export const FIRST = 'first';

/** Times are ms since the epoch. */
export interface Call {
  readonly request: Request;
  readonly called: number;
  /** Undefined if the call died. */
  readonly answered?: {
    readonly answer: Answer;
    readonly returned: number;
    /** The index of the step in which the server sent the answer. */
    readonly told: number;
  };
}

interface Noted extends Omit<Call, 'answered'> {
  readonly answered?: { readonly answer: Answer; readonly returned: number; readonly heard: Heard };
}

export class Session {
  readonly path: string;
  readonly shape: Shape;
  /** The URL of the present server. */
  server = '';
  isOver = false;
  readonly #clock = new Clock();
  readonly #links: Stage['links'] = [];
  readonly #calls = new Map<string, Noted[]>();
  #answers = 0;

  constructor(path: string, shape: Shape) {
    this.path = path;
    this.shape = shape;
  }

  /** How many answers came so far. */
  get answers(): number {
    return this.#answers;
  }

  /** Begins the machine. */
  async begin(): Promise<void> {
    const connection = new Connection();
    const stage = this.stage(connection);
    const called = this.#clock.now();
    const answer = await stage.send(stage.url, { type: 'status' }, new AbortController().signal);
    stage.answered(FIRST, { type: 'status' }, called, answer);
    connection.close();
  }

  /** Calls the machine at random until the session is over, or a client fails. */
  async work(clients: number, seed: number): Promise<void> {
    const names = Array.from({ length: clients }, (_, i) => `${this.shape.name}-${i}`);
    await Promise.all(
      names.map(async (name, i) => {
        const connection = new Connection();
        try {
          await new Client(name, new Random(seed * 1_000 + i), this.stage(connection)).run();
        } finally {
          this.isOver = true;
          connection.close();
        }
      }),
    );
  }

  /** What a client calls, over a connection of its own. */
  stage(connection: Connection): Stage {
    const session = this;
    return {
      shape: session.shape,
      links: session.#links,
      get url() {
        return session.server + session.path;
      },
      get isOver() {
        return session.isOver;
      },
      isRushed: false,
      now: session.#clock.now,
      send: (url, request, signal) => send(url, request, signal, connection.fetch),
      answered(client, request, called, answer) {
        session.#answers += 1;
        const answered = { answer, returned: session.#clock.now(), heard: connection.heard };
        session.#note(client, { request, called, answered });
      },
      died(client, request, called) {
        session.#note(client, { request, called });
      },
    };
  }

  machine(steps: readonly Step[]): Machine {
    const told = tellings(steps);
    const calls = [...this.#calls].map(
      ([client, noted]) => [client, noted.map((call) => withTold(call, told))] as const,
    );
    return { path: this.path, shape: this.shape, calls: new Map(calls), ahead: this.#clock.ahead };
  }

  #note(client: string, call: Noted): void {
    this.#calls.set(client, [...(this.#calls.get(client) ?? []), call]);
  }
}

type Tellings = ReadonlyMap<string, readonly number[]>;

/** @returns by connection, the indexes of the steps with its responses. */
export function tellings(steps: readonly Step[]): Tellings {
  const found = new Map<string, number[]>();
  for (const [index, step] of steps.entries()) {
    if (step.type === 'answer') found.set(step.connection, [...(found.get(step.connection) ?? []), index]);
  }
  return found;
}

function withTold({ answered, ...call }: Noted, tellings: Tellings): Call {
  if (answered === undefined) return call;
  const { heard, ...rest } = answered;
  const told = tellings.get(heard.connection)?.[heard.number - 1];
  if (told === undefined) throw new Error(`the trace has no answer ${heard.number} of ${heard.connection}`);
  return { ...call, answered: { ...rest, told } };
}
