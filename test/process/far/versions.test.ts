/** Edges and objects of different versions: at each deploy they call each other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sign } from '../../../src/edge/signed-link.ts';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Answer, missing, play } from './answers.ts';
import { type Away, presentVersion, startAway, type Version } from './away.ts';
import { buildRelease, hasRelease, LAST_RELEASE } from './release.ts';
import { CHARTS, SESSIONS, type Session, type Step, UNKNOWN } from './sessions.ts';

type Name = 'old' | 'new';

const isBuilt = await hasRelease();
if (!isBuilt) console.warn(`the tests of two versions are skipped: this clone has no commit ${LAST_RELEASE}`);

let versions: Readonly<Record<Name, Version>>;
let away: Away | undefined;
beforeAll(async () => {
  const folder = await temporaryFolder();
  const present = await presentVersion(folder);
  versions = { old: isBuilt ? await buildRelease(folder) : present, new: present };
});
afterAll(cleanUp);

async function start(edge: Name, objects: Name): Promise<Away> {
  const folder = await temporaryFolder();
  away = await startAway({ folder, charts: CHARTS, edge: versions[edge], objects: versions[objects] });
  return away;
}

describe('the contract', () => {
  it('has a session for each request of the service', async () => {
    const { edges, stop } = await start('new', 'new');
    const document = (await (await fetch(`${edges[0]}/openapi.json`)).json()) as Document;
    await stop();
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => METHODS.has(method))
        .map((method) => `${method.toUpperCase()} ${path.replace(/^\/\{tenant\}\/\{chart\}/, '') || '/'}`),
    );
    const sent = SESSIONS.flatMap(({ steps }) => steps.map(operationOf));
    const isSent = (operation: string) => sent.some((request) => patternOf(operation).test(request));
    expect([...new Set(operations)].filter((operation) => !isSent(operation))).toEqual([]);
  });
});

describe.skipIf(!isBuilt)('versions', () => {
  let reference: Answers;
  beforeAll(async () => {
    const { edges, stop } = await start('old', 'old');
    reference = await playAll(edges[0], KNOWN);
    await stop();
  });

  describe.each([
    ['old', 'new'],
    ['new', 'old'],
    ['new', 'new'],
  ] as const)('of an edge (%s) and an object (%s)', (edge, objects) => {
    let url: string | undefined;
    beforeAll(async () => {
      const { edges } = await start(edge, objects);
      url = edges[0];
    });
    afterAll(() => away?.stop());

    it('answer together as the last release did', async () => {
      expect(missing(reference, await playAll(url, KNOWN))).toEqual([]);
    });

    it('refuse commands and queries that are newer than the object, until it is replaced', async () => {
      for (const step of UNKNOWN) await expectUnsupported(url, step);
      if (edge === 'old') return;
      const newer = SESSIONS.filter(({ needs }) => needs === 'object');
      const both = SESSIONS.filter(({ needs }) => needs === 'both');
      if (objects === 'new') await playAll(url, [...newer, ...both]);
      else for (const step of newer.flatMap(({ steps }) => steps)) await expectUnsupported(url, step);
    });

    it.skipIf(edge === 'old')('are no matter for what only the edge has to know', async () => {
      const newer = SESSIONS.filter(({ needs }) => needs === 'edge');
      await playAll(url, newer);
    });

    it.skipIf(edge === 'old')('count a report by a link in its visit, or not at all', async () => {
      const machine = `${url}/v/chart@link-${objects}`;
      await fetch(`${machine}/state?state=canary&by=web-01`, { method: 'PUT' });
      const made = await fetch(`${machine}/links?state=canary&event=failed&by=anna`, { method: 'POST' });
      expect(made.status).toBe(objects === 'new' ? 201 : 503);
      // An older object gets no visit to ignore: it does not know the command.
      const visit = { started: 1, number: 99, since: 0 };
      const until = Date.now() + 60_000;
      const said = { machine: `v/chart@link-${objects}`, state: 'canary', event: 'failed', by: 'anna' };
      const old = await sign({ AUTH: 'open' }, { ...said, visit, until });
      const used = await fetch(`${machine}/links/${old}`, { method: 'POST' });
      expect(used.status).toBe(objects === 'new' ? 410 : 503);
      expect(await used.text()).toContain('<h1>');
      const { context } = (await (await fetch(machine)).json()) as { context: object };
      expect(context).toEqual({ broken: 0 });
    });

    it('ignore fields that they do not know', async () => {
      const runs = SESSIONS.filter(({ steps }) => steps.every(({ path }) => path.startsWith('/v/chart@')));
      expect(runs.length).toBeGreaterThan(2);
      const earlier = reference.filter(([name]) => runs.some((run) => run.name === name));
      expect(missing(renamed(earlier), await playAll(url, runs.map(atMore)))).toEqual([]);
    });
  });

  it('leave each other their data: a deploy in the middle, and back', async () => {
    const { edges, deploy, stop } = await start('new', 'old');
    const parts: Answers[] = [];
    for (const [i, objects] of (['old', 'new', 'old'] as const).entries()) {
      if (i > 0) await deploy(versions[objects]);
      parts.push(
        await playAll(
          edges[0],
          KNOWN.map((session) => third(session, i)),
        ),
      );
    }
    await stop();
    const answers = KNOWN.map(({ name }, i) => [name, parts.flatMap((part) => part[i]?.[1] ?? [])]);
    expect(missing(reference, answers)).toEqual([]);
  });
});

describe('a refusal that is newer than the edge', () => {
  it('may be repeated soon: it had no effect', async () => {
    const { edges, stop } = await start('new', 'new');
    await expectUnsupported(edges[0], { method: 'GET', path: '/odd/chart/state?state=fleet', status: 503 });
    await expectUnsupported(edges[0], { method: 'PUT', path: '/odd/chart/state?state=fleet', status: 503 });
    await stop();
  });
});

/** What both versions know. */
const KNOWN = SESSIONS.filter(({ needs }) => needs === undefined);

