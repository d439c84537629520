/** Planted faults between real clients and a real server. The judge of the run must find each. */
import { cp, rm } from 'node:fs/promises';
import type { Update } from '../../src/commands.ts';
import { temporaryFolder } from '../process/server.ts';
import type { Plan } from './run.ts';
import { type Answer, isQuery, type Request, send } from './wire.ts';

/** The part of a plan that plants a fault. */
export interface Liar extends Pick<Plan, 'send' | 'whileDown'> {
  /** How often it has done so. */
  lies: number;
}

/** A cache that returns an old answer after a client has had a newer one. */
export function staleReads(): Liar {
  const cached = new Map<string, Answer>();
  let newest = 0;
  return lying(async (request, ask) => {
    const key = JSON.stringify(request);
    const isRead = isQuery(request);
    const old = isRead ? cached.get(key) : undefined;
    if (old !== undefined && old.revision < newest) return { answer: old, isLie: true };
    const answer = await ask(request);
    if (isRead) cached.set(key, answer);
    newest = Math.max(newest, answer.revision);
    return { answer, isLie: false };
  });
}

/** A proxy that accepts a report, and does not forward it. */
export function lostUpdates(): Liar {
  return lying(async (request, ask) => {
    if (!isPlainReport(request)) return { answer: await ask(request), isLie: false };
    const { document } = await ask({ type: 'status' });
    const isOpen = document?.claims.every(({ state }) => state !== request.state);
    const isCounted = document?.quorums.some(({ state }) => state === request.state);
    if (document === undefined || !isOpen || !isCounted) return { answer: await ask(request), isLie: false };
    return { answer: { status: 200, revision: document.revision + 1 }, isLie: true };
  });
}

/** A proxy that sends a report twice. */
export function doubleCounts(): Liar {
  return lying(async (request, ask) => {
    const answer = await ask(request);
    if (!isPlainReport(request) || answer.status !== 200) return { answer, isLie: false };
    const { status } = await ask(request);
    return { answer, isLie: status === 200 };
  });
}

/** A slot that is given to one caller too many. */
export function claimsHeldTwice(): Liar {
  return lying(async (request, ask) => {
    const answer = await ask(request);
    if (request.type !== 'claim' || answer.problem !== 'slots-taken') return { answer, isLie: false };
    const { state, by } = request;
    const leases = [{ state, by, until: Date.now() + 1_000 }];
    return { answer: { status: 200, revision: answer.revision + 1, moments: { leases } }, isLie: true };
  });
}

/** A disk that is restored, after the second kill, to its state after the first. */
export function forgottenUpdates(): Liar {
  let backup: string | undefined;
  const liar: Liar = {
    lies: 0,
    async whileDown(data) {
      if (backup === undefined) {
        backup = await temporaryFolder();
        await cp(data, backup, { recursive: true });
        return;
      }
      await rm(data, { recursive: true });
      await cp(backup, data, { recursive: true });
      liar.lies += 1;
    },
  };
  return liar;
}

type Ask = (request: Request) => Promise<Answer>;

/** Sends requests through `tell` until it has planted a fault once; after that, directly. */
function lying(tell: (request: Request, ask: Ask) => Promise<{ answer: Answer; isLie: boolean }>): Liar {
  const liar: Liar = {
    lies: 0,
    async send(url, request, signal) {
      const ask: Ask = (asked) => send(url, asked, signal);
      if (liar.lies > 0) return ask(request);
      const { answer, isLie } = await tell(request, ask);
      if (isLie) liar.lies += 1;
      return answer;
    },
  };
  return liar;
}

function isPlainReport(request: Request): request is Update {
  if (request.type !== 'update') return false;
  const { by, key, revisions } = request;
  return by === undefined && key === undefined && revisions === undefined;
}
