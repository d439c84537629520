/** The verdict on a run: whether its history is linearizable, and whether the run tested enough for a verdict. */
import { type Chart, nameOf, readChart, type Terms } from '../../src/chart/chart.ts';
import { withHeard } from './heard.ts';
import type { Operation } from './history.ts';
import { linearize, type Verdict } from './linearizability.ts';
import type { Machine, Tally } from './machine.ts';
import { answersTo, modelOf, type Setting } from './model.ts';
import { countMessages, wrongMessages } from './notifications.ts';
import { given } from './operators.ts';
import type { Answer, Request } from './requests.ts';
import type { Run } from './run.ts';
import type { Shape } from './shapes.ts';

export interface Judgement {
  readonly isLinearizable: boolean;
  /** The search reached its bound: nothing is known of the run. */
  readonly gaveUp: boolean;
  /** The longest order of calls found that explains their answers. */
  readonly order: readonly Operation<Request, Answer>[];
  /** What the run had too little of. */
  readonly missing: readonly string[];
  readonly work: Work;
  /** How long the search took, in ms. */
  readonly took: number;
  /** The calls around the place where the search got stuck, as text; empty if it did not. */
  readonly excerpt: string;
}

/** What happened in the run, as counts. */
export interface Work extends Tally {
  /** Messages that hooks have taken, and those that came again. */
  readonly told: number;
  readonly toldAgain: number;
  readonly answered: number;
  /** Calls that died, and may have taken effect. */
  readonly unknown: number;
  /** Those of them that were in flight when their server was killed. */
  readonly cutOff: number;
  readonly kills: number;
}

/** The minimum of each count: a run with less has tested nothing. A shape has more of them. */
const ENOUGH: readonly (readonly [keyof Work, number])[] = [
  ['answered', 1_000],
  ['cutOff', 1],
  ['kills', 1],
  ['claims', 1],
];

export function judge(run: Run): Judgement {
  const reading = readChart(run.shape.chart);
  if (!reading.ok) throw new Error(`the chart of seed ${run.seed} is wrong: ${reading.errors[0]?.message}`);
  const { chart } = reading;
  const { started, ahead, shape } = run;
  const setting = { chart, started, terms: termsOf(chart, shape), ahead };
  const from = performance.now();
  const verdict = linearize(withHeard(run.history), modelOf(setting));
  const took = performance.now() - from;
  const { order, state } = verdict.ok ? verdict : verdict.stuck;
  const { entries, told } = run;
  const wrong = [...unkeptOf(run), ...(told === undefined ? [] : wrongMessages(shape, entries, told))];
  const answered = run.history.filter(({ outcome }) => outcome.known).length;
  const work = {
    ...state.tally,
    ...countMessages(told),
    answered,
    unknown: run.history.length - answered,
    kills: run.kills,
    cutOff: run.cutOff,
  };
  return {
    isLinearizable: verdict.ok && wrong.length === 0,
    gaveUp: !verdict.ok && verdict.gaveUp && wrong.length === 0,
    order,
    // A search that got stuck says nothing about later calls.
    missing: verdict.ok ? missingIn(work, run.shape) : [],
    work,
    took,
    excerpt: [...wrong, ...(verdict.ok ? [] : [excerptOf(setting, verdict)])].join('\n'),
  };
}

/**
 * Returns the acknowledged reports that the machine's own history does not have, or has with other data. It looks at
 * reports that cannot be repeats: the revision of the answer is that of the entry.
 */
function unkeptOf({ history, entries, started }: Run): string[] {
  const updates = entries.filter(({ cause }) => cause === 'update');
  const byRevision = new Map(updates.map((entry) => [entry.revision, entry]));
  return history.flatMap((operation) => {
    const { request, outcome } = operation;
    if (request.type !== 'update' || request.by !== undefined || request.key !== undefined) return [];
    if (!outcome.known || outcome.answer.status !== 200) return [];
    const entry = byRevision.get(outcome.answer.revision);
    const data = entry?.data === undefined ? undefined : JSON.stringify(entry.data);
    if (entry?.event === request.event && data === request.data) return [];
    const kept = entry === undefined ? 'no such entry' : JSON.stringify(entry);
    return [`The machine's own history has ${kept} for this report:\n  ${describe(operation, started.from)}`];
  });
}

