/**
 * The sequence dialect: the format of StateService 0.9 and its `time` function of 1.0, unchanged.
 *
 * Source of the rules: facebookincubator/StateService, `state_service/state.py` at 0.9.0 and 1.1.0 (MIT).
 */
import type * as z from 'zod/mini';
import { CHART_STATES, STATE_NAME_LENGTH } from '../chart-limits.ts';
import { type Data, type Document, keyText } from './document.ts';
import { checkOnly } from './expression.ts';
import { type IssueList, type PathStep, quote } from './issue.ts';
import { stepsOf } from './model.ts';
import { readNotify } from './notify.ts';
import { checkInputs, inputsOf } from './run-inputs.ts';
import {
  FLEET_KEYS,
  type FleetKeys,
  type Sequence,
  type SequenceState,
  sequenceModel,
} from './sequence-model.ts';
import { ChartShape, FUNCTIONS, StateShapes } from './sequence-shape.ts';
import { MERGE, MERGES_NOTHING, reportShape } from './shape-issues.ts';
import { WindowCheck } from './window.ts';

/**
 * Checks a document that has `current_state` against the sequence dialect.
 *
 * @param issues receives every error, and warnings for likely mistakes: an unreachable state, a count that can never
 *   equal its target, an unused key.
 * @returns the sequence; undefined if there was an error.
 */
export function checkSequence(document: Document, issues: IssueList): Sequence | undefined {
  const before = issues.errors.length;
  const shape = ChartShape.safeParse(document.data);
  if (!shape.success) reportShape(shape.error, document, [], issues);
  warnUnused(document, [], ['current_state', 'inputs', 'notify', 'states'], issues);
  const items = listAt(document.data, 'states');
  const windows = new WindowCheck(document, issues);
  const states = items.slice(0, CHART_STATES).map((item, i) => {
    if (propertyOf(item, 'func') !== undefined)
      windows.read(propertyOf(item, 'window'), ['states', i, 'window']);
    return checkState(document, item, ['states', i], issues);
  });
  checkNames(document, items, issues);
  const current = document.textAt(['current_state']);
  if (issues.errors.length > before || current === undefined) return undefined;
  const read: Sequence = {
    dialect: 'sequence',
    current_state: current,
    states: states.filter((state) => state !== undefined),
    ...inputsOf(document),
  };
  const model = sequenceModel(read);
  checkInputs(model, document, issues);
  const sequence = { ...read, ...readNotify(document, model, issues) };
  warnUnreachable(document, sequence, issues);
  checkClockRing(document, sequence, issues);
  return issues.errors.length > before ? undefined : sequence;
}

function checkState(
  document: Document,
  item: Data,
  path: readonly PathStep[],
  issues: IssueList,
): SequenceState | undefined {
  const func = propertyOf(item, 'func');
  const kind = func === undefined ? 'final' : FUNCTIONS.find((known) => known === func);
  if (kind === undefined) {
    const hint = issues.didYouMean(document.textAt([...path, 'func']) ?? '', FUNCTIONS);
    const message = `\`func\` must be \`increment\` or \`time\`, or be left out for the final state.${hint}`;
    issues.error(document.locate([...path, 'func']), [...path, 'func'], message);
    return undefined;
  }
  const parsed = StateShapes[kind].safeParse(item);
  if (!parsed.success) {
    reportShape(parsed.error, document, path, issues);
    return undefined;
  }
  return describeState(document, parsed.data, path, issues);
}

/** Reads the names as written (`1.10` is not a number here), and warns of unused keys. */
function describeState(
  document: Document,
  shape: z.infer<(typeof StateShapes)['increment' | 'time' | 'final']>,
  path: readonly PathStep[],
  issues: IssueList,
): SequenceState {
  const name = document.textAt([...path, 'name']) ?? '';
  if (!('func' in shape)) {
    warnUnused(document, path, ['name'], issues);
    return { name };
  }
  const target = document.textAt([...path, 'target', 'name']) ?? '';
  warnUnused(document, [...path, 'target'], ['name', 'when'], issues);
  warnUnused(document, [...path, 'target', 'when'], ['key', 'value'], issues);
  warnUnused(document, path, ['name', 'func', 'target', 'current', ...FLEET_KEYS], issues);
  for (const key of ['lease', 'cooldown'] as const) {
    if (shape[key] === undefined || shape.slots !== undefined) continue;
    const at = [...path, key];
    issues.warn(document.locate(at, 'key'), at, `A \`${key}\` needs \`slots\`; add them.`);
  }
  checkOnlyOf(document, shape, path, issues);
  const keys: FleetKeys = Object.fromEntries(
    FLEET_KEYS.flatMap((key) => (shape[key] === undefined ? [] : [[key, shape[key]]])),
  );
  if (shape.func === 'time') {
    return { name, func: 'time', target: { name: target, when: shape.target.when }, ...keys };
  }
  warnUnused(document, [...path, 'current'], ['key', 'value'], issues);
  warnNeverEqual(document, shape.current.value, shape.target.when.value, path, issues);
  return {
    name,
    func: 'increment',
    current: shape.current,
    target: { name: target, when: shape.target.when },
    ...keys,
  };
}

