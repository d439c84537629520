/** `check`: everything that is wrong with charts, at once, for people, editors and CI. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import type { ChartIssue } from '../chart/chart.ts';
import { located, readBytes } from './chart-files.ts';
import { readFlags } from './flags.ts';
import { DONE, errorPath, type Outcome, reasonOf, refuse, refuseLines, shown } from './outcome.ts';

export const help = `usage: npx stateservice check [--json] [--strict] FILE|DIR...

Reads charts, and prints every error and every warning as file:line:column, and how many there are. In a folder, every
.yaml and .yml is read, in the folders below it as well.

  --json     prints a list of {file, severity, line, column, path, message} instead
  --strict   a warning is as bad as an error

It ends with 0 where all charts are right, 1 where one is wrong, 2 where the command line is.

examples:
  npx stateservice check charts
  npx stateservice check --json states.yaml | jq -r '.[].message'
  npx stateservice check --strict charts || exit 1`;

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
  let charts = 0;
  try {
    for (const path of positionals) {
      for (const file of await filesIn(path)) {
        charts += 1;
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
  for (const finding of findings) console.log(lineOf(finding));
  const total = `${counted(charts, 'chart')}, ${countedBy(findings, 'error')}, ${countedBy(findings, 'warning')}`;
  console.log(styleText(isWrong ? 'red' : 'green', total));
  return isWrong ? refuseLines([]) : DONE;
}

/** An issue as editors and terminals make a link of it; `styleText` leaves out colours where stdout is no terminal. */
function lineOf(finding: Finding): string {
  if (finding.severity === 'warning') return located(finding.file, finding, styleText('yellow', 'warning: '));
  return located(finding.file, finding, styleText('red', 'error: '));
}

function countedBy(findings: readonly Finding[], severity: Finding['severity']): string {
  return counted(findings.filter((finding) => finding.severity === severity).length, severity);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
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
