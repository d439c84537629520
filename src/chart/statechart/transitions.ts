import {
  CHART_ACTIONS,
  CHART_COUNTS,
  CHART_DEPTH,
  CHART_REGIONS,
  CHART_TARGETS,
  CHART_TRANSITIONS,
  EVENT_LENGTH,
  TARGET_LENGTH,
} from '../../chart-limits.ts';
import { parseAmount } from '../amount.ts';
import { checkContextUses, type ExpressionUse } from '../context-types.ts';
import { type Data, type Document, keyText } from '../document.ts';
import {
  type CheckedGuard,
  checkExpression,
  checkGuard,
  checkOnly,
  type ExpressionProblem,
  type Json,
} from '../expression.ts';
import { type IssueList, type PathStep, quote } from '../issue.ts';
import type { ActionModel, Assignment, EventModel, StateNumber, TransitionModel } from '../model.ts';
import { parseDuration } from '../time.ts';
import { doneEvent, doneName, isForbiddenEvent, isReservedEvent } from '../xstate-names.ts';
import { asList, asMap, nameOfOutline, type Outline, type OutlineTree } from './outline.ts';

/** Reads the transitions and actions of a document, and reports their errors to the issues. */
export class Reader {
  readonly #document: Document;
  readonly #tree: OutlineTree;
  readonly #issues: IssueList;
  readonly #inputs: readonly string[];
  readonly #uses: (ExpressionUse & { readonly path: readonly PathStep[] })[] = [];
  readonly #assignments: Assignment[] = [];
  #targets = 0;
  #transitions = 0;
  #actions = 0;

  constructor(document: Document, tree: OutlineTree, issues: IssueList) {
    this.#document = document;
    this.#tree = tree;
    this.#issues = issues;
    this.#inputs = Object.keys(asMap(asMap(document.data).inputs));
  }

