/** The scenarios, their peers, and the bounds that we set: docs/figures.md has the results. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { HISTORY_ROWS, MEMBERS } from '../../src/limits.ts';
import { type Audience, openSockets, openWaits } from './audience.ts';
import { type Measurement, median, type Scenario, type Target } from './compare.ts';
import { type Load, measure } from './load.ts';
import type { Servers } from './server.ts';

/** The servers to measure; those that are undefined are not measured. */
export interface Competitors {
  readonly servers: Servers;
  readonly etcd?: string;
  readonly original?: string;
}

const BARE = 'bare object';
const ETCD = 'etcd of one node';
const ORIGINAL = 'StateService of 2018';
const STATE = '/state?state=a';
const SMALL = `/bench/small${STATE}`;

/** CPU time of the process with our objects and the bare ones, ms. */
const CPU = 'CPU an answer';

/** @param seconds the length of each period of load. */
export function scenariosFor({ servers, etcd, original }: Competitors, seconds: number): Scenario[] {
  const { ours, bare } = servers;
  const load = (each: Load): Measurement => {
    const underLoad = under(each, seconds);
    return async (round) => {
      const begun = servers.cpuTime();
      const figures = await underLoad(round);
      return figures && { ...figures, [CPU]: (servers.cpuTime() - begun) / (figures.answers ?? Number.NaN) };
    };
  };
  const beside = (name: string, each: Omit<Load, 'url'>, targets: readonly Target[]): Scenario => ({
    name,
    ours: load({ url: ours + SMALL, body: 'a', ...each }),
    theirs: load({ url: `${bare}/bare`, body: 'a', method: each.method, connections: each.connections }),
    against: BARE,
    targets,
  });
  return [
    beside('GET, 64 connections', { method: 'GET', connections: 64 }, [
      { figure: 'throughput', atLeast: 1.1 },
      { figure: 'p99', atMost: 1 },
      { figure: CPU },
    ]),
    beside('PUT, 64 connections', { method: 'PUT', connections: 64 }, [
      { figure: 'throughput', atLeast: 3.5 },
      { figure: 'p99' },
      { figure: CPU },
    ]),
    {
      name: 'the bound of PUT: a Worker that answers by itself, 64 connections',
      ours: load({ url: `${bare}/itself`, body: 'a', method: 'PUT', connections: 64 }),
      theirs: load({ url: `${bare}/bare`, body: 'a', method: 'PUT', connections: 64 }),
      against: BARE,
      targets: [{ figure: 'throughput' }, { figure: CPU }],
    },
    beside('PUT, 16 connections', { method: 'PUT', connections: 16 }, [{ figure: 'throughput' }]),
    beside('PUT, 1 connection', { method: 'PUT', connections: 1 }, [
      { figure: 'p50', atMost: 1.25 },
      { figure: CPU },
    ]),
    beside(
      'PUT with by=, 64 connections',
      { method: 'PUT', connections: 64, pathOf: (request) => `${SMALL}&by=w${Date.now()}-${request}` },
      [{ figure: 'throughput' }],
    ),
    {
      name: 'PUT to 1,000 machines, 64 connections',
      ours: spread(ours, (i) => `/bench/small@m${i}${STATE}`, seconds),
      theirs: spread(bare, (i) => `/m${i}`, seconds),
      against: '1,000 bare objects',
      targets: [{ figure: 'throughput' }],
    },
    {
      name: 'PUT, a chart of 1,000 states, 1 connection',
      ours: load({ url: `${ours}/bench/large${STATE}`, method: 'PUT', connections: 1, body: 'a' }),
      theirs: load({ url: `${ours}/bench/small@three${STATE}`, method: 'PUT', connections: 1, body: 'a' }),
      against: 'a chart of 3 states',
      targets: [{ figure: 'p50', atMost: 1.2 }],
    },
    {
      name: 'PUT, a chart of 1,000 states, 64 connections',
      ours: perUpdate(load({ url: `${ours}/bench/large${STATE}`, method: 'PUT', connections: 64 })),
      theirs: perUpdate(load({ url: `${ours}/bench/small@three${STATE}`, method: 'PUT', connections: 64 })),
      against: 'a chart of 3 states',
      targets: [{ figure: 'an update', atMost: 1.2 }],
    },
    {
      name: `PUT behind ${HISTORY_ROWS} entries of history, 1 connection`,
      ours: withHistory(`${ours}/bench/small@old${STATE}`, seconds),
      theirs: (round) =>
        load({
          url: `${ours}/bench/small@new${round + 1}${STATE}`,
          method: 'PUT',
          connections: 1,
          body: 'a',
        })(round),
      against: 'a new machine',
      targets: [{ figure: 'p50', atMost: 1.2 }],
    },
    {
      name: `PUT with by=, ${MEMBERS} members, 1 connection`,
      ours: ofMembers(`${ours}/bench/turning@members`, true, seconds),
      theirs: ofMembers(`${ours}/bench/turning@nobody`, false, seconds),
      against: 'a machine without members',
      targets: [{ figure: 'p50', atMost: 1.2 }],
    },
    {
      name: 'the first GET of a sleeping machine of 1,000 states',
      ours: waking(servers, (i) => `${ours}/bench/large@w${i}${STATE}`),
      theirs: waking(servers, (i) => `${bare}/w${i}`),
      against: BARE,
      targets: [{ figure: 'first answer', most: 20 }],
    },
    {
      name: '2,000 waiters are told',
      ours: telling(
        (turn) => openWaits(`${ours}/bench/round@crowd/state?state=${next(turn)}&wait=60s`, WAITERS),
        {
          areWaiting: () => isWaitedAt(`${ours}/bench/round@crowd/metrics`),
          tell: (turn) => put(`${ours}/bench/round@crowd/state?state=${now(turn)}&event=go`),
          ask: `${ours}/bench/round@crowd`,
        },
      ),
      theirs: telling(() => openWaits(`${bare}/crowd?wait`, WAITERS), {
        areWaiting: async () => Number(await text(`${bare}/crowd?waiting`)) === WAITERS,
        tell: () => put(`${bare}/crowd?tell`),
        ask: `${bare}/crowd`,
      }),
      against: BARE,
      targets: [{ figure: 'all told' }],
    },
    {
      name: `${WATCHERS} WebSockets are told`,
      ours: telling(() => openSockets(`${ours}/bench/round@watched/watch`, WATCHERS), {
        tell: (turn) => put(`${ours}/bench/round@watched/state?state=${now(turn)}&event=go`),
        ask: `${ours}/bench/round@watched`,
      }),
      theirs: telling(() => openSockets(`${bare}/watched`, WATCHERS), {
        tell: () => put(`${bare}/watched?tell`),
        ask: `${bare}/watched`,
      }),
      against: 'bare hibernating object',
      targets: [{ figure: 'all told', atMost: 1.2 }, { figure: 'GET meanwhile' }],
    },
    {
      name: 'PUT, 64 connections, while it is drawn 50 times a second',
      ours: drawn(`${ours}/bench/round@drawn`, load, true),
      theirs: drawn(`${ours}/bench/round@drawn`, load, false),
      against: 'undrawn',
      targets: [{ figure: 'throughput' }],
    },
    ...(etcd === undefined ? [] : besideEtcd(ours, etcd, load)),
    ...(original === undefined ? [] : besideOriginal(ours, original, load)),
  ];
}

