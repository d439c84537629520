import { type Inputs, settleInputs } from '../chart/chart.ts';
import type { Accepted, SetInputs, Start, Started } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import type { Draft } from './draft.ts';
import { checkRevision, otherInputs, wrongInputs } from './refusals.ts';
import { changeTerms } from './term-changes.ts';

/** Starts a run with inputs, which it has begun with if it is new. A repeat changes nothing. */
export function startWith(draft: Draft, { inputs: given }: Start): Started | Refusal {
  const { machine, isNew } = draft;
  const { terms } = machine.snapshot;
  if (!isNew && given !== undefined) {
    const settled = settleInputs(machine.chart.model, given);
    if (!settled.ok) return wrongInputs(settled.problems);
    const other = differences(terms.inputs, settled.inputs);
    if (other.length > 0) return otherInputs(machine, other);
  }
  return { ok: true, revision: machine.revision, isNew };
}

/** Gives a running machine other inputs. A quorum that is met by it is taken. */
export function setInputs(draft: Draft, command: SetInputs, now: number): Accepted | Refusal {
  const { machine } = draft;
  const { inputs: given, revisions, by, sub } = command;
  const otherRevision = checkRevision(machine, revisions, draft.matchedRevision);
  if (otherRevision !== undefined) return otherRevision;
  const { terms } = machine.snapshot;
  const settled = settleInputs(machine.chart.model, given, terms.inputs);
  if (!settled.ok) return wrongInputs(settled.problems);
  const other = differences(terms.inputs, settled.inputs);
  if (other.length > 0) {
    const notes = other.map(
      (name) => `${name}: ${show(terms.inputs, name)} to ${show(settled.inputs, name)}`,
    );
    const entry = { cause: 'inputs', by: by ?? null, sub: sub ?? null, notes } as const;
    changeTerms(draft, { ...terms, inputs: settled.inputs }, entry, now);
  }
  return { ok: true, revision: draft.machine.revision };
}

/** Returns the names of the inputs that differ. */
function differences(before: Inputs, after: Inputs): string[] {
  return Object.keys(after).filter((name) => (before[name] ?? null) !== after[name]);
}

function show(inputs: Inputs, name: string): string {
  return JSON.stringify(inputs[name] ?? null);
}
