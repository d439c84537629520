/** Looks for each peer before the first test, and fetches those of npm. */
import { execFile } from 'node:child_process';
import { access, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PEERS, type Peer, type PeerName } from './peers.ts';

const run = promisify(execFile);

const ROOT = resolve(import.meta.dirname, '../..');

/** Where npm's peers are kept from run to run. */
const CACHE = join(ROOT, 'node_modules/.cache/stateservice-peers');

/** What was found of a peer. */
export interface Found {
  readonly version?: string;
  /** Of a package of npm: the folder that contains its `node_modules`. */
  readonly folder?: string;
  /** Why it cannot be run. */
  readonly lack?: string;
}

/** Vitest calls it before the first test. The test files and the report read the result by `found`. */
export async function setup(): Promise<void> {
  const all: [string, Found][] = [];
  // One at a time: npm downloads side by side by itself.
  for (const [name, peer] of Object.entries(PEERS)) all.push([name, await find(peer)]);
  process.env.PEERS = JSON.stringify(Object.fromEntries(all));
}

/** @returns what `setup` has found of a peer. */
export function found(name: PeerName): Found {
  const all: Readonly<Record<string, Found>> = JSON.parse(process.env.PEERS ?? '{}');
  return all[name] ?? { lack: 'not looked for' };
}

/** @returns whether the tests of a peer are skipped; the report says why. */
export function lacks(name: PeerName): boolean {
  return found(name).lack !== undefined;
}

async function find({ from }: Peer): Promise<Found> {
  if ('npm' in from) return fetchPackage(from.npm);
  if ('debian' in from) return findPackages(from.debian);
  const file = join(ROOT, 'node_modules', from.dependency, 'package.json');
  return { version: versionIn(await readFile(file, 'utf8')) };
}

async function fetchPackage(pinned: string): Promise<Found> {
  const at = pinned.lastIndexOf('@');
  const [name, version] = [pinned.slice(0, at), pinned.slice(at + 1)];
  const folder = join(CACHE, pinned.replaceAll('/', '+'));
  const fetched = join(folder, 'complete');
  if (await exists(fetched)) return { version, folder };
  await mkdir(folder, { recursive: true });
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  try {
    await run('npm', ['install', ...flags, '--prefix', folder, pinned], { timeout: 300_000 });
    // Only now: an install that was cut off is made again.
    await mkdir(fetched);
    return { version, folder };
  } catch (error) {
    const [line] = /npm error .*/.exec(String(error)) ?? [String(error)];
    return { version, lack: `\`npm install ${name}\` failed: ${line}` };
  }
}

async function findPackages(names: readonly string[]): Promise<Found> {
  const versions = await Promise.all(names.map(installedVersion));
  const missing = names.filter((_, i) => versions[i] === undefined);
  const [version] = versions;
  return {
    ...(version === undefined ? {} : { version }),
    ...(missing.length === 0 ? {} : { lack: `apt-get install ${missing.join(' ')}` }),
  };
}

async function installedVersion(name: string): Promise<string | undefined> {
  const printed = await run('dpkg-query', ['--status', name]).catch(() => undefined);
  if (!/^Status: install ok installed$/m.test(printed?.stdout ?? '')) return undefined;
  return /^Version: (.+)$/m.exec(printed?.stdout ?? '')?.[1];
}

function versionIn(manifest: string): string {
  const { version }: { version: string } = JSON.parse(manifest);
  return version;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
