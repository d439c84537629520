/** What is computed of a list of members before it is used, in slices: their natural order, and for whom each state is. */
import { areSelected, type Chart, type Members, selecting, selectWithout } from '../chart/chart.ts';
import type { SetMembers } from '../commands.ts';
import { atOnce, type Sliced } from '../sliced.ts';
import { nextSlice, roomFor, Task } from '../slices.ts';
import { readMembers } from '../store/members-table.ts';
import { UNITS_OF_CHARACTER } from './answer-length.ts';
import type { MachineState } from './machine-state.ts';

/**
 * Prepares a list for a chart, in slices: sorting 10,000 names takes 45 ms, and evaluating an `only` for them up to 64 ms.
 * Requests for the same list share the work. What is not prepared is computed where it is needed.
 *
 * @returns undefined if nothing is to be done.
 */
export function prepareMembers(chart: Chart, members: Members): Promise<void> | undefined {
  return isPrepared(chart, members) ? undefined : prepare(chart, members);
}

/**
 * Prepares the members of a machine, if it was loaded since they changed.
 *
 * @returns undefined if nothing is to be done, or storage cannot be read: each call is told of that fault itself.
 */
export function prepareMachine(read: () => MachineState | undefined): Promise<void> | undefined {
  try {
    const { chart, snapshot } = read() ?? {};
    const { members } = snapshot?.terms ?? {};
    return chart === undefined || members === undefined ? undefined : prepareMembers(chart, members);
  } catch {
    return undefined;
  }
}

/** Reads and prepares the list of a command before its turn. @param machine that it is for, if there is one. */
export async function prepareList({ list }: SetMembers, machine: MachineState | undefined): Promise<void> {
  if (list === undefined || machine === undefined) return;
  await roomFor(list.length * UNITS_OF_CHARACTER);
  await prepareMembers(machine.chart, readMembers(list));
}

async function prepare(chart: Chart, members: Members): Promise<void> {
  for (;;) {
    await nextSlice();
    if (isPrepared(chart, members)) return;
    const task = underWay.get(members) ?? new Task(preparing(chart, members));
    underWay.delete(members);
    if (task.advance() === undefined) underWay.set(members, task);
  }
}

function isPrepared(chart: Chart, members: Members): boolean {
  return sorted.has(members) && areSelected(chart, members);
}

function* preparing(chart: Chart, members: Members): Sliced<void> {
  if (!sorted.has(members)) sorted.set(members, yield* sorting([...members.keys()]));
  if (!areSelected(chart, members)) yield* selecting(chart, members);
}

/** Work that has begun. Any request goes on with it: the request that began it may have been cancelled. */
const underWay = new WeakMap<Members, Task<void>>();

/** Returns a list without one of its members, with what is known of the list. */
export function withoutMember(members: Members, name: string, chart: Chart | undefined): Members {
  const others = new Map(members);
  others.delete(name);
  const names = sorted.get(members);
  if (names !== undefined) {
    sorted.set(
      others,
      names.filter((other) => other !== name),
    );
  }
  if (chart !== undefined) selectWithout(chart.model, members, others, name);
  return others;
}

/** Compares names in natural order: `web-2` is before `web-10`. Names that are equal in it are in the order of their code units. */
export function compareNames(a: string, b: string): number {
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

/** Made when it is first used: it takes 10 ms, and most isolates compare no names. */
let collator: Intl.Collator | undefined;

/** @returns the names of a list in natural order. */
export function namesInOrder(members: Members): readonly string[] {
  let names = sorted.get(members);
  if (names === undefined) {
    names = atOnce(sorting([...members.keys()]));
    sorted.set(members, names);
  }
  return names;
}

const sorted = new WeakMap<Members, readonly string[]>();

/** Sorts names by merging sorted parts. */
function* sorting(names: readonly string[]): Sliced<readonly string[]> {
  let parts: string[][] = [];
  for (let at = 0; at < names.length; at += PART) {
    yield PART * SORTING;
    parts.push(names.slice(at, at + PART).sort(compareNames));
  }
  while (parts.length > 1) {
    const merged: string[][] = [];
    for (let at = 0; at < parts.length; at += 2) {
      merged.push(yield* merging(parts[at] ?? [], parts[at + 1] ?? []));
    }
    parts = merged;
  }
  return parts[0] ?? [];
}

function* merging(one: readonly string[], other: readonly string[]): Sliced<string[]> {
  const merged: string[] = [];
  let [i, k] = [0, 0];
  while (i < one.length || k < other.length) {
    if (merged.length % PART === 0) yield PART * MERGING;
    const [a, b] = [one[i], other[k]];
    if (a !== undefined && (b === undefined || compareNames(a, b) <= 0)) {
      merged.push(a);
      i += 1;
    } else if (b !== undefined) {
      merged.push(b);
      k += 1;
    }
  }
  return merged;
}

/** Names that are sorted in one piece, and the units of sorting and of merging a name. */
const PART = 500;
const SORTING = 1 / 3;
const MERGING = 1 / 20;
