/** Finds states by the names that callers use. */
import { type Model, ROOT, type StateNumber } from './model.ts';

/** The result of looking up a name. */
export type Naming =
  | { readonly ok: true; readonly state: StateNumber }
  /** Several states have it as their key: the caller must use the name of one of them. */
  | { readonly ok: false; readonly candidates: readonly string[] };

/** The names of a chart: each state by its id, by its path, or by its key where that is unique. */
export class Names {
  readonly #model: Model;
  /** By id, by path, by key: searched in this order. */
  readonly #tables: readonly ReadonlyMap<string, readonly StateNumber[]>[];

  constructor(model: Model) {
    this.#model = model;
    const ids = new Map<string, StateNumber[]>();
    const paths = new Map<string, StateNumber[]>();
    const keys = new Map<string, StateNumber[]>();
    for (const [number, { name, path, key }] of model.states.entries()) {
      // The name of a state with an id is the id; its path is in `path`.
      const hasId = path !== undefined || (number === ROOT && name !== '');
      if (hasId) add(ids, name, number);
      if (number !== ROOT) add(paths, path ?? name, number);
      if (key !== undefined) add(keys, key, number);
    }
    this.#tables = [ids, paths, keys];
  }

  /** @returns undefined if no state has the name. */
  find(name: string): Naming | undefined {
    for (const table of this.#tables) {
      const [only, ...others] = table.get(name) ?? [];
      if (only === undefined) continue;
      if (others.length === 0) return { ok: true, state: only };
      return {
        ok: false,
        candidates: [only, ...others].map((state) => this.#model.states[state]?.name ?? ''),
      };
    }
    return undefined;
  }
}

function add(table: Map<string, StateNumber[]>, name: string, state: StateNumber): void {
  const states = table.get(name);
  if (states === undefined) table.set(name, [state]);
  else states.push(state);
}
