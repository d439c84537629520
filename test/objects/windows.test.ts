/** Windows: in which work is begun, and outside of which it is not. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { machinePath, problemOf, send } from '../service.ts';
import { TIMED } from '../slowness.ts';
import { claim, documentOf, put, refusedOf, verdict, waitFor, whenWaiting } from './callers.ts';
import { ZincatiNode } from './zincati.ts';

const MINUTE = 60_000;

/** Open on weekdays from 02:00 to 06:00 in Berlin; in the last half hour, no work is begun. */
const WINDOW = '{cron: 0 2 * * 1-5, for: 4h, zone: Europe/Berlin, cutoff: 30m}';
const CHART = `
initial: drain
states:
  drain:
    window: ${WINDOW}
    on: {update: {target: patch, quorum: 9}, abort: done}
  patch: {on: {update: done}}
  done: {type: final}
`;
const SLOTTED = CHART.replace('    on:', '    slots: 2\n    lease: 12h\n    on:');

// 2040-06-01 is a Friday. In Berlin, it is two hours later.
const at = (time: string) => Date.parse(`2040-06-01T${time}Z`);
const move = (time: number) => vi.setSystemTime(time);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  move(at('12:00:00'));
});
afterEach(() => {
  vi.useRealTimers();
});

const askFor = (address: string, by: string, wait = '0s') =>
  send('GET', `/${address}/state?state=drain&by=${by}&wait=${wait}`);

describe('outside its windows, a state', () => {
  it('is closed to an ask for one caller, not yet, and says when it opens', async () => {
    const address = await newChart(CHART);
    const refused = await askFor(address, 'web-01');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([406, '3600']);
    expect(await refusedOf(refused)).toMatchObject({
      type: 'urn:stateservice:problem:closed',
      detail: '"drain" is closed: work may be begun from 2040-06-04T00:00:00.000Z.',
      opens: '2040-06-04T00:00:00.000Z',
    });
  });

  it('has a Retry-After up to the opening', async () => {
    const address = await newChart(CHART);
    move(Date.parse('2040-06-03T23:59:18Z'));
    expect((await askFor(address, 'web-01')).headers.get('Retry-After')).toBe('42');
  });

  it('is current: the original’s question is answered as ever', async () => {
    const address = await newChart(CHART);
    expect((await send('GET', `/${address}/state?state=drain`)).status).toBe(200);
    expect((await documentOf(address)).states).toEqual(['drain']);
  });

  it('counts reports: work that was done is done', async () => {
    const address = await newChart(CHART);
    expect((await put(address, 'drain', { by: 'web-01' })).status).toBe(200);
    expect((await put(address, 'drain')).status).toBe(200);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 2, by: ['web-01'] }]);
    expect(await verdict(await askFor(address, 'web-01'))).toBe('406 already-reported');
  });

  it('gives no slot, but lets the holder of one go on', async () => {
    const address = await newChart(SLOTTED);
    move(at('03:29:59'));
    expect((await claim(address, 'drain', 'web-01')).status).toBe(200);
    move(at('03:30:00'));
    expect(await verdict(await claim(address, 'drain', 'web-02'))).toBe('406 closed');
    expect((await claim(address, 'drain', 'web-01')).status).toBe(200);
    expect((await askFor(address, 'web-01')).status).toBe(200);
    move(at('07:00:00'));
    expect((await put(address, 'drain', { by: 'web-01' })).status).toBe(200);
  });

  it('refuses Zincati’s lock, and takes its report', async () => {
    const address = await newChart(
      sequence(
        {
          ...counting('reboot', 'done', 2),
          slots: 2,
          lease: '12h',
          window: { cron: '0 2 * * *', for: '4h', cutoff: '30m' },
        },
        final('done'),
      ),
    );
    const node = new ZincatiNode(send, machinePath(address), 'node-1');
    node.stage(2);
    for (let i = 0; i < 4; i++) await node.tick();
    expect(node.state).toBe('pre-reboot');
    expect(node.errors.at(-1)).toEqual({
      kind: 'closed',
      value: '"reboot" is closed: work may be begun from 2040-06-02T02:00:00.000Z.',
    });
    move(Date.parse('2040-06-02T02:00:00Z'));
    await node.tick();
    expect(node.state).toBe('finalization');
    move(Date.parse('2040-06-02T05:45:00Z'));
    node.reboot();
    await node.tick();
    expect(node.state).toBe('steady');
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1, by: ['node-1'] }]);
  });
});

