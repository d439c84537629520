/** Notifications by https: to a receiver whose certificate is trusted, and to none whose certificate is not. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWorkerd, type Workerd } from '../../src/cli/workerd.ts';
import { textFile, WORKER_FILE, workerdConfig } from '../../src/cli/workerd-config.ts';
import { unwrap } from '../unwrap.ts';
import { presentVersion } from './far/away.ts';
import { type Identity, type Receiver, SECRET, startReceiver, verify } from './receiver.ts';
import { lacks } from './recipes/recipe.ts';
import { cleanUp, temporaryFolder, until } from './server.ts';

/** How long a message may take, ms: an attempt ends after 10 s. */
const SOON = 50_000;

const CHART = JSON.stringify({
  initial: 'a',
  notify: ['TRUSTED', 'STRANGER', 'OTHER'].map((to) => ({ on: 'a', to })),
  states: { a: { on: { update: 'b' } }, b: {} },
});

/** Makes a key, and a certificate that it has signed itself. @param name the host that the certificate is for. */
async function identityFor(folder: string, file: string, name: string): Promise<Identity> {
  const [key, cert] = [join(folder, `${file}.key`), join(folder, `${file}.pem`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = [
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=DNS:${name}`,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert]);
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}

const receivers: Receiver[] = [];
let workerd: Workerd | undefined;
let url: string;

beforeAll(async () => {
  if (lacks('openssl')) return;
  const folder = await temporaryFolder();
  const identities = {
    TRUSTED: await identityFor(folder, 'trusted', 'localhost'),
    STRANGER: await identityFor(folder, 'stranger', 'localhost'),
    // It is trusted as well, and is for another host.
    OTHER: await identityFor(folder, 'other', 'other.test'),
  };
  const texts: Record<string, string> = { AUTH: 'open' };
  for (const [hook, identity] of Object.entries(identities)) {
    const receiver = await startReceiver(identity);
    receivers.push(receiver);
    texts[`HOOK_${hook}`] = `${receiver.url}/hook ${SECRET}`;
  }
  const { worker, compatibility } = await presentVersion(folder);
  await writeFile(join(folder, WORKER_FILE), await readFile(worker));
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, textFile(name)), text);
  const config = workerdConfig(compatibility, Object.keys(texts));
  const browsers = 'tlsOptions = (trustBrowserCas = true';
  expect(config.split(browsers)).toHaveLength(2);
  // Only the configuration of this test trusts the two certificates.
  const trusted = 'trustedCertificates = [embed "trusted.pem", embed "other.pem"]';
  await writeFile(join(folder, 'config.capnp'), config.replace(browsers, `${browsers}, ${trusted}`));
  const folders = { charts: join(folder, 'charts'), data: join(folder, 'data') };
  for (const path of Object.values(folders)) await mkdir(path);
  const listen = { host: '127.0.0.1', port: 0 };
  const { signal } = new AbortController();
  workerd = unwrap(await startWorkerd(join(folder, 'config.capnp'), folders, listen, signal));
  url = `http://127.0.0.1:${workerd.port}/acme/secure`;
});
afterAll(async () => {
  await workerd?.stop();
  for (const receiver of receivers) receiver.stop();
  await cleanUp();
});

it.skipIf(lacks('openssl'))(
  'are sent only to a receiver that shows a trusted certificate for its host',
  async () => {
    const uploaded = await fetch(`${url}/chart`, { method: 'PUT', body: CHART });
    expect(uploaded.status).toBe(201);
    await until(() => receivers[0]?.received.length === 1, SOON);
    const [message] = receivers[0]?.received ?? [];
    expect(message && verify(message)).toMatchObject({ machine: 'acme/secure', cause: 'upload', to: ['a'] });
    const messages = async () => {
      const response = await fetch(`${url}/notifications`);
      const { notifications } = (await response.json()) as {
        readonly notifications: readonly {
          hook: string;
          status: string;

          failure: string | null;
        }[];
      };
      return notifications.toSorted((a, b) => a.hook.localeCompare(b.hook));
    };
    await until(
      async () => (await messages()).every(({ status, failure }) => status === 'sent' || failure !== null),
      SOON,
    );
    expect(await messages()).toMatchObject([
      { hook: 'OTHER', status: 'pending', failure: 'no connection' },
      { hook: 'STRANGER', status: 'pending', failure: 'no connection' },
      { hook: 'TRUSTED', status: 'sent', failure: null },
    ]);
    expect(receivers.map(({ received }) => received.length)).toEqual([1, 0, 0]);
  },
);
