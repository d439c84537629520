/** Services of others with a similar purpose, each in a process of its own on a free port of the loopback. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, HOST } from './server.ts';

export interface Peer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Whether a command is in `PATH`. */
export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/**
 * One node of etcd, which syncs each commit as we do; by its HTTP gateway, because the client of this use is curl.
 */
export async function startEtcd(folder: string): Promise<Peer> {
  const [client, peer] = [await freePort(), await freePort()];
  const urls = { client: `http://${HOST}:${client}`, peer: `http://${HOST}:${peer}` };
  const flags = {
    name: 'bench',
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': urls.client,
    'advertise-client-urls': urls.client,
    'listen-peer-urls': urls.peer,
    'initial-advertise-peer-urls': urls.peer,
    'initial-cluster': `bench=${urls.peer}`,
    'log-level': 'error',
  };
  const child = spawn(
    'etcd',
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    { stdio: 'ignore' },
  );
  return whenUp(child, urls.client, '/health');
}

/**
 * The original of 2018, a Flask app: `python3` with Flask and PyYAML. Since version 6, PyYAML needs a loader. The
 * original names none, so it is given the safe one.
 *
 * @param source the folder of its repository.
 */
export async function startOriginal(source: string, folder: string, chart: string): Promise<Peer> {
  const port = await freePort();
  await mkdir(join(folder, 'original'));
  const file = join(folder, 'original', 'states.yaml');
  await writeFile(file, chart);
  const run =
    'import runpy, yaml; load = yaml.load; yaml.load = lambda data, *_: load(data, yaml.SafeLoader); ' +
    "runpy.run_module('state_service.state_service', run_name='__main__')";
  const child = spawn('python3', ['-c', run, '--chart', file, '--host', HOST, '--port', String(port)], {
    cwd: source,
    stdio: 'ignore',
  });
  return whenUp(child, `http://${HOST}:${port}`, '/state?state=a');
}

async function whenUp(child: ChildProcess, url: string, path: string): Promise<Peer> {
  const gone = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('exit', () => done());
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) break;
    const isUp = await fetch(url + path).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return { url, stop };
    await pause(100);
  }
  await stop();
  throw new Error(`${child.spawnfile} does not answer at ${url}`);
}
