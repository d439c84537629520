/** Starts servers on what power cuts left. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../../src/cli/bundle.ts';
import { makeDataDurable, makeDurableFolder } from '../../../src/cli/durable.ts';
import { sweepEmptyObjects } from '../../../src/cli/sweep.ts';
import { startWorkerd } from '../../../src/cli/workerd.ts';
import { readCompatibility, textFile, WORKER_FILE, workerdConfig } from '../../../src/cli/workerd-config.ts';
import { startServer, temporaryFolder } from '../../process/server.ts';
import { unwrap } from '../../unwrap.ts';

interface ImageServer {
  readonly url: string;
  kill(): Promise<unknown>;
}

/** Starts a server on a data folder. @throws with the reason if it does not start. */
export type StartImage = (data: string, charts: string) => Promise<ImageServer>;

/** As users do. */
export const startByCommand: StartImage = async (data, charts) => {
  const server = await startServer({ data, charts });
  return { url: server.url, kill: () => server.kill9() };
};

/**
 * With the steps of the command line, but in this process: it takes 0.15 s of CPU time, and the command line 0.55 s.
 *
 * @returns how servers are started
 */
export async function startsInProcess(): Promise<StartImage> {
  const folder = await temporaryFolder();
  const config = join(folder, 'config.capnp');
  const texts = { AUTH: 'open', WAITS: '1000' };
  const compatibility = readCompatibility(await readFile(join(PACKAGE_ROOT, 'wrangler.toml'), 'utf8'));
  const { BUNDLED_WORKER } = process.env;
  if (compatibility === undefined || BUNDLED_WORKER === undefined) throw new Error('there is no Worker');
  await copyFile(BUNDLED_WORKER, join(folder, WORKER_FILE));
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, textFile(name)), text);
  await writeFile(config, workerdConfig(compatibility, Object.keys(texts)));
  const listen = { host: '127.0.0.1', port: 0 };
  return async (data, charts) => {
    await makeDurableFolder(data);
    await sweepEmptyObjects(data);
    unwrap(await makeDataDurable(data));
    const { port, pid, ended } = unwrap(
      await startWorkerd(config, { charts, data }, listen, new AbortController().signal),
    );
    return {
      url: `http://${listen.host}:${port}`,
      async kill() {
        if (pid !== undefined) process.kill(pid, 'SIGKILL');
        await ended;
      },
    };
  };
}
