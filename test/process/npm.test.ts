/** `npm start` under a supervisor, which signals the pid of npm. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { childrenOf, cleanUp, isAlive, startServer, temporaryFolder, until } from './server.ts';

const started = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of started) for (const pid of [...descendantsOf(child.pid), child.pid]) kill(pid);
  started.clear();
  await cleanUp();
});

it.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
  'is ended by %s to npm, and leaves nothing behind',
  async (signal) => {
    const { npm, data } = await startNpm();
    const processes = descendantsOf(npm.pid);
    // The command line, its workerd, and the guard of workerd.
    expect(processes.length).toBeGreaterThanOrEqual(3);

    npm.kill(signal);
    await until(() => !processes.some(isAlive), 4_000);
    // Its data folder is free for the next server.
    await startServer({ data });
  },
);

it('outlives the shell that started it without npm, as under nohup', async () => {
  const data = await temporaryFolder();
  const { npm_execpath: _, ...env } = process.env;
  // The shell ends at once.
  const command = '"$0" src/cli.ts serve --port 0 --charts "$1" --data "$1" >"$1/log" 2>&1 & echo $!';
  const printed = execFileSync('sh', ['-c', command, process.execPath, data], { encoding: 'utf8', env });
  const pid = Number(printed);
  try {
    await until(() => descendantsOf(pid).length >= 2, 20_000);
    // Longer than the interval at which it looks for its parent.
    await new Promise((done) => setTimeout(done, 1_000));
    expect(isAlive(pid)).toBe(true);
  } finally {
    process.kill(pid, 'SIGTERM');
    await until(() => !isAlive(pid));
  }
});

async function startNpm(): Promise<{ npm: ChildProcess; data: string }> {
  const data = await temporaryFolder();
  const npm = spawn('npm', ['start', '--', '--port', '0', '--charts', data, '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(npm);
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  await until(() => output.includes('listens on'), 30_000);
  return { npm, data };
}

/** Children, their children, and so on. */
function descendantsOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
