/** Generates OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html) from the contracts of the resources. */
import * as z from 'zod/mini';
import { ChartAndRunShape, NameShape } from '../../address.ts';
import type { Right } from '../../grant.ts';
import { CallerShape } from '../../inputs.ts';
import { problemType, type RefusalCode, statusOf, titleOf } from '../../refusal.ts';
import { ACCESS_HEADER } from '../auth.ts';
import type { MethodName, Resources } from '../resource.ts';
import { SAFE } from '../responses.ts';
import {
  type Content,
  type Contract,
  HEADERS,
  type HeaderName,
  type Parameter,
  type RequestBody,
} from './contract.ts';
import { DOCUMENTS, ProblemShape } from './document-shapes.ts';

/** An operation of the service: a method of a path, and its contract. */
export interface Operation {
  /** With its parameters in braces. */
  readonly path: string;
  readonly method: MethodName;
  readonly contract: Contract;
  /** The right that the caller's token must have; `link` if the path is a link; absent if no token is needed. */
  readonly right?: Right | 'link';
  /** All refusals that it may answer with. */
  readonly refusals: readonly RefusalCode[];
  /** The body of a refusal. */
  readonly refusalContent: Content;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * @param origin of the service: `https://state.example.com`.
 * @returns the document as JSON.
 */
export function openApi(resources: Resources, origin: string): Json {
  const refusals = new Refusals();
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operationsOf(resources)) {
    paths[operation.path] ??= {};
    const written = operationJson(operation, refusals);
    Object.assign(paths[operation.path] ?? {}, { [operation.method.toLowerCase()]: written });
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'StateService',
      version: '0.1.0',
      summary: 'A state-machine-as-a-service: machines take their turns by asking with curl.',
      description:
        'Every `GET` answers `HEAD` as well, every path `OPTIONS`; another method is 405 with `Allow`. A query parameter that is not listed is 400. The paths of the service’s own machine, `default`, are at the root.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: origin }],
    security: [{ bearer: [] }, { basic: [] }, { access: [] }, {}],
    paths,
    components: {
      schemas: documentSchemas(),
      headers: headerComponents(),
      responses: refusals.components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        basic: { type: 'http', scheme: 'basic', description: 'The token is the password.' },
        access: {
          type: 'apiKey',
          in: 'header',
          name: ACCESS_HEADER,
          description: 'The token of Cloudflare Access, if `OIDC` has an entry for it.',
        },
      },
    },
  };
}

/** All operations of the service: a machine's paths below a tenant come before those at the root. */
export function operationsOf({ service, tenant, machine }: Resources): Operation[] {
  const below = machine.flatMap((resource) =>
    methodsOf(`/{tenant}/{chart}${resource.path}`, resource, [...OF_MACHINE, 'wrong-address']),
  );
  const atRoot = machine.flatMap((resource) => methodsOf(resource.path || '/', resource, OF_MACHINE));
  const ofTenant = tenant.flatMap((resource) =>
    methodsOf(`/{tenant}${resource.path}`, resource, [...OF_ANY, 'wrong-address']),
  );
  const ofService = service.flatMap(({ path, contract, post }): Operation[] => {
    const operation = (method: MethodName, { refusals = [], ...rest }: Contract): Operation => ({
      path,
      method,
      contract: rest,
      refusals: [...refusals, ...OF_SERVICE],
      refusalContent: PROBLEM,
    });
    return [operation('GET', contract), ...(post === undefined ? [] : [operation('POST', post.contract)])];
  });
  return [...below, ...ofTenant, ...atRoot.map(ofDefault), ...ofService];
}

/** The refusals of any resource, of any that needs a token, and of any machine. An unknown parameter is a wrong one. */
const OF_SERVICE = [
  'wrong-parameter',
  'not-encrypted',
  'malformed-host',
  'unknown-host',
  'internal-error',
  'not-set-up',
] as const satisfies readonly RefusalCode[];
const OF_ANY = [
  ...OF_SERVICE,
  'no-token',
  'forbidden',
  'cross-site',
  'too-many-requests',
  'issuer-unavailable',
  'loop',
  'overloaded',
  'lost',
  'unsupported',
] as const satisfies readonly RefusalCode[];
const OF_MACHINE = [
  ...OF_ANY,
  'no-chart',
  'outcome-unknown',
  // Any request may begin a machine.
  'needs-inputs',
  'invalid-chart',
  'too-many-machines',
  'too-many-bytes',
] as const satisfies readonly RefusalCode[];

const PROBLEM: Content = { 'application/problem+json': ProblemShape };

function methodsOf(
  path: string,
  { methods, refusalContent = PROBLEM }: Resources['tenant' | 'machine'][number],
  common: readonly RefusalCode[],
): Operation[] {
  return METHODS.flatMap((method) => {
    const found = methods[method];
    if (found === undefined) return [];
    const { contract, right } = found;
    const refusals = [...new Set([...(contract.refusals ?? []), ...common])];
    return [{ path, method, contract, right, refusals, refusalContent }];
  });
}

const METHODS = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'] as const satisfies readonly MethodName[];

/** Names the operation of the `default` machine: each operation of OpenAPI has its own id. */
function ofDefault(operation: Operation): Operation {
  return { ...operation, contract: { ...operation.contract, id: `${operation.contract.id}OfDefault` } };
}

