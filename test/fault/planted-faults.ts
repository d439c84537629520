/** Planted faults between real clients and a real server. The verdict on the run must report each of them. */
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Update } from '../../src/commands.ts';
import { temporaryFolder } from '../process/server.ts';
import { type Answer, isQuery, type Request } from './requests.ts';
import type { Plan } from './run.ts';
import { send } from './wire.ts';

/** The part of a plan that plants a fault. */
export interface PlantedFault extends Pick<Plan, 'send' | 'whileDown'> {
  /** How often the fault was planted. */
  times: number;
}

/** A cache that returns an old answer after a client has had a newer one. */
export function staleReads(): PlantedFault {
  const cached = new Map<string, Answer>();
  let newest = 0;
  return plantOnce(async (request, ask) => {
    const key = JSON.stringify(request);
    const isRead = isQuery(request);
    const old = isRead ? cached.get(key) : undefined;
    if (old !== undefined && old.revision < newest) return { answer: old, isPlanted: true };
    const answer = await ask(request);
    if (isRead) cached.set(key, answer);
    newest = Math.max(newest, answer.revision);
    return { answer, isPlanted: false };
  });
}

/** A proxy that accepts a report, and does not forward it. */
export function lostUpdates(): PlantedFault {
  return plantOnce(async (request, ask) => {
    if (!isPlainReport(request)) return { answer: await ask(request), isPlanted: false };
    const { document } = await ask({ type: 'status' });
    const isOpen = document?.claims.every(({ state }) => state !== request.state);
    const isCounted = document?.quorums.some(({ state }) => state === request.state);
    if (document === undefined || !isOpen || !isCounted)
      return { answer: await ask(request), isPlanted: false };
    return { answer: { status: 200, revision: document.revision + 1 }, isPlanted: true };
  });
}

/** A proxy that sends a report twice: the second time under a name that no call that died can have had. */
export function doubleCounts(): PlantedFault {
  return plantOnce(async (request, ask) => {
    const answer = await ask(request);
    if (!isPlainReport(request) || answer.status !== 200) return { answer, isPlanted: false };
    const { status } = await ask({ ...request, by: 'nobody' });
    return { answer, isPlanted: status === 200 };
  });
}

/** A service that gives a slot to one caller too many. */
export function claimsHeldTwice(): PlantedFault {
  return plantOnce(async (request, ask) => {
    const answer = await ask(request);
    if (request.type !== 'claim' || answer.problem !== 'slots-taken') return { answer, isPlanted: false };
    const { state, by } = request;
    const leases = [{ state, by, until: Date.now() + 1_000 }];
    return { answer: { status: 200, revision: answer.revision + 1, moments: { leases } }, isPlanted: true };
  });
}

/** A service that gives a slot away during its cooldown. */
export function ignoredCooldowns(): PlantedFault {
  return plantOnce(async (request, ask) => {
    const answer = await ask(request);
    if (request.type !== 'claim' || answer.problem !== 'slots-taken') return { answer, isPlanted: false };
    const { state, by } = request;
    const { document } = await ask({ type: 'status' });
    const slots = document?.claims.find((claim) => claim.state === state)?.slots ?? 0;
    // As many are held as there are slots, if none is in its cooldown.
    if ((answer.holders?.length ?? 0) >= slots) return { answer, isPlanted: false };
    const leases = [{ state, by, until: Date.now() + 1_000 }];
    return { answer: { status: 200, revision: answer.revision + 1, moments: { leases } }, isPlanted: true };
  });
}

/** A service that sends a caller to work again after its report. */
export function repeatedTurns(): PlantedFault {
  return plantOnce(async (request, ask) => {
    const answer = await ask(request);
    if (request.type !== 'is' || answer.problem !== 'already-reported') return { answer, isPlanted: false };
    return { answer: { status: 200, revision: answer.revision }, isPlanted: true };
  });
}

/** A proxy that reports in the name of a member for a caller that is none. */
export function strangersCounted(): PlantedFault {
  return plantOnce(async (request, ask) => {
    const answer = await ask(request);
    const isRefused = request.type === 'update' && answer.problem === 'not-a-member';
    if (!isRefused || request.key !== undefined) return { answer, isPlanted: false };
    const { names = [] } = await ask({ type: 'missing' });
    for (const by of names) {
      const counted = await ask({ ...request, by });
      if (counted.status === 200) return { answer: counted, isPlanted: true };
    }
    return { answer, isPlanted: false };
  });
}