describe('inside its windows, a state', () => {
  it('is open, until the cutoff before their end', async () => {
    const address = await newChart(CHART);
    const answers: string[] = [];
    for (const time of ['00:00:00', '03:29:59', '03:30:00', '03:59:59', '04:00:00']) {
      move(at(time));
      answers.push(await verdict(await askFor(address, 'web-01')));
    }
    expect(answers).toEqual(['200', '200', '406 closed', '406 closed', '406 closed']);
  });

  it('is closed while a state around it is', async () => {
    const address = await newChart(`
initial: fleet
window: {cron: 0 8 * * *, for: 8h}
states:
  fleet: {initial: drain, states: {drain: {window: {cron: 0 12 * * *, for: 8h}}}}
`);
    const refused = async (time: string) => {
      move(at(time));
      const answer = await askFor(address, 'web-01');
      return answer.ok ? 'open' : (await refusedOf(answer)).opens;
    };
    expect(await refused('07:00:00')).toBe('2040-06-01T12:00:00.000Z');
    expect(await refused('12:00:00')).toBe('open');
    expect(await refused('17:00:00')).toBe('2040-06-02T12:00:00.000Z');
  });
});

describe('a wait for one caller', () => {
  it('ends within a second of the opening', TIMED, async () => {
    const address = await newChart(CHART);
    move(Date.parse('2040-06-03T23:59:55Z'));
    await askFor(address, 'web-01');
    const waiting = askFor(address, 'web-01', '30s');
    await whenWaiting(address);
    move(Date.parse('2040-06-04T00:00:00Z'));
    const opened = performance.now();
    expect((await waiting).status).toBe(200);
    expect(performance.now() - opened).toBeLessThan(1_000);
  });

  it('ends as not yet where the opening is later', async () => {
    const address = await newChart(CHART);
    const waiting = askFor(address, 'web-01', '5s');
    await whenWaiting(address);
    move(at('12:00:06'));
    const refused = await waiting;
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([406, '3600']);
  });

  it('ends where the state is left', async () => {
    const address = await newChart(CHART);
    await put(address, 'drain');
    const waiting = askFor(address, 'web-01', '30s');
    await whenWaiting(address);
    await put(address, 'drain', { event: 'abort' });
    expect(await verdict(await waiting)).toBe('406 cannot-come');
  });

  it('goes on where another reports meanwhile', async () => {
    const address = await newChart(CHART);
    move(Date.parse('2040-06-03T23:59:55Z'));
    const waiting = askFor(address, 'web-01', '30s');
    await whenWaiting(address);
    await put(address, 'drain', { by: 'web-02' });
    await settled();
    move(Date.parse('2040-06-04T00:00:00Z'));
    expect((await waiting).status).toBe(200);
  });

  it('of a state that is not current waits for that, whatever its windows', async () => {
    const address = await newChart(
      CHART.replace('initial: drain', 'initial: patch').replace('update: done', 'update: drain'),
    );
    const plain = waitFor(address, 'drain', '30s');
    const named = askFor(address, 'web-01', '5s');
    await whenWaiting(address, 2);
    await put(address, 'patch');
    expect((await plain).status).toBe(200);
    move(at('12:00:06'));
    expect(await verdict(await named)).toBe('406 closed');
  });
});

describe('the status', () => {
  it('has the windows of the current states, as they are at the time', async () => {
    const address = await newChart(CHART);
    expect((await documentOf(address)).windows).toEqual([
      { state: 'drain', open: false, opens: '2040-06-04T00:00:00.000Z' },
    ]);
    move(at('00:00:00') + 3 * 24 * 60 * MINUTE);
    const open = { state: 'drain', open: true, until: '2040-06-04T03:30:00.000Z' };
    expect((await documentOf(address)).windows).toEqual([open]);
    move(Date.parse('2040-06-04T03:29:00Z'));
    expect((await documentOf(address)).windows).toEqual([open]);
    move(Date.parse('2040-06-04T03:30:00Z'));
    expect((await documentOf(address)).windows).toEqual([
      { state: 'drain', open: false, opens: '2040-06-05T00:00:00.000Z' },
    ]);
  });

  it('has no windows where none hold', async () => {
    const address = await newChart(CHART);
    await put(address, 'drain', { event: 'abort' });
    expect(await documentOf(address)).not.toHaveProperty('windows');
  });
});

it('is the same in a sequence', async () => {
  const address = await newChart(
    sequence({ ...counting('drain', 'done', 2), window: { cron: '0 2 * * *', for: '4h' } }, final('done')),
  );
  expect(await verdict(await askFor(address, 'a'))).toBe('406 closed');
  move(at('02:00:00'));
  expect(await verdict(await askFor(address, 'a'))).toBe('200');
});

it('holds by a new chart from the moment at which it is uploaded', async () => {
  const address = await newChart(CHART);
  await put(address, 'drain');
  const waiting = askFor(address, 'web-01', '30s');
  await whenWaiting(address);
  const open = CHART.replace(WINDOW, '{cron: 0 0 * * *, for: 1d}');
  expect((await send('PUT', `/${address}/chart?reset=true`, { body: open })).status).toBe(200);
  expect((await waiting).status).toBe(200);
});

it('is told in the words of problem details', async () => {
  const address = await newChart(CHART);
  expect(await problemOf(await askFor(address, 'a'))).toMatchObject({
    title: 'The state is closed',
    status: 406,
  });
});

/** Waits until what was sent has arrived. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
