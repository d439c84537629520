/** The OpenAPI document: a validator accepts it, and every response matches its JSON Schema. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorization, CALLS, SECRET, SLOTS, TURNS } from './calls.ts';
import { fileOf, folderOf } from './charts.ts';
import { cleanUp, type Server, startServer } from './server.ts';

/** The parts of an OpenAPI response that the tests read. */
interface Reply {
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}
interface OperationJson {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, object>> };
  readonly responses: Readonly<Record<string, Reply | { readonly $ref: string }>>;
}
interface DocumentJson {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationJson>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Reply>> };
}

let open: Server;
let guarded: Server;
let document: DocumentJson;

beforeAll(async () => {
  const charts = await folderOf({ 'acme/release.yaml': TURNS, 'acme/patch.yaml': SLOTS });
  const chart = await fileOf(TURNS);
  open = await startServer({ chart, charts });
  guarded = await startServer({ chart, charts, env: { TOKEN_SECRET: SECRET } });
  document = await (await fetch(`${open.url}/openapi.json`)).json();
});
afterAll(cleanUp);

it('is valid for a validator of another project', async () => {
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

it('is invalid for that validator if it has a fault', async () => {
  const broken = { ...document, paths: { '/state': { get: { responses: { 200: {} } } } } };
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

it('names each operation once, and each parameter of a path', () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(30);
});

it('declares a body of any type, as curl sends it, except for a form', () => {
  const bodies = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ requestBody }) => (requestBody === undefined ? [] : [Object.keys(requestBody.content)]));
  const others = bodies.filter((types) => !types.includes('*/*')).flat();
  expect(new Set(others)).toEqual(new Set(['application/x-www-form-urlencoded']));
});

describe('an answer matches its contract:', () => {
  /** The path of the last link. */
  let made = '';
  const ajv = addFormats.default(new Ajv2020({ strict: false }));
  beforeAll(() => {
    ajv.addSchema(document, 'openapi');
  });

  // In order, because each depends on the ones before it.
  it.each(CALLS)('$id, $status for $request', async ({ id, status, request, headers, body, token }) => {
    const [method = '', path = ''] = request.split(' ');
    const server = token === undefined ? open : guarded;
    const stop = new AbortController();
    const response = await fetch(server.url + (path.endsWith('/LAST') ? made : path), {
      redirect: 'manual',
      method,
      headers: { ...headers, ...(await authorization(token)) },
      ...(body === undefined ? {} : { body }),
      signal: stop.signal,
    });
    expect(response.status).toBe(status);
    made = response.headers.get('Location') ?? made;
    const { pointer, reply } = replyOf(id, method, status);
    const known = [...Object.keys(reply.headers ?? {}), ...HOP_BY_HOP].map((name) => name.toLowerCase());
    expect([...response.headers.keys()].filter((name) => !known.includes(name))).toEqual([]);
    const [type = ''] = (response.headers.get('Content-Type') ?? '').split(';');
    expect(Object.keys(reply.content ?? { '': {} })).toContain(type);
    if (!type.endsWith('json') || type.endsWith('ndjson')) return stop.abort();
    const schema = `${pointer}/content/${escaped(type)}/schema`;
    const validate = ajv.compile({ $ref: `openapi#${schema}` });
    const isRight = validate(await response.json());
    expect(validate.errors ?? []).toEqual([]);
    expect(isRight).toBe(true);
  });

  it('each operation has one', () => {
    const all = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const called = new Set(CALLS.map(({ id }) => id));
    expect(all.map(({ operationId }) => operationId).filter((id) => !called.has(id))).toEqual([]);
  });
});

/** The headers that HTTP itself adds. */
const HOP_BY_HOP = ['Content-Type', 'Content-Length', 'Content-Encoding', 'Transfer-Encoding', 'Connection'];

function replyOf(id: string, method: string, status: number): { pointer: string; reply: Reply } {
  for (const [path, methods] of Object.entries(document.paths)) {
    const operation = methods[method.toLowerCase()];
    if (operation?.operationId !== id) continue;
    const reply = operation.responses[status];
    if (reply === undefined) throw new Error(`${id} does not declare ${status}`);
    if (!('$ref' in reply))
      return { pointer: `/paths/${escaped(path)}/${method.toLowerCase()}/responses/${status}`, reply };
    const shared = document.components.responses[reply.$ref.slice(reply.$ref.lastIndexOf('/') + 1)];
    if (shared === undefined) throw new Error(`${reply.$ref} does not exist`);
    return { pointer: reply.$ref.slice(1), reply: shared };
  }
  throw new Error(`there is no operation ${method} ${id}`);
}

/** As a part of a JSON Pointer in a URI (RFC 6901, section 6). */
function escaped(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}
