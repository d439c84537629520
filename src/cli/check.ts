/** `check`: everything that is wrong with charts, at once, for people, editors and CI. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChartIssue } from '../chart/index.ts';
import { located, readBytes } from './charts.ts';
import { readFlags } from './flags.ts';
import { DONE, errorPath, type Outcome, reasonOf, refuse, refuseLines, shown } from './outcome.ts';

export const help = `usage: node src/cli.ts check [--json] [--strict] FILE|DIR...

Reads charts, and prints every error and every warning as file:line:column; nothing where there is none. In a folder,
every .yaml and .yml is read, in the folders below it as well.

  --json     prints a list of {file, severity, line, column, path, message} instead
  --strict   a warning is as bad as an error

It ends with 0 where all charts are right, 1 where one is wrong, 2 where the command line is.

examples:
  node src/cli.ts check charts
  node src/cli.ts check --json states.yaml | jq -r '.[].message'
  node src/cli.ts check --strict charts || exit 1`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
} as const;

interface Finding extends ChartIssue {
  readonly file: string;
}

export async function run(args: string[]): Promise<Outcome<void>> {
  const flags = readFlags(args, OPTIONS, true);
  if (!flags.ok) return flags;
  const { values, positionals } = flags.value;
  if (positionals.length === 0) return refuse('check what? Name a chart, or a folder of charts', 'usage');
  const findings: Finding[] = [];
  try {
    for (const path of positionals) {
      for (const file of await filesIn(path)) {
        const { warnings, ...reading } = readBytes(await readFile(file));
        const errors = reading.ok ? [] : reading.errors;
        findings.push(...[...errors, ...warnings].map((issue) => ({ file: shown(file), ...issue })));
      }
    }
  } catch (error) {
    return refuse(`cannot read ${shown(errorPath(error) ?? positionals.join(' '))}: ${reasonOf(error)}`);
  }
  const isWrong = findings.some(({ severity }) => severity === 'error' || values.strict);
  if (values.json) {
    console.log(JSON.stringify(findings, null, 2));
    return isWrong ? refuseLines([]) : DONE;
  }
  const lines = findings.map((finding) =>
    located(finding.file, finding, finding.severity === 'warning' ? 'warning: ' : ''),
  );
  if (isWrong) return refuseLines(lines);
  for (const line of lines) console.error(line);
  return DONE;
}

/** A file itself, whatever it is called; of a folder, what is called like a chart. */
async function filesIn(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => !file.split('/').some((part) => part.startsWith('.') && part !== '.' && part !== '..'))
    .sort();
}
