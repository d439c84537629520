/** Prism between callers and the service: a proxy that compares requests and responses with an OpenAPI document. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, until } from '../../process/server.ts';
import { found } from '../fetched.ts';
import { freePort } from '../port.ts';

export interface PrismProxy {
  /** Without a slash at the end. */
  readonly url: string;
  stop(): void;
}

/** What is in an answer that Prism gives in place of the service's: a violation, or an unknown path. */
export const OBJECTION = 'https://stoplight.io/prism/errors';

/** Why a 501 does not arrive. */
export const MOCKS_501 = 'Prism answers in place of a service that answers 501';

const running = new Set<ChildProcess>();

/**
 * Starts Prism in front of a server. It answers 500 for a response that does not fit the document.
 *
 * @param document OpenAPI; the server's own by default
 * @param checks `both`: a request that does not fit is not passed on, and is answered 422
 */
export async function startPrism(
  upstream: string,
  checks: 'both' | 'responses',
  document?: object,
): Promise<PrismProxy> {
  const text = document ? JSON.stringify(document) : await (await fetch(`${upstream}/openapi.json`)).text();
  const file = join(await temporaryFolder(), 'openapi.json');
  await writeFile(file, text);
  const prism = join(found('prism').folder ?? '', 'node_modules/.bin/prism');
  const port = await freePort();
  const flags = ['--errors', '--cors=false', `--validate-request=${checks === 'both'}`];
  const child = spawn(
    process.execPath,
    [prism, 'proxy', ...flags, '--host', '127.0.0.1', '--port', String(port), file, upstream],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running.add(child);
  let output = '';
  const read = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  await until(() => {
    if (child.exitCode !== null) throw new Error(`Prism ended:\n${output}`);
    return output.includes('Prism is listening');
  }, 120_000);
  return { url: `http://127.0.0.1:${port}`, stop: () => child.kill('SIGKILL') };
}

/** For `afterAll`. */
export function stopPrisms(): void {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
}
