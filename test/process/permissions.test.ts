/** Only its owner can read the data folder, which contains names, reports and charts. */
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { fileOf, SEQUENCE } from './charts.ts';
import { cleanUp, startServer, temporaryFolder } from './server.ts';

afterEach(cleanUp);

it('is created for its owner only, with every file in it', async () => {
  const data = join(await temporaryFolder(), 'var/data');
  await serveOnce(data);
  const modes = await modesIn(data);
  expect(modes['.']).toBe('700');
  expect(modes['stateservice-Machine']).toBe('700');
  expect(Object.values(modes).filter((mode) => mode !== '700' && mode !== '600')).toEqual([]);
  expect(Object.keys(modes).filter((name) => name.endsWith('.sqlite')).length).toBeGreaterThan(0);
});

it('is restricted if an earlier version has left it open', async () => {
  const data = join(await temporaryFolder(), 'data');
  await serveOnce(data);
  for (const name of Object.keys(await modesIn(data))) {
    const path = join(data, name);
    await chmod(path, (await stat(path)).isDirectory() ? 0o755 : 0o644);
  }
  await serveOnce(data);
  expect(Object.values(await modesIn(data)).filter((mode) => mode !== '700' && mode !== '600')).toEqual([]);
});

it('stays open if it contains other files, which are not changed', async () => {
  const data = await temporaryFolder();
  await chmod(data, 0o755);
  await writeFile(join(data, 'notes'), '');
  await mkdir(join(data, 'public'));
  for (const [name, mode] of [
    ['notes', 0o644],
    ['public', 0o755],
  ] as const)
    await chmod(join(data, name), mode);
  await serveOnce(data);
  const modes = await modesIn(data);
  expect([modes['.'], modes.notes, modes.public]).toEqual(['755', '644', '755']);
  expect([modes['serve.lock'], modes['stateservice-Machine']]).toEqual(['600', '700']);
});

async function serveOnce(data: string): Promise<void> {
  const server = await startServer({ chart: await fileOf(SEQUENCE), data });
  expect((await fetch(`${server.url}/state?state=drain`, { method: 'PUT' })).status).toBe(200);
  await server.stop();
}

/** The permissions of a folder and of all that is in it, in octal. */
async function modesIn(folder: string): Promise<Record<string, string>> {
  const names = ['.', ...(await readdir(folder, { recursive: true }))];
  const rows = names.map(async (name) => {
    const { mode } = await stat(join(folder, name));
    return [name, (mode & 0o777).toString(8)] as const;
  });
  return Object.fromEntries(await Promise.all(rows));
}
