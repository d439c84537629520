/** A server whose edge and objects have a link between them that a test controls (`link.worker.ts`). */
import { join } from 'node:path';
import { bundleWorker } from '../../../src/cli/bundle.ts';
import { folderOf } from '../charts.ts';
import { type Server, startServer, temporaryFolder } from '../server.ts';

export interface LinkedServer extends Server {
  /** Sets what happens to the calls that wait; nothing where it is left out. */
  setLink(link?: { before?: number; after?: number; cuts?: number; losses?: number }): Promise<void>;
  /** Returns the calls since it was called last: those made, those under way now, and the most under way together. */
  calls(): Promise<{ made: number; underWay: number; most: number }>;
}

export async function startLinked(charts: Readonly<Record<string, string>>): Promise<LinkedServer> {
  const file = join(await temporaryFolder(), 'worker.js');
  const bundled = await bundleWorker(file, 'test/process/coordination/link.worker.ts');
  if (!bundled.ok) throw new Error(bundled.lines.join('\n'));
  const server = await startServer({ charts: await folderOf(charts), env: { BUNDLED_WORKER: file } });
  return {
    ...server,
    async setLink(link = {}) {
      await fetch(`${server.url}/link`, { method: 'PUT', body: JSON.stringify(link) });
    },
    async calls() {
      const response = await fetch(`${server.url}/calls`);
      return response.json() as ReturnType<LinkedServer['calls']>;
    },
  };
}
