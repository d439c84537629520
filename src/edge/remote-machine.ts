import { type Address, formatAddress } from '../address.ts';
import type { Command, Outcome, Restore } from '../commands.ts';
import { LONG_ANSWER, lengthOf, UNITS_OF_CHARACTER } from '../objects/answer-length.ts';
import { unsupported } from '../objects/faults.ts';
import type { Answer, IsQuery, Query } from '../objects/results.ts';
import { type MachineMethods, machineNamed, type ObjectBindings } from '../objects/stubs.ts';
import { isRefusalCode, type Refusal } from '../refusal.ts';
import { roomFor } from '../slices.ts';
import { attempt } from './attempt.ts';
import { Coalescer, only } from './coalesce.ts';
import { RecentAnswers, type StaleAnswers } from './recent-answers.ts';
import { SharedWaits } from './shared-waits.ts';
import type { WaitAnswer, WaitQuery } from './waiter.ts';

/**
 * A machine as the edge calls it: its address, and its object's two methods. Frequent calls (`is`, reports, claims) are
 * coalesced with those of other requests.
 */
export class RemoteMachine {
  readonly address: Address;
  /** The object's name, which is the address as text: `acme/release@42`. */
  readonly name: string;
  readonly #bindings: ObjectBindings;
  #stub: DurableObjectStub<MachineMethods> | undefined;

  constructor(bindings: ObjectBindings, address: Address) {
    this.#bindings = bindings;
    this.address = address;
    this.name = formatAddress(address);
  }

  /**
   * Executes a command. A lost call is repeated once, if a repetition changes nothing; else the refusal says that the
   * command may have been executed.
   */
  async execute<C extends Command>(command: C): Promise<Outcome<C>> {
    const send = (commands: readonly Command[]) => this.#object.execute(commands);
    const outcome = await this.#attempt(isRepeatable(command), () =>
      COALESCED_COMMANDS.has(command.type)
        ? commands.call(this.name, command, send)
        : send([command]).then(only),
    );
    recent.forget(this.name);
    // The outcome has the command's type.
    return outcome as Outcome<C>;
  }

  /** Puts the machine back to a moment. The object restarts on the way, so a second call asks for the outcome. */
  async restore(command: Restore): Promise<Outcome<Restore>> {
    const outcome = await this.execute(command);
    if (outcome.ok || outcome.code !== 'outcome-unknown') return outcome;
    return this.execute({ type: 'restored', id: command.id });
  }

  /**
   * Answers a query. One that waits shares a call with others that wait for the same. A lost call is repeated once. What is
   * made of a long answer needs room in a slice of this isolate.
   */
  async read<Q extends Query>(query: Q): Promise<Answer<Q>> {
    const answer = await this.#attempt(true, this.#reader(query));
    const length = lengthOf(answer);
    if (length >= LONG_ANSWER) await roomFor(length * UNITS_OF_CHARACTER);
    // The answer has the query's type.
    return answer as Answer<Q>;
  }

  /**
   * Answers whether a state is current, with an answer that may be `maxStale` ms old: older than one that the caller has had
   * from another edge. A request that waits then makes no call of its own, neither when it joins others nor at its
   * deadline.
   *
   * @returns the answer, and how old it may be, ms.
   */
  async readStale(query: IsQuery, maxStale: number): Promise<{ answer: Answer<IsQuery>; age: number }> {
    const stale = recent.for(this.name, query.state, maxStale);
    const answer = query.wait
      ? await this.#attempt(true, this.#waiter(query, query.wait, stale))
      : await stale.ask(() => this.read(query));
    // The answer has the query's type.
    return { answer: answer as Answer<IsQuery>, age: stale.ageOf(answer) };
  }

  /** Returns the call that answers a query. */
  #reader(query: Query): () => Promise<Answer> {
    const send = (queries: readonly Query[]) => this.#object.read(queries);
    if ((query.type === 'is' || query.type === 'status') && query.wait)
      return this.#waiter(query, query.wait);
    if (query.type === 'is') return () => queries.call(this.name, query, send);
    return () => send([query]).then(only);
  }

  /** Returns the call that waits for `ms`. */
  #waiter(query: WaitQuery, ms: number, stale?: StaleAnswers): () => Promise<WaitAnswer> {
    const until = Date.now() + ms;
    const make = async (built: () => WaitQuery) =>
      understood(await this.#object.read([built()]).then(only)) as WaitAnswer;
    return () => waits.wait(this.name, query, until, make, stale);
  }

  async #attempt<Result extends Outcome | Answer>(
    isRepeatable: boolean,
    call: () => Promise<Result>,
  ): Promise<Result | Refusal> {
    return understood(await attempt(isRepeatable, call, this.#dropStub));
  }

  // The platform never repairs a stub that has failed.
  readonly #dropStub = () => {
    this.#stub = undefined;
  };

  /** Opens a WebSocket at the object. */
  async fetch(request: Request): Promise<Response | Refusal> {
    const response = await attempt(true, () => this.#object.fetch(request), this.#dropStub);
    if (!(response instanceof Response) || response.status === 101) return response;
    return understood(await response.json<Refusal>());
  }

  get #object(): DurableObjectStub<MachineMethods> {
    this.#stub ??= machineNamed(this.#bindings, this.name);
    return this.#stub;
  }
}

/** Returns a result. A refusal of a newer object, with a code that this edge does not know, becomes one that it knows. */
function understood<Result extends Outcome | Answer>(result: Result): Result | Refusal {
  return result.ok || isRefusalCode(result.code) ? result : unsupported(result.detail);
}

/** Whether a command that is executed twice has the effect of one: its caller or its key counts once. */
function isRepeatable(command: Command): boolean {
  if (command.type === 'update') return command.by !== undefined || command.key !== undefined;
  return REPEATABLE.has(command.type) || COALESCED_COMMANDS.has(command.type);
}

const REPEATABLE: ReadonlySet<Command['type']> = new Set(['link', 'start', 'restored']);

const COALESCED_COMMANDS: ReadonlySet<Command['type']> = new Set([
  'update',
  'claim',
  'renew',
  'release',
  'lock',
  'unlock',
]);

// The queues of this isolate.
const commands = new Coalescer<Command, Outcome>();
const queries = new Coalescer<Query, Answer>();
const waits = new SharedWaits();
// What this isolate was told last.
const recent = new RecentAnswers();