/** A pause that is acknowledged, and does not hold: the timers run on. */
export function brokenPauses(): PlantedFault {
  return plantOnce(async (request, ask) => {
    if (request.type !== 'pause') return { answer: await ask(request), isPlanted: false };
    const { revision } = await ask({ type: 'status' });
    return { answer: { status: 204, revision: revision + 1 }, isPlanted: true };
  });
}

/** A proxy that forwards a report with other data. */
export function otherData(): PlantedFault {
  return plantOnce(async (request, ask) => {
    const isWithData = isPlainReport(request) && request.data !== undefined;
    const answer = await ask(isWithData ? { ...request, data: '{"n":0,"of":"nobody"}' } : request);
    return { answer, isPlanted: isWithData && answer.status === 200 };
  });
}

/** A list of reports in which one has the data of another. */
export function mixedReports(): PlantedFault {
  return plantOnce(async (request, ask) => {
    const answer = await ask(request);
    const [first, ...rest] = answer.reports?.filter((text) => text.includes(': ')) ?? [];
    if (first === undefined) return { answer, isPlanted: false };
    const others = answer.reports?.filter((text) => text !== first) ?? [];
    const mixed = `${first.replace(/: .*/, '')}${rest[0]?.replace(/^[^:]*/, '') ?? ''}`;
    return { answer: { ...answer, reports: [mixed, ...others].sort() }, isPlanted: true };
  });
}

/** A disk that is restored, after the second kill, to its state after the first. */
export function forgottenUpdates(): PlantedFault {
  let backup: string | undefined;
  const fault: PlantedFault = {
    times: 0,
    async whileDown(data) {
      if (backup === undefined) {
        backup = await temporaryFolder();
        await cp(data, backup, { recursive: true });
        return;
      }
      await rm(data, { recursive: true });
      await cp(backup, data, { recursive: true });
      fault.times += 1;
    },
  };
  return fault;
}

/** A service that counts a link twice: the second time under a name that no call that died can have had. */
export function linksCountedTwice(): PlantedFault {
  return plantOnce(async (request, ask) => {
    const answer = await ask(request);
    if (request.type !== 'useLink' || answer.isRepeat !== false) return { answer, isPlanted: false };
    const { state, event, by } = request;
    const { status } = await ask({ type: 'update', state, event, by: `${by}-again` });
    return { answer, isPlanted: status === 200 };
  });
}

/** A machine that loses, when it is killed, the messages that it has not sent. */
export function lostNotifications(): PlantedFault {
  return changedData("DELETE FROM notification WHERE status = 'pending'");
}

/** A version that does not know who has reported when it takes over the data of another. */
export function forgottenReports(): PlantedFault {
  return changedData('DELETE FROM receipt');
}

/** Changes the data of the machine while the server is down. */
function changedData(statement: string): PlantedFault {
  const fault: PlantedFault = {
    times: 0,
    async whileDown(data) {
      const files = await readdir(data, { recursive: true });
      for (const file of files.filter((name) => /-Machine.*\.sqlite$/.test(name))) {
        const database = new DatabaseSync(join(data, file));
        try {
          fault.times += Number(database.prepare(statement).run().changes);
        } catch {
          // It has no such table yet.
        }
        database.close();
      }
    },
  };
  return fault;
}

type Ask = (request: Request) => Promise<Answer>;

/** Sends requests through `plant` until it has planted a fault once; after that, directly. */
function plantOnce(
  plant: (request: Request, ask: Ask) => Promise<{ answer: Answer; isPlanted: boolean }>,
): PlantedFault {
  const fault: PlantedFault = {
    times: 0,
    async send(url, request, signal) {
      const ask: Ask = (asked) => send(url, asked, signal);
      if (fault.times > 0) return ask(request);
      const { answer, isPlanted } = await plant(request, ask);
      if (isPlanted) fault.times += 1;
      return answer;
    },
  };
  return fault;
}

function isPlainReport(request: Request): request is Update {
  if (request.type !== 'update') return false;
  const { by, key, revisions } = request;
  return by === undefined && key === undefined && revisions === undefined;
}
