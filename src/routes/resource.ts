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

type Handlers<Arguments extends readonly unknown[]> = Readonly<
  Partial<Record<Method, (c: Context<AppEnv>, ...args: Arguments) => Response | Promise<Response>>>
>;

type MachineArguments = [machine: DurableObjectStub<Machine>, address: Address];

/** A path below a machine, and what may be done there. */
export interface MachineResource {
  /** Below the machine's own path: empty for the machine itself, else with its slash. */
  readonly path: string;
  readonly methods: Handlers<MachineArguments>;
}

/** A path of the service. */
export interface ServiceResource {
  readonly path: string;
  readonly methods: Handlers<[]>;
}

/**
 * Serves resources: those of the service and of the `default` machine at the root, those of the others below
 * `/{tenant}/{chart}`.
 *
 * hono is given parameters alone, and the last of them is looked up in the table: a fixed path beside a parameter
 * would make it fall back to a router that was seen to cost a twentieth of a request.
 */
export function mount(
  app: Hono<AppEnv>,
  service: readonly ServiceResource[],
  machine: readonly MachineResource[],
): void {
  const services = new Map(service.map((resource) => [resource.path, resource.methods]));
  const machines = new Map(machine.map((resource) => [resource.path, resource.methods]));

  const atDefault = (c: Context<AppEnv>, path: string) => {
    const own = services.get(path);
    if (own !== undefined) return answer(c, own);
    const methods = machines.get(path);
    return methods && answer(c, methods, machineAt(c, DEFAULT), DEFAULT);
  };
  const below = (c: Context<AppEnv>, path: string, tenant: string, chart: string) => {
    const methods = machines.get(path);
    if (methods === undefined) return c.notFound();
    const parsed = parseAddress(tenant, chart);
    if (!parsed.ok) return problem(c, refuse('wrong-address', parsed.detail));
    return answer(c, methods, machineAt(c, parsed.address), parsed.address);
  };

  app.all('/', (c) => atDefault(c, '') ?? c.notFound());
  app.all('/:resource', (c) => atDefault(c, `/${c.req.param('resource')}`) ?? c.notFound());
  app.all('/:tenant/:chart', (c) => {
    const { tenant, chart } = c.req.param();
    return atDefault(c, `/${tenant}/${chart}`) ?? below(c, '', tenant, chart);
  });
  app.all('/:tenant/:chart/:resource', (c) => {
    const { tenant, chart, resource } = c.req.param();
    return below(c, `/${resource}`, tenant, chart);
  });
  app.all('/:tenant/:chart/:version/:resource', (c) => {
    const { tenant, chart, version, resource } = c.req.param();
    return below(c, `/${version}/${resource}`, tenant, chart);
  });
}

/** Answers by the method. `OPTIONS` tells which there are, and any other is 405 with `Allow` (RFC 9110). */
function answer<Arguments extends readonly unknown[]>(
  c: Context<AppEnv>,
  methods: Handlers<Arguments>,
  ...args: Arguments
): Response | Promise<Response> {
  const method = c.req.method === 'HEAD' ? 'GET' : c.req.method;
  const handler = Object.hasOwn(methods, method) ? methods[method as Method] : undefined;
  if (handler !== undefined) return handler(c, ...args);
  const allow = Object.keys(methods).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
  const Allow = [...allow, 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') return c.body(null, 204, { Allow });
  return problem(c, refuse('wrong-method', `${method} is not for this path; it takes: ${Allow}.`), { Allow });
}

function machineAt(c: Context<AppEnv>, address: Address): DurableObjectStub<Machine> {
  return c.env.MACHINES.getByName(formatAddress(address));
}
