/** What callers are told if the connection between the edge and the object is really cut. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Away, presentVersion, startAway } from './away.ts';
import { COUNTING, SLOTTED } from './charts.ts';
import type { Cut } from './link.ts';

/** One way, ms. */
const DELAY = 3;

/** How often the connections of clients at work are cut, and the longest pause between two cuts, ms. */
const CUTS = Number(process.env.FAR_CUTS ?? 25);
const CUT_PAUSE = 120;

let away: Away;
beforeAll(async () => {
  const folder = await temporaryFolder();
  const version = await presentVersion(folder);
  const charts = { 'cuts/count': COUNTING, 'cuts/slots': SLOTTED };
  away = await startAway({ folder, charts, edge: version, objects: version });
  away.link.delay = DELAY;
});
afterAll(async () => {
  await away.stop();
  await cleanUp();
});

/** Cuts the connection when the call to a machine is on its way: before the object has it, while it commits, after that. */
const MOMENTS: Readonly<Record<string, (machine: string) => Cut>> = {
  before: (machine) => ({ direction: 'there', containing: machine }),
  // The object may have committed or not; both must be told rightly.
  'as soon as the call has arrived, and': (machine) => ({
    direction: 'there',
    containing: machine,
    deliveredFor: 0,
  }),
  'during, or after,': (machine) => ({ direction: 'there', containing: machine, deliveredFor: 1 }),
  after: () => ({ direction: 'back', containing: 'revision' }),
};

describe.each(Object.entries(MOMENTS))('a connection that is cut %s the commit', (when, cutOf) => {
  it('is made anew for a question', async () => {
    const machine = await begun('cuts/count');
    await cutDuring(cutOf(machine), async () => {
      expect((await ask(machine, 'drain')).status).toBe(200);
    });
    await cutDuring(cutOf(machine), async () => {
      expect((await ask(machine, 'done')).status).toBe(406);
    });
  });

  it('is made anew for a report with a name, which counts once', async () => {
    const machine = await begun('cuts/count');
    await cutDuring(cutOf(machine), async () => {
      expect((await report(machine, '&by=web-01')).status).toBe(200);
    });
    expect(await countOf(machine)).toBe(1);
  });

  it('is made anew for a report with a key, which counts once', async () => {
    const machine = await begun('cuts/count');
    await cutDuring(cutOf(machine), async () => {
      expect((await report(machine, '', 'k1')).status).toBe(200);
    });
    expect((await report(machine, '', 'k1')).status).toBe(200);
    expect(await countOf(machine)).toBe(1);
  });

  it('is made anew for a claim, which takes one slot', async () => {
    const machine = await begun('cuts/slots', 'reboot');
    await cutDuring(cutOf(machine), async () => {
      expect((await send('POST', `${machine}/claims?state=reboot&by=web-01`)).status).toBe(200);
    });
    expect((await send('POST', `${machine}/claims?state=reboot&by=web-02`)).status).toBe(406);
  });

  it('is not made anew for a bare report, which is told that it may have been counted', async () => {
    const machine = await begun('cuts/count');
    await cutDuring(cutOf(machine), async () => {
      const { status, problem } = await report(machine);
      expect([status, problem]).toEqual([520, 'urn:stateservice:problem:outcome-unknown']);
    });
    const counts = { before: [0], after: [1] }[when] ?? [0, 1];
    expect(counts).toContain(await countOf(machine));
  });

  it('tells each report of a batch what may have happened to it', async () => {
    const machine = await begun('cuts/count');
    const kinds = ['bare', 'by', 'key'] as const;
    const sent = Array.from({ length: 48 }, (_, i) => ({ kind: kinds[i % 3] ?? 'bare', name: `r${i}` }));
    // Until several come at once they are not sent in one call.
    await Promise.all(sent.map(() => ask(machine, 'drain')));
    const answers = await cutDuring(cutOf(machine), () =>
      Promise.all(
        sent.map(async ({ kind, name }) => {
          const { status } = await report(
            machine,
            kind === 'by' ? `&by=${name}` : '',
            kind === 'key' ? name : '',
          );
          return { kind, status };
        }),
      ),
    );
    const bare = answers.filter(({ kind }) => kind === 'bare');
    const safe = answers.filter(({ kind }) => kind !== 'bare');
    expect(safe.map(({ status }) => status)).toEqual(safe.map(() => 200));
    const unknown = bare.filter(({ status }) => status === 520).length;
    const counted = bare.filter(({ status }) => status === 200).length;
    expect(counted + unknown).toBe(bare.length);
    const count = await countOf(machine);
    expect(count).toBeGreaterThanOrEqual(safe.length + counted);
    expect(count).toBeLessThanOrEqual(sent.length);
  });
});

describe('a connection that is cut beside the calls for reports', () => {
  it('is made anew to see whether an address has a chart', async () => {
    await cutDuring({ direction: 'there', containing: 'nothing-here' }, async () => {
      expect((await ask('cuts/nothing-here', 'drain')).status).toBe(404);
    });
  });

  it('is made anew for the list of machines', async () => {
    await begun('cuts/count');
    await cutDuring({ direction: 'there', containing: 'members' }, async () => {
      expect((await send('GET', 'cuts')).status).toBe(200);
    });
  });

  it('is made anew to open a WebSocket', async () => {
    const machine = await begun('cuts/count');
    await cutDuring({ direction: 'there', containing: machine }, async () => {
      const socket = new WebSocket(`${away.edges[0]?.replace('http', 'ws')}/${machine}/watch`);
      await new Promise((done, fail) => {
        socket.addEventListener('open', done);
        socket.addEventListener('error', () => fail(new Error('no WebSocket was opened')));
      });
      socket.close();
    });
  });
});