function operationJson(
  { path, contract, right, refusals, refusalContent }: Operation,
  written: Refusals,
): Json {
  const { id, summary, parameters = [], inputs, body, isBodyOptional = false, answers } = contract;
  const replies = Object.entries(answers).map(([status, { says, content, headers = [] }]) => [
    status,
    { description: says, headers: headersJson(headers), ...contentJson(content) },
  ]);
  return {
    operationId: id,
    summary,
    tags: [tagOf(path)],
    ...(right === undefined || right === 'link' ? { security: [] } : {}),
    ...(right === undefined ? {} : { description: needs(right) }),
    parameters: [
      ...pathParameters(path),
      ...parameters.map(parameterJson),
      ...(inputs === undefined ? [] : [inputsJson(inputs)]),
    ],
    ...(body === undefined ? {} : { requestBody: { required: !isBodyOptional, ...contentJson(body) } }),
    responses: { ...Object.fromEntries(replies), ...written.write(refusals, refusalContent) },
  };
}

function needs(right: Right | 'link'): string {
  return right === 'link' ? 'Needs no token: the link is enough.' : `Needs the right to ${right}.`;
}

function tagOf(path: string): string {
  if (path.startsWith('/{tenant}/{chart}')) return 'machine';
  return path.startsWith('/{tenant}') ? 'tenant' : 'root';
}

function pathParameters(path: string): Json[] {
  const shapes: Readonly<Record<string, z.ZodMiniType>> = {
    tenant: NameShape,
    chart: ChartAndRunShape,
    name: CallerShape,
  };
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: schemaOf(shapes[name] ?? z.string()),
  }));
}

function parameterJson({ name, in: place, says, isRequired = false, shape }: Parameter<unknown>): Json {
  return { name, in: place, description: says, required: isRequired, schema: schemaOf(shape) };
}

/** Any parameter of the query: a form of OpenAPI 3 whose properties are parameters. */
function inputsJson(says: string): Json {
  const schema = { type: 'object', additionalProperties: { type: 'string' } };
  return { name: 'inputs', in: 'query', description: says, style: 'form', explode: true, schema };
}

/** The responses of refusals. Many operations share them, so each is written once. */
class Refusals {
  readonly #names = new Map<string, string>();
  readonly components: Record<string, Json> = {};

  /** @returns references to the responses, by status. */
  write(codes: readonly RefusalCode[], content: Content): Json {
    const statuses = [...new Set(codes.map(statusOf))].sort((a, b) => a - b);
    return Object.fromEntries(
      statuses.map((status) => {
        const kinds = codes.filter((code) => statusOf(code) === status).sort();
        return [status, { $ref: `#/components/responses/${this.#nameOf(status, kinds, content)}` }];
      }),
    );
  }

  #nameOf(status: number, kinds: readonly RefusalCode[], content: Content): string {
    const types = Object.keys(content);
    const key = [...kinds, ...types].join();
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const alike = Object.keys(this.components).filter((name) => name.startsWith(`No${status}`)).length;
    const name = alike === 0 ? `No${status}` : `No${status}-${alike + 1}`;
    this.#names.set(key, name);
    this.components[name] = {
      description: kinds.map((code) => `\`${code}\`: ${titleOf(code)}.`).join(' '),
      headers: headersJson(REFUSAL_HEADERS.get(status) ?? ['ETag']),
      content: mapValues(content, (shape) => ({
        schema: shape === ProblemShape ? problemSchema(kinds) : contentSchema(shape),
      })),
    };
    return name;
  }
}

/** The headers of refusals by status; `ETag` if a machine has refused. */
const REFUSAL_HEADERS: ReadonlyMap<number, readonly HeaderName[]> = new Map([
  [401, ['WWW-Authenticate']],
  [406, ['ETag', 'Retry-After', 'Age']],
  [429, ['Retry-After']],
  [503, ['ETag', 'Retry-After']],
]);

function problemSchema(codes: readonly RefusalCode[]): Json {
  return {
    allOf: [{ $ref: refOf('Problem') }, { properties: { type: { enum: codes.map(problemType) } } }],
  };
}

function contentJson(content: RequestBody | undefined): Json {
  if (content === undefined) return {};
  return {
    content: mapValues(content, (shape) => (shape === 'any' ? {} : { schema: contentSchema(shape) })),
  };
}

function contentSchema(shape: z.ZodMiniType | 'text'): Json {
  if (shape === 'text') return { type: 'string' };
  const name = Object.entries(DOCUMENTS).find(([, known]) => known === shape)?.[0];
  return name === undefined ? schemaOf(shape) : { $ref: refOf(name) };
}

function headersJson(names: readonly HeaderName[]): Json {
  const all = [...Object.keys(SAFE), ...names];
  return Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function headerComponents(): Json {
  const schema = { type: 'string' };
  return {
    ...mapValues(SAFE, (value) => ({ description: `\`${value}\` unless the answer needs another.`, schema })),
    ...mapValues(HEADERS, (description) => ({ description, schema })),
  };
}

function documentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, shape] of Object.entries(DOCUMENTS)) registry.add(shape, { id });
  const { schemas } = z.toJSONSchema(registry, { ...DRAFT, uri: refOf });
  return mapValues(schemas, ({ $id: _, $schema: __, ...schema }) => schema);
}

function schemaOf(shape: z.ZodMiniType): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, DRAFT);
  return schema;
}

/** The dialect of OpenAPI 3.1. Rules that only code can check are left out. */
const DRAFT = { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' } as const;

function refOf(name: string): string {
  return `#/components/schemas/${name}`;
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
