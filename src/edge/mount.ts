import type { Context } from 'hono';
import type { HonoBase } from 'hono/hono-base';
import { type Address, DEFAULT, isReserved, parseAddress, wrongName } from '../address.ts';
import { allows, allowsSome, type Grant, type Right } from '../grant.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { admit, admitVisitor, checkSetUp } from './admission.ts';
import type { AppEnv } from './env.ts';
import { checkChart } from './known-charts.ts';
import { checkConditions, checkForm, checkQuery } from './query.ts';
import { RemoteMachine } from './remote-machine.ts';
import { logged } from './request-log.ts';
import type {
  MachineResource,
  MethodName,
  Resource,
  Resources,
  ServiceResource,
  TenantResource,
} from './resource.ts';
import { problem, respond } from './responses.ts';

/**
 * Serves resources: those of the service and of the `default` machine at the root, those of a tenant below `/{tenant}`,
 * those of the other machines below `/{tenant}/{chart}`.
 *
 * hono's routes consist of parameters only, and the table looks up the last segment: `RegExpRouter`, hono's fastest
 * router and the only one in the bundle, takes no fixed path beside a parameter.
 */
export function mount(app: HonoBase<AppEnv>, { service, tenant, machine }: Resources): void {
  const services = new Map(service.map((resource) => [resource.path, resource]));
  const tenants = new Map(tenant.map((resource) => [resource.path, resource]));
  const machines = new Map(machine.map((resource) => [resource.path.replace(/\{\w+\}$/, '*'), resource]));

  const ofDefault = (c: Context<AppEnv>, path: string) => {
    const resource = machines.get(path);
    return resource && ofMachine(c, resource, DEFAULT);
  };
  const ofTenantAt = (c: Context<AppEnv>, name: string, path: string) => {
    const resource = tenants.get(path);
    return resource === undefined || isReserved(name) ? undefined : ofTenant(c, resource, name);
  };
  // The fixed path of two segments goes first.
  const itemOf = (folder: string, name: string) =>
    machines.get(`/${folder}/${name}`) ?? machines.get(`/${folder}/*`);
  const below = (
    c: Context<AppEnv>,
    resource: MachineResource | undefined,
    tenantName: string,
    chart: string,
  ) => {
    if (resource === undefined) return c.notFound();
    const parsed = parseAddress(tenantName, chart);
    if (parsed.ok) return ofMachine(c, resource, parsed.address);
    return refused(c, resource, parsed);
  };

  app.all('/', (c) => ofDefault(c, '') ?? c.notFound());
  app.all('/:name', (c) => {
    const { name } = c.req.param();
    const own = services.get(`/${name}`);
    if (own !== undefined) return ofService(c, own);
    return ofDefault(c, `/${name}`) ?? ofTenantAt(c, name, '') ?? c.notFound();
  });
  app.all('/:tenant/:chart', (c) => {
    const { tenant, chart } = c.req.param();
    const resource = itemOf(tenant, chart);
    if (resource !== undefined) return ofMachine(c, resource, DEFAULT);
    return ofTenantAt(c, tenant, `/${chart}`) ?? below(c, machines.get(''), tenant, chart);
  });
  app.all('/:tenant/:chart/:resource', (c) => {
    const { tenant, chart, resource } = c.req.param();
    return below(c, machines.get(`/${resource}`), tenant, chart);
  });
  app.all('/:tenant/:chart/:version/:resource', (c) => {
    const { tenant, chart, version, resource } = c.req.param();
    return below(c, itemOf(version, resource), tenant, chart);
  });
  app.notFound((c) => {
    const paths = '/state, /{tenant}, /{tenant}/{chart}/state, /{tenant}/{chart}@{run}/state and /healthz';
    return admitted(c, problem, () =>
      problem(refuse('no-such-path', `The service has paths such as ${paths}.`)),
    );
  });
}

type Answer = Response | Promise<Response>;

function ofService(c: Context<AppEnv>, { contract, answer, post }: ServiceResource): Answer {
  const method = methodOf(c);
  if (method === 'POST' && post !== undefined) {
    return admitVisitor(c).then((refusal) => {
      const wrong = refusal ?? checkQuery(c, post.contract);
      return wrong === undefined ? post.answer(c) : problem(wrong);
    });
  }
  if (method !== 'GET') return otherMethod(c, post === undefined ? ['GET'] : ['GET', 'POST']);
  const refusal = checkSetUp(c.req.raw, c.env) ?? checkQuery(c, contract);
  return refusal === undefined ? answer(c) : problem(refusal);
}

