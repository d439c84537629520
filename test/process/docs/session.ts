/** Runs commands in a copy of the package, one after another, with bash. */
import { chmod, copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { run } from '../recipes/recipe.ts';
import { temporaryFolder } from '../server.ts';
import { PACKAGE } from './pages.ts';

/** Ignored files of a working copy (.gitignore); no command needs them. */
const NOT_COPIED = new Set(['.git', 'node_modules', 'dist', 'data', '.wrangler', 'coverage']);

const SUBSTITUTES = join(import.meta.dirname, 'substitutes.sh');

/** Result of a command. */
export interface Done {
  /** Missing if the command did not run: after an `exit`, or in a block that is not shell. */
  readonly code: number | undefined;
  readonly stdout: readonly string[];
  /** Without the lines of `answered`. */
  readonly stderr: string;
  /** Statuses of the requests that the command sent itself. */
  readonly answered: readonly number[];
}

/** Copies the package, and adds files that a reader has: a chart, scripts that succeed, an inventory. */
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
 * Runs commands in one shell.
 *
 * @param copy of the package
 * @param folder inside the copy where they run
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
  // A failure before a pipe fails the command.
  const shell = ['-o', 'pipefail', '-c', `. '${SUBSTITUTES}'\n${script.join('')}`];
  const recipes = join(copy, 'docs/recipes');
  const all = await run('bash', shell, {
    cwd: join(copy, folder),
    env: {
      // The Node of this process, which runs TypeScript, and the recipes as if they were installed.
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
