/** For whom a state is: which members take part in it, and how many. */
import { type Amount, isShare, settle, shareOf } from './amount.ts';
import type { Evaluator } from './evaluator.ts';
import { type Model, type Quorum, type Slots, type StateNumber, withAncestors } from './model.ts';
import { membersIn } from './selections.ts';
import type { Terms } from './terms.ts';

/** Why a caller has no part in a state. */
export type NoPart = 'no-members' | 'not-a-member' | 'not-for-you';

/** A chart whose expressions can be evaluated. */
interface Program {
  readonly model: Model;
  readonly evaluator: Evaluator;
}

/**
 * Whether a caller has a part in `state`: where the machine has members, a caller must be one of them, and the `only` of
 * the state and of all states around it must be true of it.
 *
 * @returns undefined if it has.
 */
export function partIn(
  program: Program,
  { members }: Terms,
  state: StateNumber,
  by: string | undefined,
): NoPart | undefined {
  if (members === undefined && !mentionsMembers(program)) return undefined;
  const sources = onlyOf(program.model, state);
  if (members === undefined) return sources.length === 0 ? undefined : 'no-members';
  const labels = by === undefined ? undefined : members.get(by);
  if (by === undefined || labels === undefined) return 'not-a-member';
  return sources.every((source) => program.evaluator.only(source, by, labels)) ? undefined : 'not-for-you';
}

/** @returns how many members a state is for; undefined where the machine has no list of them. */
function expectedIn(program: Program, { members }: Terms, state: StateNumber): number | undefined {
  return members === undefined ? undefined : membersIn(program, members, state).size;
}

/** @returns at which count a quorum of `state` is met; undefined where that depends on members, and there is no list. */
export function needOf(
  program: Program,
  terms: Terms,
  state: StateNumber,
  { until }: Pick<Quorum, 'until'>,
): number | undefined {
  if (typeof until === 'number') return until;
  const amount = settle(until, terms.inputs);
  if (typeof amount !== 'object') return amount;
  const expected = expectedIn(program, terms, state);
  return expected === undefined ? undefined : shareOf(amount, expected, 'up');
}

/** @returns how many slots a state has; undefined where that depends on members, and there is no list. */
export function slotCount(
  program: Program,
  terms: Terms,
  state: StateNumber,
  { count }: Pick<Slots, 'count'>,
): number | undefined {
  if (typeof count === 'number') return count;
  const amount = settle(count, terms.inputs);
  if (typeof amount !== 'object') return amount;
  const expected = expectedIn(program, terms, state);
  return expected === undefined ? undefined : shareOf(amount, expected, 'down');
}

/** Whether a chart may ask for a list of members: it has an `only`, or an amount that is not a number. Kept: each report asks. */
export function mentionsMembers({ model }: Pick<Program, 'model'>): boolean {
  let known = mentions.get(model);
  if (known === undefined) {
    known = model.states.some(
      ({ only, slots, on = [] }) =>
        only !== undefined ||
        typeof slots?.count === 'object' ||
        on.some(({ transitions }) => transitions.some(({ quorum }) => typeof quorum?.until === 'object')),
    );
    mentions.set(model, known);
  }
  return known;
}

const mentions = new WeakMap<Model, boolean>();

/** Whether nothing can be done in `state` without a list of members: its `only`, its slots or a quorum of it asks for one. */
export function needsMembers({ model }: Program, terms: Terms, state: StateNumber): boolean {
  if (!mentionsMembers({ model })) return false;
  return withAncestors(model, state).some((at) => needsMembersAt(model, terms, at));
}

function needsMembersAt(model: Model, { inputs }: Terms, state: StateNumber): boolean {
  const takesShare = (amount: Amount | undefined) => amount !== undefined && isShare(amount, inputs);
  const { only, slots, on = [] } = model.states[state] ?? {};
  if (only !== undefined || takesShare(slots?.count)) return true;
  return on.some(({ transitions }) => transitions.some(({ quorum }) => takesShare(quorum?.until)));
}

/** @returns the names of the states in which nothing can be done without a list of members. */
export function statesForMembers(program: Program, terms: Terms): string[] {
  return program.model.states.flatMap(({ name }, state) =>
    needsMembersAt(program.model, terms, state) ? [name] : [],
  );
}

/** @returns the `only` of a state and of the states around it. */
function onlyOf(model: Model, state: StateNumber): readonly string[] {
  return withAncestors(model, state).flatMap((at) => model.states[at]?.only ?? []);
}