  /** Reads the `on` of a state. */
  events(source: Outline): EventModel[] {
    const path = [...source.path, 'on'];
    const events = Object.entries(asMap(source.data.on)).map(([key, data]) => {
      const at = [...path, key];
      return { event: this.#event(keyText(key), at), transitions: this.transitions(source, data, at) };
    });
    const counts = events.flatMap(({ transitions }) =>
      transitions.filter(({ quorum }) => quorum !== undefined),
    );
    if (counts.length > CHART_COUNTS) {
      this.#error(path, `A state has at most ${CHART_COUNTS} transitions with a \`quorum\`.`);
    }
    return events;
  }

  /** Reads one transition or a list of transitions. */
  transitions(source: Outline, data: Data | undefined, path: readonly PathStep[]): TransitionModel[] {
    if (data === undefined) return [];
    if (!Array.isArray(data)) return [this.#transition(source, data, path)];
    return data.map((item, i) => this.#transition(source, item, [...path, i]));
  }

  /** Reads the targets of a transition. */
  targets(source: Outline, data: Data | undefined, path: readonly PathStep[]): StateNumber[] {
    const items = asList(data);
    if (items.length > CHART_REGIONS) {
      this.#error(path, `A transition has at most ${CHART_REGIONS} targets.`);
      return [];
    }
    const found = items.flatMap((item, i) => {
      if (typeof item !== 'string' || this.#issues.full) return [];
      if (!this.#admit('targets', ++this.#targets, CHART_TARGETS, path)) return [];
      const at = Array.isArray(data) ? [...path, i] : path;
      if (item.length > TARGET_LENGTH || item.split('.').length > CHART_DEPTH) {
        this.#error(at, `A target has at most ${TARGET_LENGTH} characters and ${CHART_DEPTH} parts.`);
        return [];
      }
      const target = this.#tree.target(source, item);
      if (!('candidates' in target)) return [target];
      const hint = this.#issues.didYouMean(item, target.candidates) || this.#elsewhere(item);
      this.#error(at, `There is no target ${quote(item)} from here.${hint}`);
      return [];
    });
    this.#checkTogether(found, path);
    return found.map(({ number }) => number);
  }

  /** Reads one action or a list of actions. */
  actions(data: Data | undefined, path: readonly PathStep[]): ActionModel[] {
    return asList(data).flatMap((item, i) => {
      if (!this.#admit('actions', ++this.#actions, CHART_ACTIONS, path)) return [];
      const action = this.#action(asMap(item), Array.isArray(data) ? [...path, i] : path);
      return action === undefined ? [] : [action];
    });
  }

  /** Reads the `only` of a state. */
  only({ data, path }: Outline): string | undefined {
    const at = [...path, 'only'];
    const { only } = data;
    if (typeof only !== 'string') return undefined;
    const problem = checkOnly(only);
    if (problem === undefined) return only;
    this.#error(at, this.#explain(only, problem));
    return undefined;
  }

  /** Warns of expressions that use keys or types that the context never has. */
  checkUses(context: { readonly [key: string]: Json }): void {
    for (const [{ source, path }, problem] of checkContextUses(this.#uses, context, this.#assignments)) {
      if (this.#issues.warned) return;
      const message = this.#explain(source, problem);
      this.#issues.warn(this.#document.locate(path), path, message);
    }
  }

  #transition(source: Outline, data: Data, path: readonly PathStep[]): TransitionModel {
    if (!this.#admit('transitions', ++this.#transitions, CHART_TRANSITIONS, path)) return {};
    if (typeof data === 'string') return targeted(this.targets(source, data, path));
    const map = asMap(data);
    const { quorum, description } = map;
    const guard = this.#guard(map.guard, [...path, 'guard']);
    const actions = this.actions(map.actions, [...path, 'actions']);
    if (quorum !== undefined && map.target === undefined && map.actions === undefined) {
      this.#error([...path, 'quorum'], 'This `quorum` has no effect; add a `target` or `actions`.', 'key');
    }
    return {
      ...targeted(this.targets(source, map.target, [...path, 'target'])),
      ...(guard === undefined ? {} : { guard }),
      ...(actions.length === 0 ? {} : { actions }),
      ...(map.reenter === true ? { reenter: true } : {}),
      ...quorumOf(quorum),
      ...(typeof description === 'string' ? { description } : {}),
    };
  }

  /** Whether one more is allowed, and worth checking. */
  #admit(what: string, count: number, most: number, path: readonly PathStep[]): boolean {
    if (count === most + 1) this.#error(path, `A chart has at most ${most} ${what}.`);
    return count <= most && !this.#issues.full;
  }

  #guard(data: Data | undefined, path: readonly PathStep[]): CheckedGuard<StateNumber> | undefined {
    if (typeof data !== 'string' && typeof data !== 'boolean') return undefined;
    const result = checkGuard(
      String(data),
      (name) => {
        const state = this.#tree.named(name);
        return (
          state?.number ??
          `there is no state ${quote(name)}.${this.#issues.didYouMean(name, this.#tree.names())}`
        );
      },
      this.#inputs,
    );
    if (result.ok) {
      this.#uses.push({ source: String(data), isGuard: true, path });
      return result.guard;
    }
    this.#error(path, this.#explain(String(data), result));
    return undefined;
  }

  #action(map: { readonly [key: string]: Data }, path: readonly PathStep[]): ActionModel | undefined {
    const { assign, raise, cancel } = map;
    if (typeof cancel === 'string') return { cancel };
    if (typeof raise === 'string') return { raise: this.#raised(raise, [...path, 'raise']) };
    if (raise !== undefined) return this.#raise(asMap(raise), [...path, 'raise']);
    if (assign === undefined) return undefined;
    const assignments = Object.entries(asMap(assign)).map(([key, to]) =>
      this.#assignment(key, to, [...path, 'assign', key]),
    );
    this.#assignments.push(...assignments);
    return { assign: assignments };
  }

  #raise(map: { readonly [key: string]: Data }, path: readonly PathStep[]): ActionModel | undefined {
    const { event, delay, id } = map;
    if (typeof event !== 'string') return undefined;
    return {
      raise: this.#raised(event, [...path, 'event']),
      ...(typeof delay === 'string' || typeof delay === 'number'
        ? { delay: parseDuration(String(delay)) ?? 0 }
        : {}),
      ...(typeof id === 'string' ? { id } : {}),
    };
  }

  #assignment(key: string, to: Data, path: readonly PathStep[]): Assignment {
    const name = keyText(key);
    if (typeof to !== 'string') {
      return { key: name, to: { value: typeof to === 'number' || typeof to === 'boolean' ? to : null } };
    }
    const wrong = checkExpression(to, this.#inputs);
    if (wrong === undefined) this.#uses.push({ source: to, isGuard: false, path });
    else this.#error(path, this.#explain(to, wrong));
    return { key: name, to: { cel: to } };
  }

  /** Reads the event of a transition. XState's own events are refused, except that a state is done. */
  #event(event: string, path: readonly PathStep[]): string {
    const done = doneName(event);
    if (event.length > EVENT_LENGTH) this.#error(path, TOO_LONG_EVENT, 'key');
    else if (done !== undefined) {
      const state = this.#tree.named(done);
      if (state !== undefined) return doneEvent(state.number);
      const hint = this.#issues.didYouMean(done, this.#tree.names());
      this.#error(path, `There is no state ${quote(done)} that could be done.${hint}`, 'key');
    } else if (event === '') {
      this.#error(path, 'An event has a name; a transition without one is written in `always`.', 'key');
    } else if (isForbiddenEvent(event)) {
      this.#error(path, `${quote(event)} is XState's own; use \`after\`, \`always\` or \`onDone\`.`, 'key');
    } else if (isReservedEvent(event) && !event.includes('*')) {
      // As SCXML names the end of a state, `done.state.x`: a warning, because charts with it were accepted.
      const message = `No caller may send ${quote(event)}, so this is never taken; for the end of a state, write \`onDone\`.`;
      if (!this.#issues.warned) this.#issues.warn(this.#document.locate(path, 'key'), path, message);
    }
    return event;
  }

  #raised(event: string, path: readonly PathStep[]): string {
    if (event.length > EVENT_LENGTH) this.#error(path, TOO_LONG_EVENT);
    else if (event === '') this.#error(path, 'An event has a name.');
    else if (event.includes('*'))
      this.#error(path, 'A wildcard is allowed only in `on`; a raised event has a name.');
    else if (isReservedEvent(event)) this.#error(path, `${quote(event)} is a name that XState reserves.`);
    return event;
  }

  /** Several targets are entered together, so they must be in different regions of parallel states. */
  #checkTogether(targets: readonly Outline[], path: readonly PathStep[]): void {
    // Maps each ancestor of a target to that target. Where two targets first share an ancestor, it must be parallel.
    const ways = new Map<Outline, Outline>();
    for (const target of targets) {
      let at: Outline | undefined = target;
      for (; at !== undefined && !ways.has(at); at = at.parent) ways.set(at, target);
      const other = at === undefined ? undefined : ways.get(at);
      if (at === undefined || other === undefined || at.type === 'parallel') continue;
      const names = `${quote(nameOfOutline(other))} and ${quote(nameOfOutline(target))}`;
      this.#error(
        path,
        `${names} cannot be active at once: they are not in different regions of a parallel state.`,
      );
      return;
    }
  }

  /** @returns a hint for the most common mistake: a correct name in the wrong form. */
  #elsewhere(text: string): string {
    const name = text.replace(/^[#.]/, '');
    const state = this.#tree.named(name);
    if (state?.id !== undefined) return ` Did you mean ${quote(`#${state.id}`)}?`;
    return state === undefined
      ? ''
      : ` The state ${quote(name)} lies elsewhere: give it an \`id\` and write \`#id\`.`;
  }

  #explain(source: string, { offset, message, unknown }: ExpressionProblem): string {
    const shown = source.length > 60 ? `${source.slice(0, 57)}...` : source;
    const hint = unknown === undefined ? '' : this.#issues.didYouMean(unknown.name, unknown.known);
    return `The expression \`${shown}\`, at character ${offset + 1}: ${message.replace(/[^.?]$/, '$&.')}${hint}`;
  }

  #error(path: readonly PathStep[], message: string, part: 'key' | 'value' = 'value'): void {
    this.#issues.error(this.#document.locate(path, part), path, message);
  }
}

const TOO_LONG_EVENT = `An event's name has at most ${EVENT_LENGTH} characters.`;

/** A quorum of 1 is none. */
function quorumOf(data: Data | undefined): Pick<TransitionModel, 'quorum'> {
  const until = parseAmount(data);
  return until === undefined || until === 1 ? {} : { quorum: { from: 0, until } };
}

function targeted(targets: readonly StateNumber[]): { targets?: readonly StateNumber[] } {
  return targets.length === 0 ? {} : { targets };
}