function ofMachine(c: Context<AppEnv>, resource: MachineResource, address: Address): Answer {
  const machine = new RemoteMachine(c.env, address);
  const { name } = machine;
  const may = (grant: Grant, right: Right) => allows(grant, right, address);
  const check = () => checkChart(c.env, address, name);
  return serve(c, resource, { name, may, check }, () => [machine]);
}

function ofTenant(c: Context<AppEnv>, resource: TenantResource, name: string): Answer {
  const wrong = wrongName('tenant', name);
  if (wrong !== undefined) return refused(c, resource, refuse('wrong-address', wrong));
  const may = (grant: Grant, right: Right) => allowsSome(grant, right, name);
  return serve(c, resource, { name, may }, () => [name]);
}

/** Refuses an admitted request. */
function refused(c: Context<AppEnv>, { refuse: say = problem }: Resource<never>, refusal: Refusal): Answer {
  return admitted(c, say, () => say(refusal));
}

/** The machine or the tenant that a request addresses. */
interface Target {
  readonly name: string;
  /** Whether a grant has a right there. */
  may(grant: Grant, right: Right): boolean;
  /** Refuses an address that can have no machine, without calling its object. */
  check?(): Promise<Refusal | undefined> | undefined;
}

/** Answers by the method, if the request is admitted and its token has the right. No object is called before that. */
function serve<Arguments extends readonly unknown[]>(
  c: Context<AppEnv>,
  { methods, refuse: say = problem }: Resource<Arguments>,
  { name, may, check }: Target,
  args: () => Arguments,
): Answer {
  const called = methodOf(c);
  const method = Object.hasOwn(methods, called) ? methods[called as MethodName] : undefined;
  if (called === 'OPTIONS') return otherMethod(c, Object.keys(methods));
  const goOn = () => {
    if (method === undefined) return otherMethod(c, Object.keys(methods));
    const { right } = method;
    const grant = c.get('grant');
    if (grant !== undefined && right !== 'link' && !may(grant, right))
      return say(forbidden(grant, right, name));
    const wrong =
      checkQuery(c, method.contract) ??
      (right === 'read' ? undefined : (checkConditions(c, method.contract) ?? checkForm(c, method.contract)));
    if (wrong !== undefined) return say(wrong);
    const checked = method.isFirst ? undefined : check?.();
    if (checked === undefined) return method.answer(c, ...args());
    return checked.then((absent) => (absent === undefined ? method.answer(c, ...args()) : say(absent)));
  };
  const needsToken = (method ?? methods.GET)?.right !== 'link';
  return logged(c, name, () => admitted(c, say, goOn, needsToken));
}

/** Answers an admitted request. */
function admitted(
  c: Context<AppEnv>,
  say: (refusal: Refusal) => Response,
  goOn: () => Answer,
  needsToken = true,
): Answer {
  const decide = (refusal: Refusal | undefined) => (refusal === undefined ? goOn() : say(refusal));
  const decision = admit(c, needsToken);
  return decision instanceof Promise ? decision.then(decide) : decide(decision);
}

/** Answers `OPTIONS` with the methods, and any other method with 405 and `Allow` (RFC 9110, section 15.5.6). */
function otherMethod(c: Context<AppEnv>, methods: readonly string[]): Response {
  const refusal = checkSetUp(c.req.raw, c.env);
  if (refusal !== undefined) return problem(refusal);
  const allow = methods.flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
  const Allow = [...allow, 'OPTIONS'].join(', ');
  const { method } = c.req;
  if (method === 'OPTIONS') return respond(null, 204, { Allow });
  return problem(refuse('wrong-method', `${method} is not for this path; it takes: ${Allow}.`), { Allow });
}

function methodOf(c: Context<AppEnv>): string {
  return c.req.method === 'HEAD' ? 'GET' : c.req.method;
}

/** Says which right the token lacks, and nothing of the machine. */
function forbidden({ sub, charts, can }: Grant, right: Right, name: string): Refusal {
  const why = can.includes(right)
    ? `is for ${charts.join(', ')}, and not for ${name}`
    : `may ${can.join(', ')}, and not ${right}`;
  return refuse('forbidden', `This needs the right to ${right} at ${name}; the token of ${sub} ${why}.`);
}
