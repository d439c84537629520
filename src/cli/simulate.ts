/** `simulate`: a chart played through before it runs anywhere. */
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import { parseDuration } from '../chart/time.ts';
import { durationText } from '../view/format.ts';
import { readChartFile } from './chart-files.ts';
import { readFlags } from './flags.ts';
import { DONE, type Outcome, refuse, refuseLines } from './outcome.ts';
import { Simulation } from './simulation.ts';

export const help = `usage: npx stateservice simulate CHART [--at TIME] [--json] [STEP...]

Plays steps against a chart, and shows after each where it stands: states, counts, slots, the context, and where the
next three timers lead. Nothing is stored; slots are not claimed.

  update          an event, sent to the innermost state that takes it
  eu.drain:fail   an event, sent to that state
  +30m            lets time pass: 90s, 30m, 12h, 7d
  --at TIME       when it begins, ISO 8601                        (default: now)
  --json          prints each step as a line of JSON

Without steps it asks for them, one a line, until the end of the input; \`help\` lists what there is. It ends with 1 where a
step was refused.

examples:
  npx stateservice simulate charts/acme/canary.yaml update update update +30m
  npx stateservice simulate charts/acme/maintenance.yaml --at 2026-12-01T00:00:00Z +12h
  printf 'update\\n+30m\\n' | npx stateservice simulate charts/acme/canary.yaml`;

const OPTIONS = { at: { type: 'string' }, json: { type: 'boolean', default: false } } as const;

export async function run(args: string[]): Promise<Outcome<void>> {
  const flags = readFlags(args, OPTIONS, true);
  if (!flags.ok) return flags;
  const { at, json } = flags.value.values;
  const [file, ...steps] = flags.value.positionals;
  if (file === undefined) return refuse('simulate what? Name a chart', 'usage');
  const now = at === undefined ? Date.now() : Date.parse(at);
  if (!Number.isFinite(now)) return refuse(`--at ${at} is no time such as 2026-12-01T00:00:00Z`, 'usage');
  const chart = await readChartFile(file);
  if (!chart.ok) return chart;
  const simulation = new Simulation(chart.value, now);
  const show = json ? showJson : showText;
  show('start', simulation, undefined);
  let refused = 0;
  for await (const step of steps.length > 0 ? steps : typed(simulation)) {
    const why = play(step, simulation);
    if (why !== undefined) refused += 1;
    show(step, simulation, why);
  }
  return refused === 0 ? DONE : refuseLines([]);
}

/** @returns why a step was refused, or nothing. */
function play(step: string, simulation: Simulation): string | undefined {
  if (step.startsWith('+')) {
    const ms = parseDuration(step.slice(1));
    if (ms === undefined) return `${step} is no time such as +30m`;
    simulation.pass(ms);
    return undefined;
  }
  const colon = step.lastIndexOf(':');
  const outcome =
    colon === -1 ? simulation.send(step) : simulation.send(step.slice(colon + 1), step.slice(0, colon));
  return outcome.detail;
}

/** Steps as somebody types them. */
async function* typed(simulation: Simulation): AsyncGenerator<string> {
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
      console.error(`events: ${simulation.events.join(', ') || 'none'}; +30m lets time pass; Ctrl-D ends it`);
    } else if (step !== '') yield step;
    if (isTerminal) lines.prompt();
  }
}

/** The first timers of a step: where each leads is found by firing it. */
const TIMERS_SHOWN = 3;

function isEmpty(context: unknown): boolean {
  return typeof context !== 'object' || context === null || Object.keys(context).length === 0;
}

function showText(step: string, simulation: Simulation, why: string | undefined): void {
  const { states, counts, slots, context, now, isDone } = simulation;
  const details = [
    ...counts.map(({ state, event, have, need }) => `${event} at ${state}: ${have} of ${need}`),
    ...slots.map(({ state, slots }) => `slots at ${state}: ${slots}`),
    ...simulation
      .timers(TIMERS_SHOWN)
      .map(({ at, to }) => `in ${durationText(at - now)}: ${to.join(', ') || 'no other state'}`),
    ...(isEmpty(context) ? [] : [`context: ${JSON.stringify(context)}`]),
    ...(isDone ? ['done'] : []),
  ];
  const where = `${styleText('bold', states.join(', '))}${details.length === 0 ? '' : ` (${details.join('; ')})`}`;
  const refused = why === undefined ? '' : ` ${styleText('red', `REFUSED: ${why}`)}`;
  console.log(`${step}${refused}\n  ${where}`);
}

function showJson(step: string, simulation: Simulation, why: string | undefined): void {
  const { states, counts, slots, context, now, isDone } = simulation;
  const at = new Date(now).toISOString();
  const line = {
    step,
    ok: why === undefined,
    ...(why === undefined ? {} : { detail: why }),
    at,
    states,
    status: isDone ? 'done' : 'active',
    counts,
    slots,
    timers: simulation
      .timers(TIMERS_SHOWN)
      .map(({ at: due, to }) => ({ at: new Date(due).toISOString(), to })),
    context,
  };
  console.log(JSON.stringify(line));
}