/** The figures of a period of load. */
function under(load: Load, seconds: number): Measurement {
  return async () => {
    const measured = await measure(load, seconds);
    return measured && { ...measured };
  };
}

type LoadOf = (each: Load) => Measurement;

/** etcd's `put` over its gateway (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/): base64 of `a` at `a`. */
function besideEtcd(ours: string, etcd: string, load: LoadOf): Scenario[] {
  const sends = JSON.stringify({ key: 'YQ==', value: 'YQ==' });
  const each = (connections: number, atLeast?: number): Scenario => ({
    name: `PUT, ${connections} connection${connections === 1 ? '' : 's'}, beside etcd`,
    ours: load({ url: ours + SMALL, method: 'PUT', connections, body: 'a' }),
    theirs: load({ url: `${etcd}/v3/kv/put`, method: 'POST', connections, sends }),
    against: ETCD,
    targets: [{ figure: 'throughput', ...(atLeast === undefined ? {} : { atLeast }) }],
  });
  return [each(1), each(16, 1), each(64, 0.9)];
}

function besideOriginal(ours: string, original: string, load: LoadOf): Scenario[] {
  const each = (method: 'GET' | 'PUT', atLeast: number): Scenario => ({
    name: `${method}, 16 connections, beside the original`,
    ours: load({ url: ours + SMALL, method, connections: 16, body: 'a' }),
    theirs: load({ url: original + STATE, method, connections: 16, body: 'a' }),
    against: ORIGINAL,
    targets: [{ figure: 'throughput', atLeast }],
  });
  return [each('GET', 5), each('PUT', 10)];
}

/** The inverse of a throughput, so that more is worse: the cost of one request, ms. */
function perUpdate(load: Measurement): Measurement {
  return async (round) => {
    const figures = await load(round);
    return figures && { 'an update': 1_000 / (figures.throughput ?? Number.NaN) };
  };
}

const MACHINES = 1_000;

/** Queries a thousand objects in turn. The round that is not counted starts them. */
function spread(base: string, path: (i: number) => string, seconds: number): Measurement {
  return async (round) => {
    const pathOf = (request: number) => path(request % MACHINES);
    if (round < 0) for (let i = 0; i < MACHINES; i++) await put(base + path(i));
    return under({ url: base, method: 'PUT', connections: 64, pathOf, body: 'a' }, seconds)(round);
  };
}