function checkOnlyOf(
  document: Document,
  { only }: FleetKeys,
  path: readonly PathStep[],
  issues: IssueList,
): void {
  const problem = only === undefined ? undefined : checkOnly(only);
  if (problem === undefined) return;
  const at = [...path, 'only'];
  const message = `The expression, at character ${problem.offset + 1}: ${problem.message}.`;
  issues.error(document.locate(at), at, message);
}

/** Reports all duplicate names, and all targets and a `current_state` that name no state. */
function checkNames(document: Document, items: readonly Data[], issues: IssueList): void {
  const names = new Map<string, number>();
  items.forEach((_, i) => {
    const path = ['states', i, 'name'];
    const name = document.textAt(path);
    if (name === undefined) return;
    if (name.length > STATE_NAME_LENGTH || !name.isWellFormed()) {
      const message = `A name has at most ${STATE_NAME_LENGTH} characters of well-formed Unicode.`;
      issues.error(document.locate(path), path, message);
    }
    const first = names.get(name);
    if (first === undefined) names.set(name, i);
    else {
      const { line } = document.locate(['states', first, 'name']);
      const message = `The name ${quote(name)} is taken by the state on line ${line}; rename one of them.`;
      issues.error(document.locate(path), path, message);
    }
  });
  const known = [...names.keys()];
  const mustExist = (path: readonly PathStep[]) => {
    const name = document.textAt(path);
    if (name === undefined || names.has(name)) return;
    const message = `There is no state ${quote(name)}.${issues.didYouMean(name, known)}`;
    issues.error(document.locate(path), path, message);
  };
  mustExist(['current_state']);
  items.forEach((item, i) => {
    if (propertyOf(item, 'func') !== undefined) mustExist(['states', i, 'target', 'name']);
  });
}

function warnUnreachable(document: Document, { current_state, states }: Sequence, issues: IssueList): void {
  const next = new Map(states.map((state) => [state.name, state.func ? state.target.name : undefined]));
  const reached = new Set<string>();
  for (
    let name: string | undefined = current_state;
    name !== undefined && !reached.has(name);
    name = next.get(name)
  ) {
    reached.add(name);
  }
  states.forEach(({ name }, i) => {
    if (reached.has(name)) return;
    const path = ['states', i, 'name'];
    issues.warn(
      document.locate(path),
      path,
      `No transition leads from ${quote(current_state)} to ${quote(name)}.`,
    );
  });
}

/** Refuses a ring of `time` states only: after the last of its times it would loop without a pause. */
function checkClockRing(document: Document, { states }: Sequence, issues: IssueList): void {
  const next = new Map(
    states.map((state) => [state.name, state.func === 'time' ? state.target.name : undefined]),
  );
  const done = new Set<string>();
  states.forEach(({ name: first }, i) => {
    const trail = new Set<string>();
    let name: string | undefined = first;
    for (; name !== undefined && !done.has(name) && !trail.has(name); name = next.get(name)) trail.add(name);
    if (name !== undefined && trail.has(name)) {
      const path = ['states', i, 'target', 'name'];
      const message = 'These states lead to each other by timers alone, without end.';
      issues.error(document.locate(path), path, message);
    }
    for (const passed of trail) done.add(passed);
  });
}

function warnNeverEqual(
  document: Document,
  from: number,
  until: number,
  path: readonly PathStep[],
  issues: IssueList,
): void {
  if (stepsOf({ from, until }) !== undefined) return;
  const at = [...path, 'target', 'when', 'value'];
  const message = `Counting from ${from} by 1 never gives ${until}: the state cannot be left.`;
  issues.warn(document.locate(at), at, message);
}

/** Warns of unknown keys, which the original ignores. */
function warnUnused(
  document: Document,
  path: readonly PathStep[],
  known: readonly string[],
  issues: IssueList,
): void {
  const data = path.reduce<Data | undefined>((value, step) => propertyOf(value, String(step)), document.data);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return;
  for (const key of Object.keys(data)) {
    if (known.includes(key)) continue;
    if (issues.warned) return;
    const message =
      key === MERGE
        ? MERGES_NOTHING
        : `${quote(keyText(key))} is not used here.${issues.didYouMean(key, known)}`;
    issues.warn(document.locate([...path, key], 'key'), [...path, key], message);
  }
}

function propertyOf(data: Data | undefined, key: string): Data | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  return (data as { readonly [key: string]: Data })[key];
}

function listAt(data: Data, key: string): readonly Data[] {
  const list = propertyOf(data, key);
  return Array.isArray(list) ? list : [];
}
