/** Counts anew after a change of a run's terms: other members, or other inputs. */
import { isShare } from './amount.ts';
import { needOf } from './audience.ts';
import type { Program } from './compile.ts';
import { countOf, quorumKey } from './counts.ts';
import { type NoStep, type Step, send } from './engine.ts';
import { type Model, type Quorum, ROOT, type StateNumber } from './model.ts';
import { storeMachine } from './persist.ts';
import { membersIn } from './selections.ts';
import { isDone, type Snapshot } from './snapshot.ts';
import type { Terms } from './terms.ts';
import { metEvent } from './xstate-names.ts';

/**
 * The callers whose reports a count has counted.
 *
 * @param key of the count: `countedBy` returned it for the report.
 * @param since the number of the state's visit: reports that began before it are of an earlier one.
 */
export type CountedCallers = (key: string, since: number) => Iterable<string>;

/** A running chart after a change of its terms. */
export interface Recount {
  /** With the terms and the new counts, before any transition. */
  readonly snapshot: Snapshot;
  /** The quorums that the change has met, each with the step that followed; of the last one, the step has the snapshot. */
  readonly met: readonly MetQuorum[];
}

interface MetQuorum {
  readonly state: StateNumber;
  readonly event: string;
  readonly have: number;
  readonly need: number;
  /** `not-taken` if the guard is false: the next report that the guard lets through takes the transition. */
  readonly step: Step | NoStep;
}

/**
 * Changes the terms of a run. A quorum that is a share counts anew: the members that its state is for, and whose reports
 * it has counted in this visit. Other quorums keep their counts. A quorum that was not met before and is now takes its
 * transition, the innermost state's first; a transition that leaves a state ends the quorums of the state.
 *
 * @param most the cost after which no further transition is tried, in the units of `EVENT_BUDGET`.
 */
export function recount(
  program: Program,
  before: Snapshot,
  terms: Terms,
  callers: CountedCallers,
  now: number,
  most: number,
): Recount {
  const counted = countAnew(program, { ...before, terms }, callers);
  const met: MetQuorum[] = [];
  let snapshot = counted;
  let cost = 0;
  for (const quorum of quorumsOf(program.model, counted).reverse()) {
    const { state, event, met: type, visit } = quorum;
    const need = needOf(program, terms, state, quorum);
    const have = haveOf(counted, quorum);
    if (need === undefined || have < need) continue;
    const neededBefore = needOf(program, before.terms, state, quorum);
    const wasMet = neededBefore !== undefined && haveOf(before, quorum) >= neededBefore;
    if (wasMet || isDone(snapshot) || visitOf(snapshot, state) !== visit) continue;
    const step = cost > most ? TOO_MUCH : send(program, snapshot, { type, address: state, own: event }, now);
    cost += program.evaluator.spent;
    if (step.ok) snapshot = step.snapshot;
    met.push({ state, event, have, need, step });
  }
  return { snapshot: counted, met };
}

/**
 * @returns the keys of the counts that a report has raised, of those that a change of the terms may count anew. Stored with
 *   the report: which transition has counted it cannot be told later.
 */
export function countedBy({ model }: Program, before: Snapshot, after: Snapshot): string[] {
  const keys = keysOf(model);
  const was = before.machine.context.counts;
  const now = after.machine.context.counts;
  if (keys.size === 0 || was === now) return [];
  return Object.keys(now).filter((key) => keys.has(key) && (now[key] ?? 0) > (was[key] ?? 0));
}

const TOO_MUCH: NoStep = {
  ok: false,
  reason: 'over-bound',
  detail: 'the transitions that the change has set off take too many steps together',
  failures: [],
};

/** A quorum of an active state whose amount depends on the terms. */
interface TermsQuorum extends Quorum {
  readonly state: StateNumber;
  readonly event: string;
  readonly key: string;
  readonly visit: number;
  /** The event that takes its transition. */
  readonly met: string;
}

/** @returns the quorums that depend on the terms, outermost first. */
function quorumsOf({ states }: Model, snapshot: Snapshot): TermsQuorum[] {
  return [ROOT, ...snapshot.active.keys()].flatMap((state) =>
    (states[state]?.on ?? []).flatMap(({ event, transitions }, i) =>
      transitions.flatMap(({ quorum }, index): TermsQuorum[] => {
        if (quorum === undefined || typeof quorum.until === 'number') return [];
        const key = quorumKey(state, event, index);
        const visit = visitOf(snapshot, state);
        return [{ ...quorum, state, event, key, visit, met: metEvent(state, i, index) }];
      }),
    ),
  );
}

/** @returns the number of the present visit of an active state; 0 for the root, which is never left. */
export function visitOf({ active }: Snapshot, state: StateNumber): number {
  return active.get(state)?.number ?? 0;
}

function haveOf({ machine }: Snapshot, { key, from }: TermsQuorum): number {
  return countOf(machine.context, key, from);
}

function countAnew(program: Program, snapshot: Snapshot, callers: CountedCallers): Snapshot {
  const { members, inputs } = snapshot.terms;
  const shares = quorumsOf(program.model, snapshot).filter(({ until }) => isShare(until, inputs));
  // Without a list a share counts nothing: its count waits for the next list.
  if (members === undefined || shares.length === 0) return snapshot;
  const counts = { ...snapshot.machine.context.counts };
  for (const { key, state, visit, from } of shares) {
    const taking = membersIn(program, members, state);
    let have = from;
    for (const by of new Set(callers(key, visit))) if (taking.has(by)) have += 1;
    if (have === from) delete counts[key];
    else counts[key] = have;
  }
  const machine = storeMachine(snapshot.machine);
  return { ...snapshot, machine: { ...machine, context: { ...machine.context, counts } } };
}

/** The keys of all counts whose amount depends on the terms. Kept: every report asks for them. */
function keysOf(model: Model): ReadonlySet<string> {
  let known = keys.get(model);
  if (known === undefined) {
    known = new Set(
      model.states.flatMap(({ on = [] }, state) =>
        on.flatMap(({ event, transitions }) =>
          transitions.flatMap(({ quorum }, index) =>
            quorum === undefined || typeof quorum.until === 'number' ? [] : quorumKey(state, event, index),
          ),
        ),
      ),
    );
    keys.set(model, known);
  }
  return known;
}

const keys = new WeakMap<Model, ReadonlySet<string>>();