/** The round that is not counted fills the history. */
function withHistory(url: string, seconds: number): Measurement {
  return async (round) => {
    if (round < 0) {
      let written = 0;
      while (written < HISTORY_ROWS) {
        const stretch = await measure({ url, method: 'PUT', connections: 64, body: 'a' }, 1);
        written += stretch?.throughput ?? 0;
      }
    }
    return under({ url, method: 'PUT', connections: 1, body: 'a' }, seconds)(round);
  };
}

/** The members report in turn. The round that is not counted uploads them. */
function ofMembers(machine: string, isListed: boolean, seconds: number): Measurement {
  const pathOf = (request: number) => `${new URL(machine).pathname}${STATE}&by=w${request % MEMBERS}`;
  return async (round) => {
    if (round < 0) {
      await put(`${machine}${STATE}&by=w0`);
      const list = Array.from({ length: MEMBERS }, (_, i) => `w${i} zone=z${i % 3}`).join('\n');
      if (isListed) await fetch(`${machine}/members`, { method: 'PUT', body: list });
    }
    return under({ url: machine, method: 'PUT', connections: 1, body: 'a', pathOf }, seconds)(round);
  };
}

const SLEEPERS = 5;

/** Queries a few objects that have not been used since the process started. What is compiled once is not counted. */
function waking(servers: Servers, url: (i: number) => string): Measurement {
  return async () => {
    // A run begins with its first report.
    for (let i = 0; i < SLEEPERS; i++) await put(url(i));
    await servers.restart();
    // This starts both Workers, and a machine of another chart; the last machine has the chart read and run once.
    await get(servers.ours + SMALL);
    await get(`${servers.bare}/bare`);
    const times: number[] = [];
    for (let i = 0; i < SLEEPERS; i++) times.push(await get(url(i)));
    return { 'first answer': median(times) };
  };
}

/** As many as the limit of open files permits: workerd takes two for each. */
const WATCHERS = Math.min(10_000, Math.floor((filesAllowed() - 1_000) / 2));

const TELLINGS = 3;
const WAITERS = 2_000;

interface Telling {
  /** For peers whose waits end once and have to be sent again: whether all have arrived. */
  areWaiting?(): Promise<boolean>;
  tell(turn: number): Promise<unknown>;
  /** The request that is sent meanwhile. */
  readonly ask: string;
}

/** Measures the time from the update to the last message, and how long another request takes meanwhile. */
function telling(open: (turn: number) => Promise<Audience>, { areWaiting, tell, ask }: Telling): Measurement {
  let turn = 0;
  return async () => {
    await get(ask);
    const gathered = async () => {
      const audience = await open(turn);
      while (areWaiting !== undefined && !(await areWaiting())) await pause(50);
      return audience;
    };
    let audience = await gathered();
    const [told, meanwhile]: [number[], number[]] = [[], []];
    for (let i = 0; i < TELLINGS; i++) {
      let asked = Promise.resolve(0);
      const took = audience.tell(async () => {
        const sent = tell(turn++);
        asked = get(ask);
        await sent;
      });
      told.push(await took);
      meanwhile.push(await asked);
      if (areWaiting !== undefined && i + 1 < TELLINGS) {
        audience.close();
        audience = await gathered();
      }
    }
    audience.close();
    // The server gets its files back before the next clients need them.
    await pause(3_000);
    return { 'all told': median(told), 'GET meanwhile': median(meanwhile) };
  };
}

/** `ulimit -n`, which child processes have as well. */
function filesAllowed(): number {
  return Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
}

/** Time for the edge to read the requests of all waiters, ms: they share one call, so no number says that all have arrived. */
const GATHERING = 1_000;

async function isWaitedAt(metrics: string): Promise<boolean> {
  if (!/^stateservice_waiters\{.*\} [1-9]/m.test(await text(metrics))) return false;
  await pause(GATHERING);
  return true;
}

async function text(url: string): Promise<string> {
  return (await fetch(url)).text();
}

function now(turn: number): string {
  return turn % 2 === 0 ? 'a' : 'b';
}

function next(turn: number): string {
  return now(turn + 1);
}

/** Sends updates while the picture is fetched again and again. */
function drawn(machine: string, load: LoadOf, isDrawn: boolean): Measurement {
  return async (round) => {
    let isOver = false;
    const look = async () => {
      while (isDrawn && !isOver) {
        const begun = performance.now();
        await get(`${machine}/diagram.svg`);
        await pause(Math.max(0, 20 - (performance.now() - begun)));
      }
    };
    const looking = look();
    const figures = await load({ url: machine + STATE, method: 'PUT', connections: 64, body: 'a' })(round);
    isOver = true;
    await looking;
    return figures;
  };
}

/**
 * @returns how long it took, ms.
 * @throws if the answer is not a 2xx.
 */
async function get(url: string, method: 'GET' | 'PUT' = 'GET'): Promise<number> {
  const begun = performance.now();
  const response = await fetch(url, { method });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${method} ${url} was answered ${response.status}`);
  return performance.now() - begun;
}

function put(url: string): Promise<number> {
  return get(url, 'PUT');
}
