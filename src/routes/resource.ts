import type { Context, Hono } from 'hono';
import { type Address, DEFAULT, formatAddress, parseAddress } from '../address.ts';
import { problem } from '../answers.ts';
import type { Env } from '../env.ts';
import type { Machine } from '../machine.ts';
import { refuse } from '../refusal.ts';

/** What hono is told of the Worker. */
export interface AppEnv {
  readonly Bindings: Env;
}

/** Methods that change something, and that ask. `HEAD` comes with `GET`, `OPTIONS` with every path. */
type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** Answers one method of one resource. */
type Handler<Arguments extends readonly unknown[]> = (
  c: Context<AppEnv>,
  ...args: Arguments
) => Response | Promise<Response>;

/** A path below a machine, and what may be done there. */
export interface MachineResource {
  /** Below the machine's own path: empty for the machine itself, else with its slash. */
  readonly path: string;
  readonly methods: Readonly<Partial<Record<Method, MachineHandler>>>;
}

type MachineArguments = [machine: DurableObjectStub<Machine>, address: Address];
type MachineHandler = Handler<MachineArguments>;

/** A path of the service. */
export interface ServiceResource {
  readonly path: string;
  readonly methods: Readonly<Partial<Record<Method, Handler<[]>>>>;
}

/** Serves a resource of every machine: of `default` at the root, of the others below `/{tenant}/{chart}`. */
export function mountMachine(app: Hono<AppEnv>, { path, methods }: MachineResource): void {
  mount<MachineArguments>(app, path === '' ? '/' : path, methods, (c) => [machineAt(c, DEFAULT), DEFAULT]);
  mount<MachineArguments>(app, `/:tenant/:chart${path}`, methods, (c) => {
    const parsed = parseAddress(c.req.param('tenant') ?? '', c.req.param('chart') ?? '');
    if (!parsed.ok) return problem(c, refuse('wrong-address', parsed.detail));
    return [machineAt(c, parsed.address), parsed.address];
  });
}

/** Serves a resource of the service itself. */
export function mountService(app: Hono<AppEnv>, { path, methods }: ServiceResource): void {
  mount<[]>(app, path, methods, () => []);
}

/** Registers the methods of a path; `OPTIONS` tells them, and any other is 405 with `Allow` (RFC 9110). */
function mount<Arguments extends readonly unknown[]>(
  app: Hono<AppEnv>,
  path: string,
  methods: Readonly<Partial<Record<Method, Handler<Arguments>>>>,
  prepare: (c: Context<AppEnv>) => Arguments | Response,
): void {
  for (const [method, handler] of Object.entries(methods)) {
    app.on(method, path, (c) => {
      const prepared = prepare(c);
      return prepared instanceof Response ? prepared : handler(c, ...prepared);
    });
  }
  const allow = allowedMethods(Object.keys(methods)).join(', ');
  app.options(path, (c) => c.body(null, 204, { Allow: allow }));
  app.all(path, (c) => {
    const refusal = refuse('wrong-method', `${c.req.method} is not for this path; it takes: ${allow}.`);
    return problem(c, refusal, { Allow: allow });
  });
}

function allowedMethods(methods: readonly string[]): string[] {
  return [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS'];
}

function machineAt(c: Context<AppEnv>, address: Address): DurableObjectStub<Machine> {
  return c.env.MACHINES.getByName(formatAddress(address));
}
