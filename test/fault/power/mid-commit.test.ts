/**
 * workerd is killed when it has written a commit, and not yet synced it. The next workerd finds the commit in the page cache, and
 * answers the repeated report without a sync. It is not lost in a power cut, because the command line syncs first.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacks } from '../../process/recipes/recipe.ts';
import { cleanUp, type Server } from '../../process/server.ts';
import { isOfTheNetwork, wasRefused } from '../clients.ts';
import type { Request } from '../requests.ts';
import type { Shape } from '../shapes.ts';
import { Connection } from './connection.ts';
import { bareImage } from './cut.ts';
import { type StartImage, startsInProcess } from './image-server.ts';
import type { Recording } from './recording.ts';
import { Session } from './session.ts';
import type { Step } from './trace.ts';
import { TracedFolder } from './traced-folder.ts';
import { judgeCut, LOST } from './verdict.ts';

afterAll(cleanUp);

const COUNTING: Shape = {
  name: 'counting',
  runs: 'alone',
  chart: JSON.stringify({
    initial: 'a',
    states: { a: { on: { update: { target: 'b', quorum: 1_000 } } }, b: {} },
  }),
  states: ['a', 'b'],
  slots: [],
  events: [],
  shows: [],
};

/** Kills each workerd at its fortieth sync: about fifteen of them are for the start of the machine, and then one for each report. */
const CRASHES = 'fsync:signal=SIGKILL:when=40';

describe.skipIf(lacks('strace'))('a report that was cut off in its commit', () => {
  let recording: Recording;
  let start: StartImage;
  /** The steps with the answers to repeats. */
  let repeats: readonly number[];

  beforeAll(async () => {
    const folder = await TracedFolder.make({ 'power/counting.yaml': COUNTING.chart });
    const session = new Session('/power/counting', COUNTING);
    const client = new Reporter(session);
    const serve = (server: Server) => {
      session.server = server.url;
      return server;
    };
    const first = serve(await folder.start(CRASHES));
    await session.begin();
    await client.reportUntilCutOff();
    await client.repeat();
    await client.reportUntilCutOff();
    await client.repeat();
    await client.reportUntilCutOff();
    await first.stop('SIGKILL');
    const second = serve(await folder.start());
    await client.repeat();
    await second.stop();
    const steps = await folder.steps();
    const machine = session.machine(steps);
    const calls = machine.calls.get(REPORTER) ?? [];
    repeats = calls.flatMap(({ answered }, i) => {
      const isRepeat = i > 0 && calls[i - 1]?.answered === undefined;
      return isRepeat && answered !== undefined ? [answered.told] : [];
    });
    start = await startsInProcess();
    recording = { seed: 0, steps, machines: [machine], folder };
  }, 300_000);

  it('is kept if its repeat was answered', async () => {
    expect(repeats).toHaveLength(3);
    for (const after of repeats) expect(await judge(after, () => true)).toBe('');
  });

  it.each<[string, (path: string) => boolean, RegExp]>([
    ['files, though the others are not', isFile, /auditor status .*"revision":\d\d/],
    ['folders, with the whole machine', (path) => !isFile(path), /auditor status .*"revision":1,/],
  ])('is lost if the command line does not sync %s', async (_, isSkipped, status) => {
    const isKept = (step: Step) => step.type !== 'sync' || step.by === 'workerd' || !isSkipped(step.path);
    let verdict = '';
    // The first of them at which workerd was in a commit of the machine, and not of the list of machines.
    for (const after of repeats) if (verdict === '') verdict = await judge(after, isKept);
    expect(verdict).toMatch(LOST);
    expect(verdict).toMatch(status);
  });

  async function judge(after: number, isKept: (step: Step) => boolean): Promise<string> {
    const image = bareImage(recording.steps.slice(0, after + 1).filter(isKept));
    return judgeCut(recording, { after, image }, start);
  }
});

function isFile(path: string): boolean {
  return /\.sqlite(-wal)?$/.test(path);
}

const REPORTER = 'reporter';

/** Reports under a new name each time, one report after the other. */
class Reporter {
  readonly #session: Session;
  #reports = 0;
  #cutOff: Request | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  async reportUntilCutOff(): Promise<void> {
    for (;;) {
      this.#reports += 1;
      const report: Request = { type: 'update', state: 'a', event: 'update', by: `web-${this.#reports}` };
      if (await this.#send(report)) continue;
      this.#cutOff = report;
      return;
    }
  }

  /** Repeats the last report until a server answers it. */
  async repeat(): Promise<void> {
    const report = this.#cutOff;
    if (report === undefined) throw new Error('no report was cut off');
    while (!(await this.#send(report))) await pause(20);
  }

  /** @returns whether it was answered. */
  async #send(request: Request): Promise<boolean> {
    const connection = new Connection();
    const stage = this.#session.stage(connection);
    const called = stage.now();
    try {
      const answer = await stage.send(stage.url, request, AbortSignal.timeout(20_000));
      stage.answered(REPORTER, request, called, answer);
      return true;
    } catch (error) {
      if (!isOfTheNetwork(error)) throw error;
      if (!wasRefused(error)) stage.died(REPORTER, request, called, 'cut off');
      return false;
    } finally {
      connection.close();
    }
  }
}
