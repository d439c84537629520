/** Records servers that are traced, killed and started again while clients call them. */
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../process/coordination/random.ts';
import type { Server } from '../../process/server.ts';
import { type Machine, Session } from './session.ts';
import { SHAPES } from './shapes.ts';
import { type Step, UncertainTrace } from './trace.ts';
import { TracedFolder } from './traced-folder.ts';

/** What servers did to a folder, and their clients meanwhile. */
export interface Recording {
  readonly seed: number;
  readonly steps: readonly Step[];
  readonly machines: readonly Machine[];
  readonly folder: TracedFolder;
}

/** How many answers there are in all, and how many clients each machine has. */
const SIZE = { answers: 240, clients: 3 };

/**
 * The sync, counted from the start of workerd, at which the first workerd is killed: when it has written a commit and is about to
 * sync it. The command line starts it again.
 */
const CRASH = { from: 30, below: 60 };

/** How many recordings are tried in which a server was killed while it changed its folder. */
const TRIES = 5;

/** Makes a recording with three servers. The first crashes, goes on, and is stopped. The others are killed. */
export async function record(seed: number, size = SIZE): Promise<Recording> {
  for (let tried = 1; ; tried++) {
    try {
      return await recordOnce(seed, size);
    } catch (error) {
      if (!(error instanceof UncertainTrace) || tried === TRIES) throw error;
    }
  }
}

async function recordOnce(seed: number, { answers, clients }: typeof SIZE): Promise<Recording> {
  const entries = Object.entries(SHAPES);
  const charts = entries.map(([name, { chart }]) => [`power/${name}.yaml`, chart] as const);
  const folder = await TracedFolder.make(Object.fromEntries(charts));
  const sessions = entries.map(([name, shape]) => new Session(`/power/${name}`, shape));
  const started: Session[] = [];
  const working: Promise<void>[] = [];
  const end = () => {
    for (const session of sessions) session.isOver = true;
  };
  /** Lets clients call a server until a share of all answers has come. Each server meets a new machine, while there are any. */
  const until = async (server: Server, share: number) => {
    for (const session of started) session.server = server.url;
    const next = sessions[started.length];
    if (next !== undefined) {
      next.server = server.url;
      await next.begin();
      started.push(next);
      const work = next.work(clients, seed);
      work.catch(end);
      working.push(work);
    }
    const count = () => sessions.reduce((sum, session) => sum + session.answers, 0);
    while (count() < share * answers && sessions.every(({ isOver }) => !isOver)) await pause(2);
  };

  const crash = CRASH.from + Math.floor(new Random(seed).below(CRASH.below - CRASH.from));
  const first = await folder.start(`fsync:signal=SIGKILL:when=${crash}`);
  await until(first, 0.4);
  await first.stop();
  const second = await folder.start();
  await until(second, 0.7);
  await second.kill9();
  const third = await folder.start();
  await until(third, 1);
  end();
  await Promise.all(working);
  await third.kill9();

  const steps = await folder.steps();
  return { seed, steps, machines: sessions.map((session) => session.machine(steps)), folder };
}
