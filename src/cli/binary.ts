/** `binary`: makes one executable file of the service, which needs no Node. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HOOK_VARIABLE } from '../hook.ts';
import { WAITS } from '../limits.ts';
import { bundleWorker, PACKAGE_ROOT } from './bundle.ts';
import { DESCRIPTORS } from './descriptors.ts';
import { readFlags } from './flags.ts';
import { DONE, type Result, reasonOf, refuse, shown } from './result.ts';
import { inTemporaryFolder } from './temporary-folder.ts';
import { workerdBinary } from './workerd.ts';
import { readCompatibility, WORKER_FILE, workerdConfig } from './workerd-config.ts';

export const help = `usage: npm run binary -- [--out FILE] [--hook NAME]...

Makes one executable file that serves charts without Node: workerd with the bundled service in it, behind a short shell
script that reads the flags. It is for the platform that it is made on: Linux on x64 or arm64.

  --out FILE   (default: dist/stateservice)
  --hook NAME  a receiver of notifications, whose address the server reads from HOOK_NAME; may be repeated

examples:
  npm run binary
  TOKEN_SECRET=$(cat secret) dist/stateservice --data /var/lib/stateservice --charts /etc/stateservice/charts`;

/** What `npm start` writes to the configuration, and the binary reads from the environment that its script sets. */
const VARIABLES = ['AUTH', 'ALLOWED_HOSTS', 'WAITS', 'LOCAL_HOOKS'] as const;

/** The digits of a number in the script: its length must not depend on the numbers. */
const DIGITS = 12;

export async function run(args: string[]): Promise<Result<void>> {
  const parsed = readFlags(args, { out: { type: 'string' }, hook: { type: 'string', multiple: true } });
  if (!parsed.ok) return parsed;
  const hooks = (parsed.value.values.hook ?? []).map((name) => `HOOK_${name}`);
  const wrong = hooks.find((hook) => !HOOK_VARIABLE.test(hook));
  if (wrong !== undefined) return refuse(`${wrong} is no name of a hook such as HOOK_OPS`, 'usage');
  if (process.platform !== 'linux') return refuse(`the binary is for Linux, and this is ${process.platform}`);
  const file = resolve(parsed.value.values.out ?? join(PACKAGE_ROOT, 'dist/stateservice'));
  const compatibility = readCompatibility(await readFile(join(PACKAGE_ROOT, 'wrangler.toml'), 'utf8'));
  if (compatibility === undefined) return refuse('wrangler.toml has no compatibility_date');
  return inTemporaryFolder(async (folder) => {
    const bundled = await bundleWorker(join(folder, WORKER_FILE));
    if (!bundled.ok) return bundled;
    const config = join(folder, 'config.capnp');
    await writeFile(config, workerdConfig(compatibility, [], [...VARIABLES, ...hooks]));
    try {
      await mkdir(dirname(file), { recursive: true });
      const size = await write(file, config);
      console.log(`${shown(file)}  ${Math.round(size / 1_000_000)} MB`);
      return DONE;
    } catch (error) {
      return refuse(`cannot make ${shown(file)}: ${reasonOf(error)}`);
    }
  });
}

/**
 * Writes the script, and behind it what `workerd compile` makes of a configuration.
 *
 * @returns the number of bytes.
 */
async function write(file: string, config: string): Promise<number> {
  // A file that runs cannot be written to, but replaced.
  const part = `${file}.part`;
  const handle = await open(part, 'w');
  try {
    const { bytesWritten } = await handle.write(await head(0, 0));
    const child = spawn(workerdBinary(), ['compile', config], { stdio: ['ignore', handle.fd, 'inherit'] });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`workerd compile ended with ${code}`);
    const { size } = await handle.stat();
    await handle.write(await head(bytesWritten + 1, size), 0, bytesWritten, 0);
    await chmod(part, 0o755);
    await rename(part, file);
    return size;
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
}

/** @param start the number of the first byte of the program, from 1. @param size of the whole file */
async function head(start: number, size: number): Promise<Buffer> {
  const manifest: unknown = JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest && manifest.version;
  const values = {
    START: String(start).padEnd(DIGITS),
    SIZE: String(size).padEnd(DIGITS),
    VERSION: String(version),
    WAITS: String(WAITS),
    DESCRIPTORS: String(DESCRIPTORS),
  };
  let text = await readFile(join(import.meta.dirname, 'binary-head.sh'), 'utf8');
  for (const [name, value] of Object.entries(values)) text = text.replace(`@${name}@`, value);
  return Buffer.from(text);
}
