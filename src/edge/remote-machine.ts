import { type Address, formatAddress } from '../address.ts';
import type { Command, Outcome } from '../commands.ts';
import type { Machine } from '../objects/machine.ts';
import type { Answer, Query } from '../objects/results.ts';
import { machineNamed, type ObjectBindings } from '../objects/stubs.ts';
import { Coalescer } from './coalesce.ts';

/**
 * A machine as the edge calls it: its address, and its object's two methods. Frequent calls (`is`, reports, claims) are
 * coalesced with those of other requests.
 */
export class RemoteMachine {
  readonly address: Address;
  /** The object's name, which is the address as text: `acme/release@42`. */
  readonly name: string;
  readonly #bindings: ObjectBindings;
  #stub: DurableObjectStub<Machine> | undefined;

  constructor(bindings: ObjectBindings, address: Address) {
    this.#bindings = bindings;
    this.address = address;
    this.name = formatAddress(address);
  }

  /** Executes a command. @throws where the call failed: the command may or may not have been executed. */
  async execute<C extends Command>(command: C): Promise<Outcome<C>> {
    const send = (commands: readonly Command[]) => this.#object.execute(commands);
    const outcome = COALESCED_COMMANDS.has(command.type)
      ? await commands.call(this.name, command, send)
      : await one(send([command]));
    // The outcome has the command's type.
    return outcome as Outcome<C>;
  }

  /** Answers a query. A query that waits is a call of its own. */
  async read<Q extends Query>(query: Q): Promise<Answer<Q>> {
    const send = (queries: readonly Query[]) => this.#object.read(queries);
    const isShort = query.type === 'is' && query.wait === undefined;
    const answer = isShort ? await queries.call(this.name, query, send) : await one(send([query]));
    return answer as Answer<Q>;
  }

  /** Opens a WebSocket at the object. */
  fetch(request: Request): Promise<Response> {
    return this.#object.fetch(request);
  }

  get #object(): DurableObjectStub<Machine> {
    this.#stub ??= machineNamed(this.#bindings, this.name);
    return this.#stub;
  }
}

const COALESCED_COMMANDS: ReadonlySet<Command['type']> = new Set([
  'update',
  'claim',
  'release',
  'lock',
  'unlock',
]);

// The queues of this isolate.
const commands = new Coalescer<Command, Outcome>();
const queries = new Coalescer<Query, Answer>();

async function one<Result>(results: Promise<readonly Result[]>): Promise<Result> {
  const [result] = await results;
  if (result === undefined) throw new Error('a machine has not answered a call');
  return result;
}