/** The answers to the requests of each session. */
type Answers = readonly (readonly [string, readonly (readonly [string, Answer])[]])[];

async function playAll(url = '', sessions: readonly Session[]): Promise<Answers> {
  const answers: [string, readonly (readonly [string, Answer])[]][] = [];
  for (const { name, steps } of sessions) answers.push([name, await play(url, steps)]);
  return answers;
}

function third({ name, steps }: Session, i: number): Session {
  const at = (part: number) => Math.ceil((steps.length * part) / 3);
  return { name, steps: steps.slice(at(i), at(i + 1)) };
}

function atMore({ name, steps }: Session): Session {
  const moved = (step: Step): Step => ({
    ...step,
    path: step.path.replace('/v/', '/more/'),
    ...(step.meanwhile === undefined ? {} : { meanwhile: moved(step.meanwhile) }),
  });
  return { name, steps: steps.map(moved) };
}

/** The answers, as if they came from the machines of the tenant `more`. */
function renamed(answers: Answers): Answers {
  return JSON.parse(JSON.stringify(answers).replaceAll('v/chart@', 'more/chart@'));
}

async function expectUnsupported(url = '', { method, path, headers = {}, body }: Step): Promise<void> {
  const response = await fetch(url + path, { method, headers, body: body ?? null });
  const { type } = (await response.json()) as { type: string };
  expect([method, path, response.status, type]).toEqual([
    method,
    path,
    503,
    'urn:stateservice:problem:unsupported',
  ]);
  expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const METHODS = new Set(['get', 'put', 'post', 'delete']);

/** Matches requests by an operation: `DELETE /members/{name}`. */
function patternOf(operation: string): RegExp {
  return new RegExp(`^${operation.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

/** Returns the operation of a request, without its address: `PUT /state`. */
function operationOf({ method, path }: Step): string {
  const [plain = ''] = path.split('?');
  if (/^\/v(\/metrics)?$/.test(plain)) return `${method} ${plain.replace('/v', '/tenant')}`;
  return `${method} ${plain.replace(/^\/v\/[^/]+/, '') || '/'}`;
}
