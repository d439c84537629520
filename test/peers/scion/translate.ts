/** Translates SCXML to a chart, where it has only what charts have. */
import type { Element } from './xml.ts';

/** Thrown for what charts do not have: the reason. */
export class Untranslatable extends Error {}

type Json = Readonly<Record<string, unknown>>;

/** @throws Untranslatable */
export function translate(scxml: Element): object {
  if (scxml.tag !== 'scxml') throw new Untranslatable('no <scxml>');
  return new Translation().root(scxml);
}

const STATES = ['state', 'parallel', 'final', 'history'];

class Translation {
  #unnamed = 0;

  root(scxml: Element): Json {
    return { id: 'root', ...this.#inside(scxml, scxml.attributes.initial, '__initial') };
  }

  #state(element: Element, id: string): [string, Json] {
    const { tag, attributes, children } = element;
    if (tag === 'history') {
      const [target] = targetsOf(children.find((child) => child.tag === 'transition'));
      return [
        id,
        { id, type: 'history', history: attributes.type ?? 'shallow', ...(target ? { target } : {}) },
      ];
    }
    for (const child of children) {
      if (![...STATES, 'transition', 'onentry', 'onexit', 'initial'].includes(child.tag))
        throw new Untranslatable(`<${child.tag}>`);
    }
    const type = tag === 'state' ? {} : { type: tag };
    return [
      id,
      {
        id,
        ...type,
        ...this.#inside(element, attributes.initial, `__initial_of_${id}`),
        ...this.#transitions(element),
        ...this.#executed('entry', element, 'onentry'),
        ...this.#executed('exit', element, 'onexit'),
      },
    ];
  }

  /** The states inside a state, and the one of them that is entered with it. */
  #inside(element: Element, attribute: string | undefined, pseudo: string): Json {
    for (const { tag } of element.children) {
      if (tag === 'datamodel' || tag === 'script') throw new Untranslatable(`<${tag}>`);
    }
    const inside = element.children.filter(({ tag }) => STATES.includes(tag));
    if (inside.length === 0) return {};
    const named = inside.map((child) => ({ child, id: child.attributes.id ?? `__${++this.#unnamed}` }));
    const states = Object.fromEntries(named.map(({ child, id }) => this.#state(child, id)));
    if (element.tag === 'parallel') return { states };
    const transition = element.children.find(({ tag }) => tag === 'initial')?.children[0];
    const first = named.find(({ child }) => child.tag !== 'history')?.id;
    const targets = attribute?.split(/\s+/) ?? transition?.attributes.target?.split(/\s+/) ?? [first ?? ''];
    const actions = this.#actions(transition?.children ?? []);
    const [only = ''] = targets;
    if (targets.length === 1 && named.some(({ child, id }) => id === only && child.tag !== 'history'))
      return { states, initial: actions.length === 0 ? only : { target: only, actions } };
    // `initial` is a child: a deeper one is entered through a state that is left at once.
    const through = { always: { target: targets.map((target) => `#${target}`), actions } };
    return { states: { ...states, [pseudo]: { id: pseudo, ...through } }, initial: pseudo };
  }

  #transitions({ children }: Element): Json {
    const always: Json[] = [];
    const on: Record<string, Json[]> = {};
    for (const child of children) {
      if (child.tag !== 'transition') continue;
      const { event, cond, type } = child.attributes;
      const target = targetsOf(child);
      const written = {
        ...(target.length === 0 ? {} : { target, ...(type === 'internal' ? {} : { reenter: true }) }),
        ...(cond === undefined ? {} : { guard: condition(cond) }),
        actions: this.#actions(child.children),
      };
      if (event === undefined) always.push(written);
      for (const name of event?.split(/\s+/) ?? []) {
        if (Object.hasOwn(on, '*')) throw new Untranslatable('a wildcard before a name');
        if (name.includes('.') && !name.startsWith('done.state.'))
          throw new Untranslatable('events by the beginning of their names');
        const key = name.replace(/^done\.state\./, 'xstate.done.state.');
        on[key] = [...(on[key] ?? []), written];
      }
    }
    return {
      ...(always.length === 0 ? {} : { always }),
      ...(Object.keys(on).length === 0 ? {} : { on }),
    };
  }

  #executed(key: 'entry' | 'exit', { children }: Element, tag: string): Json {
    const actions = children
      .filter((child) => child.tag === tag)
      .flatMap((child) => this.#actions(child.children));
    return actions.length === 0 ? {} : { [key]: actions };
  }

  #actions(elements: readonly Element[]): Json[] {
    return elements.flatMap(({ tag, attributes, children }): Json[] => {
      if (tag === 'log') return [];
      if (tag === 'raise') return [{ raise: attributes.event }];
      if (tag === 'cancel' && attributes.sendid !== undefined) return [{ cancel: attributes.sendid }];
      if (tag !== 'send' || children.length > 0) throw new Untranslatable(`<${tag}>`);
      const { event, delay = '0', id, target, ...more } = attributes;
      if (event === undefined || Object.keys(more).length > 0)
        throw new Untranslatable(`<send> with ${Object.keys(more).join()}`);
      if (target === '#_internal') return [{ raise: event }];
      if (target !== undefined) throw new Untranslatable('<send> to others');
      return [{ raise: { event, delay: delay === '0' ? 0 : delay, ...(id === undefined ? {} : { id }) } }];
    });
  }
}

function targetsOf(transition: Element | undefined): string[] {
  return (
    transition?.attributes.target
      ?.split(/\s+/)
      .filter((id) => id !== '')
      .map((id) => `#${id}`) ?? []
  );
}

/** Only `In`, which needs no data model. */
function condition(cond: string): string {
  const cel = cond.trim().replaceAll(/\bIn\(\s*['"](\w+)['"]\s*\)/g, 'in_state("$1")');
  if (!/^(in_state\("\w+"\)|true|false|[!()\s]|&&|\|\|)+$/.test(cel))
    throw new Untranslatable('data in a condition');
  return cel;
}
