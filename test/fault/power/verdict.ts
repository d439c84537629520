/** Whether a server that starts after a power cut keeps what clients had been told. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../process/server.ts';
import { Clock } from '../clock.ts';
import type { Operation } from '../history.ts';
import { judge } from '../judge.ts';
import { type Moment, spanning } from '../moment.ts';
import { readHistory } from '../read-answer.ts';
import { type Answer, isQuery, type Request } from '../requests.ts';
import { send } from '../wire.ts';
import { type Cut, writeImage } from './cut.ts';
import type { StartImage } from './image-server.ts';
import type { Recording } from './recording.ts';
import { type Call, FIRST, type Machine } from './session.ts';
import type { Step } from './trace.ts';

/**
 * Starts a server on what a cut left. It is asked, and the last reports are repeated. Together with what clients had been
 * told before the cut, its answers must be those of one machine that loses nothing and counts nothing twice.
 *
 * @returns what is wrong, as text; empty if nothing is
 */
export async function judgeCut(
  { machines, folder: { charts }, steps }: Recording,
  { after, image }: Cut,
  start: StartImage,
): Promise<string> {
  const root = await temporaryFolder();
  await writeImage(image, root);
  const clock = new Clock();
  const cutAt = clock.now();
  const wrong: string[] = [];
  try {
    const server = await start(join(root, 'data'), charts);
    for (const machine of machines) {
      wrong.push(await judgeMachine(machine, server.url + machine.path, after, cutAt, clock));
    }
    await server.kill();
  } catch (error) {
    wrong.push(String(error));
  }
  await rm(root, { recursive: true });
  const found = wrong.filter((text) => text !== '').join('\n');
  return found === '' ? '' : `after step ${after}:\n${linesOf(steps, after)}\n${found}`;
}

/** What a verdict says if something is lost or counted twice. */
export const LOST = /No order of these calls explains|The machine's own history has/;

type History = Operation<Request, Answer>[];

async function judgeMachine(
  machine: Machine,
  url: string,
  after: number,
  cutAt: number,
  clock: Clock,
): Promise<string> {
  const { now } = clock;
  const before = historyOf(machine, after, cutAt);
  const audit: History = [];
  for (const request of auditOf(machine, before)) {
    const called = now();
    const answer = await send(url, request, new AbortController().signal);
    audit.push({ client: 'auditor', request, called, outcome: { known: true, answer, returned: now() } });
  }
  const entries = await readHistory(url);
  const history = [...before, ...audit];
  const run = { seed: 0, shape: machine.shape, history, entries, kills: 0, cutOff: 0 };
  const ahead = spanning(machine.ahead, clock.ahead);
  const { excerpt } = judge({ ...run, ahead, started: startOf(machine, after, audit) });
  return excerpt === '' ? '' : `${machine.path}: ${excerpt}`;
}

/** What clients of a machine had done and heard when step `after` was the last. */
function historyOf({ calls }: Machine, after: number, cutAt: number): History {
  return [...calls].flatMap(([client, all]) =>
    begunBy(all, after).flatMap(({ request, called, answered }): History => {
      if (answered !== undefined && answered.told <= after) {
        const { answer, returned } = answered;
        return [{ client, request, called, outcome: { known: true, answer, returned } }];
      }
      // A query without an answer shows nothing.
      return isQuery(request) ? [] : [{ client, request, called, outcome: { known: false, until: cutAt } }];
    }),
  );
}

/** A client's calls up to the first whose answer was not sent yet, with those that died. */
function begunBy(calls: readonly Call[], after: number): readonly Call[] {
  const end = calls.findIndex(({ answered }) => answered !== undefined && answered.told > after);
  return end === -1 ? calls : calls.slice(0, end + 1);
}

/** When the machine began. If no client knew that it had, it may have begun after the cut. */
function startOf({ calls }: Machine, after: number, [asked]: History): Moment {
  const begun = calls.get(FIRST)?.[0];
  if (begun?.answered === undefined || !asked?.outcome.known)
    throw new Error('nothing has begun the machine');
  const { told, returned } = begun.answered;
  return { from: begun.called, to: told <= after ? returned : asked.outcome.returned };
}

/** How many of the last reports are repeated after a cut. */
const REPEATED = 8;

/** Asks for everything, repeats reports that count once, and asks again. */
function auditOf({ shape }: Machine, before: History): Request[] {
  const all: Request[] = [
    { type: 'status' },
    ...shape.states.map((state): Request => ({ type: 'reports', state, limit: 1_000 })),
  ];
  const safe = before
    .filter(({ request }) => request.type === 'update' && (request.by ?? request.key) !== undefined)
    .sort((a, b) => a.called - b.called)
    .map(({ request }) => request);
  return [...all, ...safe.slice(-REPEATED), ...all];
}

/** How many steps are shown before a cut. */
const SHOWN = 12;

/** The last steps before a cut, as text. */
function linesOf(steps: readonly Step[], after: number): string {
  const shown = steps.slice(Math.max(0, after + 1 - SHOWN), after + 1);
  const brief = shown.map((step) => ('data' in step ? { ...step, data: `${step.data.length} bytes` } : step));
  return brief.map((step) => `  ${JSON.stringify(step)}`).join('\n');
}
