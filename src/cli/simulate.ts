/** `simulate`: runs a chart without a machine. */
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import { type Inputs, type Members, NO_TERMS, settleInputs, start } from '../chart/chart.ts';
import { parseDuration } from '../chart/time.ts';
import { parseData } from '../inputs.ts';
import { readMemberList } from '../member-list.ts';
import { durationText, momentText } from '../view/format.ts';
import { readChartFile } from './chart-files.ts';
import { readFlags } from './flags.ts';
import { DONE, type Result, refuse, refuseLines } from './result.ts';
import { Simulation, type StepResult } from './simulation.ts';

export const help = `usage: npx stateservice simulate CHART [--at TIME] [--input X=VALUE]... [--member NAME,LABEL=VALUE...]...
         [--json] [STEP [--by NAME] [--data JSON]...]

Runs a chart step by step, and shows after each step its states, counts, slots, windows, context, and the targets of the
next three timers, and what the hooks of \`notify\` would be told. Where time passes, it shows when windows open and close.
Nothing is stored or sent; slots are not claimed.

  update          an event, sent to the innermost state that takes it
  eu.drain:fail   an event, sent to that state
  +30m            lets time pass: 90s, 30m, 12h, 7d
  --data JSON     the data of the event before it
  --by NAME       the caller of the event before it: it goes only if it may
  --member NAME,LABEL=VALUE
                  a member of the machine; repeat it for others   (default: no list)
  --input X=VALUE an input of the run; repeat it for others       (default: the chart's)
  --at TIME       the start, ISO 8601                             (default: now)
  --json          print each step as a line of JSON

Without steps it reads them from stdin, one per line, each with its --by and --data; \`help\` lists the events. The exit code is 1 where a step was refused.

examples:
  npx stateservice simulate charts/acme/canary.yaml update update update +30m
  npx stateservice simulate charts/acme/canary.yaml update fail --data '{"errors": 7}'
  npx stateservice simulate fleet.yaml --member web-01,zone=eu --member db-01 update --by web-01
  npx stateservice simulate charts/acme/maintenance.yaml --at 2026-12-01T00:00:00Z +12h
  printf 'update\\n+30m\\n' | npx stateservice simulate charts/acme/canary.yaml`;

const OPTIONS = {
  at: { type: 'string' },
  json: { type: 'boolean', default: false },
  data: { type: 'string', multiple: true },
  by: { type: 'string', multiple: true },
  member: { type: 'string', multiple: true },
  input: { type: 'string', multiple: true },
} as const;

export async function run(args: string[]): Promise<Result<void>> {
  const flags = readFlags(args, OPTIONS, true);
  if (!flags.ok) return flags;
  const { at, json, input = [], member = [] } = flags.value.values;
  const [file] = flags.value.positionals;
  if (file === undefined) return refuse('simulate takes a chart', 'usage');
  const steps = stepsIn(flags.value.tokens);
  if (!steps.ok) return steps;
  const now = at === undefined ? Date.now() : Date.parse(at);
  if (!Number.isFinite(now)) return refuse(`--at ${at} is not a time such as 2026-12-01T00:00:00Z`, 'usage');
  const chart = await readChartFile(file);
  if (!chart.ok) return chart;
  const settled = settleInputs(chart.value.model, inputsIn(input));
  if (!settled.ok) return refuseLines(settled.problems.map(({ message }) => message));
  const members = membersIn(member);
  if (!members.ok) return members;
  const terms = { ...NO_TERMS, inputs: settled.inputs, members: members.value };
  const first = start(chart.value, now, terms);
  if (!first.ok) return refuse(`the chart cannot start with these inputs: ${first.detail}`);
  const simulation = new Simulation(chart.value, now, terms);
  const show = json ? showJson : showText;
  show({ text: 'start' }, simulation, simulation.started);
  let refused = simulation.started.ok ? 0 : 1;
  for await (const step of steps.value.length > 0 ? steps.value : typed(simulation)) {
    const played = play(step, simulation);
    if (!played.ok) refused += 1;
    show(step, simulation, played);
  }
  return refused === 0 ? DONE : refuseLines([]);
}

/** Reads `x=value`; without a `=`, the value is empty. */
function inputsIn(texts: readonly string[]): Inputs {
  const pairs = texts.map((text) => {
    const end = text.indexOf('=');
    return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
  });
  return Object.fromEntries(pairs);
}

/** Reads members as they were written: `web-01,zone=eu`. @returns undefined for none. */
function membersIn(texts: readonly string[]): Result<Members | undefined> {
  if (texts.length === 0) return { ok: true, value: undefined };
  const read = readMemberList(texts.map((text) => text.replaceAll(',', ' ')).join('\n'));
  if (read.ok) return { ok: true, value: read.members };
  return refuseLines((read.errors ?? []).map(({ message }) => `--member: ${message}`));
}

/** One step as it was written, its caller and its data. */
interface Step {
  readonly text: string;
  readonly by?: string;
  /** JSON, as it was written. */
  readonly data?: string;
}

/** The arguments in their order. */
type Tokens = readonly (
  | { readonly kind: 'option'; readonly name: string; readonly value?: string | undefined }
  | { readonly kind: 'positional'; readonly value: string }
  | { readonly kind: 'option-terminator' }
)[];

