/** The parts of which the specification's answers are made. */
import type { Chart, StateNumber } from '../../src/chart/chart.ts';
import { holdersOf, statesOf } from './documents.ts';
import type { Machine } from './machine.ts';
import type { Answer } from './requests.ts';
import type { No } from './turns.ts';

/** A machine after a request, and its answer without moments. */
export interface Answered {
  readonly machine: Machine;
  readonly answer: Answer;
}

export function yes({ revision }: Machine): Answer {
  return { status: 200, revision };
}

export function no(chart: Chart, machine: Machine, status: number, problem: string): Answer {
  return { status, problem, revision: machine.revision, states: statesOf(chart, machine) };
}

/** Refuses a caller that may not begin its work. */
export function refused(chart: Chart, machine: Machine, { problem, state }: No): Answer {
  const holders = problem === 'slots-taken' ? { holders: holdersOf(machine, state) } : {};
  return { ...no(chart, machine, 406, problem), ...holders };
}

/** @returns the state of a name. The clients name states that the chart has. */
export function stateOf({ names }: Chart, name: string): StateNumber {
  const found = names.find(name);
  if (!found?.ok) throw new Error(`the chart has no state ${name}`);
  return found.state;
}