/** @returns the counts that are too small. */
export function missingIn(work: Work, { shows, notify }: Pick<Shape, 'shows' | 'notify'>): string[] {
  const names = [...shows, ...(notify === undefined ? [] : (['told'] as const))];
  const all = [...ENOUGH, ...names.map((name) => [name, 1] as const)];
  return all.flatMap(([name, least]) => (work[name] < least ? [`${name}: ${work[name]}, not ${least}`] : []));
}

/** @returns the terms with which the machine of a shape begins. */
export function termsOf(chart: Chart, { begin }: Pick<Shape, 'begin'>): Terms {
  const inputs = given(chart, chart.model.inputs ?? {}, begin?.inputs);
  return { inputs, members: undefined };
}

/** Formats a run in one line, and if it is not linearizable, the place of the contradiction. */
export function summaryOf(
  { seed, shape }: Run,
  { isLinearizable, gaveUp, missing, work, took, excerpt }: Judgement,
): string {
  const { answered, kills, unknown, cutOff, repeated, timers, expired, claims, data } = work;
  const {
    turnedAway,
    cooled,
    pauses,
    overrides,
    strangers,
    recounted,
    links,
    linksAgain,
    linksOver,
    told,
    toldAgain,
  } = work;
  const verdict = isLinearizable ? 'linearizable' : gaveUp ? 'NO VERDICT' : 'NOT LINEARIZABLE';
  const counts = [
    `${answered} operations`,
    `${kills} kills`,
    `${unknown} unknown outcomes (${cutOff} cut off by a kill)`,
    `${repeated} repeats`,
    `${timers} timers`,
    `${claims} claims`,
    `${data} reads of data`,
    `${expired} leases ended`,
    `${turnedAway} turned away`,
    `${cooled} kept back by a cooldown`,
    `${pauses} pauses`,
    `${overrides} overrides`,
    `${strangers} strangers`,
    `${recounted} counts met by operators`,
    `${links} links (${linksAgain} again, ${linksOver} too late)`,
    `${told} messages taken (${toldAgain} came again)`,
  ];
  const line = `seed ${seed} (${shape.name}): ${counts.join(', ')}: ${verdict} (${(took / 1_000).toFixed(2)} s)`;
  const tooLittle = missing.length === 0 ? [] : [`seed ${seed} has shown too little: ${missing.join('; ')}`];
  return [line, ...tooLittle, ...(excerpt === '' ? [] : [excerpt])].join('\n');
}

/** Calls that are shown before the place where the search got stuck. */
const EXCERPT = 8;

function excerptOf(
  setting: Setting,
  { gaveUp, stuck }: Extract<Verdict<Machine, Request, Answer>, { ok: false }>,
): string {
  const { chart, started } = setting;
  const { order, state, next } = stuck;
  const line = (operation: Operation<Request, Answer>) => `  ${describe(operation, started.from)}`;
  const { revision, snapshot } = state;
  return [
    gaveUp ? 'The search was given up here:' : 'No order of these calls explains their answers:',
    ...order.slice(-EXCERPT).map(line),
    `  So far it is at revision ${revision}, in ${[...snapshot.active.keys()].map((at) => nameOf(chart, at)).join(', ')}. One of these must be next:`,
    ...next.flatMap((call) => [line(call), ...answersTo(setting, state, call).map(wouldBe)]),
  ].join('\n');
}

function wouldBe(answer: Answer): string {
  return `    would be answered ${JSON.stringify(answer)}`;
}

function describe({ client, request, called, outcome }: Operation<Request, Answer>, from: number): string {
  const at = (ms: number) => (ms - from).toFixed(1);
  const { type, ...said } = request;
  const { link: _, ...words } = { link: undefined, ...said };
  const asked = `${client} ${type} ${JSON.stringify(words)}`;
  if (!outcome.known) return `${at(called)}..${at(outcome.until)} ${asked}: unknown`;
  return `${at(called)}..${at(outcome.returned)} ${asked}: ${JSON.stringify(outcome.answer)}`;
}