/** Finds the steps in the arguments: a chart and then the steps, each with the `--by` and the `--data` that follow it. */
function stepsIn(tokens: Tokens): Result<readonly Step[]> {
  const steps: Step[] = [];
  let isChart = true;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (!isChart) steps.push({ text: token.value });
      isChart = false;
    } else if (token.kind === 'option' && (token.name === 'data' || token.name === 'by')) {
      const last = steps.pop();
      if (last === undefined || last[token.name] !== undefined) {
        return refuse(`--${token.name} belongs to the event before it, one to each`, 'usage');
      }
      steps.push({ ...last, [token.name]: token.value ?? '' });
    }
  }
  return { ok: true, value: steps };
}

/** Applies one step. */
function play({ text, by, data: written }: Step, simulation: Simulation): StepResult {
  const data = written === undefined ? NO_DATA : parseData(written, '--data');
  if (!data.ok) return { ok: false, detail: data.detail };
  if (text.startsWith('+')) {
    const ms = parseDuration(text.slice(1));
    if (ms === undefined) return { ok: false, detail: `${text} is not a duration such as +30m` };
    if (data.value !== undefined) return { ok: false, detail: '--data belongs to an event' };
    if (by !== undefined) return { ok: false, detail: '--by belongs to an event' };
    return simulation.pass(ms);
  }
  const colon = text.lastIndexOf(':');
  const state = colon === -1 ? undefined : text.slice(0, colon);
  return simulation.send(text.slice(colon + 1), state, { by, data: data.value });
}

const NO_DATA = { ok: true, value: undefined } as const;

/** Reads steps from stdin. */
async function* typed(simulation: Simulation): AsyncGenerator<Step> {
  const isTerminal = process.stdin.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: isTerminal,
    prompt: '> ',
  });
  if (isTerminal) lines.prompt();
  for await (const line of lines) {
    const step = line.trim();
    if (step === 'help' || step === '?') {
      console.error(`events: ${simulation.events.join(', ') || 'none'}; +30m lets time pass; Ctrl-D ends`);
    } else if (step !== '') yield stepIn(step);
    if (isTerminal) lines.prompt();
  }
}

/** Reads a step from a line: `fail --by web-01 --data {"errors": 7}`. */
function stepIn(line: string): Step {
  const [, before = line, data] = /^(.*?)\s+--data[\s=](.*)$/s.exec(line) ?? [];
  const [, text = before, by] = /^(.*?)\s+--by[\s=]\s*(\S+)$/s.exec(before) ?? [];
  return { text, ...(by === undefined ? {} : { by }), ...(data === undefined ? {} : { data }) };
}

/** The number of timers shown after a step: the target of each is found by firing it. */
const TIMERS_SHOWN = 3;

function isEmpty(context: unknown): boolean {
  return typeof context !== 'object' || context === null || Object.keys(context).length === 0;
}

function showText({ text, by, data }: Step, simulation: Simulation, played: StepResult): void {
  const { states, counts, slots, windows, context, now, isDone } = simulation;
  const details = [
    ...counts.map(
      ({ state, event, have, need }) =>
        `${event} at ${state}: ${have} of ${need ?? 'a share of the members'}`,
    ),
    ...slots.map(({ state, slots }) => `slots at ${state}: ${slots}`),
    ...windows.map(
      ({ state, open, next }) => `${state} is ${open ? 'open' : 'closed'}${nextText(open, next, now)}`,
    ),
    ...simulation
      .timers(TIMERS_SHOWN)
      .map(({ at, to }) => `in ${durationText(at - now)}: ${to.join(', ') || 'no other state'}`),
    ...(isEmpty(context) ? [] : [`context: ${JSON.stringify(context)}`]),
    ...(isDone ? ['done'] : []),
    ...simulation.told.map(({ to, entered }) => `tells ${to}: ${entered.join(', ') || 'refused'}`),
  ];
  const where = `${styleText('bold', states.join(', '))}${details.length === 0 ? '' : ` (${details.join('; ')})`}`;
  const refused = played.ok ? '' : ` ${styleText('red', `REFUSED: ${played.detail}`)}`;
  const said = [text, by === undefined ? '' : `--by ${by}`, data ?? ''].filter(Boolean).join(' ');
  const changes = (played.changes ?? []).map(
    ({ at, state, open }) => `\n  ${momentText(at)}: ${state} ${open ? 'opens' : 'closes'}`,
  );
  console.log(`${said}${refused}${changes.join('')}\n  ${where}`);
}

/** Says when an open state closes, or a closed one opens. */
function nextText(open: boolean, next: number | undefined, now: number): string {
  return next === undefined
    ? ''
    : `, ${open ? 'closes' : 'opens'} in ${durationText(next - now)} (${momentText(next)})`;
}

function showJson({ text, by, data }: Step, simulation: Simulation, played: StepResult): void {
  const { states, counts, slots, windows, context, now, isDone } = simulation;
  const at = new Date(now).toISOString();
  const { changes = [] } = played;
  const line = {
    step: text,
    ...(by === undefined ? {} : { by }),
    ...(data === undefined ? {} : { data }),
    ...(played.ok ? { ok: true } : { ok: false, detail: played.detail }),
    at,
    states,
    status: isDone ? 'done' : 'active',
    counts,
    slots,
    windows: windows.map(({ state, open, next }) => ({
      state,
      open,
      ...(next === undefined ? {} : { [open ? 'until' : 'opens']: new Date(next).toISOString() }),
    })),
    ...(changes.length === 0
      ? {}
      : { changes: changes.map((change) => ({ ...change, at: new Date(change.at).toISOString() })) }),
    timers: simulation
      .timers(TIMERS_SHOWN)
      .map(({ at: due, to }) => ({ at: new Date(due).toISOString(), to })),
    context,
    ...(simulation.told.length === 0 ? {} : { told: simulation.told }),
  };
  console.log(JSON.stringify(line));
}
