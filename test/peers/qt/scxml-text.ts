/** Writes charts as SCXML (https://www.w3.org/TR/scxml/), with ECMAScript as the data model. */
import type { CheckedGuard } from '../../../src/chart/expression.ts';
import {
  type ActionModel,
  type EventModel,
  isWithin,
  type Model,
  ROOT,
  type StateModel,
  type StateNumber,
  type TransitionModel,
} from '../../../src/chart/model.ts';

/**
 * @param model without time, quorums and inputs; its root is compound, and each state but a history state has an `id`
 * @throws if the model has something that cannot be written
 */
export function scxmlOf(model: Model): string {
  const data = Object.entries(model.context ?? {}).map(
    ([key, value]) => `<data id="${key}" expr="${escaped(JSON.stringify(value))}"/>`,
  );
  const first = nameOf(model, stateAt(model, ROOT).initial?.target);
  return `<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="ecmascript" initial="${first}"><datamodel>${data.join('')}</datamodel>${children(model, ROOT)}</scxml>`;
}

function children(model: Model, parent: StateNumber): string {
  return model.states
    .flatMap((child, number) => (child.parent === parent ? [state(model, number)] : []))
    .join('');
}

function state(model: Model, number: StateNumber): string {
  const { name, type, parent = ROOT, history, entry, exit, ...rest } = stateAt(model, number);
  if (rest.after !== undefined || rest.at !== undefined) throw new Error(`${name} has timers`);
  if (type === 'history') {
    const [target] = history?.targets ?? [];
    const first = target ?? stateAt(model, parent).initial?.target;
    return `<history id="${idOf(model, number)}" type="${history?.depth}"><transition target="${nameOf(model, first)}"/></history>`;
  }
  const tag = { atomic: 'state', compound: 'state', parallel: 'parallel', final: 'final' }[type];
  const initial = rest.initial === undefined ? '' : initialOf(model, rest.initial);
  const transitions = [
    ...(rest.always ?? []).map((one) => transition(model, number, one)),
    ...inOrder([...(rest.on ?? []), { event: `done.state.${name}`, transitions: rest.onDone ?? [] }]).flatMap(
      ({ event, transitions: of }) => of.map((one) => transition(model, number, one, event)),
    ),
  ];
  return [
    `<${tag} id="${name}">`,
    initial,
    executable('onentry', entry),
    executable('onexit', exit),
    ...transitions,
    children(model, number),
    `</${tag}>`,
  ].join('');
}

/** XState tries a wildcard after the names, SCXML in document order. */
function inOrder(events: readonly EventModel[]): readonly EventModel[] {
  const isWild = ({ event }: EventModel) => event.includes('*');
  return [...events.filter((one) => !isWild(one)), ...events.filter(isWild)];
}

function initialOf(model: Model, { target, actions }: NonNullable<StateModel['initial']>): string {
  return `<initial><transition target="${nameOf(model, target)}">${content(actions)}</transition></initial>`;
}

/** A transition of xstate leaves its source only if it must, or if it is told to: SCXML's type `internal`. */
function transition(
  model: Model,
  source: StateNumber,
  { targets, guard, actions, reenter, quorum }: TransitionModel,
  event?: string,
): string {
  if (quorum !== undefined) throw new Error(`${nameOf(model, source)} has a quorum`);
  const names = stays(model, source, targets, reenter)?.map((target) => idOf(model, target));
  const attributes = [
    ...(event === undefined ? [] : [`event="${event}"`]),
    ...(names === undefined ? [] : [`target="${names.join(' ')}"`]),
    ...(names === undefined || reenter ? [] : ['type="internal"']),
    ...(guard === undefined ? [] : [`cond="${escaped(condition(guard))}"`]),
  ];
  return `<transition ${attributes.join(' ')}>${content(actions)}</transition>`;
}

/**
 * The targets in SCXML, of a transition of XState that does not leave its source: a state that is its own target stays, and
 * enters its initial state anew.
 */
function stays(
  model: Model,
  source: StateNumber,
  targets: readonly StateNumber[] | undefined,
  reenter: true | undefined,
): readonly StateNumber[] | undefined {
  if (targets === undefined || reenter) return targets;
  const { type, initial } = stateAt(model, source);
  if (type === 'parallel' && targets.every((target) => isWithin(model, target, source)))
    throw new Error('SCXML leaves a parallel state that a transition stays in');
  if (targets[0] !== source) return targets;
  return initial === undefined ? undefined : [initial.target];
}

/** The few forms of CEL in random charts, as ECMAScript. */
function condition({ cel }: CheckedGuard<StateNumber>): string {
  return expression(cel)
    .replaceAll(/in_state\("(\w+)"\)/g, 'In("$1")')
    .replaceAll('event.type', '_event.name');
}

function expression(cel: string): string {
  return cel.replaceAll('context.', '');
}

function executable(tag: string, actions: readonly ActionModel[] | undefined): string {
  return actions === undefined ? '' : `<${tag}>${content(actions)}</${tag}>`;
}

function content(actions: readonly ActionModel[] = []): string {
  return actions.map(action).join('');
}

function action(one: ActionModel): string {
  if ('cancel' in one) throw new Error('a timer is cancelled');
  if ('assign' in one) {
    return one.assign
      .map(({ key, to }) => {
        const text = 'cel' in to ? expression(to.cel) : JSON.stringify(to.value);
        return `<assign location="${key}" expr="${escaped(text)}"/>`;
      })
      .join('');
  }
  // Without a delay it goes before events from outside; with one, even of 0 ms, it is one of them.
  if (one.delay === undefined) return `<raise event="${one.raise}"/>`;
  if (one.delay === 0) return `<send event="${one.raise}"/>`;
  throw new Error('an event is raised later');
}

function stateAt({ states }: Model, number: StateNumber): StateModel {
  const found = states[number];
  if (found === undefined) throw new RangeError(`no state ${number}`);
  return found;
}

function nameOf(model: Model, number: StateNumber | undefined): string {
  return number === undefined ? '' : idOf(model, number);
}

/** A history state has no id of its own in random charts. */
function idOf(model: Model, number: StateNumber): string {
  const { name, type, parent = ROOT } = stateAt(model, number);
  return type === 'history' ? `past-of-${stateAt(model, parent).name}` : name;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
