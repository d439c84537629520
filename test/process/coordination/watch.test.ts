/**
 * A watch of a server that is killed: each event was durable, and the events that the watch missed come afterwards.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { folderOf } from '../charts.ts';
import { cleanUp, startServer, until } from '../server.ts';

afterEach(cleanUp);

const CHART = 'initial: work\nstates: {work: {on: {update: {target: rest, quorum: 1000000}}}, rest: {}}\n';

interface Entry {
  readonly id: number;
  readonly by: string | null;
}

describe('a watch of a server that dies under load', () => {
  it('gets only durable events, misses none, and gets none twice', async () => {
    const charts = await folderOf({ 'watched/chart.yaml': CHART });
    let server = await startServer({ charts });
    const flags = ['--port', new URL(server.url).port];
    const machine = `${server.url}/watched/chart`;
    const told: Entry[] = [];
    const counted: string[] = [];

    for (let life = 0; life < 3; life++) {
      if (life > 0) server = await startServer({ charts, data: server.data, flags });
      const watching = watch(machine, told);
      const reporting = Array.from({ length: 16 }, (_, i) =>
        report(machine, `life-${life}-web-${i}`, counted),
      );
      // Under load, and in the middle of it.
      const enough = counted.length + 50;
      await until(() => counted.length >= enough);
      await pause(100);
      await server.kill9();
      await Promise.all([watching, ...reporting]);
    }

    server = await startServer({ charts, data: server.data, flags });
    const watching = watch(machine, told);
    const history = await wholeHistory(machine);
    await expect.poll(() => told.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(history.length);
    await server.stop();
    await watching;
    expect(told).toEqual(history);
    expect(history.length).toBeGreaterThan(100);
    // No acknowledged report is lost.
    const names = new Set(history.map(({ by }) => by));
    expect(counted.filter((by) => !names.has(by))).toEqual([]);
  });
});

/** Watches until the connection is cut, from the last event on. */
async function watch(machine: string, told: Entry[]): Promise<void> {
  try {
    const headers = { 'Last-Event-ID': String(told.at(-1)?.id ?? 0) };
    const { body } = await fetch(`${machine}/watch`, { headers });
    let text = '';
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, data] = /^data: (.*)$/m.exec(block) ?? [];
        if (data !== undefined) told.push(JSON.parse(data));
      }
    }
  } catch {
    // The server was killed.
  }
}

/** Reports under new names, one after the other, until the connection is cut. */
async function report(machine: string, name: string, counted: string[]): Promise<void> {
  try {
    for (let i = 0; ; i++) {
      const by = `${name}-${i}`;
      const response = await fetch(`${machine}/state?state=work&by=${by}`, { method: 'PUT' });
      if (response.ok) counted.push(by);
      await response.text();
    }
  } catch {
    // The server was killed.
  }
}

/** The whole history, the oldest entry first. */
async function wholeHistory(machine: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let query = '?limit=1000'; query !== ''; ) {
    const response = await fetch(`${machine}/history${query}`);
    const { history, before } = (await response.json()) as { history: Entry[]; before?: number };
    entries.push(...history);
    query = before === undefined ? '' : `?limit=1000&before=${before}`;
  }
  return entries.reverse();
}
