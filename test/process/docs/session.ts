/** A copy of the package in which commands are typed, one after another, by bash. */
import { chmod, copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { run } from '../recipes/recipe.ts';
import { temporaryFolder } from '../server.ts';
import { PACKAGE } from './pages.ts';

/** What a working copy has beside the package, as .gitignore says; none of it is needed for a command. */
const NOT_COPIED = new Set(['.git', 'node_modules', 'dist', 'data', '.wrangler', 'coverage']);

const SUBSTITUTES = join(import.meta.dirname, 'substitutes.sh');

/** What came of a command. */
export interface Done {
  /** Missing where it was never come to: an `exit` before it, or a block that is no shell at all. */
  readonly code: number | undefined;
  readonly stdout: readonly string[];
  /** Without what `answered` has. */
  readonly stderr: string;
  /** The statuses of the requests that it has sent itself. */
  readonly answered: readonly number[];
}

/** Copies the package, and puts into it what a reader has of his own: a chart, scripts that work, an inventory. */
export async function workingCopy(): Promise<string> {
  const copy = await temporaryFolder();
  const isCopied = (path: string) => !NOT_COPIED.has(relative(PACKAGE, path));
  await cp(PACKAGE, copy, { recursive: true, filter: isCopied });
  await symlink(join(PACKAGE, 'node_modules'), join(copy, 'node_modules'));
  await copyFile(join(copy, 'charts/default.yaml'), join(copy, 'states.yaml'));
  await cp(join(copy, 'charts'), join(copy, 'DIR'), { recursive: true });
  for (const folder of [copy, join(copy, 'docs/recipes')]) {
    for (const name of ['deploy.sh', 'patch.sh']) {
      await writeFile(join(folder, name), '#!/bin/sh\n');
      await chmod(join(folder, name), 0o755);
    }
    await writeFile(join(folder, 'hosts.ini'), 'web-01 ansible_connection=local\n');
  }
  for (const folder of ['usr/local/bin', 'etc/systemd/system', 'etc/nginx/conf.d'])
    await mkdir(join(copy, 'system', folder), { recursive: true });
  return copy;
}

/**
 * Types commands into one shell.
 *
 * @param copy of the package
 * @param folder where they are typed, inside of it
 */
export async function type(
  commands: readonly string[],
  copy: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly Done[]> {
  const printed = await temporaryFolder();
  const file = (i: number, what: string) => join(printed, `${i}.${what}`);
  const script = commands.map(
    (command, i) =>
      `{ ${command}\n} >'${file(i, 'stdout')}' 2>'${file(i, 'stderr')}'\necho $? >'${file(i, 'code')}'\n`,
  );
  // What fails before a pipe is not to be hidden by what follows it.
  const shell = ['-o', 'pipefail', '-c', `. '${SUBSTITUTES}'\n${script.join('')}`];
  const recipes = join(copy, 'docs/recipes');
  const all = await run('bash', shell, {
    cwd: join(copy, folder),
    env: {
      // The Node that runs this, which runs TypeScript; and the recipes, as if they were installed.
      PATH: [dirname(process.execPath), recipes, process.env.PATH].join(':'),
      LC_ALL: 'C.UTF-8',
      SYSTEM: join(copy, 'system'),
      WRANGLER_SEND_METRICS: 'false',
      ANSIBLE_HOME: join(copy, '.ansible'),
      ...env,
    },
  });
  if (all.stderr !== '') throw new Error(all.stderr);
  return Promise.all(
    commands.map(async (_, i) => {
      const [code, stdout, stderr] = await Promise.all(
        ['code', 'stdout', 'stderr'].map((what) => readFile(file(i, what), 'utf8').catch(() => '')),
      );
      const answers = /^answered (\d{3})\n/gm;
      return {
        code: code ? Number(code) : undefined,
        stdout: linesOf(stdout ?? ''),
        stderr: (stderr ?? '').replace(answers, ''),
        answered: Array.from((stderr ?? '').matchAll(answers), ([, status]) => Number(status)),
      };
    }),
  );
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
