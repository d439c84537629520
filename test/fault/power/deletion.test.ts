/** Machines that were uploaded and deleted, after a power cut. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../process/coordination/random.ts';
import { lacks } from '../../process/recipes/recipe.ts';
import { cleanUp, temporaryFolder } from '../../process/server.ts';
import { Connection } from './connection.ts';
import { bareImage, chanceImage, writeImage } from './cut.ts';
import type { Image } from './disk.ts';
import { type StartImage, startsInProcess } from './image-server.ts';
import { tellings } from './session.ts';
import type { Step } from './trace.ts';
import { TracedFolder } from './traced-folder.ts';

const CHART = 'initial: a\nstates: {a: {on: {update: b}}, b: {}}';
const SEED = Number(process.env.POWER_SEED ?? Math.floor(Math.random() * 100_000));
/** How many cuts are tried in the deletion. */
const CUTS = 6;

describe.skipIf(lacks('strace'))('a power cut', () => {
  let folder: TracedFolder;
  let steps: readonly Step[];
  let start: StartImage;
  /** The steps with the answers to the upload, the report and the deletion. */
  let told: readonly number[];

  beforeAll(async () => {
    folder = await TracedFolder.make({});
    const server = await folder.start();
    const client = new Connection();
    const statuses: number[] = [];
    for (const [method, path, body] of [
      ['PUT', '/team/x/chart', { body: CHART }],
      ['PUT', '/team/x/state?state=a&by=web-1', {}],
      ['DELETE', '/team/x', {}],
    ] as const) {
      const signal = AbortSignal.timeout(20_000);
      const { status } = await client.fetch(server.url + path, { method, headers: {}, signal, ...body });
      statuses.push(status);
    }
    expect(statuses).toEqual([201, 200, 204]);
    await server.stop();
    steps = await folder.steps();
    told = tellings(steps).get(client.heard.connection) ?? [];
    expect(told).toHaveLength(3);
    start = await startsInProcess();
  }, 300_000);
  afterAll(cleanUp);

  it.each([
    ['an upload keeps the chart', 0, 'a', 200],
    ['a report keeps it', 1, 'b', 200],
    ['a deletion does not bring the machine back', 2, 'b', 404],
  ])('after %s', async (_, answer, state, status) => {
    const image = bareImage(steps.slice(0, (told[answer] ?? 0) + 1));
    expect(await statusOf(image, `/team/x/state?state=${state}`)).toBe(status);
  });

  it(`in the deletion keeps the machine or does not (seed ${SEED})`, async () => {
    const random = new Random(SEED);
    const [, from = 0, to = 0] = told;
    for (let i = 0; i < CUTS; i++) {
      const image = chanceImage(steps.slice(0, from + 1 + Math.floor(random.below(to - from))), random);
      expect([200, 404]).toContain(await statusOf(image, '/team/x/state?state=b'));
    }
  });

  /** The status of a request to a server on an image. */
  async function statusOf(image: Image, path: string): Promise<number> {
    const root = await temporaryFolder();
    await writeImage(image, root);
    const server = await start(join(root, 'data'), folder.charts);
    const { status } = await fetch(server.url + path);
    await server.kill();
    return status;
  }
});