describe('a wait', () => {
  it('goes on over a new connection', async () => {
    const machine = await begun('cuts/slots', 'reboot');
    const waits = send('GET', `${machine}/state?state=done&wait=20s`);
    await pause(100);
    away.link.cut();
    await pause(100);
    expect((await send('POST', `${machine}/claims?state=reboot&by=web-01`)).status).toBe(200);
    expect((await send('PUT', `${machine}/state?state=reboot&by=web-01`)).status).toBe(200);
    expect((await waits).status).toBe(200);
  });
});

describe('objects whose process is killed', () => {
  it('count a report once that is sent until it is accepted, and never less than what they acknowledged', async () => {
    const machine = await begun('cuts/count');
    const tally = newTally();
    const over = new AbortController();
    const clients = Array.from({ length: 12 }, (_, i) => keepReporting(machine, i, tally, over.signal));
    for (let kills = 0; kills < 3; kills++) {
      await pause(150);
      await away.kill();
    }
    await pause(150);
    over.abort();
    await Promise.all(clients);
    await checkTally(machine, tally);
  });
});

describe('connections that are cut again and again', () => {
  it(
    'never double a count, and never lose one that was acknowledged',
    async () => {
      const machine = await begun('cuts/count');
      const tally = newTally();
      const over = new AbortController();
      const clients = Array.from({ length: 24 }, (_, i) => keepReporting(machine, i, tally, over.signal));
      away.link.jitter = 3;
      for (let cuts = 0; cuts < CUTS; cuts++) {
        await pause(Math.random() * CUT_PAUSE);
        away.link.cut();
      }
      over.abort();
      await Promise.all(clients);
      away.link.jitter = 0;
      await checkTally(machine, tally);
      expect(tally.unknown).toBeGreaterThan(0);
    },
    60_000 + CUTS * CUT_PAUSE,
  );
});

interface Tally {
  /** Reports with a name or a key, each sent until it was accepted. */
  safe: number;
  /** Bare reports that were accepted. */
  bare: number;
  /** Bare reports that may have been counted. */
  unknown: number;
}

function newTally(): Tally {
  return { safe: 0, bare: 0, unknown: 0 };
}

/** A client that reports again and again: with a name, with a key, and with neither. */
async function keepReporting(
  machine: string,
  client: number,
  tally: Tally,
  over: AbortSignal,
): Promise<void> {
  for (let i = 0; !over.aborted; i++) {
    const name = `c${client}-${i}`;
    const kind = (client + i) % 3;
    if (kind === 0) {
      const { status, problem } = await report(machine);
      if (status === 200) tally.bare += 1;
      else if (status === 520) tally.unknown += 1;
      else expect(problem).toMatch(/:overloaded$/);
      continue;
    }
    for (;;) {
      const { status, problem } =
        kind === 1 ? await report(machine, `&by=${name}`) : await report(machine, '', name);
      if (status === 200) break;
      expect([status, problem]).toEqual([503, expect.stringMatching(/:(lost|overloaded)$/)]);
      await pause(20);
    }
    tally.safe += 1;
  }
}

async function checkTally(machine: string, { safe, bare, unknown }: Tally): Promise<void> {
  const count = await countOf(machine);
  expect(safe + bare).toBeGreaterThan(0);
  expect(count).toBeGreaterThanOrEqual(safe + bare);
  expect(count).toBeLessThanOrEqual(safe + bare + unknown);
}

let machines = 0;

/** A run of a chart that no other test has. Its connection is open, and its machine has begun. */
async function begun(chart: string, state = 'drain'): Promise<string> {
  machines += 1;
  const machine = `${chart}@m${machines}-`;
  expect((await ask(machine, state)).status).toBe(200);
  return machine;
}

/** Acts while a cut is to come. It must have come. */
async function cutDuring<Result>(cut: Cut, act: () => Promise<Result>): Promise<Result> {
  let isCut = false;
  void away.link.cutAt(cut).then(() => {
    isCut = true;
  });
  const result = await act();
  expect(isCut).toBe(true);
  return result;
}

interface Answered {
  readonly status: number;
  /** The type of a refusal. */
  readonly problem?: string;
}

function ask(machine: string, state: string): Promise<Answered> {
  return send('GET', `${machine}/state?state=${state}`);
}

function report(machine: string, more = '', key = ''): Promise<Answered> {
  const headers = key === '' ? {} : { 'Idempotency-Key': key };
  return send('PUT', `${machine}/state?state=drain${more}`, headers);
}

async function send(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const response = await fetch(`${away.edges[0]}/${path}`, {
    method,
    headers,
    signal: AbortSignal.timeout(20_000),
  });
  const { status } = response;
  if (response.headers.get('Content-Type') !== 'application/problem+json') {
    await response.arrayBuffer();
    return { status };
  }
  const { type } = (await response.json()) as { type: string };
  return { status, problem: type };
}

/** Reads the count over no link. */
async function countOf(machine: string): Promise<number> {
  const response = await fetch(`${away.direct}/${machine}`);
  const { quorums } = (await response.json()) as { quorums: readonly { have: number }[] };
  return quorums[0]?.have ?? Number.NaN;
}
