/** `PUT …/chart?dry_run=true`: what an upload would be answered, without an upload. */
import { describe, expect, it } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { inStorage, report, send } from '../service.ts';
import { refusedOf, storyOf, upload } from './callers.ts';

const drain = sequence(counting('drain', 'patch', 2), counting('patch', 'done', 1), final('done'));
const other = sequence(counting('first', 'done', 1), final('done'), final('aside'));

const dryRun = (address: string, text: string, more = '') => upload(address, text, `?dry_run=true${more}`);

describe('a dry run', () => {
  it('answers with the warnings, and begins no machine', async () => {
    const address = newAddress();
    const response = await dryRun(address, other);
    expect(response.status).toBe(200);
    const tried = await response.json();
    expect(tried).toMatchObject({ dialect: 'sequence', warnings: [{ path: 'states[2].name' }] });
    expect(await tablesOf(address)).toEqual([]);
    expect((await send('GET', `/${address}`)).status).toBe(404);
    expect(await (await upload(address, other)).json()).toEqual(tried);
  });

  it('lists the errors of a chart', async () => {
    const response = await dryRun(newAddress(), 'initial: a\nstates:\n  a: {on: {go: c}}\n  b: {}\n');
    expect(response.status).toBe(422);
    expect(await refusedOf(response)).toMatchObject({ errors: [{ line: 3, path: 'states.a.on.go' }] });
  });

  it('says that the machine is in mid-sequence, and changes nothing', async () => {
    const address = newAddress();
    await upload(address, drain);
    await report(address, 'drain');
    const before = await storyOf(address);
    expect((await dryRun(address, other)).status).toBe(409);
    expect((await dryRun(address, other, '&reset=true')).status).toBe(200);
    expect(await storyOf(address)).toEqual(before);
    expect(await (await send('GET', `/${address}/chart`)).text()).toContain('drain');
  });

  it('compares the revision', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const tried = (tag: string) =>
      upload(address, other, '?dry_run=true&reset=true', { headers: { 'If-Match': tag } });
    expect((await tried('"1"')).status).toBe(412);
    expect((await tried('"2"')).status).toBe(200);
  });
});

function tablesOf(address: string): Promise<unknown[]> {
  return inStorage(address, ({ sql }) =>
    sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
  );
}
