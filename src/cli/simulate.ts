/** `simulate`: runs a chart without a machine. */
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import { parseDuration } from '../chart/time.ts';
import { durationText } from '../view/format.ts';
import { readChartFile } from './chart-files.ts';
import { readFlags } from './flags.ts';
import { DONE, type Result, refuse, refuseLines } from './result.ts';
import { PLAYED, Simulation, type StepResult } from './simulation.ts';

export const help = `usage: npx stateservice simulate CHART [--at TIME] [--json] [STEP...]

Runs a chart step by step, and shows after each step its states, counts, slots, context, and the targets of the next three
timers. Nothing is stored; slots are not claimed.

  update          an event, sent to the innermost state that takes it
  eu.drain:fail   an event, sent to that state
  +30m            lets time pass: 90s, 30m, 12h, 7d
  --at TIME       the start, ISO 8601                             (default: now)
  --json          print each step as a line of JSON

Without steps it reads them from stdin, one per line; \`help\` lists the events. The exit code is 1 where a step was refused.

examples:
  npx stateservice simulate charts/acme/canary.yaml update update update +30m
  npx stateservice simulate charts/acme/maintenance.yaml --at 2026-12-01T00:00:00Z +12h
  printf 'update\\n+30m\\n' | npx stateservice simulate charts/acme/canary.yaml`;

const OPTIONS = { at: { type: 'string' }, json: { type: 'boolean', default: false } } as const;

export async function run(args: string[]): Promise<Result<void>> {
  const flags = readFlags(args, OPTIONS, true);
  if (!flags.ok) return flags;
  const { at, json } = flags.value.values;
  const [file, ...steps] = flags.value.positionals;
  if (file === undefined) return refuse('simulate takes a chart', 'usage');
  const now = at === undefined ? Date.now() : Date.parse(at);
  if (!Number.isFinite(now)) return refuse(`--at ${at} is not a time such as 2026-12-01T00:00:00Z`, 'usage');
  const chart = await readChartFile(file);
  if (!chart.ok) return chart;
  const simulation = new Simulation(chart.value, now);
  const show = json ? showJson : showText;
  show('start', simulation, PLAYED);
  let refused = 0;
  for await (const step of steps.length > 0 ? steps : typed(simulation)) {
    const played = play(step, simulation);
    if (!played.ok) refused += 1;
    show(step, simulation, played);
  }
  return refused === 0 ? DONE : refuseLines([]);
}

/** Applies one step. */
function play(step: string, simulation: Simulation): StepResult {
  if (step.startsWith('+')) {
    const ms = parseDuration(step.slice(1));
    if (ms === undefined) return { ok: false, detail: `${step} is not a duration such as +30m` };
    simulation.pass(ms);
    return PLAYED;
  }
  const colon = step.lastIndexOf(':');
  return colon === -1 ? simulation.send(step) : simulation.send(step.slice(colon + 1), step.slice(0, colon));
}

/** Reads steps from stdin. */
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
      console.error(`events: ${simulation.events.join(', ') || 'none'}; +30m lets time pass; Ctrl-D ends`);
    } else if (step !== '') yield step;
    if (isTerminal) lines.prompt();
  }
}

/** The number of timers shown after a step: the target of each is found by firing it. */
const TIMERS_SHOWN = 3;

function isEmpty(context: unknown): boolean {
  return typeof context !== 'object' || context === null || Object.keys(context).length === 0;
}

function showText(step: string, simulation: Simulation, played: StepResult): void {
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
  const refused = played.ok ? '' : ` ${styleText('red', `REFUSED: ${played.detail}`)}`;
  console.log(`${step}${refused}\n  ${where}`);
}

function showJson(step: string, simulation: Simulation, played: StepResult): void {
  const { states, counts, slots, context, now, isDone } = simulation;
  const at = new Date(now).toISOString();
  const line = {
    step,
    ...played,
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
