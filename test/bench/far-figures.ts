/** What is measured at edges that are away from their objects: times in ms. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Away } from '../process/far/away.ts';
import { Connections, quantileOf, type Timed } from '../process/far/connections.ts';

/**
 * Measures everything at one distance.
 *
 * @param distance a round trip, ms.
 * @param waiting how many requests wait for one state.
 * @param deploy replaces the process of the objects.
 */
export async function figuresOf(away: Away, distance: number, waiting: number, deploy: () => Promise<void>) {
  // Machines of their own: an edge remembers the way to each.
  const machine = `/far/drain@${distance}`;
  const state = `${machine}/state?state=drain`;
  // A run begins with its first report; an ask of one that has not begun costs more.
  await fetch(edgeOf(away, 0) + state, { method: 'PUT' });
  return {
    'lone, bare': shown(await lone(away, 'GET', () => '/-/bare')),
    'lone ask': shown(await lone(away, 'GET', (i) => `${machine}-${i}/state?state=drain`)),
    'lone report': shown(await lone(away, 'PUT', (i) => `${machine}-${i}/state?state=drain`)),
    '64 plain': shown(await bursts(away, 64, 'GET', PLAIN)),
    '64 asks': shown(await bursts(away, 64, 'GET', state)),
    '64 reports': shown(await bursts(away, 64, 'PUT', state)),
    '1,000 plain': shown(await bursts(away, 1_000, 'GET', PLAIN)),
    '1,000 asks': shown(await bursts(away, 1_000, 'GET', state)),
    '1,000 reports': shown(await bursts(away, 1_000, 'PUT', state)),
    ...(await waits(away, `/far/turn@${distance}`, waiting)),
    ...(await deployment(away, `${machine}-deploy`, deploy)),
  };
}

/** What an edge answers by itself: what the requests cost without an object. */
const PLAIN = '/healthz';

/** The median, and the 99th percentile. */
function shown(times: readonly number[]): string {
  return `${quantileOf(times, 0.5).toFixed(0)} / ${quantileOf(times, 0.99).toFixed(0)}`;
}

/** Requests that come alone to their machines, which some clients ask in turn. */
async function lone(away: Away, method: string, path: (i: number) => string): Promise<number[]> {
  const clients = Array.from({ length: LONE_CLIENTS }, async (_, i) => {
    const connection = await Connections.open(edgeOf(away, i), 1);
    await timesOf(connection.send('PUT', () => path(i)));
    const times: number[] = [];
    for (let round = 0; round < LONE_ROUNDS; round++) {
      await pause(Math.random() * 20);
      times.push(...(await timesOf(connection.send(method, () => path(i)))));
    }
    connection.close();
    return times;
  });
  return (await Promise.all(clients)).flat();
}

const LONE_CLIENTS = 8;
const LONE_ROUNDS = 20;

/** Requests that come at once, over all edges. */
async function bursts(away: Away, count: number, method: string, path: string): Promise<number[]> {
  const all = await everywhere(away, count);
  const times: number[] = [];
  // The first burst opens the connections of the edges, and is not counted.
  for (let i = 0; i <= BURSTS; i++) {
    const took = await timesOf(sendAll(all, method, path));
    if (i > 0) times.push(...took);
  }
  for (const connections of all) connections.close();
  return times;
}

const BURSTS = 3;

/**
 * Requests that wait for one state: the calls at the object, and how long after the report the last of them is answered,
 * beside as many plain answers over the same connections.
 */
async function waits(away: Away, machine: string, count: number) {
  const calls = Number(await textOf(`${away.direct}/-/calls`));
  const all: Connections[] = [];
  const answers: Promise<Timed[]>[] = [];
  for (let opened = 0; opened < count; opened += WAITS_AT_ONCE) {
    // workerd closes a connection that is idle for some seconds.
    const connections = await Connections.open(
      edgeOf(away, all.length),
      Math.min(WAITS_AT_ONCE, count - opened),
    );
    all.push(connections);
    answers.push(connections.send('GET', () => `${machine}/state?state=b&wait=60s`));
  }
  let most = 0;
  // Each request asks once before it waits: until all have asked.
  for (let before = -1; before !== away.link.carried; ) {
    before = away.link.carried;
    await pause(QUIET);
    most = Math.max(most, Number(await textOf(`${away.direct}/-/calls`)) - calls);
  }
  const reporter = await Connections.open(edgeOf(away, 0), 1);
  const begun = performance.now();
  await timesOf(reporter.send('PUT', () => `${machine}/state?state=a`));
  await timesOf(Promise.all(answers).then((each) => each.flat()));
  const told = performance.now() - begun;
  const from = performance.now();
  await timesOf(sendAll(all, 'GET', PLAIN));
  const plain = performance.now() - from;
  for (const connections of [...all, reporter]) connections.close();
  const [figure, beside] = [`${count} waits told`, `${count} plain`];
  return { 'calls that wait': most, [figure]: told.toFixed(0), [beside]: plain.toFixed(0) };
}

const WAITS_AT_ONCE = 475;

/** The link has carried all when it carries nothing for so long, ms. */
const QUIET = 1_500;

/** A deploy under load: clients report by name until each report is accepted. */
async function deployment(away: Away, machine: string, deploy: () => Promise<void>) {
  const over = new AbortController();
  let accepted = 0;
  let refused = 0;
  let longest = 0;
  const clients = Array.from({ length: 64 }, async (_, i) => {
    const url = `${edgeOf(away, i)}${machine}/state?state=drain&by=c${i}-`;
    for (let n = 0; !over.signal.aborted; n++) {
      const begun = performance.now();
      while (!(await isAccepted(url + n))) {
        refused += 1;
        await pause(100);
      }
      accepted += 1;
      longest = Math.max(longest, performance.now() - begun);
    }
  });
  await pause(1_000);
  const begun = performance.now();
  await deploy();
  const down = performance.now() - begun;
  await pause(1_000);
  over.abort();
  await Promise.all(clients);
  const status = JSON.parse(await textOf(away.direct + machine));
  const have = status.quorums[0].have;
  if (have !== accepted) throw new Error(`${accepted} reports were accepted, and ${have} were counted`);
  return { 'deploy: down': down.toFixed(0), 'longest report': longest.toFixed(0), refused };
}

async function isAccepted(url: string): Promise<boolean> {
  const response = await fetch(url, { method: 'PUT' });
  await response.arrayBuffer();
  if (response.ok) return true;
  if (response.status === 503) return false;
  throw new Error(`a report by name was answered ${response.status}`);
}

function edgeOf({ edges }: Away, i: number): string {
  return edges[i % edges.length] ?? '';
}

/** Opens connections to all edges, `count` together. */
function everywhere({ edges }: Away, count: number): Promise<Connections[]> {
  const at = (i: number) => Math.floor((count * i) / edges.length);
  return Promise.all(edges.map((url, i) => Connections.open(url, at(i + 1) - at(i))));
}

async function sendAll(all: readonly Connections[], method: string, path: string): Promise<Timed[]> {
  return (await Promise.all(all.map((connections) => connections.send(method, () => path)))).flat();
}

/** @throws if a request is not answered 200: a figure of refusals would be worth nothing. */
async function timesOf(answers: Promise<readonly Timed[]>): Promise<number[]> {
  return (await answers).map(({ status, took }) => {
    if (status !== 200) throw new Error(`a request was answered ${status}`);
    return took;
  });
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}
