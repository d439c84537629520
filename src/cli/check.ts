/** `check`: reports all errors and warnings of charts, for people, editors and CI. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import {
  type Chart,
  type ChartIssue,
  type Members,
  membersIn,
  NO_TERMS,
  statesForMembers,
} from '../chart/chart.ts';
import { located, readBytes } from './chart-files.ts';
import { readFlags } from './flags.ts';
import { readMembersFile } from './member-files.ts';
import { DONE, errorPath, type Result, reasonOf, refuse, refuseLines, shown } from './result.ts';

/**
 * Bytes of a text variable of a Worker, 5 kB: a longer chart cannot be deployed as the variable CHART. Cloudflare's:
 * https://developers.cloudflare.com/workers/platform/limits/#environment-variables
 */
const TEXT_VARIABLE_BYTES = 5_000;

export const help = `usage: npx stateservice check [--json] [--strict] [--members FILE] FILE|DIR...

Reads charts, and prints every error and every warning as file:line:column, and their number. Of a folder, it reads every
.yaml and .yml, in subfolders too.

  --json     print a list of {file, severity, line, column, path, message} instead
  --strict   treat warnings as errors
  --members FILE
             the list of members that the machines will have: a name and labels a line. Without it, a chart that counts a
             share of the members, or is for some of them (\`only\`), is a warning

A chart that is longer than ${TEXT_VARIABLE_BYTES} bytes gets a note on stderr: it cannot be the variable CHART of a deploy. The
note is for charts of /state: files on the command line, and default.yaml of a folder. It is no warning for --strict.

Exit codes: 0 all charts are valid, 1 a chart is invalid, 2 the command line is wrong.

examples:
  npx stateservice check charts
  npx stateservice check --json states.yaml | jq -r '.[].message'
  npx stateservice check --strict charts || exit 1`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  members: { type: 'string' },
} as const;

interface Finding extends ChartIssue {
  readonly file: string;
}

export async function run(args: string[]): Promise<Result<void>> {
  const flags = readFlags(args, OPTIONS, true);
  if (!flags.ok) return flags;
  const { values, positionals } = flags.value;
  if (positionals.length === 0) return refuse('check takes a chart, or a folder of charts', 'usage');
  const members = await readMembersFile(values.members);
  if (!members.ok) return members;
  const findings: Finding[] = [];
  let charts = 0;
  try {
    for (const path of positionals) {
      for (const file of await filesIn(path)) {
        charts += 1;
        const bytes = await readFile(file);
        if (mayBeDefault(file, path)) noteLength(file, bytes.length);
        const { warnings, ...reading } = readBytes(bytes);
        const errors = reading.ok ? [] : reading.errors;
        const ofMembers = reading.ok ? memberWarnings(reading.chart, members.value) : [];
        findings.push(
          ...[...errors, ...warnings, ...ofMembers].map((issue) => ({ file: shown(file), ...issue })),
        );
      }
    }
  } catch (error) {
    return refuse(`cannot read ${shown(errorPath(error) ?? positionals.join(' '))}: ${reasonOf(error)}`);
  }
  const hasFailed = findings.some(({ severity }) => severity === 'error' || values.strict);
  if (values.json) {
    console.log(JSON.stringify(findings, null, 2));
    return hasFailed ? refuseLines([]) : DONE;
  }
  for (const finding of findings) console.log(lineOf(finding));
  const total = `${counted(charts, 'chart')}, ${countedBy(findings, 'error')}, ${countedBy(findings, 'warning')}`;
  console.log(styleText(hasFailed ? 'red' : 'green', total));
  return hasFailed ? refuseLines([]) : DONE;
}

/** Warns of a chart that needs a list of members, and says how to declare it; of states that are for none of a list. */
function memberWarnings(chart: Chart, members: Members | undefined): ChartIssue[] {
  const terms = { ...NO_TERMS, inputs: chart.model.inputs ?? {} };
  const states = statesForMembers(chart, terms);
  if (members !== undefined) {
    const empty = chart.model.states.flatMap(({ name, only }, state) =>
      only === undefined || membersIn(chart, members, state).size > 0 ? [] : [name],
    );
    return empty.map((name) => warning(`${JSON.stringify(name)} is for no member of the list.`));
  }
  if (states.length === 0) return [];
  const named = states.slice(0, 3).map((name) => JSON.stringify(name));
  const list = named.join(', ') + (states.length > 3 ? ` and ${states.length - 3} more` : '');
  const needs = states.length === 1 ? 'needs' : 'need';
  return [
    warning(
      `${list} ${needs} a list of members (for a share, or for \`only\`): upload one with PUT …/members, and check with --members FILE.`,
    ),
  ];
}

function warning(message: string): ChartIssue {
  return { severity: 'warning', line: 1, column: 1, path: '', message };
}

/** Whether a file may be meant as the chart of /state. @param path the argument that it was found by */
function mayBeDefault(file: string, path: string): boolean {
  return file === path || file === join(path, 'default.yaml');
}

function noteLength(file: string, bytes: number): void {
  if (bytes <= TEXT_VARIABLE_BYTES) return;
  console.error(
    `stateservice: ${shown(file)} has ${bytes} bytes, more than ${TEXT_VARIABLE_BYTES}: too long for --var CHART:; ` +
      'deploy it with npm run deploy -- --chart FILE',
  );
}

/** `styleText` omits colours where stdout is not a terminal. */
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

/** @returns a file itself, whatever its name; of a folder, the .yaml and .yml files that are not hidden. */
async function filesIn(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => !file.split('/').some((part) => part.startsWith('.') && part !== '.' && part !== '..'))
    .sort();
}
