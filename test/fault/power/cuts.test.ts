/**
 * Servers are killed and started again while clients call them. From the trace of what they did to their disk, it is rebuilt
 * as power cuts would leave it, and a server is started on each image: it keeps what clients had been told.
 *
 * `POWER_IMAGES=1000 npx vitest run test/fault/power` makes a thousand images, and `POWER_SEED=1234` sets the first seed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../process/coordination/random.ts';
import { lacks } from '../../process/recipes/recipe.ts';
import { cleanUp } from '../../process/server.ts';
import { bareImage, type Cut, cutsOf } from './cut.ts';
import { Disk } from './disk.ts';
import { type StartImage, startByCommand, startsInProcess } from './image-server.ts';
import { type Recording, record } from './recording.ts';
import type { Step } from './trace.ts';
import { judgeCut, LOST } from './verdict.ts';

const IMAGES = Number(process.env.POWER_IMAGES ?? 30);
const FIRST = Number(process.env.POWER_SEED ?? Math.floor(Math.random() * 100_000));
/** Images of one recording. */
const EACH = 50;
/** One in so many servers is started as users do, which takes longer. */
const BY_COMMAND = 10;
const SEEDS = Array.from({ length: Math.ceil(IMAGES / EACH) }, (_, i) => FIRST + i);

describe.skipIf(lacks('strace')).each(SEEDS)('after a power cut, seed %i', (seed) => {
  let recording: Recording;
  let start: StartImage;
  beforeAll(async () => {
    recording = await record(seed);
    start = await startsInProcess();
  }, 300_000);
  afterAll(cleanUp);

  it('nothing is missing if everything had been synced', async () => {
    const disk = new Disk();
    for (const step of recording.steps) disk.apply(step);
    const { root } = recording.folder;
    const names = (await readdir(root, { recursive: true })).filter((name) => !name.endsWith('-shm'));
    const files = disk.cached();
    expect([...files.keys()].sort()).toEqual(names.sort());
    for (const [name, content] of files) {
      if (content !== null) expect((await readFile(join(root, name))).equals(content), name).toBe(true);
    }
  });

  it('a server starts, and keeps what clients had been told', async () => {
    const cuts = cutsOf(recording.steps, Math.min(EACH, IMAGES), new Random(seed));
    let judged = 0;
    const judgeAll = async () => {
      for (const cut of cuts) {
        judged += 1;
        expect(await judgeCut(recording, cut, judged % BY_COMMAND === 0 ? startByCommand : start)).toBe('');
      }
    };
    await Promise.all([judgeAll(), judgeAll()]);
  }, 600_000);

  it.each([
    [
      'syncs nothing',
      () => ({ after: recording.steps.length - 1, image: bareImage(recording.steps.filter(isNoSync)) }),
    ],
    ['answers a report before it has synced it', () => beforeItsSync(recording)],
  ])('a server is found that %s', async (_, cutOf) => {
    expect(await judgeCut(recording, cutOf(), start)).toMatch(LOST);
  });
});

function isNoSync({ type }: Step): boolean {
  return type !== 'sync';
}

/** A cut after the answer to a report that is no repeat, without the syncs since its client's last answer. */
function beforeItsSync({ steps, machines }: Recording): Cut {
  for (const all of machines.flatMap(({ calls }) => [...calls.values()])) {
    const answered = all.flatMap(({ request, answered }) =>
      answered === undefined ? [] : { request, ...answered },
    );
    const last = answered.findLastIndex(({ request, answer: { status } }) => {
      return request.type === 'update' && status === 200 && (request.by ?? request.key) === undefined;
    });
    const report = answered[last];
    if (report === undefined) continue;
    const from = answered[last - 1]?.told ?? 0;
    const before = steps.slice(0, report.told + 1);
    return { after: report.told, image: bareImage(before.filter((step, i) => i < from || isNoSync(step))) };
  }
  throw new Error('there is no such report');
}
