/** Finds states by the names that callers use. */
import { type Model, ROOT, type StateNumber } from './model.ts';

/** A name that people use, and the state that it means. */
export type Naming =
  | { readonly ok: true; readonly state: StateNumber }
  /** Several states have it for a key: each is to be called by its own name. */
  | { readonly ok: false; readonly candidates: readonly string[] };

/** The names of a chart: each state by its id, by its path, or by its key where that is unique. */
export class Names {
  readonly #model: Model;
  /** By id, by path, by key: what comes first is asked first. */
  readonly #tables: readonly ReadonlyMap<string, readonly StateNumber[]>[];

  constructor(model: Model) {
    this.#model = model;
    const ids = new Map<string, StateNumber[]>();
    const paths = new Map<string, StateNumber[]>();
    const keys = new Map<string, StateNumber[]>();
    for (const [number, { name, path, key }] of model.states.entries()) {
      // A state with an id is called by it, and has its path beside it.
      const hasId = path !== undefined || (number === ROOT && name !== '');
      if (hasId) add(ids, name, number);
      if (number !== ROOT) add(paths, path ?? name, number);
      if (key !== undefined) add(keys, key, number);
    }
    this.#tables = [ids, paths, keys];
  }

  /** @returns undefined where no state has the name. */
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
