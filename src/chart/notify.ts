/** `notify`: which hooks are told of what. A key that neither the original nor XState has, the same in both dialects. */
import * as z from 'zod/mini';
import { CHART_HOOKS, CHART_NOTIFY } from '../chart-limits.ts';
import { HOOK_NAME } from '../hook.ts';
import type { Data, Document } from './document.ts';
import { type IssueList, type PathStep, quote } from './issue.ts';
import { type Model, type Notify, OCCASIONS, type Occasion, ROOT, type StateNumber } from './model.ts';
import { Names } from './names.ts';

const Name = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be a state, or `paused`, `overridden` or `refused`',
});

/** The shape of the key. */
export const NotifyField = {
  notify: z
    .optional(
      z
        .array(
          z.strictObject(
            {
              on: z
                .union(
                  [Name, z.array(Name).check(z.minLength(1, { error: 'must name at least one state' }))],
                  {
                    error: 'must be a state, or `paused`, `overridden` or `refused`, or a list of them',
                  },
                )
                .check(
                  z.describe(
                    'What is told: a state that is entered, by its `id`, its path or its key; `paused`, `overridden`, `refused`.',
                  ),
                ),
              to: z.string({ error: 'must be the name of a hook, such as OPS' }).check(
                z.regex(HOOK_NAME, {
                  error: 'must be the name of a hook: capital letters, digits and `_`',
                }),
                z.describe(
                  'The name of a hook. The deployer sets its address and its secret: `HOOK_OPS` for `OPS`.',
                ),
              ),
            },
            { error: 'must be a mapping, such as `{on: [rollback], to: OPS}`' },
          ),
          { error: 'must be a list, such as `[{on: [rollback], to: OPS}]`' },
        )
        .check(
          z.maxLength(CHART_NOTIFY, { error: `has at most ${CHART_NOTIFY} items` }),
          z.refine((items) => new Set(items.map(({ to }) => to)).size <= CHART_HOOKS, {
            error: `names at most ${CHART_HOOKS} hooks`,
          }),
        ),
    )
    .check(z.describe('Whom to tell of what: hooks, which are addresses that the deployer has named.')),
};

/**
 * Reads the `notify` of a document whose shape is right.
 *
 * @param model the chart without it.
 * @param issues receives names that are no states, and names that mean no single state.
 */
export function readNotify(document: Document, model: Model, issues: IssueList): Pick<Model, 'notify'> {
  const items = listAt(document.data, 'notify');
  if (items.length === 0) return {};
  const names = new Names(model);
  const notify = items.map((item, i): Notify => {
    const told = listAt(item, 'on').length === 0 ? undefined : listAt(item, 'on');
    const paths: PathStep[][] = told?.map((_, j) => ['notify', i, 'on', j]) ?? [['notify', i, 'on']];
    const states = new Set<StateNumber>();
    const occasions = new Set<Occasion>();
    for (const path of paths) {
      const found = meaningOf(document, path, model, names, issues);
      if (typeof found === 'number') states.add(found);
      else if (found !== undefined) occasions.add(found);
    }
    return {
      to: document.textAt(['notify', i, 'to']) ?? '',
      states: [...states],
      occasions: [...occasions],
    };
  });
  return { notify };
}

function meaningOf(
  document: Document,
  path: readonly PathStep[],
  model: Model,
  names: Names,
  issues: IssueList,
): StateNumber | Occasion | undefined {
  const word = document.textAt(path) ?? '';
  const error = (message: string) => {
    issues.error(document.locate(path), path, message);
    return undefined;
  };
  const occasion = OCCASIONS.find((known) => known === word);
  const found = names.find(word);
  if (found === undefined) {
    if (occasion !== undefined) return occasion;
    const known = () => [
      ...OCCASIONS,
      ...model.states.flatMap(({ name, path = name, key = name }) => [name, path, key]).filter(Boolean),
    ];
    return error(`There is no state ${quote(word)}.${issues.didYouMean(word, known)}`);
  }
  if (!found.ok) {
    const candidates = found.candidates.map(quote).join(', ');
    return error(`Several states are called ${quote(word)}: ${candidates}. Name one of them.`);
  }
  if (occasion !== undefined) {
    const message = `${quote(word)} is a state of this chart, so it is told when the state is entered, and at no other time.`;
    issues.warn(document.locate(path), path, message);
  }
  if (found.state === ROOT)
    return error('The chart as a whole is entered when it starts; name its first state.');
  if (model.states[found.state]?.type === 'history')
    return error('A history state is never current; name the states that it leads to.');
  return found.state;
}

/**
 * Returns the hooks that are told of an entry of the history, each once.
 *
 * @param entered the states that were entered with it.
 */
export function hooksToTell(
  model: Model,
  entered: readonly StateNumber[],
  occasion: Occasion | undefined,
): readonly string[] {
  if (model.notify === undefined) return NOBODY;
  const { byState, byOccasion } = indexOf(model, model.notify);
  const hooks = new Set(occasion === undefined ? [] : byOccasion.get(occasion));
  for (const state of entered) for (const hook of byState.get(state) ?? []) hooks.add(hook);
  return [...hooks];
}

const NOBODY: readonly string[] = [];

/** Returns the hooks that a chart names. */
export function hooksOf({ notify = [] }: Model): readonly string[] {
  return [...new Set(notify.map(({ to }) => to))];
}

interface Index {
  readonly byState: ReadonlyMap<StateNumber, readonly string[]>;
  readonly byOccasion: ReadonlyMap<Occasion, readonly string[]>;
}

function indexOf(model: Model, notify: readonly Notify[]): Index {
  const known = indexes.get(model);
  if (known !== undefined) return known;
  const byState = new Map<StateNumber, string[]>();
  const byOccasion = new Map<Occasion, string[]>();
  for (const { to, states, occasions } of notify) {
    for (const state of states) byState.set(state, [...(byState.get(state) ?? []), to]);
    for (const occasion of occasions) byOccasion.set(occasion, [...(byOccasion.get(occasion) ?? []), to]);
  }
  const index = { byState, byOccasion };
  indexes.set(model, index);
  return index;
}

const indexes = new WeakMap<Model, Index>();

function listAt(data: Data | undefined, key: string): readonly Data[] {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return [];
  const list = (data as { readonly [key: string]: Data })[key];
  return Array.isArray(list) ? list : [];
}
