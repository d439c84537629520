/** SCION's test framework for SCXML, its client and its charts, against the service over HTTP. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../process/recipes/recipe.ts';
import { cleanUp, type Server, startServer } from '../../process/server.ts';
import { found, lacks } from '../fetched.ts';
import { freePort } from '../port.ts';
import { type Adapter, startAdapter } from './adapter.ts';
import { translate, Untranslatable } from './translate.ts';
import { parseXml } from './xml.ts';

const PACKAGE = join(found('scion').folder ?? '', 'node_modules/@scion-scxml/test-framework');
const CLIENT = join(PACKAGE, 'lib/test-client.js');

/** Charts that the translation has and that cannot be run so. */
function whyNot(file: string): string | undefined {
  if (file.includes('/delayedSend/')) return 'timers that are due before a second request';
  if (!existsSync(join(PACKAGE, file.replace(/\.scxml$/, '.json'))))
    return 'no events: parts of other charts';
  return undefined;
}

describe.skipIf(lacks('scion'))('SCION', () => {
  let server: Server;
  let adapter: Adapter;
  beforeAll(async () => {
    server = await startServer();
    adapter = await startAdapter(server.url);
  });
  afterAll(async () => {
    adapter.stop();
    await cleanUp();
  });

  const leftOut = new Map<string, number>();
  const files = globSync('test/*/*.scxml', { cwd: PACKAGE });
  const tried = files.filter((file) => {
    const why = whyNot(file) ?? untranslatable(file);
    if (why !== undefined) leftOut.set(why, (leftOut.get(why) ?? 0) + 1);
    return why === undefined;
  });
  const folders = Map.groupBy(tried.sort(), dirname);

  it.each([...folders])('passes %s', async (_, files) => {
    const flags = ['--test-server-url', adapter.url, '--file-server-host', '127.0.0.1', '--verbose'];
    const port = String(await freePort());
    const loopback = join(import.meta.dirname, 'loopback.ts');
    const { stdout, stderr } = await run(
      process.execPath,
      ['--import', loopback, CLIENT, ...flags, '--file-server-port', port, ...files],
      { cwd: PACKAGE },
    );
    const passed = [...stdout.matchAll(/Passed\S*: (test\S+)/g)].map(([, file]) => file);
    expect(passed.toSorted(), stdout + stderr).toEqual(files.toSorted());
  });

  it('is tried with the charts that have nothing else than ours', ({ task }) => {
    const reasons = [...leftOut].sort(([, a], [, b]) => b - a).map(([why, count]) => `${count} with ${why}`);
    // Beside the tests above, one for each folder.
    task.meta.peerCases = tried.length - folders.size;
    task.meta.peerLeftOut = `${files.length - tried.length} of ${files.length} charts: ${reasons.join(', ')}`;
    expect(tried.length).toBeGreaterThan(100);
  });
});

/** @returns what a chart has that ours do not have. */
function untranslatable(file: string): string | undefined {
  try {
    translate(parseXml(readFileSync(join(PACKAGE, file), 'utf8')));
    return undefined;
  } catch (error) {
    if (error instanceof Untranslatable) return error.message;
    throw error;
  }
}
