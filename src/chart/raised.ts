/** The events that a chart sends to itself. */
import { type ActionModel, type Model, type StateModel, type TransitionModel, UPDATE } from './model.ts';

/**
 * @returns the events that actions of a chart raise. `update` is none of them: every plain report sends it. Computed once
 *   for each chart, in time that is linear in its size.
 */
export function raisedIn(model: Model): ReadonlySet<string> {
  let known = raised.get(model);
  if (known === undefined) {
    const events = model.states
      .flatMap(actionsOf)
      .flatMap((action) => ('raise' in action ? [action.raise] : []));
    known = new Set(events.filter((event) => event !== UPDATE));
    raised.set(model, known);
  }
  return known;
}

const raised = new WeakMap<Model, ReadonlySet<string>>();

function actionsOf(state: StateModel): readonly ActionModel[] {
  const { entry = [], exit = [], initial, on = [], after = [], at = [], always = [], onDone = [] } = state;
  const transitions: readonly TransitionModel[] = [
    ...[...on, ...after, ...at].flatMap((item) => item.transitions),
    ...always,
    ...onDone,
  ];
  const taken = transitions.flatMap(({ actions = [] }) => actions);
  return [...entry, ...exit, ...(initial?.actions ?? []), ...taken];
}
